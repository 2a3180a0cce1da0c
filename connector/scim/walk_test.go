package scim_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

// Tenure finds all groups of an account, wherever among many they are and however the service
// shows them.
func TestEveryMembershipIsFound(t *testing.T) {
	noFilter := []string{"userName", "externalId", "displayName"}
	for name, d := range map[string]scimtest.Deviations{
		"as RFC 7644 has it":                     {},
		"members one by one, no filter":          {MembersAlone: true, Filters: noFilter},
		"members one by one, a deaf filter":      {MembersAlone: true, DeafFilters: []string{"members/value"}},
		"members one by one, a filter finds all": {MembersAlone: true, OpenFilters: []string{"members/value"}},
		"members on request, no filter":          {MembersOnRequest: true, Filters: noFilter},
		"members on request, a deaf filter":      {MembersOnRequest: true, DeafFilters: []string{"members/value"}},
		"members on request, a filter finds all": {MembersOnRequest: true, OpenFilters: []string{"members/value"}},
		"members hidden, and a filter":           {MembersHidden: true},
		"empty lists of groups":                  {EmptyGroups: true},
		"empty lists of groups, a deaf filter":   {EmptyGroups: true, DeafFilters: []string{"members/value"}},
		"empty lists of groups, small pages":     {EmptyGroups: true, DeafFilters: []string{"members/value"}, PageMax: 7},
		"no totals":                              {EmptyGroups: true, DeafFilters: []string{"members/value"}, PageMax: 7, NoTotals: true},
	} {
		t.Run(name, func(t *testing.T) {
			var names []string
			for i := range 40 {
				names = append(names, fmt.Sprintf("g%02d", i))
			}
			app, url := serve(t, names...)
			app.SetDeviations(d)
			want := map[string][]string{"anna": {"g05", "g33"}, "bob": {"g39"}, "cleo": nil}
			ids := map[string]string{}
			for user, groups := range want {
				ids[user] = app.AddUser(scimtest.User{UserName: user, ExternalID: "p-" + user, Active: true, Groups: groups})
			}
			list := func(c connector.Connector) map[string][]string {
				listed := map[string][]string{}
				for account, err := range c.List(t.Context()) {
					require.NoError(t, err)
					listed[account.Username] = account.Entitlements
				}
				return listed
			}
			assert.Equal(t, want, list(open(t, connector.Settings{"url": url, "token": token})), "before anybody was read")
			c := open(t, connector.Settings{"url": url, "token": token})
			for range 3 { // the result is the same while Tenure finds out, confirms and remembers how
				for _, user := range []string{"cleo", "bob", "anna"} {
					account, err := c.Read(t.Context(), ids[user])
					require.NoError(t, err)
					assert.Equal(t, want[user], account.Entitlements, user)
				}
				assert.Equal(t, want, list(c))
			}
			require.NoError(t, c.Revoke(t.Context(), ids["anna"], want["anna"]))
			account, err := c.Read(t.Context(), ids["anna"])
			require.NoError(t, err)
			assert.Empty(t, account.Entitlements)
		})
	}
}

// If nothing shows the members of groups, Read fails, and nobody counts as being in no group.
// People are still found and cut off.
func TestMembershipsThatNothingTellsAreAnError(t *testing.T) {
	app, url := serve(t)
	hidden := scimtest.Deviations{MembersHidden: true, Filters: []string{"userName", "externalId"}}
	anna := app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true, Groups: []string{"staff"}})
	for name, d := range map[string]scimtest.Deviations{
		"no filter":            hidden,
		"a group shows itself": hidden,
	} {
		t.Run(name, func(t *testing.T) {
			app.SetDeviations(d)
			c := open(t, connector.Settings{"url": url, "token": token})
			_, err := c.Read(t.Context(), anna)
			failed := failure(t, err)
			assert.Equal(t, connector.KindInvalid, failed.Kind)
			assert.Contains(t, failed.Message, "shows no member of any group")
			assert.Contains(t, failed.Message, "groups: false")
			for _, err := range c.List(t.Context()) {
				assert.Contains(t, failure(t, err).Message, "shows no member of any group")
			}
			found, err := c.Find(t.Context(), connector.Keys{PersonID: "1", Username: "anna"})
			require.NoError(t, err)
			require.Len(t, found, 1)
			require.NoError(t, c.Disable(t.Context(), anna))
			assert.False(t, app.Users()[0].Active)
			require.NoError(t, c.Enable(t.Context(), anna))
			if name == "a group shows itself" {
				app.SetDeviations(scimtest.Deviations{Filters: hidden.Filters, MembersOnRequest: true})
				account, err := c.Read(t.Context(), anna)
				require.NoError(t, err)
				assert.Equal(t, []string{"staff"}, account.Entitlements)
			}
		})
	}
}

// Tenure does not create a group again if the service does not find it by its name.
func TestAGroupThatAFilterDoesNotFindIsNotMadeAgain(t *testing.T) {
	for name, d := range map[string]scimtest.Deviations{
		"deaf": {DeafFilters: []string{"displayName"}},
		"open": {OpenFilters: []string{"displayName"}},
		"none": {Filters: []string{"userName", "externalId", "members/value"}},
	} {
		t.Run(name, func(t *testing.T) {
			app, url := serve(t, "staff", "engineers")
			app.SetDeviations(d)
			c := open(t, connector.Settings{"url": url, "token": token, "createGroups": true})
			anna := app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true})
			require.NoError(t, c.Grant(t.Context(), anna, []string{"staff", "new"}))
			assert.Equal(t, []string{"new", "staff"}, app.Users()[0].Groups)
			offered := map[string]int{}
			for e, err := range c.Entitlements(t.Context()) {
				require.NoError(t, err)
				offered[e.Name]++
			}
			assert.Equal(t, map[string]int{"staff": 1, "engineers": 1, "new": 1}, offered)
		})
	}
}
