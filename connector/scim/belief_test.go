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

// later sets a connector's clock ahead.
func later(c connector.Connector, by time.Duration) {
	c.(interface{ SetNow(func() time.Time) }).SetNow(func() time.Time { return time.Now().Add(by) })
}

// A 404 of /Groups that passes is not taken for a service without groups, however long it
// lasts, once /Groups has answered.
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

// That there is no /Groups is believed if it is met twice, some time apart, or if the
// resource types say so; and no more when there is one.
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

// A 404 by which nothing of SCIM answers does not make an account gone, or nobody's, for
// a moment.
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

// What was taken for a trait is tried again when it no longer works, and after a while.
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

// How a service shows who is not active is believed while it still shows who is, and no
// longer: by an upgrade it may cease to show either.
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

// What a service answers to another form of a change says what became of it: an outage
// is no refusal by that service of what was sent first.
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
