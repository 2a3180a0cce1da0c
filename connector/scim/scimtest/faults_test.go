package scimtest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

func TestFaultsFromAnotherProcess(t *testing.T) {
	c := serve(t, scimtest.Options{})
	set := func(body string) {
		t.Helper()
		c.at("PUT", "/admin/faults", body, 200)
	}
	set(`{"down":true,"downRetryAfter":5}`)
	_, header := c.do("GET", "/Users", "", 503)
	assert.Equal(t, "5", header.Get("Retry-After"))
	answer, _ := c.at("GET", "/admin/faults", "", 200)
	assert.Equal(t, map[string]any{"down": true, "downRetryAfter": 5.0}, answer)

	set(`{"rateLimit":{"every":3,"retryAfter":1}}`)
	for i := range 9 {
		status := 200
		if i%3 == 2 {
			status = 429
		}
		_, header := c.do("GET", "/Users", "", status)
		if status == 429 {
			assert.Equal(t, "1", header.Get("Retry-After"))
		}
	}
	set(`{"rateLimit":{"every":1}}`)
	_, header = c.do("GET", "/Users", "", 429)
	assert.NotContains(t, header, "Retry-After")

	set(`{"rateLimit":{"every":1,"retryAfter":60},"retryAfterDate":true}`)
	_, header = c.do("GET", "/Users", "", 429)
	_, err := http.ParseTime(header.Get("Retry-After"))
	assert.NoError(t, err)

	set(`{"slowMillis":1}`)
	c.do("GET", "/Users", "", 200)

	c.at("DELETE", "/admin/faults", "", 204)
	c.do("GET", "/Users", "", 200)
	for _, body := range []string{`{"dwon":true}`, `{"down":"yes"}`, `down`} {
		resp := c.raw("PUT", "/admin/faults", body)
		assert.Equal(t, 400, resp.StatusCode, body)
	}
	assert.Equal(t, scimtest.Faults{}, c.app.Faults(), "a request that is refused changes nothing")
}

// raw makes a request whose answer may be no JSON, or none at all (nil).
func (c client) raw(method, path, body string) *http.Response {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	require.NoError(c.t, err)
	req.Header.Set("Authorization", "Bearer demo")
	req.Header.Set("Content-Type", "application/scim+json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil
	}
	c.t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func TestFailingAfterApplying(t *testing.T) {
	c := serve(t, scimtest.Options{})
	const users = scimtest.BasePath + "/Users"
	c.app.SetFaults(scimtest.Faults{FailAfterApply: 1, DropAfterApply: 1})

	c.do("GET", "/Users", "", 200) // changes nothing
	assert.Nil(t, c.raw("POST", users, `{`+user+`,"userName":"anna"}`), "the connection is dropped")
	require.Len(t, c.app.Users(), 1)
	c.fails("POST", "/Users", `{`+user+`,"userName":"anna"}`, 409, "uniqueness") // not made, so that it does not count
	c.fails("POST", "/Users", `{`+user+`,"userName":"bob"}`, 500, "")
	require.Len(t, c.app.Users(), 2)
	c.make("/Users", `{`+user+`,"userName":"carl"}`)
	assert.Equal(t, scimtest.Faults{}, c.app.Faults())
}

func TestStats(t *testing.T) {
	c := serve(t, scimtest.Options{})
	c.do("GET", "/Users?filter=userName%20eq%20%22x%22", "", 200)
	c.make("/Users", `{`+user+`,"userName":"anna"}`)
	c.do("GET", "/Groups/x", "", 404)
	c.do("GET", "/Schemas", "", 200)
	c.do("GET", "/anna.smith", "", 404)
	c.app.SetFaults(scimtest.Faults{RateLimit: scimtest.RateLimit{Every: 1}})
	c.do("GET", "/Users", "", 429)
	answer, _ := c.at("GET", "/admin/stats", "", 200)
	assert.Equal(t, map[string]any{
		"requests": 6.0, "rateLimited": 1.0,
		"byKind": map[string]any{"GET Users": 2.0, "POST Users": 1.0, "GET Groups": 1.0, "GET other": 2.0},
	}, answer)
}
