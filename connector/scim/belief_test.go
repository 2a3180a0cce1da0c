package scim_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

// later puts a connector's clock forward.
func later(c connector.Connector, by time.Duration) {
	c.(interface{ SetNow(func() time.Time) }).SetNow(func() time.Time { return time.Now().Add(by) })
}

// Once /Groups has answered, a later 404 of it does not mean that the service has no groups,
// however long it lasts.
func TestAPassing404OfGroupsIsNoTrait(t *testing.T) {
	app, url := serve(t, "staff")
	app.SetDeviations(scimtest.Deviations{MembersAlone: true, NoResourceTypes: true})
	anna := app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true, Groups: []string{"staff"}})
	c := open(t, connector.Settings{"url": url, "token": token})
	astray := scimtest.Faults{Astray: scimtest.Astray{Next: 1000, In: "/Groups"}}
	app.SetFaults(astray)
	_, err := c.Read(t.Context(), anna)
	failed := failure(t, err)
	assert.Equal(t, connector.KindUnavailable, failed.Kind)
	assert.Contains(t, failed.Message, "answered 404 for /Groups")
	assert.Contains(t, failed.Message, "say groups: false")
	assert.Positive(t, failed.RetryAfter)

	app.SetFaults(scimtest.Faults{})
	account, err := c.Read(t.Context(), anna)
	require.NoError(t, err)
	assert.Equal(t, []string{"staff"}, account.Entitlements)

	app.SetFaults(astray)
	for _, by := range []time.Duration{0, time.Hour, 2 * time.Hour} {
		later(c, by)
		_, err = c.Read(t.Context(), anna)
		assert.Equal(t, connector.KindUnavailable, failure(t, err).Kind, "it has groups: they have been seen")
		for _, err = range c.List(t.Context()) {
			assert.Equal(t, connector.KindUnavailable, failure(t, err).Kind)
		}
	}
}

// Tenure believes that there is no /Groups if it meets that twice, some time apart, or if
// the resource types say so. It stops believing so once /Groups answers.
func TestNoGroupsIsConfirmedAndForgotten(t *testing.T) {
	app, url := serve(t)
	anna := app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true})
	groups := func(c connector.Connector, ahead time.Duration) ([]string, error) {
		later(c, ahead)
		account, err := c.Read(t.Context(), anna)
		return account.Entitlements, err
	}
	app.SetDeviations(scimtest.Deviations{NoGroups: true})
	told := open(t, connector.Settings{"url": url, "token": token})
	_, err := groups(told, 0)
	require.NoError(t, err, "the resource types say so")
	assert.Contains(t, told.Learned(), "has no /Groups: say groups: false")

	app.SetDeviations(scimtest.Deviations{NoGroups: true, NoResourceTypes: true})
	untold := open(t, connector.Settings{"url": url, "token": token})
	for _, ahead := range []time.Duration{0, 30 * time.Second} {
		_, err = groups(untold, ahead)
		assert.Equal(t, connector.KindUnavailable, failure(t, err).Kind, ahead)
	}
	_, err = groups(untold, 2*time.Minute)
	require.NoError(t, err, "it is so still")
	before := app.Stats().ByKind["GET Groups"]
	_, err = groups(untold, 3*time.Minute)
	require.NoError(t, err)
	assert.Equal(t, before, app.Stats().ByKind["GET Groups"], "it is not asked again at once")
	_, err = groups(untold, 15*time.Minute)
	require.NoError(t, err, "it was asked again, and is so still")
	assert.Greater(t, app.Stats().ByKind["GET Groups"], before)

	app.SetDeviations(scimtest.Deviations{MembersOnRequest: true, NoResourceTypes: true})
	app.AddUser(scimtest.User{UserName: "bob", ExternalID: "2", Active: true, Groups: []string{"staff"}})
	require.NoError(t, untold.Grant(t.Context(), anna, []string{"staff"}))
	got, err := groups(untold, 15*time.Minute)
	require.NoError(t, err)
	assert.Equal(t, []string{"staff"}, got, "/Groups has answered")
	got, err = groups(told, 15*time.Minute)
	require.NoError(t, err)
	assert.Equal(t, []string{"staff"}, got, "it is asked again after a while")
}

// A passing 404 that is no SCIM error does not mean that an account is gone, or is in no
// group.
func TestAPassing404IsNotAnAnswer(t *testing.T) {
	app, url := serve(t, "staff")
	app.SetDeviations(scimtest.Deviations{MembersOnRequest: true})
	anna := app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true, Groups: []string{"staff"}})
	c := open(t, connector.Settings{"url": url, "token": token})
	once := func(in string) {
		app.SetFaults(scimtest.Faults{Astray: scimtest.Astray{Next: 1, In: in}})
	}
	once("/Users/")
	_, err := c.Read(t.Context(), anna)
	assert.Equal(t, connector.KindUnavailable, failure(t, err).Kind)
	once("/Users/")
	_, err = c.Find(t.Context(), connector.Keys{AccountID: anna})
	assert.Equal(t, connector.KindUnavailable, failure(t, err).Kind)
	once("/Users/")
	assert.Equal(t, connector.KindUnavailable, failure(t, c.Delete(t.Context(), anna)).Kind)
	once("/Users/")
	assert.Equal(t, connector.KindUnavailable, failure(t, c.Enable(t.Context(), anna)).Kind)
	once("filter=externalId")
	found, err := c.Find(t.Context(), connector.Keys{PersonID: "1", Username: "another"})
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Equal(t, []string{"staff"}, found[0].Account.Entitlements)
	once("filter=members")
	account, err := c.Read(t.Context(), anna)
	require.NoError(t, err)
	assert.Equal(t, []string{"staff"}, account.Entitlements)
	once("filter=displayName")
	require.NoError(t, c.Grant(t.Context(), anna, []string{"staff"}))
}

// Tenure tries RFC 7644 again when what it learned no longer works, and after a while.
func TestWhatTurnsOutFalseIsForgotten(t *testing.T) {
	app, _ := serve(t, "staff")
	anna := app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true})
	var refuse func(method, contentType, body string) int // the status, or 0
	sent := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		if strings.Contains(r.URL.Path, "/Users/") && r.Method != http.MethodGet {
			sent[r.Method]++
			if status := refuse(r.Method, r.Header.Get("Content-Type"), string(body)); status != 0 {
				w.WriteHeader(status)
				return
			}
		}
		r.Body = io.NopCloser(strings.NewReader(strings.ReplaceAll(string(body), `"Replace"`, `"replace"`)))
		r.ContentLength = int64(len(body))
		app.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	c := open(t, connector.Settings{"url": server.URL + scimtest.BasePath, "token": token})
	titles := 0
	set := func() {
		t.Helper()
		titles++
		title := fmt.Sprint("title ", titles)
		require.NoError(t, c.Update(t.Context(), anna, map[string]any{"title": title}))
		assert.Equal(t, title, app.Users()[0].Title)
	}
	only := func(want bool, status int) int {
		if want {
			return 0
		}
		return status
	}
	for name, ways := range map[string][2]func(method, contentType, body string) int{
		"method": {
			func(method, _, _ string) int { return only(method == http.MethodPut, 405) },
			func(method, _, _ string) int { return only(method == http.MethodPatch, 405) },
		},
		"media type": {
			func(_, contentType, _ string) int { return only(contentType == "application/json", 415) },
			func(_, contentType, _ string) int { return only(contentType == "application/scim+json", 415) },
		},
		"operations": {
			func(_, _, body string) int { return only(!strings.Contains(body, `"replace"`), 400) },
			func(_, _, body string) int { return only(!strings.Contains(body, `"Replace"`), 400) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, refuse = range ways {
				for range 3 {
					set()
				}
			}
			assert.Empty(t, c.Learned(), "it does as RFC 7644 has it after all")
		})
	}

	refuse = func(method, _, _ string) int { return only(method == http.MethodPut, 405) }
	set()
	set()
	clear(sent)
	refuse = func(string, string, string) int { return 0 }
	set()
	assert.Equal(t, map[string]int{http.MethodPut: 1}, sent, "believed")
	later(c, 2*time.Hour)
	set()
	assert.Equal(t, map[string]int{http.MethodPut: 1, http.MethodPatch: 1}, sent, "tried again")
}

// Tenure believes how a service shows disabled accounts only while it still shows active
// ones: after an upgrade it may show neither.
func TestWhoIsNotActiveIsNotBelievedForEver(t *testing.T) {
	app, _ := serve(t)
	ids := map[string]string{}
	for _, user := range []string{"anna", "bob", "cleo", "dan"} {
		ids[user] = app.AddUser(scimtest.User{UserName: user, ExternalID: "p-" + user, Active: true})
	}
	hides := func(map[string]any) bool { return false }
	c := handlingAt(t, scimtest.BasePath, rewritten(t, app, func(_ *http.Request, answer map[string]any) {
		eachResource(answer, func(r map[string]any) {
			if hides(r) {
				delete(r, "active")
			}
		})
	}))
	active := func(user string) bool {
		t.Helper()
		account, err := c.Read(t.Context(), ids[user])
		require.NoError(t, err)
		return account.Active
	}
	require.NoError(t, c.Disable(t.Context(), ids["dan"]))
	assert.False(t, active("dan"), "it shows who is not active")

	later(c, 2*time.Hour)
	hides = func(r map[string]any) bool { return r["active"] == false }
	require.NoError(t, c.Disable(t.Context(), ids["anna"]))
	assert.False(t, active("anna"), "it leaves out what is false now")
	require.NoError(t, c.Disable(t.Context(), ids["bob"]))
	assert.False(t, active("bob"))
	assert.NotEmpty(t, c.Learned())

	for _, by := range []time.Duration{5 * time.Hour, 50 * time.Hour} {
		later(c, by)
		for range 2 {
			assert.False(t, active("anna"), "after %s: another account shows that it is active", by)
		}
	}
	later(c, 60*time.Hour)
	hides = func(map[string]any) bool { return true }
	for range 2 {
		assert.True(t, active("anna"), "it shows of nobody whether they are active")
		assert.True(t, active("bob"))
	}
	assert.Empty(t, c.Learned())

	hides = func(r map[string]any) bool { return r["active"] == false }
	assert.True(t, active("cleo"))
	assert.False(t, active("anna"), "another account shows it again")
	require.NoError(t, c.Enable(t.Context(), ids["anna"]))
	hides = func(map[string]any) bool { return true }
	assert.True(t, active("anna"), "it was enabled")
}

// If the service fails while Tenure tries another form of a change, the error is that
// outage, and not the refusal of the first form.
func TestAnOutageWhileAnotherFormIsTriedIsAnOutage(t *testing.T) {
	app, _ := serve(t, "staff")
	anna := app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPatch {
			app.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		if strings.Contains(string(body), `"replace"`) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(server.Close)
	c := open(t, connector.Settings{"url": server.URL + scimtest.BasePath, "token": token})
	err := c.Update(t.Context(), anna, map[string]any{"title": "new"})
	assert.Equal(t, connector.KindUnavailable, failure(t, err).Kind, "%v", err)
}
