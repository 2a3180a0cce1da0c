package bamboohr

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tenurehq/tenure/internal/remote"
	"github.com/tenurehq/tenure/secret"
)

// opFetch names the operation in a remote.Error.
const opFetch = "fetch"

// fetcher gets an employee by GET /api/v1/employees/{id}?fields=...&onlyCurrent=true. It
// signs in by basic authentication, with the API key as the user and any text as the
// password (https://documentation.bamboohr.com/docs/getting-started).
//
// Fields of history tables (employment status, department, title, ...) are empty until
// their date. So for an employee whose first day is in the future, the fetcher asks once
// more, with onlyCurrent=false.
type fetcher struct {
	http    *http.Client
	answers *remote.Answers
	base    *url.URL
	apiKey  secret.Secret
	fields  []string

	startsLater func(answer []byte) bool // reports whether the employee's first day is, or may be, in the future
}

// fetch is the source.Fetch of one account.
func (f *fetcher) fetch(ctx context.Context, employee string) ([]byte, error) {
	if strings.Trim(employee, ".") == "" {
		return nil, &remote.Error{Kind: remote.Invalid, Op: opFetch, Message: "the employee's ID leads elsewhere"}
	}
	answer, err := f.get(ctx, employee, true)
	if err != nil || !f.startsLater(answer) {
		return answer, err
	}
	return f.get(ctx, employee, false)
}

// get asks for an employee. Without onlyCurrent, the answer has values of later dates too.
func (f *fetcher) get(ctx context.Context, employee string, onlyCurrent bool) ([]byte, error) {
	u := f.base.JoinPath("api", "v1", "employees", url.PathEscape(employee))
	u.RawQuery = url.Values{"fields": {strings.Join(f.fields, ",")}, "onlyCurrent": {strconv.FormatBool(onlyCurrent)}}.Encode()
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
	return remote.Call(f.http, f.answers, opFetch, "BambooHR", req)
}
