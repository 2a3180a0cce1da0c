package rippling

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/tenurehq/tenure/internal/remote"
	"github.com/tenurehq/tenure/secret"
)

// opFetch names the operation in a remote.Error.
const opFetch = "fetch"

// fetcher gets an employee by GET /platform/api/employees/{employeeId}, with a bearer
// token.
type fetcher struct {
	http    *http.Client
	answers *remote.Answers
	base    *url.URL
	token   secret.Secret
}

// fetch is the source.Fetch of one company.
func (f *fetcher) fetch(ctx context.Context, employee string) ([]byte, error) {
	if strings.Trim(employee, ".") == "" {
		return nil, &remote.Error{Kind: remote.Invalid, Op: opFetch, Message: "the employee's ID leads elsewhere"}
	}
	u := f.base.JoinPath("platform", "api", "employees", url.PathEscape(employee))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, &remote.Error{Kind: remote.Invalid, Op: opFetch, Message: "the url setting and the employee's ID make no URL", Cause: err}
	}
	token, err := f.token.Reveal()
	if err != nil {
		return nil, remote.NoSecret(opFetch, "token", err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/json")
	return remote.Call(f.http, f.answers, opFetch, "Rippling", req)
}
