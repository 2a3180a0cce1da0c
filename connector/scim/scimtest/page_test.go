package scimtest_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

func TestPage(t *testing.T) {
	c := serve(t, scimtest.Options{Name: "Wiki <1>", Token: "secret"})
	show := func() string {
		t.Helper()
		resp := c.raw("GET", "/", "")
		require.Equal(t, 200, resp.StatusCode)
		assert.Equal(t, "text/html; charset=utf-8", resp.Header.Get("Content-Type"))
		var body bytes.Buffer
		_, err := body.ReadFrom(resp.Body)
		require.NoError(t, err)
		return body.String()
	}
	assert.Contains(t, show(), "Nobody has an account here yet.")

	c.app.AddUser(scimtest.User{UserName: "anna<script>", ExternalID: "E1", DisplayName: "Anna Smith", Title: "Engineer", Active: true, Groups: []string{"R&D", "staff"}})
	c.app.AddUser(scimtest.User{UserName: "bob"})
	c.app.SetFaults(scimtest.Faults{Down: true, RateLimit: scimtest.RateLimit{Every: 3}, SlowMillis: 7, FailAfterApply: 2, DropAfterApply: 4})
	html := show()
	for _, want := range []string{
		"Wiki &lt;1&gt;", "anna&lt;script&gt;", "Anna Smith", "Engineer", "E1", `<span class="chip">R&amp;D</span>`, `<span class="state">active</span>`,
		`<span class="state">disabled</span>`, "not managed", "2 accounts: 1 active, 1 disabled",
		"answered with 503", "answered with 429", "waits 7 ms", "next 2 changes", "next 4 changes",
	} {
		assert.Contains(t, html, want)
	}
	assert.NotContains(t, html, "secret")

	for i := range 600 {
		c.app.AddUser(scimtest.User{UserName: fmt.Sprintf("u%d", i)})
	}
	assert.Contains(t, show(), "The first 500 are shown.")
	assert.Equal(t, 404, c.raw("GET", "/anything", "").StatusCode)
}
