package scim_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
)

// A page for people in place of an answer proves nothing, whatever was asked: that an account
// was read, found, created, disabled or deleted, or that it is missing.
func TestAPageForPeopleIsNoAnswer(t *testing.T) {
	const page = "<!DOCTYPE html><html><body>Please sign in, anna.smith</body></html>"
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a redirect to another host was followed")
	}))
	t.Cleanup(elsewhere.Close)
	zipped := &bytes.Buffer{}
	z := gzip.NewWriter(zipped)
	_, _ = io.WriteString(z, `{"id":"1","userName":"a","x":"`)
	_, _ = z.Write(bytes.Repeat([]byte("a"), 64<<20))
	require.NoError(t, z.Close())
	for name, answer := range map[string]http.HandlerFunc{
		"a page to sign in": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Set-Cookie", "session=1")
			_, _ = io.WriteString(w, page)
		},
		"led to a page": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/login" {
				http.Redirect(w, r, "/login", http.StatusFound)
				return
			}
			_, _ = io.WriteString(w, page)
		},
		"led elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusPermanentRedirect)
		},
		"not modified": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) },
		"a gzip bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zipped.Bytes())
		},
		"a list in the place of everything": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("[", 1000)) },
	} {
		t.Run(name, func(t *testing.T) {
			c := handling(t, answer)
			for verb, do := range map[string]func() error{
				"read": func() error { _, err := c.Read(t.Context(), "1"); return err },
				"find": func() error {
					_, err := c.Find(t.Context(), connector.Keys{PersonID: "7", Username: "anna.smith"})
					return err
				},
				"create": func() error {
					_, err := c.Create(t.Context(), connector.Spec{PersonID: "7", Username: "anna.smith", Active: true})
					return err
				},
				"grant":  func() error { return c.Grant(t.Context(), "1", []string{"staff"}) },
				"revoke": func() error { return c.Revoke(t.Context(), "1", []string{"staff"}) },
				// A change whose answer is empty is proven by reading the account.
				"disable": func() error { return proven(t, c, c.Disable(t.Context(), "1")) },
				"delete":  func() error { return proven(t, c, c.Delete(t.Context(), "1")) },
			} {
				assert.NotEqual(t, connector.KindNotFound, failure(t, do()).Kind, verb)
			}
		})
	}
}

// proven reads the account that a change was made to, as steps do.
func proven(t *testing.T, c connector.Connector, err error) error {
	if err == nil {
		_, err = c.Read(t.Context(), "1")
	}
	return err
}

// An answer without content is no account, and does not mean that the account is gone.
func TestNoContentIsNoAccount(t *testing.T) {
	c := answering(t, http.StatusNoContent, nil, "")
	_, err := c.Read(t.Context(), "1")
	assert.Equal(t, connector.KindInvalid, failure(t, err).Kind)
	_, err = c.Find(t.Context(), connector.Keys{PersonID: "7"})
	assert.Equal(t, connector.KindInvalid, failure(t, err).Kind)
}
