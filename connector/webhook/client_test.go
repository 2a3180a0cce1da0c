package webhook_test

import (
	"context"
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/webhook"
	"github.com/tenurehq/tenure/secret"
)

const signing = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"

func open(t *testing.T, change connector.Settings) connector.Connector {
	t.Helper()
	settings := connector.Settings{"url": "https://hooks.example.com", "secret": signing}
	maps.Copy(settings, change)
	c, err := webhook.Kind.Open(t.Context(), connector.Env{App: "door"}, settings)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// answering returns a connector to a service that gives every request the same answer.
func answering(t *testing.T, status int, header http.Header, body string) connector.Connector {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		maps.Copy(w.Header(), header)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return open(t, connector.Settings{"url": server.URL})
}

func TestSettings(t *testing.T) {
	for name, test := range map[string]struct {
		change connector.Settings
		want   string
	}{
		"plain http":       {connector.Settings{"url": "http://hooks.example.com"}, `"url" must be https`},
		"no url":           {connector.Settings{"url": "hooks.example.com"}, `"url" must be a whole http or https URL`},
		"password in url":  {connector.Settings{"url": "https://a:s3cret@hooks.example.com"}, `"url" must hold no password`},
		"secret unmarked":  {connector.Settings{"secret": "s3cret"}, `"secret" must be whsec_`},
		"secret too short": {connector.Settings{"secret": "whsec_" + base64.StdEncoding.EncodeToString([]byte("s3cret"))}, `24 to 64 bytes`},
		"no operation":     {connector.Settings{"operations": []any{"fire"}}, `"operations" holds "fire": known are create,`},
		"no key":           {connector.Settings{"keys": []any{"shoe"}}, `"keys" holds "shoe": known are employee_number, email`},
	} {
		t.Run(name, func(t *testing.T) {
			settings := connector.Settings{"url": "https://hooks.example.com", "secret": signing}
			maps.Copy(settings, test.change)
			_, err := webhook.Kind.Open(t.Context(), connector.Env{App: "door"}, settings)
			require.ErrorContains(t, err, test.want)
			assert.NotContains(t, err.Error(), "s3cret")
		})
	}
}

func TestWhatAnswersMean(t *testing.T) {
	after := http.Header{"Retry-After": {"60"}}
	for name, test := range map[string]struct {
		status int
		header http.Header
		body   string
		want   connector.ErrorKind
		after  time.Duration
	}{
		"not found":                 {404, nil, `{"error":"not_found"}`, connector.KindNotFound, 0},
		"not found, of a proxy":     {404, nil, `<h1>404</h1>`, connector.KindUnavailable, 0},
		"not found, without a code": {404, nil, `{"message":"no route"}`, connector.KindUnavailable, 0},
		"not found, another code":   {404, nil, `{"error":"no_route"}`, connector.KindUnavailable, 0},
		"not found, of a gateway":   {502, nil, `{"error":"not_found"}`, connector.KindUnavailable, 0},
		"not found, refused":        {403, nil, `{"error":"not_found"}`, connector.KindForbidden, 0},
		"gone":                      {410, nil, `{"error":"not_found"}`, connector.KindNotFound, 0},
		"gone, of a proxy":          {410, nil, ``, connector.KindUnavailable, 0},
		"exists":                    {409, nil, `{"error":"exists"}`, connector.KindExists, 0},
		"conflict":                  {412, nil, `{"error":"conflict"}`, connector.KindConflict, 0},
		"409 of whatever":           {409, nil, ``, connector.KindInvalid, 0},
		"invalid":                   {422, nil, `{"error":"invalid"}`, connector.KindInvalid, 0},
		"unsupported":               {501, nil, `{"error":"unsupported"}`, connector.KindUnsupported, 0},
		"unauthorized":              {401, nil, `{"error":"unauthorized"}`, connector.KindUnauthorized, 0},
		"forbidden":                 {403, nil, `{"error":"forbidden"}`, connector.KindForbidden, 0},
		"forbidden, of a firewall":  {403, nil, ``, connector.KindForbidden, 0},
		"rate limited":              {429, after, ``, connector.KindRateLimited, time.Minute},
		"unavailable":               {503, after, `{"error":"unavailable"}`, connector.KindUnavailable, time.Minute},
		"pending":                   {503, after, `{"error":"pending"}`, connector.KindPending, time.Minute},
		"of its own making":         {500, nil, `{"error":"zoe is on fire"}`, connector.KindUnavailable, 0},
		"redirect":                  {302, http.Header{"Location": {"https://elsewhere.example.com"}}, ``, connector.KindInvalid, 0},
		"no JSON":                   {200, nil, `welcome to the captive portal`, connector.KindInvalid, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := answering(t, test.status, test.header, test.body)
			err := c.Disable(t.Context(), "17")
			var failed *connector.Error
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, test.want, failed.Kind, err)
			assert.Equal(t, connector.OpDisable, failed.Op)
			assert.Equal(t, test.after, failed.RetryAfter)
			assert.NotContains(t, err.Error(), "zoe")
		})
	}
}

func TestAnswersThatMakeNoSense(t *testing.T) {
	_, err := answering(t, 200, nil, `{}`).Check(t.Context())
	require.ErrorContains(t, err, "check: invalid")
	_, err = answering(t, 200, nil, `{"account":{"id":"18","username":"zoe","active":true}}`).Read(t.Context(), "17")
	require.ErrorContains(t, err, "read: invalid", "another account than was asked for")
	_, err = answering(t, 200, nil, `{}`).Create(t.Context(), connector.Spec{Username: "zoe"})
	require.ErrorContains(t, err, "create: invalid")
	var last error
	for _, err := range answering(t, 200, nil, `{"accounts":[],"cursor":"1"}`).List(t.Context()) {
		last = err
	}
	require.ErrorContains(t, last, "list: contradictory", "a cursor that comes again")
	matches, err := answering(t, 200, nil, `{"accounts":[{"id":"18","username":"zoe","personId":"p-2","active":true}]}`).
		Find(t.Context(), connector.Keys{PersonID: "p-1", Username: "zoe"})
	require.NoError(t, err)
	assert.Empty(t, matches, "whatever the service finds, another person's account is no match")
}

// A change that is repeated within its step has the same ID. A request that changes nothing
// has a new one each time.
func TestMessageIDs(t *testing.T) {
	var ids []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ids = append(ids, r.Header.Get("webhook-id"))
		_, _ = w.Write([]byte(`{"account":{"id":"17","username":"zoe","active":true}}`))
	}))
	t.Cleanup(server.Close)
	c := open(t, connector.Settings{"url": server.URL})
	id := func(do func() error) string {
		require.NoError(t, do())
		return ids[len(ids)-1]
	}
	step := func(key, account string) string {
		return id(func() error { return c.Disable(connector.WithStep(t.Context(), key), account) })
	}
	first := step("run/1", "17")
	assert.Equal(t, first, step("run/1", "17"))
	assert.NotEqual(t, first, step("run/1", "18"), "another account")
	assert.NotEqual(t, first, step("run/2", "17"), "another step")
	assert.NotEqual(t, step("", "17"), step("", "17"), "part of no step")
	look := func() string {
		return id(func() error { _, err := c.Read(connector.WithStep(t.Context(), "run/1"), "17"); return err })
	}
	assert.NotEqual(t, look(), look(), "a look is to see what is there now")
}

func TestTheSecretIsReadForEachRequest(t *testing.T) {
	var signatures []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signatures = append(signatures, r.Header.Get("webhook-signature"))
		_, _ = w.Write([]byte(`{"identity":"a service"}`))
	}))
	t.Cleanup(server.Close)
	now := signing
	c := open(t, connector.Settings{"url": server.URL, "secret": secret.New(func() (string, error) { return now, nil })})
	_, err := c.Check(t.Context())
	require.NoError(t, err)
	now = "not one"
	_, err = c.Check(t.Context())
	require.ErrorContains(t, err, `"secret"`)
	require.NotContains(t, err.Error(), now)
	assert.Len(t, signatures, 1, "nothing is sent unsigned")
}

func TestEachRequestWaitsItsTurn(t *testing.T) {
	requests, turns := 0, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests++
		_, _ = w.Write([]byte(`{"accounts":[]}`))
	}))
	t.Cleanup(server.Close)
	late := errors.New("not yet")
	c, err := webhook.Kind.Open(t.Context(), connector.Env{App: "door", Pace: func(context.Context) error {
		if turns == 2 {
			return late
		}
		turns++
		return nil
	}}, connector.Settings{"url": server.URL, "secret": signing})
	require.NoError(t, err)
	_, err = c.Find(t.Context(), connector.Keys{PersonID: "p-1", Username: "zoe"}) // two requests
	require.NoError(t, err)
	_, err = c.Read(t.Context(), "17")
	require.ErrorContains(t, err, "read: unavailable")
	require.ErrorIs(t, err, late)
	assert.Equal(t, []int{2, 2}, []int{requests, turns})
}
