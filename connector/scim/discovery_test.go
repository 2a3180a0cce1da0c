package scim_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

// deviating starts a service that deviates from RFC 7644, and for which there is no profile.
func deviating(t *testing.T, deviations scimtest.Deviations) (*scimtest.Service, string) {
	t.Helper()
	app, err := scimtest.New(scimtest.Options{Token: token, Groups: []string{"staff", "engineers"}, Deviations: deviations})
	require.NoError(t, err)
	server := httptest.NewServer(app)
	t.Cleanup(server.Close)
	return app, server.URL + scimtest.BasePath
}

// A PUT holds everything that the account has, and does not undo what others have changed
// since it was read.
func TestPutKeepsWhatOthersSet(t *testing.T) {
	app, url := deviating(t, scimtest.Deviations{NoPatch: true})
	id := app.AddUser(scimtest.User{UserName: "anna", DisplayName: "Anna", Active: true, Groups: []string{"staff"}})
	c := open(t, connector.Settings{"url": url, "token": token})
	raw(t, "PUT", url+"/Users/"+id, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"anna",
		"displayName":"Anna","active":true,"nickName":"Annie","phoneNumbers":[{"type":"home","value":"1"}]}`)
	require.NoError(t, c.Update(t.Context(), id, map[string]any{
		"title": "Engineer", "department": "R&D", "phoneNumbers": "2", "displayName": "",
	}))
	account, err := c.Read(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"nickName": "Annie", "title": "Engineer", "department": "R&D", "phoneNumbers": "2"}, account.Attributes)
	assert.Equal(t, []string{"staff"}, account.Entitlements)

	var once atomic.Bool
	meddled := handlingAt(t, scimtest.BasePath, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && once.CompareAndSwap(false, true) {
			require.NoError(t, c.Update(t.Context(), id, map[string]any{"title": "Director"}))
		}
		app.ServeHTTP(w, r)
	})
	require.NoError(t, meddled.Update(t.Context(), id, map[string]any{"nickName": "A"}))
	assert.True(t, once.Load())
	require.NoError(t, c.Grant(t.Context(), id, []string{"role:reader"}))
	account, err = c.Read(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, "Director", account.Attributes["title"])
	assert.Equal(t, "A", account.Attributes["nickName"])
	assert.Equal(t, []string{"role:reader", "staff"}, account.Entitlements)
}

// If a service does not say what it supports, Tenure assumes RFC 7644, and does not ask again
// for a while, except that a failure of the service's own is not taken for an answer at once.
func TestNoServiceProviderConfig(t *testing.T) {
	app, _ := serve(t)
	id := app.AddUser(scimtest.User{UserName: "anna", Active: true})
	for status, times := range map[int]int{http.StatusNotFound: 1, http.StatusInternalServerError: 2, http.StatusForbidden: 1} {
		var asked atomic.Int32
		c := handlingAt(t, scimtest.BasePath, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/ServiceProviderConfig") {
				asked.Add(1)
				w.WriteHeader(status)
				return
			}
			app.ServeHTTP(w, r)
		})
		for range 3 {
			require.NoError(t, c.Disable(t.Context(), id))
			require.NoError(t, c.Enable(t.Context(), id))
		}
		assert.EqualValues(t, times, asked.Load(), status)
	}
}

// Tenure asks for pages by cursor (RFC 9865), or accepts them from a service that knows
// nothing else.
func TestCursors(t *testing.T) {
	page := func(cursor string, ids ...int) string {
		var resources []string
		for _, id := range ids {
			resources = append(resources, fmt.Sprintf(`{"id":"%d","userName":"u%d","groups":[{"value":"g","display":"staff"}]}`, id, id))
		}
		return fmt.Sprintf(`{"nextCursor":%q,"Resources":[%s]}`, cursor, strings.Join(resources, ","))
	}
	for name, test := range map[string]struct {
		settings connector.Settings
		pages    map[string]string // by cursor
		want     []string
		fails    string
	}{
		"asked for":       {connector.Settings{"paging": "cursor"}, map[string]string{"": page("x=1", 1, 2), "x=1": page("y", 3), "y": page("", 4)}, []string{"u1", "u2", "u3", "u4"}, ""},
		"sent unasked":    {nil, map[string]string{"": page("x", 1, 2), "x": page("", 3)}, []string{"u1", "u2", "u3"}, ""},
		"an empty page":   {connector.Settings{"paging": "cursor"}, map[string]string{"": page("x"), "x": page("", 1)}, []string{"u1"}, ""},
		"round and round": {connector.Settings{"paging": "cursor"}, map[string]string{"": page("x"), "x": page("x")}, nil, "cursor"},
	} {
		t.Run(name, func(t *testing.T) {
			settings := connector.Settings{"token": token}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, "/Users") {
					w.WriteHeader(http.StatusNotFound)
					return
				}
				_, _ = w.Write([]byte(test.pages[r.URL.Query().Get("cursor")]))
			}))
			defer server.Close()
			settings["url"] = server.URL
			maps.Copy(settings, test.settings)
			var got []string
			var failed error
			for account, err := range open(t, settings).List(t.Context()) {
				if failed = err; err != nil {
					break
				}
				got = append(got, account.Username)
			}
			assert.Equal(t, test.want, got)
			if test.fails != "" {
				assert.Contains(t, failure(t, failed).Message, test.fails)
				return
			}
			require.NoError(t, failed)
		})
	}
}

// A call that waits while another one asks the service about itself heeds its own context.
func TestWaitingForDiscoveryHeedsContext(t *testing.T) {
	asked, release := make(chan struct{}), make(chan struct{})
	c := handling(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/ServiceProviderConfig") {
			close(asked)
			<-release
		}
		_, _ = w.Write([]byte(`{"totalResults":0}`))
	})
	first := make(chan error, 1)
	go func() {
		_, err := c.Find(t.Context(), connector.Keys{Username: "anna"})
		first <- err
	}()
	<-asked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Find(ctx, connector.Keys{Username: "bob"})
	assert.ErrorIs(t, err, context.Canceled)
	close(release)
	assert.NoError(t, <-first)
}
