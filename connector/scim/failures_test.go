package scim_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

const errorBody = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"%d","scimType":%q,"detail":"anna.smith exists"}`

// answering returns a connector to a service that gives every request the same answer.
func answering(t *testing.T, status int, header http.Header, body string) connector.Connector {
	t.Helper()
	return handling(t, func(w http.ResponseWriter, _ *http.Request) {
		maps.Copy(w.Header(), header)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func handling(t *testing.T, handler http.HandlerFunc) connector.Connector {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return open(t, connector.Settings{"url": server.URL, "token": token, "timeout": "1m"})
}

func failure(t *testing.T, err error) *connector.Error {
	t.Helper()
	var failed *connector.Error
	require.ErrorAs(t, err, &failed)
	for _, hidden := range []string{"anna", "smith", token, "detail", "127.0.0.1"} {
		assert.NotContains(t, failed.Error(), hidden)
	}
	return failed
}

func TestStatusesMeanKinds(t *testing.T) {
	for _, test := range []struct {
		status     int
		scimType   string
		retryAfter string
		kind       connector.ErrorKind
		wait       time.Duration
		text       string
	}{
		{400, "invalidValue", "", connector.KindInvalid, 0, "400 (invalidValue): the app refused the values"},
		{400, "invalidFilter", "", connector.KindInvalid, 0, "400 (invalidFilter): the app cannot look up"},
		{400, "anna.smith", "", connector.KindInvalid, 0, "answered 400: the app refused"},
		{401, "", "", connector.KindUnauthorized, 0, "check the token setting"},
		{403, "", "", connector.KindForbidden, 0, "lacks a right"},
		{403, "", "7", connector.KindRateLimited, 7 * time.Second, "too many requests"},
		{403, "tooManyRequests", "", connector.KindRateLimited, 0, "too many requests"},
		{403, "quotaExceeded", "", connector.KindRateLimited, 0, "too many requests"},
		{404, "", "", connector.KindNotFound, 0, "no such account"},
		{405, "", "", connector.KindUnsupported, 0, "does not offer this"},
		{408, "", "", connector.KindUnavailable, 0, "gave up waiting"},
		{409, "uniqueness", "", connector.KindExists, 0, "409 (uniqueness)"},
		{409, "", "", connector.KindUnavailable, 0, "changed by somebody else"},
		{412, "invalidVers", "", connector.KindUnavailable, 0, "changed by somebody else"},
		{413, "", "", connector.KindInvalid, 0, "refused the request"},
		{418, "", "9", connector.KindInvalid, 0, "refused the request"},
		{422, "", "", connector.KindInvalid, 0, "refused the values"},
		{429, "", "", connector.KindRateLimited, 0, "too many requests"},
		{429, "", "120", connector.KindRateLimited, 2 * time.Minute, "too many requests"},
		{429, "", " 120 ", connector.KindRateLimited, 2 * time.Minute, "too many requests"},
		{429, "", "Thu, 19 Nov 2026 10:01:30 GMT", connector.KindRateLimited, 90 * time.Second, "too many requests"},
		{429, "", "Thu, 19 Nov 2026 09:59:00 GMT", connector.KindRateLimited, 0, "too many requests"},
		{429, "", "99999999", connector.KindRateLimited, 24 * time.Hour, "too many requests"},
		{429, "", "-5", connector.KindRateLimited, 0, "too many requests"},
		{429, "", "soon", connector.KindRateLimited, 0, "too many requests"},
		{500, "", "", connector.KindUnavailable, 0, "a problem of its own"},
		{501, "", "", connector.KindUnsupported, 0, "does not offer this"},
		{502, "", "", connector.KindUnavailable, 0, "a problem of its own"},
		{503, "", "30", connector.KindUnavailable, 30 * time.Second, "a problem of its own"},
		{599, "", "", connector.KindUnavailable, 0, "a problem of its own"},
	} {
		t.Run(fmt.Sprint(test.status, test.scimType, test.retryAfter), func(t *testing.T) {
			header := http.Header{"Date": {"Thu, 19 Nov 2026 10:00:00 GMT"}}
			if test.retryAfter != "" {
				header.Set("Retry-After", test.retryAfter)
			}
			c := answering(t, test.status, header, fmt.Sprintf(errorBody, test.status, test.scimType))
			_, err := c.Read(t.Context(), "anna.smith")
			failed := failure(t, err)
			assert.Equal(t, test.kind, failed.Kind)
			assert.Equal(t, test.wait, failed.RetryAfter)
			assert.Contains(t, failed.Message, test.text)
		})
	}
}

func TestAnswersThatAreNotSCIM(t *testing.T) {
	user := `{"id":"1","userName":"anna.smith","active":%s}`
	for name, test := range map[string]struct {
		body string
		kind connector.ErrorKind
	}{
		"a page":           {"<html>Please log in, anna.smith</html>", connector.KindInvalid},
		"nothing":          {"", connector.KindInvalid},
		"a list":           {`["anna.smith"]`, connector.KindInvalid},
		"another account":  {`{"id":"2","userName":"anna.smith"}`, connector.KindInvalid},
		"no userName":      {`{"id":"1"}`, connector.KindInvalid},
		"active is a word": {fmt.Sprintf(user, `"anna.smith"`), connector.KindInvalid},
		"active is 1":      {fmt.Sprintf(user, `1`), connector.KindInvalid},
		"broken off":       {`{"id":"1","userName":"anna.sm`, connector.KindUnavailable},
		"far too long":     {`{"id":"1","userName":"` + strings.Repeat("anna.smith", 2_000_000), connector.KindInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := answering(t, http.StatusOK, nil, test.body).Read(t.Context(), "1")
			assert.Equal(t, test.kind, failure(t, err).Kind)
		})
	}
	t.Run("no list", func(t *testing.T) {
		c := answering(t, http.StatusOK, nil, `{}`)
		_, err := c.Find(t.Context(), connector.Keys{PersonID: "1"})
		assert.Equal(t, connector.KindInvalid, failure(t, err).Kind)
		_, err = c.Check(t.Context())
		assert.Equal(t, connector.KindInvalid, failure(t, err).Kind)
	})
}

func TestActiveAsTheFieldSendsIt(t *testing.T) {
	for sent, want := range map[string]bool{`true`: true, `false`: false, `"True"`: true, `"False"`: false, `null`: true} {
		c := answering(t, http.StatusOK, nil, `{"id":"1","userName":"a","groups":[{"value":"g","display":"staff"}],"active":`+sent+`}`)
		account, err := c.Read(t.Context(), "1")
		require.NoError(t, err, sent)
		assert.Equal(t, want, account.Active, sent)
	}
}

// A wrong base URL answers 404 to everything. That must not mean that an account is gone.
func TestNotFoundIsBelievedOnlyFromAService(t *testing.T) {
	nowhere := answering(t, http.StatusNotFound, nil, "404 page not found")
	err := nowhere.Delete(t.Context(), "1")
	assert.Equal(t, connector.KindUnavailable, failure(t, err).Kind)
	_, err = nowhere.Read(t.Context(), "1")
	assert.Contains(t, failure(t, err).Message, "check that the url setting")
	_, err = nowhere.Find(t.Context(), connector.Keys{Username: "anna.smith"})
	assert.Equal(t, connector.KindUnavailable, failure(t, err).Kind)

	laconic := handling(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/Users" {
			_, _ = io.WriteString(w, `{"totalResults":0,"Resources":[]}`)
			return
		}
		w.WriteHeader(http.StatusNotFound) // without a SCIM error
	})
	assert.NoError(t, laconic.Delete(t.Context(), "1"))
	_, err = laconic.Read(t.Context(), "1")
	assert.Equal(t, connector.KindNotFound, failure(t, err).Kind)
}

func TestAnEmptyAccountIDIsNeverSent(t *testing.T) {
	var requests atomic.Int32
	c := handling(t, func(http.ResponseWriter, *http.Request) { requests.Add(1) })
	_, err := c.Read(t.Context(), "")
	assert.Equal(t, connector.KindNotFound, failure(t, err).Kind)
	assert.NoError(t, c.Delete(t.Context(), ""))
	err = c.Disable(t.Context(), "")
	assert.Equal(t, connector.KindNotFound, failure(t, err).Kind)
	assert.Zero(t, requests.Load())
}

func TestUnreachable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	c := open(t, connector.Settings{"url": server.URL, "token": token})
	_, err := c.Check(t.Context())
	failed := failure(t, err)
	assert.Equal(t, connector.KindUnavailable, failed.Kind)
	assert.Contains(t, failed.Message, "cannot be reached")

	t.Run("untrusted", func(t *testing.T) {
		server := httptest.NewTLSServer(http.NotFoundHandler())
		defer server.Close()
		c := open(t, connector.Settings{"url": server.URL, "token": token})
		_, err := c.Check(t.Context())
		assert.Contains(t, failure(t, err).Message, "certificate is not trusted")
	})
	t.Run("slow", func(t *testing.T) {
		app, url := serve(t)
		app.SetFaults(scimtest.Faults{SlowMillis: 3_600_000})
		c := open(t, connector.Settings{"url": url, "token": token, "timeout": "20ms"})
		_, err := c.Check(t.Context())
		failed := failure(t, err)
		assert.Equal(t, connector.KindUnavailable, failed.Kind)
		assert.Contains(t, failed.Message, "no answer within 20ms")
	})
	t.Run("dropped after applying", func(t *testing.T) {
		app, url := serve(t)
		app.SetFaults(scimtest.Faults{DropAfterApply: 1})
		c := open(t, connector.Settings{"url": url, "token": token})
		spec := connector.Spec{PersonID: "7", Username: "anna.smith", Active: true}
		_, err := c.Create(t.Context(), spec)
		assert.Equal(t, connector.KindUnavailable, failure(t, err).Kind)
		assert.Len(t, app.Users(), 1, "made once, though the client was not told")
		matches, err := c.Find(t.Context(), connector.Keys{PersonID: "7"})
		require.NoError(t, err)
		assert.Len(t, matches, 1)
	})
}

// The token goes to the configured service and nowhere else.
func TestRedirects(t *testing.T) {
	var leaked atomic.Bool
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		leaked.Store(true)
	}))
	t.Cleanup(elsewhere.Close)
	c := handling(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/Users/moved":
			http.Redirect(w, r, "/v2/Users/moved", http.StatusFound)
		case "/v2/Users/moved":
			_, _ = io.WriteString(w, `{"id":"moved","userName":"a","groups":[{"value":"g","display":"staff"}],"displayName":"`+r.Header.Get("Authorization")+`"}`)
		case "/Users/loop":
			http.Redirect(w, r, "/Users/loop", http.StatusFound)
		default:
			http.Redirect(w, r, elsewhere.URL+"/Users/anna.smith", http.StatusTemporaryRedirect)
		}
	})
	account, err := c.Read(t.Context(), "moved")
	require.NoError(t, err, "within the service, a redirect is followed")
	assert.Equal(t, "Bearer "+token, account.Attributes["displayName"])

	for name, do := range map[string]func() error{
		"read":                     func() error { _, err := c.Read(t.Context(), "1"); return err },
		"disable":                  func() error { return c.Disable(t.Context(), "1") },
		"loop":                     func() error { _, err := c.Read(t.Context(), "loop"); return err },
		"a change made into a GET": func() error { return c.Disable(t.Context(), "moved") },
	} {
		failed := failure(t, do())
		assert.Equal(t, connector.KindInvalid, failed.Kind, name)
		assert.Contains(t, failed.Message, "put the final address into the url setting", name)
	}
	assert.False(t, leaked.Load(), "a redirect to another host was followed")
}
