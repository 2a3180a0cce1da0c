package scim_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

// If a quota is used up, the error says to wait, whatever its status.
func TestQuotasAreToldByHeaders(t *testing.T) {
	for _, c := range []struct {
		header map[string]string
		kind   connector.ErrorKind
		wait   time.Duration
	}{
		{map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1795082460"}, connector.KindRateLimited, time.Minute},
		{map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2026-11-19T10:00:20Z"}, connector.KindRateLimited, 20 * time.Second},
		{map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2026-11-19T12:02+02:00"}, connector.KindRateLimited, 2 * time.Minute},
		{map[string]string{"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": "30"}, connector.KindRateLimited, 30 * time.Second},
		{map[string]string{"RateLimit-Remaining": "0"}, connector.KindRateLimited, 0},
		{map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9999999999999"}, connector.KindRateLimited, 24 * time.Hour},
		{map[string]string{"X-RateLimit-Remaining": "5", "X-RateLimit-Reset": "30"}, connector.KindForbidden, 0},
		{map[string]string{"X-RateLimit-Remaining": "none"}, connector.KindForbidden, 0},
	} {
		header := http.Header{"Date": {"Thu, 19 Nov 2026 10:00:00 GMT"}}
		for name, value := range c.header {
			header.Set(name, value)
		}
		_, err := answering(t, http.StatusForbidden, header, "").Read(t.Context(), "1")
		failed := failure(t, err)
		assert.Equal(t, c.kind, failed.Kind, c.header)
		assert.Equal(t, c.wait, failed.RetryAfter, c.header)
	}
}

// Tenure repeats a request at once after a 409 that is a lost race, and not after one that says
// that a name is taken.
func TestLostRacesAreRunAgain(t *testing.T) {
	app, _ := serve(t, "staff")
	var fail, asked atomic.Int32
	status, body := http.StatusConflict, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"409"}`
	c := handlingAt(t, scimtest.BasePath, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch || r.Method == http.MethodPut {
			asked.Add(1)
			if fail.Add(-1) >= 0 {
				w.WriteHeader(status)
				_, _ = w.Write([]byte(body))
				return
			}
		}
		app.ServeHTTP(w, r)
	})
	id := app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true})
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"grant", func() error { return c.Grant(t.Context(), id, []string{"staff"}) }},
		{"revoke", func() error { return c.Revoke(t.Context(), id, []string{"staff"}) }},
		{"disable", func() error { return c.Disable(t.Context(), id) }},
		{"enable", func() error { return c.Enable(t.Context(), id) }},
		{"update", func() error { return c.Update(t.Context(), id, map[string]any{"title": "x"}) }},
		{"role", func() error { return c.Grant(t.Context(), id, []string{"role:admin"}) }},
	} {
		for _, lost := range []int32{1, 3} {
			fail.Store(lost)
			require.NoError(t, step.do(), "%s after %d lost races", step.name, lost)
		}
		fail.Store(100)
		err := step.do()
		fail.Store(0)
		if step.name == "role" || step.name == "grant" || step.name == "revoke" {
			assert.NoError(t, err, "%s: it is as it should be already", step.name)
			continue
		}
		assert.Equal(t, connector.KindUnavailable, failure(t, err).Kind, step.name)
	}
	asked.Store(0)
	fail.Store(100)
	body = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"409","scimType":"uniqueness"}`
	err := c.Update(t.Context(), id, map[string]any{"title": "y"})
	assert.Equal(t, connector.KindExists, failure(t, err).Kind)
	assert.EqualValues(t, 1, asked.Load())
}

// Fifty people who leave at once lose everything, also in a service that refuses concurrent
// changes of a resource, whatever status it answers with.
func TestFiftyLeaversAtOnce(t *testing.T) {
	for _, status := range []int{http.StatusConflict, http.StatusPreconditionFailed} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			app, _ := serve(t, "staff", "engineers")
			var changing sync.Map // of resources, a *sync.Mutex each
			met := make(chan struct{})
			meet := sync.OnceFunc(func() { close(met) })
			c := handlingAt(t, scimtest.BasePath, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPatch || r.Method == http.MethodPut {
					one, _ := changing.LoadOrStore(r.URL.Path, &sync.Mutex{})
					if !one.(*sync.Mutex).TryLock() {
						meet()
						w.WriteHeader(status)
						return
					}
					defer one.(*sync.Mutex).Unlock()
					if strings.Contains(r.URL.Path, "/Groups/") {
						<-met // at least two changes are concurrent
					}
				}
				app.ServeHTTP(w, r)
			})
			stays := app.AddUser(scimtest.User{UserName: "stays", Active: true, Groups: []string{"staff"}})
			var leave sync.WaitGroup
			for i := range 50 {
				id := app.AddUser(scimtest.User{UserName: fmt.Sprint("leaver", i), Active: true, Groups: []string{"engineers", "staff"}})
				leave.Go(func() {
					account, err := c.Read(t.Context(), id)
					assert.NoError(t, err)
					assert.NoError(t, c.Disable(t.Context(), id))
					assert.NoError(t, c.Revoke(t.Context(), id, account.Entitlements))
					account, err = c.Read(t.Context(), id)
					assert.NoError(t, err)
					assert.False(t, account.Active)
					assert.Empty(t, account.Entitlements)
				})
			}
			leave.Wait()
			for _, user := range app.Users() {
				if user.ID == stays {
					assert.Equal(t, []string{"staff"}, user.Groups)
					continue
				}
				assert.False(t, user.Active, user.UserName)
				assert.Empty(t, user.Groups, user.UserName)
			}
		})
	}
}

// A service that does not say what a 409 is about has the username all the same.
func TestAUsernameThatIsTakenIsNoRace(t *testing.T) {
	app, url := serve(t)
	app.SetDeviations(scimtest.Deviations{BareConflicts: true})
	app.AddUser(scimtest.User{UserName: "zoe", ExternalID: "1", Active: true})
	id := app.AddUser(scimtest.User{UserName: "yan", ExternalID: "2", Active: true})
	c := open(t, connector.Settings{"url": url, "token": token})
	err := c.Relabel(t.Context(), id, connector.Label{Username: "Zoe"})
	assert.Equal(t, connector.KindExists, failure(t, err).Kind)
	require.NoError(t, c.Relabel(t.Context(), id, connector.Label{Username: "yan.2"}))
}
