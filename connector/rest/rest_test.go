package rest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/credentials"
	"github.com/tenurehq/tenure/connector/rest"
	"github.com/tenurehq/tenure/secret"
)

const token = "t0ken-that-nobody-may-see"

// codes reads {"code": "..."}.
func codes(body []byte) []string {
	var said struct{ Code string }
	if json.Unmarshal(body, &said) != nil || said.Code == "" {
		return nil
	}
	return []string{said.Code}
}

var acme = rest.Vendor{
	Name: "Acme", Codes: codes,
	Rules: []rest.Rule{
		{Status: 404, Code: "no_such_user", Kind: connector.KindNotFound, Advice: "there is no such account"},
		{Status: 403, Code: "slow_down", Kind: connector.KindRateLimited, Advice: "too many requests", Wait: time.Minute},
		{Op: connector.OpCreate, Status: 400, Code: "taken", Kind: connector.KindExists, Advice: "such an account is there"},
	},
}

// client returns a client of a server that answers by handle.
func client(t *testing.T, handle http.HandlerFunc) *rest.Client {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL + "/v1")
	require.NoError(t, err)
	c := rest.New(acme, time.Minute)
	c.Base = rest.At(base)
	c.Credentials = credentials.Token{Scheme: "Bearer", Setting: "token", Token: secret.Of(token)}
	return c
}

func failed(t *testing.T, err error) *connector.Error {
	t.Helper()
	var e *connector.Error
	require.ErrorAs(t, err, &e)
	assert.NotContains(t, e.Error(), token)
	assert.NotContains(t, e.Error(), "zoe")
	return e
}

func TestWhatAFailureMeans(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	for name, test := range map[string]struct {
		op     string
		status int
		body   string
		header map[string]string
		kind   connector.ErrorKind
		wait   time.Duration
	}{
		"the vendor's own word":               {connector.OpRead, 404, `{"code":"no_such_user"}`, nil, connector.KindNotFound, 0},
		"a proxy's 404":                       {connector.OpRead, 404, `<html>zoe not found</html>`, nil, connector.KindUnavailable, 0},
		"a 404 with another code":             {connector.OpRead, 404, `{"code":"no_such_route"}`, nil, connector.KindUnavailable, 0},
		"a rule of one operation":             {connector.OpCreate, 400, `{"code":"taken"}`, nil, connector.KindExists, 0},
		"the same of another operation":       {connector.OpUpdate, 400, `{"code":"taken"}`, nil, connector.KindInvalid, 0},
		"403 is forbidden":                    {connector.OpRead, 403, `{}`, nil, connector.KindForbidden, 0},
		"403 by a rule is quota":              {connector.OpRead, 403, `{"code":"slow_down"}`, nil, connector.KindRateLimited, time.Minute},
		"the vendor's wait before the rule's": {connector.OpRead, 403, `{"code":"slow_down"}`, map[string]string{"Retry-After": "7"}, connector.KindRateLimited, 7 * time.Second},
		"403 with a used quota":               {connector.OpRead, 403, `{}`, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "30"}, connector.KindRateLimited, 30 * time.Second},
		"403 with quota left":                 {connector.OpRead, 403, `{}`, map[string]string{"X-RateLimit-Remaining": "12", "X-RateLimit-Reset": "30"}, connector.KindForbidden, 0},
		"429 with a date":                     {connector.OpRead, 429, ``, map[string]string{"Date": now.Format(http.TimeFormat), "Retry-After": now.Add(90 * time.Second).Format(http.TimeFormat)}, connector.KindRateLimited, 90 * time.Second},
		"429 with a date as Zoom writes it":   {connector.OpRead, 429, ``, map[string]string{"Date": now.Format(http.TimeFormat), "Retry-After": now.Add(90 * time.Second).UTC().Format(time.RFC3339)}, connector.KindRateLimited, 90 * time.Second},
		"429 with a reset by a skewed clock":  {connector.OpRead, 429, ``, map[string]string{"Date": now.Add(-time.Hour).Format(http.TimeFormat), "X-Rate-Limit-Reset": fmt.Sprint(now.Add(-time.Hour).Unix() + 20)}, connector.KindRateLimited, 20 * time.Second},
		"429 with a reset in milliseconds":    {connector.OpRead, 429, ``, map[string]string{"Date": now.Format(http.TimeFormat), "X-RateLimit-Reset": fmt.Sprint(now.UnixMilli() + 20_000)}, connector.KindRateLimited, 20 * time.Second},
		"429 with a reset in microseconds":    {connector.OpRead, 429, ``, map[string]string{"Date": now.Format(http.TimeFormat), "X-RateLimit-Reset": fmt.Sprint(now.UnixMicro() + 20_000_000)}, connector.KindRateLimited, 20 * time.Second},
		"429 with a reset long ago":           {connector.OpRead, 429, ``, map[string]string{"Date": now.Format(http.TimeFormat), "X-RateLimit-Reset": "1999-12-31T23:59:59Z"}, connector.KindRateLimited, 0},
		"429 after an instant":                {connector.OpRead, 429, ``, map[string]string{"Date": now.Format(http.TimeFormat), "Retry-After": fmt.Sprint(now.Unix() + 20)}, connector.KindRateLimited, 20 * time.Second},
		"429 after an instant, in ms":         {connector.OpRead, 429, ``, map[string]string{"Date": now.Format(http.TimeFormat), "Retry-After": fmt.Sprint(now.UnixMilli() + 20_000)}, connector.KindRateLimited, 20 * time.Second},
		"429 after less than nothing":         {connector.OpRead, 429, ``, map[string]string{"Retry-After": "-1"}, connector.KindRateLimited, 0},
		"429 after no number":                 {connector.OpRead, 429, ``, map[string]string{"Retry-After": "NaN"}, connector.KindRateLimited, 0},
		"429 after more than a number holds":  {connector.OpRead, 429, ``, map[string]string{"Retry-After": "99999999999999999999"}, connector.KindRateLimited, 0},
		"429 after a week":                    {connector.OpRead, 429, ``, map[string]string{"Retry-After": "604800"}, connector.KindRateLimited, 24 * time.Hour},
		"429 without any":                     {connector.OpRead, 429, ``, nil, connector.KindRateLimited, 0},
		"401":                                 {connector.OpRead, 401, ``, nil, connector.KindUnauthorized, 0},
		"a conflict is no account":            {connector.OpCreate, 409, ``, nil, connector.KindUnavailable, 0},
		"422":                                 {connector.OpCreate, 422, ``, nil, connector.KindInvalid, 0},
		"503 that says when":                  {connector.OpRead, 503, ``, map[string]string{"Retry-After": "5"}, connector.KindUnavailable, 5 * time.Second},
		"503":                                 {connector.OpRead, 503, ``, nil, connector.KindUnavailable, 0},
		"504":                                 {connector.OpRead, 504, ``, map[string]string{"Retry-After": "5"}, connector.KindUnavailable, 5 * time.Second},
		"a redirect elsewhere":                {connector.OpRead, 302, ``, map[string]string{"Location": "http://elsewhere.example/zoe"}, connector.KindInvalid, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := client(t, func(w http.ResponseWriter, _ *http.Request) {
				for key, value := range test.header {
					w.Header().Set(key, value)
				}
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			})
			_, err := c.Do(t.Context(), rest.Request{Op: test.op, Path: rest.Path("users", "zoe")}, nil)
			e := failed(t, err)
			assert.Equal(t, test.kind, e.Kind, e.Error())
			assert.Equal(t, test.wait, e.RetryAfter)
			assert.Equal(t, test.op, e.Op)
			assert.Equal(t, test.status, rest.FailureOf(err).Status)
			assert.Equal(t, test.status == 503 && test.wait > 0, e.Declined)
		})
	}
}

func TestRequestsAreEscapedAndAuthorized(t *testing.T) {
	var got *http.Request
	var form string
	c := client(t, func(_ http.ResponseWriter, r *http.Request) {
		got = r
		_ = r.ParseForm()
		form = r.PostForm.Get("name")
	})
	c.Header = http.Header{"X-Version": {"7"}}
	paced := 0
	c.Pace = func(context.Context) error { paced++; return nil }
	_, err := c.Do(t.Context(), rest.Request{
		Op: connector.OpUpdate, Method: http.MethodPost, Path: rest.Path("users", "../a b?c#d/e"),
		Query: url.Values{"filter": {`name eq "a+b c"`}}, Body: url.Values{"name": {"Zoë"}},
	}, nil)
	require.NoError(t, err)
	assert.Equal(t, "/v1/users/..%2Fa%20b%3Fc%23d%2Fe", got.URL.EscapedPath())
	assert.Equal(t, `filter=name%20eq%20%22a%2Bb%20c%22`, got.URL.RawQuery)
	assert.Equal(t, "Bearer "+token, got.Header.Get("Authorization"))
	assert.Equal(t, "7", got.Header.Get("X-Version"))
	assert.Equal(t, "Zoë", form)
	assert.Equal(t, 1, paced)
}

func TestAnAnswerThatIsNoneProvesNothing(t *testing.T) {
	for name, test := range map[string]struct {
		body string
		kind connector.ErrorKind
	}{
		"a page of a proxy": {`<html>sign in</html>`, connector.KindContradictory},
		"nothing":           {``, connector.KindContradictory},
		"cut off":           {`{"id": "zo`, connector.KindUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			c := client(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(test.body)) })
			var out struct{ ID string }
			_, err := c.Do(t.Context(), rest.Request{Op: connector.OpRead, Path: "/users"}, &out)
			assert.Equal(t, test.kind, failed(t, err).Kind)
		})
	}
}

// numbers is a page of a list.
type numbers struct {
	Numbers []int
	Next    string
}

func all(ctx context.Context, c *rest.Client, next func(numbers, http.Header) (rest.Request, bool)) (got []int, err error) {
	for page, err := range rest.Pages(ctx, c, rest.Request{Op: connector.OpList, Path: "/numbers"}, next) {
		if err != nil {
			return got, err
		}
		got = append(got, page.Numbers...)
	}
	return got, nil
}

func byNext(page numbers, _ http.Header) (rest.Request, bool) {
	return rest.Request{Op: connector.OpList, Link: page.Next}, page.Next != ""
}

func TestPages(t *testing.T) {
	serve := func(next func(r *http.Request, page int) string) *rest.Client {
		return client(t, func(w http.ResponseWriter, r *http.Request) {
			page := 0
			_, _ = fmt.Sscan(r.FormValue("page"), &page)
			link := next(r, page)
			if link != "" {
				w.Header().Add("Link", `<https://first.example/>; rel="first"`)
				w.Header().Add("Link", "<"+link+`>; rel="next"`)
			}
			_ = json.NewEncoder(w).Encode(numbers{Numbers: []int{page}, Next: link})
		})
	}
	here := func(r *http.Request, page int) string {
		return fmt.Sprintf("http://%s/v1/numbers?page=%d", r.Host, page)
	}
	three := func(r *http.Request, page int) string {
		if page == 2 {
			return ""
		}
		return here(r, page+1)
	}
	t.Run("by a link in the body", func(t *testing.T) {
		got, err := all(t.Context(), serve(three), byNext)
		require.NoError(t, err)
		assert.Equal(t, []int{0, 1, 2}, got)
	})
	t.Run("by the header Link", func(t *testing.T) {
		got, err := all(t.Context(), serve(three), rest.NextLink[numbers](connector.OpList))
		require.NoError(t, err)
		assert.Equal(t, []int{0, 1, 2}, got)
	})
	t.Run("in a circle", func(t *testing.T) {
		got, err := all(t.Context(), serve(func(r *http.Request, page int) string { return here(r, (page+1)%3) }), byNext)
		assert.Equal(t, connector.KindContradictory, failed(t, err).Kind)
		assert.Less(t, len(got), 6)
	})
	for name, link := range map[string]string{
		"another host":      "http://evil.example/v1/numbers",
		"another scheme":    "https://127.0.0.1/v1/numbers",
		"with a password":   "http://a:b@127.0.0.1/v1/numbers",
		"no address at all": "::",
	} {
		t.Run("to "+name, func(t *testing.T) {
			_, err := all(t.Context(), serve(func(*http.Request, int) string { return link }), byNext)
			assert.Equal(t, connector.KindContradictory, failed(t, err).Kind)
		})
	}
}

func TestARefusedTokenIsRenewedOnce(t *testing.T) {
	asked := 0
	c := client(t, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.WriteHeader(http.StatusUnauthorized)
	})
	c.Credentials = renewable{}
	_, err := c.Do(t.Context(), rest.Request{Op: connector.OpRead, Path: "/users"}, nil)
	assert.Equal(t, connector.KindUnauthorized, failed(t, err).Kind)
	assert.Equal(t, 2, asked)
}

type renewable struct{}

func (renewable) Header(context.Context, string) (string, error) { return "Bearer x", nil }
func (renewable) Renew(string) bool                              { return true }
func (renewable) Who() string                                    { return "anybody" }

func TestACallEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	c := client(t, func(http.ResponseWriter, *http.Request) { cancel(); <-release })
	t.Cleanup(func() { close(release) }) // before the server is closed
	_, err := c.Do(ctx, rest.Request{Op: connector.OpRead, Path: "/users"}, nil)
	assert.Equal(t, connector.KindUnavailable, failed(t, err).Kind)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestTokensOfLinkedPages(t *testing.T) {
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		page := 0
		_, _ = fmt.Sscan(r.FormValue("page"), &page)
		shown := numbers{Numbers: []int{page}}
		switch {
		case r.URL.Path != "/v1/numbers":
			w.WriteHeader(http.StatusInternalServerError)
		case page < 2:
			shown.Next = fmt.Sprintf("http://%s/v1/numbers?page=%d", r.Host, page+1)
		case page == 7:
			shown.Next = "http://elsewhere.example.com/v1/numbers?page=1"
		case page == 8:
			shown.Next = "http://" + r.Host + "/v2/numbers?page=1"
		}
		_ = json.NewEncoder(w).Encode(shown)
	})
	first := rest.Request{Op: connector.OpPage, Path: "/numbers"}
	var got []int
	for token := ""; ; {
		page, next, err := rest.Linked(t.Context(), c, first, token, byNext)
		require.NoError(t, err)
		got = append(got, page.Numbers...)
		if token = next; token == "" {
			break
		}
		assert.Regexp(t, `^/v1/numbers\?page=\d$`, token, "no host, so that the configured one is asked wherever the token was kept")
	}
	assert.Equal(t, []int{0, 1, 2}, got)
	for name, token := range map[string]string{
		"another host":          "//elsewhere.example.com/v1/numbers?page=1",
		"a user of ours":        "@elsewhere.example.com/v1/numbers?page=1",
		"another address":       "http://elsewhere.example.com/v1/numbers?page=1",
		"outside the base":      "/numbers?page=1",
		"outside, by two dots":  "/v1/../numbers?page=1",
		"the same, escaped":     "/v1/%2e%2e/numbers?page=1",
		"another list":          "/v1/secrets?page=1",
		"no page":               "/v1/numbers",
		"what is no address":    "/v1/numbers?page=1\x00",
		"a word":                "garbage",
		"an address beyond one": ".example.com/v1/numbers?page=1",
	} {
		_, _, err := rest.Linked(t.Context(), c, first, token, byNext)
		assert.Equal(t, connector.KindInvalid, failed(t, err).Kind, name)
	}
	for _, page := range []string{"7", "8"} {
		_, _, err := rest.Linked(t.Context(), c, first, "/v1/numbers?page="+page, byNext)
		assert.Equal(t, connector.KindContradictory, failed(t, err).Kind, "a link that leads elsewhere")
	}
}

// TestWhatFailsInPassing: a request that fails once is sent once more, unless it may take effect
// twice.
func TestWhatFailsInPassing(t *testing.T) {
	for name, test := range map[string]struct {
		op       string
		method   string
		status   int
		header   map[string]string
		body     string
		requests int
	}{
		"a read, and a problem of the vendor's": {connector.OpUpdate, http.MethodGet, 500, nil, "", 2},
		"a read, and a gateway":                 {connector.OpUpdate, http.MethodGet, 502, nil, "", 2},
		"a read, and a proxy's 404":             {connector.OpUpdate, http.MethodGet, 404, nil, "<html>", 2},
		"a read, and the vendor's 404":          {connector.OpUpdate, http.MethodGet, 404, nil, `{"code":"no_such_user"}`, 1},
		"a read, declined for long":             {connector.OpUpdate, http.MethodGet, 503, map[string]string{"Retry-After": "60"}, "", 1},
		"a read, forbidden":                     {connector.OpUpdate, http.MethodGet, 403, nil, "", 1},
		"a change, and a problem":               {connector.OpUpdate, http.MethodPost, 500, nil, "", 1},
		"a change, and a proxy's 404":           {connector.OpUpdate, http.MethodPatch, 404, nil, "<html>", 1},
		"a change, declined":                    {connector.OpUpdate, http.MethodPost, 503, map[string]string{"Retry-After": "1"}, "", 2},
		"a creation, declined":                  {connector.OpCreate, http.MethodPost, 503, map[string]string{"Retry-After": "1"}, "", 1},
		"a restore, declined":                   {connector.OpRestore, http.MethodPost, 503, map[string]string{"Retry-After": "1"}, "", 1},
		"a look for a creation":                 {connector.OpCreate, http.MethodGet, 503, map[string]string{"Retry-After": "1"}, "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			c := client(t, func(w http.ResponseWriter, _ *http.Request) {
				if requests.Add(1) > 1 {
					_, _ = w.Write([]byte(`{"id":"7"}`))
					return
				}
				for name, value := range test.header {
					w.Header().Set(name, value)
				}
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			})
			var user struct{ ID string }
			_, err := c.Do(t.Context(), rest.Request{Op: test.op, Method: test.method, Path: "/users"}, &user)
			assert.EqualValues(t, test.requests, requests.Load())
			if test.requests == 1 {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, "7", user.ID)
		})
	}
}

// TestAChangeInDoubtIsSentAgain once, if that leaves what it leaves when made once and the caller
// takes note of the doubt.
func TestAChangeInDoubtIsSentAgain(t *testing.T) {
	failing := func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }
	for name, test := range map[string]struct {
		op         string
		unlike     bool // made twice, it is not the same as once
		unheeded   bool // the caller takes no note
		failure    func(w http.ResponseWriter)
		failures   int32
		requests   int
		doubts     int
		successful bool
	}{
		"answered by a failure":  {failure: failing, failures: 1, requests: 2, doubts: 1, successful: true},
		"the connection breaks":  {failure: func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, failures: 1, requests: 2, doubts: 1, successful: true},
		"answered by a proxy":    {failure: func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }, failures: 1, requests: 2, doubts: 1, successful: true},
		"twice":                  {failure: failing, failures: 2, requests: 2, doubts: 2},
		"declined":               {failure: func(w http.ResponseWriter) { w.Header().Set("Retry-After", "1"); failing(w) }, failures: 1, requests: 2, successful: true},
		"refused":                {failure: func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadRequest) }, failures: 1, requests: 1},
		"a gateway gave up":      {failure: func(w http.ResponseWriter) { w.WriteHeader(http.StatusGatewayTimeout) }, failures: 1, requests: 1},
		"another one each time":  {unlike: true, failure: failing, failures: 1, requests: 1},
		"nobody takes note":      {unheeded: true, failure: failing, failures: 1, requests: 1},
		"a creation":             {op: connector.OpCreate, failure: failing, failures: 1, requests: 1, doubts: 1},
		"a transfer of the data": {op: connector.OpHandOver, failure: failing, failures: 1, requests: 1, doubts: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			c := client(t, func(w http.ResponseWriter, _ *http.Request) {
				if requests.Add(1) <= test.failures {
					test.failure(w)
					return
				}
				_, _ = w.Write([]byte(`{"id":"7"}`))
			})
			ctx, doubts := t.Context(), 0
			if !test.unheeded {
				ctx = connector.NotingDoubts(ctx, func() { doubts++ })
			}
			if test.op == "" {
				test.op = connector.OpGrant
			}
			_, err := c.Do(ctx, rest.Request{Op: test.op, Method: http.MethodPut, Path: "/users/7", Repeatable: !test.unlike}, nil)
			assert.EqualValues(t, test.requests, requests.Load())
			assert.Equal(t, test.doubts, doubts)
			assert.Equal(t, test.successful, err == nil, err)
		})
	}
}
