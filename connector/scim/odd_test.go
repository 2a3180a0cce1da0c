package scim_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

const scimError = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","scimType":"invalidFilter"}`

// rewritten changes what a compliant service answers: body is called with each
// successful answer's JSON.
func rewritten(t *testing.T, app *scimtest.Service, body func(r *http.Request, answer map[string]any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		recorded := httptest.NewRecorder()
		app.ServeHTTP(recorded, r)
		answer := map[string]any{}
		if recorded.Body.Len() > 0 {
			assert.NoError(t, json.Unmarshal(recorded.Body.Bytes(), &answer))
			body(r, answer)
		}
		w.Header().Set("Content-Type", recorded.Header().Get("Content-Type"))
		w.WriteHeader(recorded.Code)
		if len(answer) > 0 {
			assert.NoError(t, json.NewEncoder(w).Encode(answer))
		}
	}
}

// keys renames every key of a JSON value.
func keys(value any, name func(string) string) any {
	switch value := value.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, v := range value {
			out[name(k)] = keys(v, name)
		}
		return out
	case []any:
		for i := range value {
			value[i] = keys(value[i], name)
		}
	}
	return value
}

func renamed(name func(string) string) func(*http.Request, map[string]any) {
	return func(_ *http.Request, answer map[string]any) {
		for k, v := range keys(answer, name).(map[string]any) {
			delete(answer, strings.ToLower(k))
			for old := range answer {
				if strings.EqualFold(old, k) {
					delete(answer, old)
				}
			}
			answer[k] = v
		}
	}
}

// each calls f for every resource of an answer.
func eachResource(answer map[string]any, f func(map[string]any)) {
	if list, ok := answer["Resources"].([]any); ok {
		for _, r := range list {
			f(r.(map[string]any))
		}
		return
	}
	if answer["id"] != nil {
		f(answer)
	}
}

func complexValues(r map[string]any, name string, f func(map[string]any)) {
	values, _ := r[name].([]any)
	for _, v := range values {
		f(v.(map[string]any))
	}
}

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
		"no /Groups": {handler: refuse(404, "<html>", func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/Groups") }), noGroups: true},
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

// withoutRemove is a service of which PATCH knows no "remove".
func withoutRemove(t *testing.T, app *scimtest.Service) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		if r.Method == http.MethodPatch && strings.Contains(string(body), `"remove"`) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		// scimtest takes no null, which is the same as "remove" (RFC 7643 section 2.5).
		text := regexp.MustCompile(`"op":"replace",("path":"[^"]*"),"value":null`).ReplaceAllString(string(body), `"op":"remove",$1`)
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
		app.ServeHTTP(w, r)
	}
}

func created(status int, body string) func(*testing.T, *scimtest.Service) http.HandlerFunc {
	return func(_ *testing.T, app *scimtest.Service) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost {
				app.ServeHTTP(w, r)
				return
			}
			app.ServeHTTP(httptest.NewRecorder(), r)
			w.WriteHeader(status)
			if status != http.StatusNoContent {
				_, _ = w.Write([]byte(body))
			}
		}
	}
}

// live takes an account from its creation to its end.
func live(t *testing.T, c connector.Connector, noGroups bool, others ...string) {
	t.Helper()
	keys := connector.Keys{PersonID: "p-ada", Username: "ada"}
	found, err := c.Find(t.Context(), keys)
	require.NoError(t, err)
	require.Empty(t, found)
	made, err := c.(connector.Creator).Create(t.Context(), connector.Spec{
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
		err := c.(connector.Entitler).Grant(t.Context(), made.ID, groups[:1])
		require.ErrorContains(t, err, "groups: false")
		groups = nil
	} else {
		require.NoError(t, c.(connector.Entitler).Grant(t.Context(), made.ID, groups))
	}
	require.NoError(t, c.(connector.Updater).Update(t.Context(), made.ID, map[string]any{"title": "Manager", "emails": "ada.byron@example.com"}))
	account, err := c.Read(t.Context(), made.ID)
	require.NoError(t, err)
	assert.True(t, account.Active)
	assert.Equal(t, groups, account.Entitlements)
	assert.Equal(t, "Manager", account.Attributes["title"])
	assert.Equal(t, "ada.byron@example.com", account.Attributes["emails"])
	listed := map[string][]string{}
	for a, err := range c.(connector.Lister).List(t.Context()) {
		require.NoError(t, err)
		listed[a.Username] = a.Entitlements
	}
	want := map[string][]string{"ada": groups, "bob": nil, "cleo": nil, "dan": nil}
	for _, other := range others {
		want[other] = []string{"engineers", "staff"}
	}
	assert.Equal(t, want, listed)

	require.NoError(t, c.(connector.Updater).Update(t.Context(), made.ID, map[string]any{"title": "", "emails": "ada.byron@example.com"}))
	account, err = c.Read(t.Context(), made.ID)
	require.NoError(t, err)
	assert.NotContains(t, account.Attributes, "title")

	require.NoError(t, c.(connector.Switch).Disable(t.Context(), made.ID))
	require.NoError(t, c.(connector.Entitler).Revoke(t.Context(), made.ID, groups))
	account, err = c.Read(t.Context(), made.ID)
	require.NoError(t, err)
	assert.False(t, account.Active)
	assert.Empty(t, account.Entitlements)
	require.NoError(t, c.(connector.Deleter).Delete(t.Context(), made.ID))
	found, err = c.Find(t.Context(), connector.Keys{AccountID: made.ID})
	require.NoError(t, err)
	assert.Empty(t, found)
}

// A number is its digits.
func TestNumericIDs(t *testing.T) {
	c := answering(t, http.StatusOK, nil, `{"id":17,"userName":"anna","externalId":4711,"active":true,"groups":[{"value":3,"display":"staff"}]}`)
	account, err := c.Read(t.Context(), "17")
	require.NoError(t, err)
	assert.Equal(t, connector.Account{
		ID: "17", Username: "anna", ExternalID: "4711", Active: true, Attributes: map[string]any{}, Entitlements: []string{"staff"},
	}, account)
}

// A quota that is used up is waited for, whatever the status that says so.
func TestQuotasAreToldByHeaders(t *testing.T) {
	for _, c := range []struct {
		header map[string]string
		kind   connector.ErrorKind
		wait   time.Duration
	}{
		{map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1795082460"}, connector.KindRateLimited, time.Minute},
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

// A total that says that there is something, with nothing sent, proves nothing.
func TestAnAnswerThatContradictsItselfIsNoProof(t *testing.T) {
	c := answering(t, http.StatusOK, nil, `{"totalResults":1,"Resources":[]}`)
	_, err := c.Find(t.Context(), connector.Keys{PersonID: "1", Username: "anna"})
	assert.Contains(t, failure(t, err).Message, "contradicts itself")
}

// A 409 that is a lost race is tried again at once; one that tells of a taken name is
// not.
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
		{"grant", func() error { return c.(connector.Entitler).Grant(t.Context(), id, []string{"staff"}) }},
		{"revoke", func() error { return c.(connector.Entitler).Revoke(t.Context(), id, []string{"staff"}) }},
		{"disable", func() error { return c.(connector.Switch).Disable(t.Context(), id) }},
		{"enable", func() error { return c.(connector.Switch).Enable(t.Context(), id) }},
		{"update", func() error { return c.(connector.Updater).Update(t.Context(), id, map[string]any{"title": "x"}) }},
		{"role", func() error { return c.(connector.Entitler).Grant(t.Context(), id, []string{"role:admin"}) }},
	} {
		for _, lost := range []int32{1, 3} {
			fail.Store(lost)
			require.NoError(t, step.do(), "%s after %d lost races", step.name, lost)
		}
		fail.Store(100)
		err := step.do()
		fail.Store(0)
		if step.name == "role" || step.name == "grant" {
			assert.NoError(t, err, "it has the %s already", step.name)
			continue
		}
		assert.Equal(t, connector.KindUnavailable, failure(t, err).Kind, step.name)
	}
	asked.Store(0)
	fail.Store(100)
	body = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"409","scimType":"uniqueness"}`
	err := c.(connector.Updater).Update(t.Context(), id, map[string]any{"title": "y"})
	assert.Equal(t, connector.KindExists, failure(t, err).Kind)
	assert.EqualValues(t, 1, asked.Load())
}

// Where a service keeps no types, the new address replaces the old one.
func TestAMultiValuedAttributeWithoutTypesIsReplaced(t *testing.T) {
	for name, forget := range map[string][]string{"types": {"type"}, "types and primary": {"type", "primary"}} {
		t.Run(name, func(t *testing.T) {
			app, _ := serve(t)
			server := httptest.NewServer(rewritten(t, app, func(_ *http.Request, answer map[string]any) {
				eachResource(answer, func(r map[string]any) {
					complexValues(r, "emails", func(v map[string]any) {
						for _, f := range forget {
							delete(v, f)
						}
					})
				})
			}))
			t.Cleanup(server.Close)
			c := open(t, connector.Settings{"url": server.URL + scimtest.BasePath, "token": token})
			made, err := c.(connector.Creator).Create(t.Context(), connector.Spec{PersonID: "1", Username: "mia", Active: true, Attributes: map[string]any{"emails": "mia@old.example"}})
			require.NoError(t, err)
			for _, address := range []string{"mia@new.example", "mia@newer.example"} {
				require.NoError(t, c.(connector.Updater).Update(t.Context(), made.ID, map[string]any{"emails": address}))
				account, err := c.Read(t.Context(), made.ID)
				require.NoError(t, err)
				assert.Equal(t, address, account.Attributes["emails"])
			}
			request, err := http.NewRequest(http.MethodGet, server.URL+scimtest.BasePath+"/Users/"+made.ID, http.NoBody)
			require.NoError(t, err)
			request.Header.Set("Authorization", "Bearer "+token)
			answer, err := http.DefaultClient.Do(request)
			require.NoError(t, err)
			defer answer.Body.Close()
			var user struct{ Emails []any }
			require.NoError(t, json.NewDecoder(answer.Body).Decode(&user))
			assert.Len(t, user.Emails, 1)
		})
	}
}

// What a service cannot do is found out once.
func TestWhatIsLearnedIsNotAskedAgain(t *testing.T) {
	app, _ := serve(t, "staff")
	refused := map[string]int{}
	c := handlingAt(t, scimtest.BasePath, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			refused[strings.Split(r.URL.Path, "/")[3]]++
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.NotContains(t, string(body), `"members":null`)
		r.Body = io.NopCloser(bytes.NewReader(body))
		app.ServeHTTP(w, r)
	})
	id := app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true})
	app.AddUser(scimtest.User{UserName: "bob", ExternalID: "2", Active: true, Groups: []string{"staff"}})
	app.AddGroup("engineers")
	for _, title := range []string{"a", "b", "c"} {
		require.NoError(t, c.(connector.Updater).Update(t.Context(), id, map[string]any{"title": title}))
		require.NoError(t, c.(connector.Entitler).Grant(t.Context(), id, []string{"engineers"}))
		require.NoError(t, c.(connector.Entitler).Revoke(t.Context(), id, []string{"engineers"}))
		require.NoError(t, c.(connector.Entitler).Grant(t.Context(), id, []string{"staff"}))
		assert.Equal(t, []string{"staff"}, app.Users()[0].Groups)
		require.NoError(t, c.(connector.Entitler).Revoke(t.Context(), id, []string{"staff"}))
	}
	assert.Equal(t, map[string]int{"Users": 1, "Groups": 1}, refused)
	assert.Empty(t, app.Users()[0].Groups)
	assert.Equal(t, []string{"staff"}, app.Users()[1].Groups, "nobody else lost theirs")
	assert.Len(t, c.(connector.Learner).Learned(), 2)
}

// A group that comes without members is not replaced, unless the settings say so or
// another group shows that members are shown.
func TestHiddenMembersAreNotReplaced(t *testing.T) {
	for name, c := range map[string]struct {
		settings connector.Settings
		others   bool // another group shows its members
		want     string
	}{
		"unknown":           {want: "shows no members, which a PUT would remove"},
		"said to be none":   {settings: connector.Settings{"changeGroups": "put"}},
		"another has some":  {others: true},
		"PATCH as they say": {settings: connector.Settings{"changeGroups": "patch"}, want: "shows no members"},
	} {
		t.Run(name, func(t *testing.T) {
			app, _ := serve(t, "staff", "engineers")
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPatch {
					w.WriteHeader(http.StatusMethodNotAllowed)
					return
				}
				app.ServeHTTP(w, r)
			}))
			t.Cleanup(server.Close)
			settings := connector.Settings{"url": server.URL + scimtest.BasePath, "token": token}
			for k, v := range c.settings {
				settings[k] = v
			}
			id := app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true})
			if c.others {
				app.AddUser(scimtest.User{UserName: "bob", ExternalID: "2", Active: true, Groups: []string{"engineers"}})
			}
			err := open(t, settings).(connector.Entitler).Grant(t.Context(), id, []string{"staff"})
			if c.want != "" {
				require.ErrorContains(t, err, c.want)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, []string{"staff"}, app.Users()[0].Groups)
		})
	}
}

// A removal that does nothing is found out, and the settings are named by which there is
// another way.
func TestARemovalThatDoesNothingIsFoundOut(t *testing.T) {
	for _, status := range []int{http.StatusNoContent, http.StatusBadRequest, http.StatusNotImplemented} {
		app, _ := serve(t, "staff")
		id := app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true, Groups: []string{"staff"}})
		c := handlingAt(t, scimtest.BasePath, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPatch {
				w.WriteHeader(status)
				return
			}
			app.ServeHTTP(w, r)
		})
		err := c.(connector.Entitler).Revoke(t.Context(), id, []string{"staff"})
		require.ErrorContains(t, err, `group "staff"`)
		require.ErrorContains(t, err, "try removeMembers: value, or changeGroups: put", status)
	}
}

// An account that shows nothing is not taken for inactive because others that are
// inactive show nothing.
func TestAnAccountThatIsNotSaidToBeActiveIsActive(t *testing.T) {
	app, _ := serve(t)
	var refuse atomic.Bool
	hidden := map[string]bool{}
	handler := rewritten(t, app, func(_ *http.Request, answer map[string]any) {
		eachResource(answer, func(r map[string]any) {
			if r["active"] == false || hidden[r["id"].(string)] {
				delete(r, "active")
			}
		})
	})
	serveOdd := func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch && refuse.Load() {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		handler(w, r)
	}
	c := handlingAt(t, scimtest.BasePath, serveOdd)
	active := func(c connector.Connector, id string) bool {
		t.Helper()
		account, err := c.Read(t.Context(), id)
		require.NoError(t, err)
		return account.Active
	}
	toggle := c.(connector.Switch)
	anna := app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true})
	silent := app.AddUser(scimtest.User{UserName: "bob", ExternalID: "2", Active: true})
	hidden[silent] = true
	require.NoError(t, toggle.Disable(t.Context(), silent))
	assert.True(t, active(c, silent), "nothing proves what it means")
	require.NoError(t, toggle.Disable(t.Context(), anna))
	assert.False(t, active(c, anna), "it showed that it was active before")
	assert.True(t, active(c, silent), "nor does another account")
	refuse.Store(true)
	require.Error(t, toggle.Disable(t.Context(), silent))
	assert.True(t, active(c, silent), "the app refused")
	refuse.Store(false)
	require.NoError(t, toggle.Disable(t.Context(), silent))
	assert.False(t, active(c, silent), "the app took it, and shows nothing where it is false")
	require.NoError(t, toggle.Enable(t.Context(), silent))
	assert.True(t, active(c, silent))

	server := httptest.NewServer(http.HandlerFunc(serveOdd))
	t.Cleanup(server.Close)
	told := open(t, connector.Settings{"url": server.URL + scimtest.BasePath, "token": token, "showsInactive": false})
	assert.False(t, active(told, anna), "the setting says so")
}

// An answer to a creation that leads to somebody else's account does not make that the
// new one.
func TestACreationThatLeadsElsewhereIsLookedFor(t *testing.T) {
	app, _ := serve(t)
	theirs := app.AddUser(scimtest.User{UserName: "bob", ExternalID: "2", Active: true})
	c := handlingAt(t, scimtest.BasePath, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			app.ServeHTTP(w, r)
			return
		}
		app.ServeHTTP(httptest.NewRecorder(), r)
		w.Header().Set("Location", "/Users/"+theirs)
		w.WriteHeader(http.StatusCreated)
	})
	made, err := c.(connector.Creator).Create(t.Context(), connector.Spec{PersonID: "1", Username: "anna", Active: true})
	require.NoError(t, err)
	assert.Equal(t, "anna", made.Username)
	assert.NotEqual(t, theirs, made.ID)
}

// An account that was made and cannot be read is known by its ID, and the error says why.
func TestACreationThatCannotBeReadTellsTheID(t *testing.T) {
	app, _ := serve(t)
	inGroup := strings.NewReplacer(`"userName"`, `"groups":[{"value":"g1"}],"userName"`)
	c := withoutReadingGroups(t, app, inGroup)
	made, err := c.(connector.Creator).Create(t.Context(), connector.Spec{PersonID: "1", Username: "anna", Active: true})
	failed := failure(t, err)
	assert.Equal(t, connector.KindContradictory, failed.Kind)
	assert.Contains(t, failed.Message, "does not show it: the app answered 500")
	assert.NotEmpty(t, made.ID)
	require.NoError(t, c.(connector.Deleter).Delete(t.Context(), made.ID))
	assert.Empty(t, app.Users())
}

// Which groups a new account is in, where it does not show them, is asked by whoever
// reads it, and keeps nobody from making it.
func TestACreationAsksForNoGroups(t *testing.T) {
	app, _ := serve(t)
	c := withoutReadingGroups(t, app, strings.NewReplacer(`"groups"`, `"noGroups"`))
	made, err := c.(connector.Creator).Create(t.Context(), connector.Spec{PersonID: "1", Username: "anna", Active: true})
	require.NoError(t, err)
	_, err = c.Read(t.Context(), made.ID)
	require.Error(t, err)
	account, err := c.Read(connector.SparingEntitlements(t.Context()), made.ID)
	require.NoError(t, err, "nor from seeing whether it is on")
	assert.True(t, account.Active)
}

// withoutReadingGroups is a service that answers otherwise about users, and fails at groups.
func withoutReadingGroups(t *testing.T, app http.Handler, about *strings.Replacer) connector.Connector {
	t.Helper()
	return handlingAt(t, scimtest.BasePath, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/Groups") {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		recorded := httptest.NewRecorder()
		app.ServeHTTP(recorded, r)
		w.WriteHeader(recorded.Code)
		_, _ = w.Write([]byte(about.Replace(recorded.Body.String())))
	})
}

// An address that a service shows as another type is ours all the same.
func TestAnAddressOfAnotherTypeIsReplaced(t *testing.T) {
	app, _ := serve(t)
	server := httptest.NewServer(rewritten(t, app, func(_ *http.Request, answer map[string]any) {
		eachResource(answer, func(r map[string]any) {
			complexValues(r, "emails", func(v map[string]any) { v["type"] = "Other" })
		})
	}))
	t.Cleanup(server.Close)
	c := open(t, connector.Settings{"url": server.URL + scimtest.BasePath, "token": token})
	made, err := c.(connector.Creator).Create(t.Context(), connector.Spec{PersonID: "1", Username: "mia", Active: true, Attributes: map[string]any{"emails": "mia@old.example"}})
	require.NoError(t, err)
	assert.Equal(t, "mia@old.example", made.Attributes["emails"])
	require.NoError(t, c.(connector.Updater).Update(t.Context(), made.ID, map[string]any{"emails": "mia@new.example"}))
	account, err := c.Read(t.Context(), made.ID)
	require.NoError(t, err)
	assert.Equal(t, "mia@new.example", account.Attributes["emails"])
}

// A service may show members only in lists that ask for them, or group by group; and the
// groups of a user in the answer to a request of that user only. Lists of accounts have
// them all the same.
func TestHiddenMembersAreInLists(t *testing.T) {
	hide := func(r map[string]any, name string) { delete(r, name) }
	for name, c := range map[string]struct {
		change func(r *http.Request, resource map[string]any)
		asked  int // requests of groups that a second list makes, the last page being empty
	}{
		"shown": {func(*http.Request, map[string]any) {}, 0},
		"members in lists": {func(_ *http.Request, r map[string]any) {
			hide(r, "groups")
		}, 2},
		"members on request": {func(req *http.Request, r map[string]any) {
			hide(r, "groups")
			if !strings.Contains(req.URL.Query().Get("attributes"), "members") {
				hide(r, "members")
			}
		}, 2},
		"groups of one user, and members on request": {func(req *http.Request, r map[string]any) {
			if strings.HasSuffix(req.URL.Path, "/Users") {
				hide(r, "groups")
			}
			if !strings.Contains(req.URL.Query().Get("attributes"), "members") {
				hide(r, "members")
			}
		}, 2},
		"members of one group": {func(req *http.Request, r map[string]any) {
			hide(r, "groups")
			if strings.HasSuffix(req.URL.Path, "/Groups") {
				hide(r, "members")
			}
		}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			app, _ := serve(t, "engineers", "nobody", "staff")
			for user, groups := range map[string][]string{"ada": {"engineers", "staff"}, "bob": {"staff"}, "cleo": nil} {
				app.AddUser(scimtest.User{UserName: user, ExternalID: "p-" + user, Active: true, Groups: groups})
			}
			asked := 0
			handler := rewritten(t, app, func(r *http.Request, answer map[string]any) {
				eachResource(answer, func(resource map[string]any) { c.change(r, resource) })
			})
			client := handlingAt(t, scimtest.BasePath, func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, "/Groups") {
					asked++
				}
				handler(w, r)
			})
			found, err := client.Find(t.Context(), connector.Keys{PersonID: "p-ada", Username: "ada"})
			require.NoError(t, err)
			require.Len(t, found, 1)
			one, err := client.Read(t.Context(), found[0].Account.ID)
			require.NoError(t, err)
			assert.Equal(t, []string{"engineers", "staff"}, one.Entitlements)
			for range 2 {
				asked = 0
				listed := map[string][]string{}
				for a, err := range client.(connector.Lister).List(t.Context()) {
					require.NoError(t, err)
					listed[a.Username] = a.Entitlements
				}
				assert.Equal(t, map[string][]string{"ada": {"engineers", "staff"}, "bob": {"staff"}, "cleo": nil}, listed)
			}
			assert.LessOrEqual(t, asked, c.asked, "how it shows them is remembered")
		})
	}
}

// An error names the attribute, the key or the limit that is meant, and repeats nothing
// that could be somebody's.
func TestErrorsNameWhatIsMeant(t *testing.T) {
	body := func(scimType, detail string) string {
		return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","scimType":"` + scimType + `","detail":"` + detail + `"}`
	}
	create := func(c connector.Connector) error {
		_, err := c.(connector.Creator).Create(t.Context(), connector.Spec{PersonID: "1", Username: "eve", Active: true})
		return err
	}
	for name, c := range map[string]struct {
		answer string
		call   func(connector.Connector) error
		want   string
	}{
		"a mandatory attribute": {body("invalidValue", "Attribute emails is required for eve@example.com"), create,
			`the app requires the attribute "emails": map it in the app's attributes`},
		"an attribute that is refused": {body("invalidValue", "userName eve@example.com is too long"), create,
			`the app refused the attribute "userName": check its mapping`},
		"a key": {body("invalidFilter", "no"), func(c connector.Connector) error {
			_, err := c.Find(t.Context(), connector.Keys{PersonID: "eve@example.com"})
			return err
		}, "the app cannot look up by externalId"},
		"a limit of a look-up": {body("tooMany", "no"), func(c connector.Connector) error {
			_, err := c.Find(t.Context(), connector.Keys{Username: "eve@example.com"})
			return err
		}, "the look-up by userName finds more than the app is willing to return"},
		"a limit of a list": {body("tooMany", "no"), func(c connector.Connector) error {
			for _, err := range c.(connector.Lister).List(t.Context()) {
				return err
			}
			return nil
		}, "lower the pageSize setting"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.call(answering(t, http.StatusBadRequest, nil, c.answer))
			require.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), "eve")
		})
	}
}

// Of attributes that are changed together, those that are refused are named, and the
// others are set.
func TestARefusedAttributeIsNamedAndTheOthersAreSet(t *testing.T) {
	for form, hint := range map[string]string{"path": "try changeUsers: object, or put", "object": "try changeUsers: put"} {
		app, _ := serve(t)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			if r.Method == http.MethodPatch && strings.Contains(string(body), "costCenter") {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			app.ServeHTTP(w, r)
		}))
		t.Cleanup(server.Close)
		c := open(t, connector.Settings{"url": server.URL + scimtest.BasePath, "token": token, "changeUsers": form})
		id := app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true})
		err := c.(connector.Updater).Update(t.Context(), id, map[string]any{"title": "Boss", "costCenter": "12", "displayName": "Anna"})
		failed := failure(t, err)
		assert.Equal(t, connector.KindInvalid, failed.Kind)
		assert.Contains(t, failed.Message, `attribute "costCenter": the app answered 400`)
		assert.Contains(t, failed.Message, hint)
		assert.Equal(t, "Boss", app.Users()[0].Title)
		assert.Equal(t, "Anna", app.Users()[0].DisplayName)
	}
}
