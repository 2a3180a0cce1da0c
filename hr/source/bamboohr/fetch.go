package bamboohr

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/tenurehq/tenure/internal/remote"
	"github.com/tenurehq/tenure/secret"
)

// opFetch is the operation, as remote.Error.Op has it.
const opFetch = "fetch"

// fetcher gets an employee: GET /api/v1/employees/{id}?fields=...&onlyCurrent=true,
// the API key as the user of basic authentication, any text as its password
// (https://documentation.bamboohr.com/docs/getting-started).
type fetcher struct {
	http   *http.Client
	base   *url.URL
	apiKey secret.Secret
	fields []string
}

// fetch is the source.Fetch of one account.
func (f *fetcher) fetch(ctx context.Context, employee string) ([]byte, error) {
	if strings.Trim(employee, ".") == "" {
		return nil, &remote.Error{Kind: remote.Invalid, Op: opFetch, Message: "the employee's ID leads elsewhere"}
	}
	u := f.base.JoinPath("api", "v1", "employees", url.PathEscape(employee))
	u.RawQuery = url.Values{"fields": {strings.Join(f.fields, ",")}, "onlyCurrent": {"true"}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, &remote.Error{Kind: remote.Invalid, Op: opFetch, Message: "the url setting and the employee's ID make no URL", Cause: err}
	}
	apiKey, err := f.apiKey.Reveal()
	if err != nil {
		return nil, remote.NoSecret(opFetch, "apiKey", err)
	}
	req.SetBasicAuth(apiKey, "x")
	req.Header.Set("Accept", "application/json")
	return remote.Call(f.http, opFetch, "BambooHR", req)
}
