package scim_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

// layer changes what a service answers.
type layer func(*testing.T, http.Handler) http.HandlerFunc

// oddity is a way in which a real service differs from RFC 7644.
type oddity struct {
	handler    layer
	deviations scimtest.Deviations
	settings   connector.Settings
	noGroups   bool
	blind      bool // a look-up by a member proves nothing
}

func plain(change func(*http.Request, map[string]any)) layer {
	return func(t *testing.T, app http.Handler) http.HandlerFunc { return rewritten(t, app, change) }
}

// refuse answers those requests for which when returns true with a failure.
func refuse(status int, body string, when func(*http.Request) bool) layer {
	return func(_ *testing.T, app http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if when(r) {
				w.Header().Set("Content-Type", "application/scim+json")
				w.WriteHeader(status)
				_, _ = w.Write([]byte(body))
				return
			}
			app.ServeHTTP(w, r)
		}
	}
}

func filters(r *http.Request, attr string) bool {
	return strings.HasPrefix(r.URL.Query().Get("filter"), attr+" ")
}

// oddities returns the known oddities, by what they do.
func oddities() map[string]oddity {
	return map[string]oddity{
		"as RFC 7644 has it":       {handler: plain(func(*http.Request, map[string]any) {})},
		"names in lower case":      {handler: plain(renamed(strings.ToLower))},
		"names in upper case":      {handler: takesNames(renamed(strings.ToUpper))},
		"a creation answered 204":  {handler: created(http.StatusNoContent, "")},
		"a creation answered {}":   {handler: created(http.StatusCreated, "{}")},
		"a creation answered text": {handler: created(http.StatusOK, "created")},
		"a creation answered by a Location": {handler: func(t *testing.T, app http.Handler) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				recorded := httptest.NewRecorder()
				app.ServeHTTP(recorded, r)
				var made struct{ ID string }
				if text := bytes.TrimPrefix(recorded.Body.Bytes(), []byte(byteOrderMark)); r.Method != http.MethodPost || json.Unmarshal(text, &made) != nil || made.ID == "" {
					maps.Copy(w.Header(), recorded.Header())
					w.WriteHeader(recorded.Code)
					_, _ = w.Write(recorded.Body.Bytes())
					return
				}
				w.Header().Set("Location", "https://elsewhere.example/Users/"+made.ID)
				w.WriteHeader(recorded.Code)
			}
		}},
		"no match is 404": {handler: func(t *testing.T, app http.Handler) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				recorded := httptest.NewRecorder()
				app.ServeHTTP(recorded, r)
				if r.URL.Query().Has("filter") && strings.Contains(recorded.Body.String(), `"totalResults":0`) {
					http.NotFound(w, r)
					return
				}
				w.WriteHeader(recorded.Code)
				_, _ = w.Write(recorded.Body.Bytes())
			}
		}},
		"no filter by externalId":  {handler: refuse(400, scimError, func(r *http.Request) bool { return filters(r, "externalId") })},
		"no filter by displayName": {handler: refuse(400, scimError, func(r *http.Request) bool { return filters(r, "displayName") })},
		"no filter by members":     {handler: refuse(501, scimError, func(r *http.Request) bool { return filters(r, "members.value") }), blind: true},
		"a filter by members is an error of theirs": {
			handler:  refuse(500, "", func(r *http.Request) bool { return filters(r, "members.value") }),
			settings: connector.Settings{"filterMembers": false}, blind: true,
		},
		"a filter by externalId is an error of theirs": {
			handler:  refuse(500, "", func(r *http.Request) bool { return filters(r, "externalId") }),
			settings: connector.Settings{"filterExternalID": false},
		},
		"no excludedAttributes": {handler: refuse(400, scimError, func(r *http.Request) bool { return r.URL.Query().Has("excludedAttributes") })},
		"JSON as application/json only": {handler: refuse(415, "", func(r *http.Request) bool {
			return r.Header.Get("Content-Type") == "application/scim+json"
		})},
		"no /Groups, nor among its resource types": {
			handler:    refuse(404, "<html>", func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/Groups") }),
			deviations: scimtest.Deviations{NoGroups: true}, noGroups: true,
		},
		"a total of the page": {handler: plain(func(_ *http.Request, answer map[string]any) {
			if list, ok := answer["Resources"].([]any); ok {
				answer["totalResults"] = len(list)
			}
		}), settings: connector.Settings{"pageSize": 2}},
		"indexes that count from 0": {handler: func(_ *testing.T, app http.Handler) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				if query := r.URL.Query(); query.Has("startIndex") {
					n, _ := strconv.Atoi(query.Get("startIndex"))
					query.Set("startIndex", strconv.Itoa(n+1))
					r.URL.RawQuery = query.Encode()
				}
				app.ServeHTTP(w, r)
			}
		}},
		"a byte order mark": {handler: func(_ *testing.T, app http.Handler) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				recorded := httptest.NewRecorder()
				app.ServeHTTP(recorded, r)
				w.WriteHeader(recorded.Code)
				if recorded.Body.Len() > 0 {
					_, _ = w.Write(append([]byte(byteOrderMark), recorded.Body.Bytes()...))
				}
			}
		}},
		"a total as text": {handler: plain(func(_ *http.Request, answer map[string]any) {
			if n, ok := answer["totalResults"].(float64); ok {
				answer["totalResults"] = strconv.Itoa(int(n))
			}
		})},
		"groups as names": {handler: plain(func(_ *http.Request, answer map[string]any) {
			eachResource(answer, func(r map[string]any) {
				var names []any
				complexValues(r, "groups", func(g map[string]any) { names = append(names, g["display"]) })
				if names != nil {
					r["groups"] = names
				}
			})
		})},
		"groups and members by $ref": {handler: plain(func(_ *http.Request, answer map[string]any) {
			eachResource(answer, func(r map[string]any) {
				for _, attr := range []string{"groups", "members"} {
					complexValues(r, attr, func(v map[string]any) {
						v["$ref"] = "https://elsewhere.example/scim/Things/" + v["value"].(string)
						delete(v, "value")
						delete(v, "display")
					})
				}
			})
		})},
		"IDs in another case where they refer": {handler: plain(func(_ *http.Request, answer map[string]any) {
			eachResource(answer, func(r map[string]any) {
				complexValues(r, "members", func(v map[string]any) { v["value"] = strings.ToUpper(v["value"].(string)) })
				delete(r, "groups")
			})
		})},
		"active as a number": {handler: takesNumbers(func(_ *http.Request, answer map[string]any) {
			eachResource(answer, func(r map[string]any) {
				switch r["active"] {
				case true:
					r["active"] = 1
				case false:
					r["active"] = 0
				}
			})
		})},
		"active left out where it is false": {handler: plain(func(_ *http.Request, answer map[string]any) {
			eachResource(answer, func(r map[string]any) {
				if r["active"] == false {
					delete(r, "active")
				}
			})
		})},
		"PATCH answered with 405": {handler: refuse(405, "", func(r *http.Request) bool { return r.Method == http.MethodPatch }), settings: connector.Settings{"changeGroups": "put"}},
		"PATCH of users answered with 501": {handler: refuse(501, "", func(r *http.Request) bool {
			return r.Method == http.MethodPatch && strings.Contains(r.URL.Path, "/Users/")
		})},
		"a PATCH without remove": {handler: withoutRemove, settings: connector.Settings{"changeGroups": "put"}},
		"IDs of users in upper case": {handler: func(t *testing.T, app http.Handler) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				r.URL.Path = strings.ToLower(r.URL.Path)
				for old, name := range map[string]string{"/users": "/Users", "/groups": "/Groups", "/serviceproviderconfig": "/ServiceProviderConfig", "/resourcetypes": "/ResourceTypes"} {
					r.URL.Path = strings.ReplaceAll(r.URL.Path, old, name)
				}
				rewritten(t, app, func(r *http.Request, answer map[string]any) {
					if strings.Contains(r.URL.Path, "/Users") {
						eachResource(answer, func(r map[string]any) { r["id"] = strings.ToUpper(r["id"].(string)) })
					}
				})(w, r)
			}
		}},
		"a filter by members is forbidden": {handler: refuse(403, "", func(r *http.Request) bool { return filters(r, "members.value") }), blind: true},
		"a filter by members always fails": {handler: refuse(500, "", func(r *http.Request) bool { return filters(r, "members.value") }), blind: true},
		"members removed by value": {
			deviations: scimtest.Deviations{NoPathFilters: true},
			settings:   connector.Settings{"removeMembers": "value"},
		},
		"members shown one by one":              {deviations: scimtest.Deviations{MembersAlone: true}},
		"members shown on request":              {deviations: scimtest.Deviations{MembersOnRequest: true}},
		"members hidden":                        {deviations: scimtest.Deviations{MembersHidden: true}},
		"empty lists of groups":                 {deviations: scimtest.Deviations{EmptyGroups: true}},
		"no totals":                             {deviations: scimtest.Deviations{NoTotals: true}},
		"operations in capitals":                {deviations: scimtest.Deviations{CapitalOps: true}},
		"truth values as text":                  {deviations: scimtest.Deviations{TextBooleans: true}},
		"small pages":                           {deviations: scimtest.Deviations{PageMax: 2}},
		"a filter by members finds nothing":     {deviations: scimtest.Deviations{DeafFilters: []string{"members/value"}}, blind: true},
		"a filter by members finds everything":  {deviations: scimtest.Deviations{OpenFilters: []string{"members/value"}}, blind: true},
		"a filter by name finds nothing":        {deviations: scimtest.Deviations{DeafFilters: []string{"displayName"}}},
		"a filter by externalId finds everyone": {deviations: scimtest.Deviations{OpenFilters: []string{"externalId"}}},
	}
}

// and returns the oddity of a service that differs in both ways.
func (o oddity) and(other oddity) oddity {
	both := oddity{noGroups: o.noGroups || other.noGroups, blind: o.blind || other.blind, settings: merged(o.settings, other.settings), handler: o.handler}
	switch {
	case o.handler == nil:
		both.handler = other.handler
	case other.handler != nil:
		both.handler = func(t *testing.T, app http.Handler) http.HandlerFunc { return other.handler(t, o.handler(t, app)) }
	}
	text, _ := json.Marshal(o.deviations)       //nolint:errchkjson // plain
	others, _ := json.Marshal(other.deviations) //nolint:errchkjson // plain
	_ = json.Unmarshal(text, &both.deviations)
	_ = json.Unmarshal(others, &both.deviations)
	both.deviations.DeafFilters = append(slices.Clone(o.deviations.DeafFilters), other.deviations.DeafFilters...)
	both.deviations.OpenFilters = append(slices.Clone(o.deviations.OpenFilters), other.deviations.OpenFilters...)
	return both
}

// life takes an account through its life in a service with this oddity.
func (o oddity) life(t *testing.T) {
	t.Helper()
	app, _ := serve(t, "staff", "engineers")
	for _, other := range []string{"bob", "cleo", "dan"} {
		app.AddUser(scimtest.User{UserName: other, ExternalID: "p-" + other, Active: true})
	}
	app.SetDeviations(o.deviations)
	var handler http.Handler = app
	if o.handler != nil {
		handler = o.handler(t, app)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c := open(t, merged(o.settings, connector.Settings{"url": server.URL + scimtest.BasePath, "token": token}))
	if puts := o.settings["changeGroups"] == "put"; o.deviations.MembersHidden && (o.blind || puts) && !o.noGroups {
		untold(t, c, app)
		return
	}
	live(t, c, holds(t, app), o.noGroups)
}

// untold checks that the connector does not report as done what it cannot see or do.
func untold(t *testing.T, c connector.Connector, app *scimtest.Service) {
	t.Helper()
	made, err := c.Create(t.Context(), connector.Spec{PersonID: "p-ada", Username: "ada", Active: true})
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, c.Grant(t.Context(), made.ID, []string{"staff"}))
		_, unread := c.Read(t.Context(), made.ID)
		revoked := c.Revoke(t.Context(), made.ID, []string{"staff"})
		assert.True(t, unread != nil || revoked != nil)
		if _, err = c.Read(t.Context(), made.ID); err == nil && revoked == nil {
			holds(t, app)(true, true, nil)
		}
	}
	require.NoError(t, c.Disable(t.Context(), made.ID))
	require.NoError(t, c.Delete(t.Context(), made.ID))
	holds(t, app)(false, false, nil)
}

// holds returns a check of the account that is taken through its life: the service itself has
// one, enabled or not and in the given groups, or it has none.
func holds(t *testing.T, app *scimtest.Service) check {
	return func(there, active bool, groups []string) {
		t.Helper()
		theirs := slices.DeleteFunc(app.Users(), func(user scimtest.User) bool { return user.UserName != "ada" })
		if !there {
			require.Empty(t, theirs)
			return
		}
		require.Len(t, theirs, 1)
		require.Equal(t, active, theirs[0].Active)
		require.ElementsMatch(t, groups, theirs[0].Groups)
	}
}

// check checks the account that a service itself has.
type check func(there, active bool, groups []string)

// TestOddServices takes an account through its life in services that differ from RFC 7644 as
// real services do.
func TestOddServices(t *testing.T) {
	for name, o := range oddities() {
		t.Run(name, o.life)
	}
}

// TestPairsOfOddities takes an account through its life in services that differ from RFC
// 7644 in two ways at once.
func TestPairsOfOddities(t *testing.T) {
	all := oddities()
	names := slices.Sorted(maps.Keys(all))
	for i, one := range names {
		for _, other := range names[i+1:] {
			t.Run(one+", and "+other, all[one].and(all[other]).life)
		}
	}
}

// live takes an account from its creation to its end.
func live(t *testing.T, c connector.Connector, has check, noGroups bool, others ...string) {
	t.Helper()
	keys := connector.Keys{PersonID: "p-ada", Username: "ada"}
	found, err := c.Find(t.Context(), keys)
	require.NoError(t, err)
	require.Empty(t, found)
	made, err := c.Create(t.Context(), connector.Spec{
		PersonID: "p-ada", Username: "ada", Active: true, Attributes: map[string]any{"title": "Engineer", "emails": "ada@example.com"},
	})
	require.NoError(t, err)
	require.NotEmpty(t, made.ID)
	found, err = c.Find(t.Context(), keys)
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, made.ID, found[0].Account.ID)
	groups := []string{"engineers", "staff"}
	if noGroups {
		err := c.Grant(t.Context(), made.ID, groups[:1])
		require.ErrorContains(t, err, "groups: false")
		groups = nil
	} else {
		require.NoError(t, c.Grant(t.Context(), made.ID, groups))
	}
	require.NoError(t, c.Update(t.Context(), made.ID, map[string]any{"title": "Manager", "emails": "ada.byron@example.com"}))
	account, err := c.Read(t.Context(), made.ID)
	require.NoError(t, err)
	assert.True(t, account.Active)
	assert.Equal(t, groups, account.Entitlements)
	assert.Equal(t, "Manager", account.Attributes["title"])
	assert.Equal(t, "ada.byron@example.com", account.Attributes["emails"])
	listed := map[string][]string{}
	for a, err := range c.List(t.Context()) {
		require.NoError(t, err)
		listed[a.Username] = a.Entitlements
	}
	want := map[string][]string{"ada": groups, "bob": nil, "cleo": nil, "dan": nil}
	for _, other := range others {
		want[other] = []string{"engineers", "staff"}
	}
	assert.Equal(t, want, listed)

	require.NoError(t, c.Update(t.Context(), made.ID, map[string]any{"title": "", "emails": "ada.byron@example.com"}))
	account, err = c.Read(t.Context(), made.ID)
	require.NoError(t, err)
	assert.NotContains(t, account.Attributes, "title")

	if !noGroups { // moves
		require.NoError(t, c.Revoke(t.Context(), made.ID, []string{"engineers"}))
		account, err = c.Read(t.Context(), made.ID)
		require.NoError(t, err)
		assert.Equal(t, []string{"staff"}, account.Entitlements)
		has(true, true, []string{"staff"})
		require.NoError(t, c.Grant(t.Context(), made.ID, []string{"engineers"}))
	}
	has(true, true, groups)

	require.NoError(t, c.Disable(t.Context(), made.ID))
	require.NoError(t, c.Revoke(t.Context(), made.ID, groups))
	has(true, false, nil)
	account, err = c.Read(t.Context(), made.ID)
	require.NoError(t, err)
	assert.False(t, account.Active)
	assert.Empty(t, account.Entitlements)
	require.NoError(t, c.Delete(t.Context(), made.ID))
	found, err = c.Find(t.Context(), connector.Keys{AccountID: made.ID})
	require.NoError(t, err)
	assert.Empty(t, found)
	has(false, false, nil)
}
