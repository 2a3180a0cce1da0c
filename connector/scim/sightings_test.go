package scim_test

import (
	"encoding/json"
	"fmt"
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

// ways holds services that show the members of groups, each in another way.
var ways = map[string]scimtest.Deviations{
	"users show their groups":        {},
	"a filter finds groups":          {EmptyGroups: true},
	"a filter finds hidden members":  {MembersHidden: true},
	"groups show their members":      {EmptyGroups: true, DeafFilters: []string{"members/value"}},
	"groups alone show members":      {MembersAlone: true, Filters: []string{"userName", "externalId", "displayName"}},
	"groups show members on request": {MembersOnRequest: true, OpenFilters: []string{"members/value"}},
}

// losses holds ways in which a service may stop showing anybody in a group, after an upgrade
// or when a permission is revoked.
var losses = map[string]scimtest.Deviations{
	"hides members, and its filter finds nothing":    {MembersHidden: true, DeafFilters: []string{"members/value"}},
	"hides members, and its filter finds everything": {MembersHidden: true, OpenFilters: []string{"members/value"}},
	"hides members, and refuses the filter":          {MembersHidden: true, Filters: []string{"userName", "externalId", "displayName"}},
	"has no /Groups":                                 {NoGroups: true, MembersHidden: true},
}

// changing is a service whose deviations a test can change. While hidesGroups is set, its
// lists of groups are empty and its users come without groups.
type changing struct {
	*scimtest.Service
	hidesGroups atomic.Bool
}

func (s *changing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	recorded := httptest.NewRecorder()
	s.Service.ServeHTTP(recorded, r)
	body := recorded.Body.Bytes()
	if s.hidesGroups.Load() && recorded.Code == http.StatusOK {
		var answer map[string]any
		if json.Unmarshal(body, &answer) == nil {
			if strings.HasSuffix(r.URL.Path, "/Groups") {
				answer["Resources"], answer["totalResults"] = []any{}, 0
			}
			eachResource(answer, func(r map[string]any) { delete(r, "groups") })
			body, _ = json.Marshal(answer)
		}
	}
	w.WriteHeader(recorded.Code)
	_, _ = w.Write(body)
}

// membersOf starts a service with two people in groups and one in none.
func membersOf(t *testing.T, d scimtest.Deviations) (app *changing, c connector.Connector, ids map[string]string) {
	t.Helper()
	inner, err := scimtest.New(scimtest.Options{Token: token, Groups: []string{"staff", "engineers", "nobody"}, Deviations: d})
	require.NoError(t, err)
	app, ids = &changing{Service: inner}, map[string]string{}
	for user, groups := range map[string][]string{"ada": {"engineers", "staff"}, "bob": {"staff"}, "cleo": nil} {
		ids[user] = inner.AddUser(scimtest.User{UserName: user, ExternalID: "p-" + user, Active: true, Groups: groups})
	}
	return app, handlingAt(t, scimtest.BasePath, app.ServeHTTP), ids
}

// groupsOf reads somebody's groups.
func groupsOf(t *testing.T, c connector.Connector, id string) ([]string, error) {
	t.Helper()
	account, err := c.Read(t.Context(), id)
	return account.Entitlements, err
}

// If a service no longer shows the members of its groups, that does not prove that anybody is
// in no group, however long it lasts. A revocation does not count as done only because no
// membership is seen. When the service shows members again, Tenure needs no restart.
func TestWhatIsNoLongerShownIsNotGone(t *testing.T) {
	for name, d := range ways {
		for loss, lost := range losses {
			t.Run(name+", then "+loss, func(t *testing.T) { losesSight(t, d, func(app *changing) { app.SetDeviations(lost) }) })
		}
		t.Run(name+", then no group is listed", func(t *testing.T) {
			losesSight(t, d, func(app *changing) { app.hidesGroups.Store(true) })
		})
	}
}

func losesSight(t *testing.T, d scimtest.Deviations, lose func(*changing)) {
	t.Helper()
	app, c, ids := membersOf(t, d)
	for range 2 {
		for user, want := range map[string][]string{"ada": {"engineers", "staff"}, "bob": {"staff"}, "cleo": nil} {
			got, err := groupsOf(t, c, ids[user])
			require.NoError(t, err)
			require.Equal(t, want, got, user)
		}
	}
	lose(app)
	for _, by := range []time.Duration{0, time.Hour + time.Minute, 25 * time.Hour, 48 * time.Hour} {
		later(c, by)
		for _, user := range []string{"ada", "bob"} {
			got, err := groupsOf(t, c, ids[user])
			assert.Error(t, err, "%v: %s is said to be in %v", by, user, got)
		}
		found, err := c.Find(t.Context(), connector.Keys{PersonID: "p-ada", Username: "ada"})
		require.NoError(t, err, "they are found all the same, so that they can be turned off")
		require.Len(t, found, 1)
	}
	app.hidesGroups.Store(false)
	app.SetDeviations(d)
	for user, want := range map[string][]string{"ada": {"engineers", "staff"}, "bob": {"staff"}, "cleo": nil} {
		got, err := groupsOf(t, c, ids[user])
		require.NoError(t, err)
		assert.Equal(t, want, got, user)
	}
	require.NoError(t, c.Revoke(t.Context(), ids["ada"], []string{"engineers", "staff"}))
	require.NoError(t, c.Revoke(t.Context(), ids["bob"], []string{"staff"}))
	for user, id := range ids {
		got, err := groupsOf(t, c, id)
		require.NoError(t, err, "all groups are empty, and should be")
		assert.Empty(t, got, user)
	}
}

// If no membership can be seen, nothing proves that one was granted, or that it was revoked.
// Once memberships can be seen again, reading the account proves it.
func TestAGrantThatIsNeverSeenIsNotRevokedUnseen(t *testing.T) {
	for loss, hidden := range losses {
		if hidden.NoGroups {
			continue // this service can grant nothing
		}
		t.Run(loss, func(t *testing.T) {
			app, url := serve(t, "staff", "engineers")
			app.SetDeviations(hidden)
			anna := app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true})
			c := open(t, connector.Settings{"url": url, "token": token})
			entitler := c
			require.NoError(t, entitler.Grant(t.Context(), anna, []string{"staff"}))
			got, err := groupsOf(t, c, anna)
			require.Error(t, err, "%v", got)
			err = entitler.Revoke(t.Context(), anna, []string{"staff"})
			assert.Contains(t, failure(t, err).Message, "shows no member of any group")
			_, err = groupsOf(t, c, anna)
			assert.Contains(t, failure(t, err).Message, "shows no member of any group")

			app.SetDeviations(scimtest.Deviations{})
			app.AddUser(scimtest.User{UserName: "bob", ExternalID: "2", Active: true, Groups: []string{"engineers"}})
			got, err = groupsOf(t, c, anna)
			require.NoError(t, err, "somebody is shown")
			assert.Empty(t, got)
		})
	}
}

// If one of two nodes of a cluster shows nobody's groups, that does not prove that anybody is
// in no group.
func TestOneNodeThatShowsNothingProvesNothing(t *testing.T) {
	for name, d := range ways {
		for loss, lost := range losses {
			t.Run(name+"; the other "+loss, func(t *testing.T) {
				app, _, ids := membersOf(t, d)
				requests, nodes := 0, []scimtest.Deviations{d, d}
				c := handlingAt(t, scimtest.BasePath, func(w http.ResponseWriter, r *http.Request) {
					requests++
					app.SetDeviations(nodes[requests%2])
					app.ServeHTTP(w, r)
				})
				for i := range 60 {
					for _, user := range []string{"ada", "bob"} {
						if i%3 == 0 {
							requests++ // so that the nodes take turns differently
						}
						got, err := groupsOf(t, c, ids[user])
						if i == 0 || err == nil {
							require.NoError(t, err)
							assert.NotEmpty(t, got, "%s, time %d", user, i)
						}
					}
					nodes[1] = lost
				}
			})
		}
	}
}

// A member whom somebody else adds to a group is seen, even after Tenure has removed all the
// members that it knew.
func TestAMembershipThatComesBackIsSeen(t *testing.T) {
	for name, d := range ways {
		t.Run(name, func(t *testing.T) {
			app, c, ids := membersOf(t, d)
			for _, user := range []string{"ada", "bob"} {
				groups, err := groupsOf(t, c, ids[user])
				require.NoError(t, err)
				require.NoError(t, c.Revoke(t.Context(), ids[user], groups))
				got, err := groupsOf(t, c, ids[user])
				require.NoError(t, err)
				assert.Empty(t, got)
			}
			other := handlingAt(t, scimtest.BasePath, app.ServeHTTP)
			require.NoError(t, other.Grant(t.Context(), ids["bob"], []string{"staff"}))
			for user, want := range map[string][]string{"ada": nil, "bob": {"staff"}} {
				got, err := groupsOf(t, c, ids[user])
				require.NoError(t, err)
				assert.Equal(t, want, got, user)
			}
		})
	}
}

// If a filter by name no longer finds a group, that does not prove that the group is gone and
// that there is nobody to remove.
func TestAGroupThatIsNoLongerFoundIsStillThere(t *testing.T) {
	app, url := serve(t, "staff", "engineers")
	anna := app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true, Groups: []string{"staff", "engineers"}})
	c := open(t, connector.Settings{"url": url, "token": token})
	require.NoError(t, c.Revoke(t.Context(), anna, []string{"engineers"}), "groups are found by name")
	app.SetDeviations(scimtest.Deviations{DeafFilters: []string{"displayName"}})
	require.NoError(t, c.Revoke(t.Context(), anna, []string{"staff"}))
	assert.Empty(t, app.Users()[0].Groups)
}

// If the service shows no group at all, a missing group may be hidden and not deleted.
func TestNoGroupAtAllIsNoProofThatAMemberIsGone(t *testing.T) {
	app, c, ids := membersOf(t, scimtest.Deviations{})
	app.hidesGroups.Store(true)
	err := c.Revoke(t.Context(), ids["bob"], []string{"staff"})
	failed := failure(t, err)
	assert.Equal(t, connector.KindContradictory, failed.Kind)
	assert.Contains(t, failed.Message, "shows no group at all")
	app.hidesGroups.Store(false)
	require.NoError(t, c.Revoke(t.Context(), ids["bob"], []string{"staff"}))
	got, err := groupsOf(t, c, ids["bob"])
	require.NoError(t, err)
	assert.Empty(t, got)
}

// No list ends too early if totals first count all resources and later only those of a page.
func TestTotalsMayChangeTheirMeaning(t *testing.T) {
	app, _ := serve(t)
	var names []string
	for i := range 30 {
		names = append(names, fmt.Sprintf("g%02d", i))
		app.AddGroup(names[i])
	}
	app.SetDeviations(scimtest.Deviations{EmptyGroups: true, PageMax: 10})
	anna := app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true, Groups: names})
	var ofPages atomic.Bool
	c := handlingAt(t, scimtest.BasePath, rewritten(t, app, func(_ *http.Request, answer map[string]any) {
		if list, ok := answer["Resources"].([]any); ok && ofPages.Load() {
			answer["totalResults"] = len(list)
		}
	}))
	for range 3 {
		got, err := groupsOf(t, c, anna)
		require.NoError(t, err)
		require.Equal(t, names, got)
	}
	ofPages.Store(true)
	for account, err := range c.List(t.Context()) {
		require.NoError(t, err)
		assert.Equal(t, names, account.Entitlements)
	}
	later(c, 2*time.Hour)
	got, err := groupsOf(t, c, anna)
	require.NoError(t, err)
	assert.Equal(t, names, got)
}

// If a service still shows an account in groups from which it was removed, that is no reason to
// expect it there later.
func TestAMembershipThatLingersIsExpectedOfNobody(t *testing.T) {
	app, _ := serve(t, "staff", "engineers")
	anna := app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true, Groups: []string{"staff", "engineers"}})
	var stale atomic.Pointer[[]byte]
	c := handlingAt(t, scimtest.BasePath, func(w http.ResponseWriter, r *http.Request) {
		if body := stale.Load(); body != nil && strings.HasSuffix(r.URL.Path, "/Users/"+anna) {
			_, _ = w.Write(*body)
			return
		}
		app.ServeHTTP(w, r)
	})
	groups, err := groupsOf(t, c, anna)
	require.NoError(t, err)
	recorded := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, scimtest.BasePath+"/Users/"+anna, nil)
	request.Header.Set("Authorization", "Bearer "+token)
	app.ServeHTTP(recorded, request)
	body := recorded.Body.Bytes()
	stale.Store(&body)
	require.Error(t, c.Revoke(t.Context(), anna, groups), "they are shown, still")
	got, err := groupsOf(t, c, anna)
	require.NoError(t, err)
	require.Equal(t, groups, got)
	stale.Store(nil)
	got, err = groupsOf(t, c, anna)
	require.NoError(t, err)
	assert.Empty(t, got)
}
