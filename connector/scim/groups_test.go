package scim_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

// deviant puts a service between the connector and the app that alters requests
// (refusing those for which it returns a status) and the resources in answers.
func deviant(t *testing.T, app http.Handler, refuse func(*http.Request) int, alter func(resource map[string]any)) connector.Connector {
	t.Helper()
	return handlingAt(t, scimtest.BasePath, func(w http.ResponseWriter, r *http.Request) {
		if status := refuse(r); status != 0 {
			w.WriteHeader(status)
			return
		}
		answer := httptest.NewRecorder()
		app.ServeHTTP(answer, r)
		var body map[string]any
		if json.Unmarshal(answer.Body.Bytes(), &body) == nil {
			alter(body)
			list, _ := body["Resources"].([]any)
			for _, item := range list {
				alter(item.(map[string]any))
			}
			answer.Body = &bytes.Buffer{}
			assert.NoError(t, json.NewEncoder(answer.Body).Encode(body))
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

func handlingAt(t *testing.T, path string, handler http.HandlerFunc) connector.Connector {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return open(t, connector.Settings{"url": server.URL + path, "token": token})
}

func never(*http.Request) int { return 0 }

// An account's entitlements are the same, however a service shows groups.
func TestEntitlementsHoweverTheyAreServed(t *testing.T) {
	noGroups := func(resource map[string]any) { delete(resource, "groups") }
	noNames := func(resource map[string]any) {
		groups, _ := resource["groups"].([]any)
		for _, group := range groups {
			delete(group.(map[string]any), "display")
		}
	}
	dropMembers := func(resource map[string]any) { delete(resource, "members") }
	noMemberFilter := func(r *http.Request) int {
		if strings.Contains(r.URL.Query().Get("filter"), "members.value") {
			return http.StatusBadRequest
		}
		return 0
	}
	ignoresFilters := func(r *http.Request) int {
		query := r.URL.Query()
		query.Del("filter")
		r.URL.RawQuery = query.Encode()
		return 0
	}
	for name, test := range map[string]struct {
		refuse func(*http.Request) int
		alter  func(map[string]any)
	}{
		"with the user":                  {never, func(map[string]any) {}},
		"with the user, without names":   {never, noNames},
		"by filter":                      {never, noGroups},
		"by filter, which is ignored":    {ignoresFilters, noGroups},
		"by filter, without members":     {never, func(resource map[string]any) { noGroups(resource); dropMembers(resource) }},
		"only by looking at every group": {noMemberFilter, noGroups},
	} {
		t.Run(name, func(t *testing.T) {
			app, _ := serve(t, "empty")
			anna := app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true, Groups: []string{"staff", "engineers"}})
			bob := app.AddUser(scimtest.User{UserName: "bob", ExternalID: "2", Active: true})
			app.AddUser(scimtest.User{UserName: "carl", ExternalID: "3", Active: true, Groups: []string{"sales", "staff"}})
			c := deviant(t, app, test.refuse, test.alter)

			for id, want := range map[string][]string{anna: {"engineers", "staff"}, bob: nil} {
				account, err := c.Read(t.Context(), id)
				require.NoError(t, err)
				assert.Equal(t, want, account.Entitlements)
				found, err := c.Find(t.Context(), connector.Keys{PersonID: account.ExternalID})
				require.NoError(t, err)
				require.Len(t, found, 1)
				assert.Equal(t, account, found[0].Account)
			}
			if strings.Contains(name, "without members") {
				return // this service cannot list many
			}
			var listed [][]string
			for account, err := range c.List(t.Context()) {
				require.NoError(t, err)
				listed = append(listed, account.Entitlements)
			}
			assert.Equal(t, [][]string{{"engineers", "staff"}, nil, {"sales", "staff"}}, listed)
		})
	}
}

func TestIndirectMembershipIsNoEntitlement(t *testing.T) {
	c := answering(t, http.StatusOK, nil, `{"id":"1","userName":"a","groups":[
		{"value":"g1","display":"staff","type":"direct"},{"value":"g2","display":"everyone","type":"indirect"},{"value":"g3","display":"all"}]}`)
	account, err := c.Read(t.Context(), "1")
	require.NoError(t, err)
	assert.Equal(t, []string{"all", "staff"}, account.Entitlements)
}

func TestGroupNames(t *testing.T) {
	app, url := serve(t, "Staff", `R&D "core" \ O'Brien`)
	c := open(t, connector.Settings{"url": url, "token": token})
	id := app.AddUser(scimtest.User{UserName: "anna", Active: true})
	grant := func(name string) error { return c.Grant(t.Context(), id, []string{name}) }

	require.NoError(t, grant(`R&D "core" \ O'Brien`))
	assert.Equal(t, []string{`R&D "core" \ O'Brien`}, app.Users()[0].Groups)

	failed := failure(t, grant("staff"))
	assert.Equal(t, connector.KindInvalid, failed.Kind)
	assert.Contains(t, failed.Message, `spells the group "staff": use "Staff"`)

	failed = failure(t, grant("nobody"))
	assert.Equal(t, connector.KindInvalid, failed.Kind)
	assert.Contains(t, failed.Message, `has no group "nobody": create it there first, or set createGroups`)

	raw(t, "POST", url+"/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Staff"}`)
	assert.Contains(t, failure(t, grant("Staff")).Message, `2 groups called "Staff"`)
}

// A group that was deleted and created anew has another ID than the remembered one.
func TestGroupMadeAnew(t *testing.T) {
	app, url := serve(t, "staff", "another")
	c := open(t, connector.Settings{"url": url, "token": token})
	id := app.AddUser(scimtest.User{UserName: "anna", Active: true})
	entitler := c

	for range 3 { // the connector checks that the member is gone until it has seen that twice
		require.NoError(t, entitler.Revoke(t.Context(), id, []string{"staff"}))
		require.NoError(t, entitler.Grant(t.Context(), id, []string{"staff"}))
		_, err := c.Read(t.Context(), id)
		require.NoError(t, err)
	}
	lookups := app.Stats().ByKind["GET Groups"]
	require.NoError(t, entitler.Revoke(t.Context(), id, []string{"staff"}))
	assert.Equal(t, lookups, app.Stats().ByKind["GET Groups"], "the ID is remembered")

	app.RemoveGroup("staff")
	app.AddGroup("staff")
	require.NoError(t, entitler.Grant(t.Context(), id, []string{"staff"}))
	assert.Equal(t, []string{"staff"}, app.Users()[0].Groups)

	app.RemoveGroup("staff")
	require.NoError(t, entitler.Revoke(t.Context(), id, []string{"staff"}), "no group, no membership")
	assert.Contains(t, failure(t, entitler.Grant(t.Context(), id, []string{"staff"})).Message, `no group "staff"`)
}

func TestCreateGroups(t *testing.T) {
	app, url := serve(t)
	c := open(t, connector.Settings{"url": url, "token": token, "createGroups": true})
	var ids []string
	for _, name := range []string{"anna", "bob", "carl", "dora", "eva", "finn"} {
		ids = append(ids, app.AddUser(scimtest.User{UserName: name, Active: true}))
	}
	var wg sync.WaitGroup
	for _, id := range ids {
		wg.Go(func() {
			assert.NoError(t, c.Grant(t.Context(), id, []string{"staff"}))
		})
	}
	wg.Wait()
	assert.Equal(t, 1, app.Stats().ByKind["POST Groups"], "one group for all who asked at once")
	for _, user := range app.Users() {
		assert.Equal(t, []string{"staff"}, user.Groups)
	}
	require.NoError(t, c.Revoke(t.Context(), ids[0], []string{"unheard of"}))
	assert.Equal(t, 1, app.Stats().ByKind["POST Groups"], "revoking makes no group")
}

// Two processes may both find that a group is missing, and only one of them creates it.
func TestCreateGroupsLosesARace(t *testing.T) {
	app, _ := serve(t)
	id := app.AddUser(scimtest.User{UserName: "anna", Active: true})
	c := deviantGroups(t, app)
	require.NoError(t, c.Grant(t.Context(), id, []string{"staff"}))
	assert.Equal(t, []string{"staff"}, app.Users()[0].Groups)
}

// deviantGroups returns a connector to a service in which somebody else creates each group
// just before the connector does.
func deviantGroups(t *testing.T, app *scimtest.Service) connector.Connector {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/Groups") {
			app.AddGroup("staff")
			w.WriteHeader(http.StatusConflict)
			return
		}
		app.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return open(t, connector.Settings{"url": server.URL + scimtest.BasePath, "token": token, "createGroups": true})
}

// Services answer differently to a change of members that changes nothing.
func TestMembershipAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		grant  connector.ErrorKind // empty for success
		revoke connector.ErrorKind
	}{
		"conflict":  {409, "", connector.KindUnavailable, connector.KindUnavailable},
		"member":    {409, `{"scimType":"uniqueness"}`, "", connector.KindExists},
		"no target": {400, `{"scimType":"noTarget"}`, connector.KindInvalid, ""},
		"forbidden": {403, "", connector.KindForbidden, connector.KindForbidden},
		"not found": {404, "", connector.KindInvalid, connector.KindInvalid},
		"throttled": {429, "", connector.KindRateLimited, connector.KindRateLimited},
	} {
		t.Run(name, func(t *testing.T) {
			app, _ := serve(t, "staff")
			id := app.AddUser(scimtest.User{UserName: "anna", Active: true})
			c := handlingAt(t, scimtest.BasePath, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPatch {
					w.WriteHeader(test.status)
					_, _ = w.Write([]byte(test.body))
					return
				}
				app.ServeHTTP(w, r)
			})
			for kind, err := range map[*connector.ErrorKind]error{
				&test.grant:  c.Grant(t.Context(), id, []string{"staff"}),
				&test.revoke: c.Revoke(t.Context(), id, []string{"staff"}),
			} {
				if *kind == "" {
					assert.NoError(t, err)
					continue
				}
				failed := failure(t, err)
				assert.Equal(t, *kind, failed.Kind)
				if !failed.Kind.Retryable() {
					assert.Contains(t, failed.Message, `group "staff"`)
				}
			}
		})
	}
}
