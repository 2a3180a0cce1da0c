package scim_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

// TestOddServices takes an account through its life in services that differ from RFC
// 7644 as services in the field do.
func TestOddServices(t *testing.T) {
	type handler = func(*testing.T, *scimtest.Service) http.HandlerFunc
	plain := func(change func(*http.Request, map[string]any)) handler {
		return func(t *testing.T, app *scimtest.Service) http.HandlerFunc { return rewritten(t, app, change) }
	}
	refuse := func(status int, body string, when func(*http.Request) bool) handler {
		return func(_ *testing.T, app *scimtest.Service) http.HandlerFunc {
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
	filters := func(r *http.Request, attr string) bool {
		return strings.HasPrefix(r.URL.Query().Get("filter"), attr+" ")
	}
	for name, c := range map[string]struct {
		handler  handler
		settings connector.Settings
		noGroups bool
	}{
		"as RFC 7644 has it":       {handler: plain(func(*http.Request, map[string]any) {})},
		"names in lower case":      {handler: plain(renamed(strings.ToLower))},
		"names in upper case":      {handler: plain(renamed(strings.ToUpper))},
		"a creation answered 204":  {handler: created(http.StatusNoContent, "")},
		"a creation answered {}":   {handler: created(http.StatusCreated, "{}")},
		"a creation answered text": {handler: created(http.StatusOK, "created")},
		"a creation answered by a Location": {handler: func(t *testing.T, app *scimtest.Service) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodPost {
					app.ServeHTTP(w, r)
					return
				}
				recorded := httptest.NewRecorder()
				app.ServeHTTP(recorded, r)
				var made struct{ ID string }
				assert.NoError(t, json.Unmarshal(recorded.Body.Bytes(), &made))
				w.Header().Set("Location", "https://elsewhere.example/Users/"+made.ID)
				w.WriteHeader(recorded.Code)
			}
		}},
		"no match is 404": {handler: func(t *testing.T, app *scimtest.Service) http.HandlerFunc {
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
		"no filter by members":     {handler: refuse(501, scimError, func(r *http.Request) bool { return filters(r, "members.value") })},
		"a filter by members is an error of theirs": {
			handler:  refuse(500, "", func(r *http.Request) bool { return filters(r, "members.value") }),
			settings: connector.Settings{"filterMembers": false},
		},
		"a filter by externalId is an error of theirs": {
			handler:  refuse(500, "", func(r *http.Request) bool { return filters(r, "externalId") }),
			settings: connector.Settings{"filterExternalID": false},
		},
		"no excludedAttributes": {handler: refuse(400, scimError, func(r *http.Request) bool { return r.URL.Query().Has("excludedAttributes") })},
		"JSON as application/json only": {handler: refuse(415, "", func(r *http.Request) bool {
			return r.Header.Get("Content-Type") == "application/scim+json"
		})},
		"no /Groups, nor among its resource types": {handler: func(_ *testing.T, app *scimtest.Service) http.HandlerFunc {
			app.SetDeviations(scimtest.Deviations{NoGroups: true})
			return refuse(404, "<html>", func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/Groups") })(t, app)
		}, noGroups: true},
		"a total of the page": {handler: plain(func(_ *http.Request, answer map[string]any) {
			if list, ok := answer["Resources"].([]any); ok {
				answer["totalResults"] = len(list)
			}
		}), settings: connector.Settings{"pageSize": 2}},
		"indexes that count from 0": {handler: func(_ *testing.T, app *scimtest.Service) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				if query := r.URL.Query(); query.Has("startIndex") {
					n, _ := strconv.Atoi(query.Get("startIndex"))
					query.Set("startIndex", strconv.Itoa(n+1))
					r.URL.RawQuery = query.Encode()
				}
				app.ServeHTTP(w, r)
			}
		}},
		"a byte order mark": {handler: func(_ *testing.T, app *scimtest.Service) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				recorded := httptest.NewRecorder()
				app.ServeHTTP(recorded, r)
				w.WriteHeader(recorded.Code)
				if recorded.Body.Len() > 0 {
					_, _ = w.Write(append([]byte("\xef\xbb\xbf"), recorded.Body.Bytes()...))
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
		"active as a number": {handler: plain(func(_ *http.Request, answer map[string]any) {
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
		"IDs of users in upper case": {handler: func(t *testing.T, app *scimtest.Service) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				r.URL.Path = strings.ToLower(r.URL.Path)
				for old, name := range map[string]string{"/users": "/Users", "/groups": "/Groups", "/serviceproviderconfig": "/ServiceProviderConfig"} {
					r.URL.Path = strings.ReplaceAll(r.URL.Path, old, name)
				}
				rewritten(t, app, func(r *http.Request, answer map[string]any) {
					if strings.Contains(r.URL.Path, "/Users") {
						eachResource(answer, func(r map[string]any) { r["id"] = strings.ToUpper(r["id"].(string)) })
					}
				})(w, r)
			}
		}},
		"a filter by members is forbidden": {handler: refuse(403, "", func(r *http.Request) bool { return filters(r, "members.value") })},
		"a filter by members always fails": {handler: refuse(500, "", func(r *http.Request) bool { return filters(r, "members.value") })},
		"members removed by value": {
			handler: func(t *testing.T, app *scimtest.Service) http.HandlerFunc {
				other, err := scimtest.New(scimtest.Options{Token: token, Groups: []string{"staff", "engineers"}, Deviations: scimtest.Deviations{NoPathFilters: true}})
				assert.NoError(t, err)
				for _, u := range app.Users() {
					other.AddUser(u)
				}
				return other.ServeHTTP
			},
			settings: connector.Settings{"removeMembers": "value"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			app, _ := serve(t, "staff", "engineers")
			for _, other := range []string{"bob", "cleo", "dan"} {
				app.AddUser(scimtest.User{UserName: other, ExternalID: "p-" + other, Active: true})
			}
			server := httptest.NewServer(c.handler(t, app))
			t.Cleanup(server.Close)
			settings := connector.Settings{"url": server.URL + scimtest.BasePath, "token": token}
			for k, v := range c.settings {
				settings[k] = v
			}
			live(t, open(t, settings), c.noGroups)
		})
	}
}

// live takes an account from its creation to its end.
func live(t *testing.T, c connector.Connector, noGroups bool, others ...string) {
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

	require.NoError(t, c.Disable(t.Context(), made.ID))
	require.NoError(t, c.Revoke(t.Context(), made.ID, groups))
	account, err = c.Read(t.Context(), made.ID)
	require.NoError(t, err)
	assert.False(t, account.Active)
	assert.Empty(t, account.Entitlements)
	require.NoError(t, c.Delete(t.Context(), made.ID))
	found, err = c.Find(t.Context(), connector.Keys{AccountID: made.ID})
	require.NoError(t, err)
	assert.Empty(t, found)
}
