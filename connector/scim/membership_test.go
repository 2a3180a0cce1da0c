package scim_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

// Tenure asks for what a service cannot do until that is certain, and then no more.
func TestWhatIsLearnedIsNotAskedAgain(t *testing.T) {
	app, _ := serve(t, "staff")
	refused := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			refused++
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.NotContains(t, string(body), `"members":null`)
		r.Body = io.NopCloser(bytes.NewReader(body))
		app.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	c := open(t, connector.Settings{"url": server.URL + scimtest.BasePath, "token": token, "changeGroups": "put"})
	id := app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true})
	app.AddUser(scimtest.User{UserName: "bob", ExternalID: "2", Active: true, Groups: []string{"staff"}})
	app.AddGroup("engineers")
	for _, title := range []string{"a", "b", "c"} {
		require.NoError(t, c.Update(t.Context(), id, map[string]any{"title": title}))
		require.NoError(t, c.Grant(t.Context(), id, []string{"engineers"}))
		require.NoError(t, c.Revoke(t.Context(), id, []string{"engineers"}))
		require.NoError(t, c.Grant(t.Context(), id, []string{"staff"}))
		assert.Equal(t, []string{"staff"}, app.Users()[0].Groups)
		require.NoError(t, c.Revoke(t.Context(), id, []string{"staff"}))
	}
	assert.Equal(t, 2, refused)
	assert.Empty(t, app.Users()[0].Groups)
	assert.Equal(t, []string{"staff"}, app.Users()[1].Groups, "nobody else lost theirs")
	assert.Len(t, c.Learned(), 1)
}

// A group is replaced only if the settings say so: it would undo what others change
// meanwhile, and remove the members that are not shown.
func TestAGroupIsReplacedOnlyIfTheSettingsSaySo(t *testing.T) {
	for name, settings := range map[string]connector.Settings{
		"unknown":           {},
		"PATCH as they say": {"changeGroups": "patch"},
		"PUT as they say":   {"changeGroups": "put"},
	} {
		for _, status := range []int{http.StatusMethodNotAllowed, http.StatusNotImplemented} {
			t.Run(fmt.Sprint(name, " ", status), func(t *testing.T) {
				app, _ := serve(t, "staff", "engineers")
				puts := 0
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					switch r.Method {
					case http.MethodPatch:
						w.WriteHeader(status)
						return
					case http.MethodPut:
						puts++
					}
					app.ServeHTTP(w, r)
				}))
				t.Cleanup(server.Close)
				settings["url"], settings["token"] = server.URL+scimtest.BasePath, token
				anna := app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true, Groups: []string{"engineers"}})
				app.AddUser(scimtest.User{UserName: "bob", ExternalID: "2", Active: true, Groups: []string{"staff", "engineers"}})
				c := open(t, settings)
				for _, err := range []error{
					c.Grant(t.Context(), anna, []string{"staff"}),
					c.Revoke(t.Context(), anna, []string{"engineers"}),
				} {
					if settings["changeGroups"] == "put" {
						require.NoError(t, err)
						continue
					}
					require.ErrorContains(t, err, "changeGroups: put")
					require.ErrorContains(t, err, "group \"")
					assert.Zero(t, puts)
				}
				assert.Equal(t, []string{"engineers", "staff"}, app.Users()[1].Groups)
				if settings["changeGroups"] == "put" {
					assert.Equal(t, []string{"staff"}, app.Users()[0].Groups)
				}
			})
		}
	}
}

// A group that is replaced keeps members that the service shows only on request.
func TestAReplacedGroupKeepsMembersShownOnRequest(t *testing.T) {
	app, url := serve(t, "staff")
	app.SetDeviations(scimtest.Deviations{MembersOnRequest: true})
	anna := app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true})
	app.AddUser(scimtest.User{UserName: "bob", ExternalID: "2", Active: true, Groups: []string{"staff"}})
	c := open(t, connector.Settings{"url": url, "token": token, "changeGroups": "put"})
	require.NoError(t, c.Grant(t.Context(), anna, []string{"staff"}))
	for _, user := range app.Users() {
		assert.Equal(t, []string{"staff"}, user.Groups)
	}
}

// Tenure notices a removal that does nothing, and the error names the settings for other ways.
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
		err := c.Revoke(t.Context(), id, []string{"staff"})
		require.ErrorContains(t, err, `group "staff"`)
		require.ErrorContains(t, err, "try removeMembers: value, or changeGroups: put", status)
	}
}

// Lists of accounts hold the groups even if a service shows members only in lists that ask for
// them or group by group, and shows a user's groups only if that user alone is read.
func TestHiddenMembersAreInLists(t *testing.T) {
	hide := func(r map[string]any, name string) { delete(r, name) }
	for name, c := range map[string]struct {
		change func(r *http.Request, resource map[string]any)
		asked  int // requests of groups that a third list makes: its pages, the last one being empty, and each group that showed no members
	}{
		"shown": {func(*http.Request, map[string]any) {}, 3}, // each list finds out anew that they are shown
		"members in lists": {func(_ *http.Request, r map[string]any) {
			hide(r, "groups")
		}, 3},
		"members on request": {func(req *http.Request, r map[string]any) {
			hide(r, "groups")
			if !strings.Contains(req.URL.Query().Get("attributes"), "members") {
				hide(r, "members")
			}
		}, 3},
		"groups of one user, and members on request": {func(req *http.Request, r map[string]any) {
			if strings.HasSuffix(req.URL.Path, "/Users") {
				hide(r, "groups")
			}
			if !strings.Contains(req.URL.Query().Get("attributes"), "members") {
				hide(r, "members")
			}
		}, 3},
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
			for range 3 { // Tenure believes what it meets twice
				asked = 0
				listed := map[string][]string{}
				for a, err := range client.List(t.Context()) {
					require.NoError(t, err)
					listed[a.Username] = a.Entitlements
				}
				assert.Equal(t, map[string][]string{"ada": {"engineers", "staff"}, "bob": {"staff"}, "cleo": nil}, listed)
			}
			assert.LessOrEqual(t, asked, c.asked, "how it shows them is remembered")
		})
	}
}

// A member who is listed twice is in the group once. Some services list a member twice who was
// added twice.
func TestAMemberWhoIsListedTwice(t *testing.T) {
	for name, inUsers := range map[string]string{
		"in groups": "",
		"in users":  `,"groups":[{"value":"g","display":"staff"},{"value":"g","display":"staff"}]`,
	} {
		t.Run(name, func(t *testing.T) {
			c := handlingAt(t, "/scim", func(w http.ResponseWriter, r *http.Request) {
				switch {
				case strings.HasSuffix(r.URL.Path, "/Users/1"):
					_, _ = fmt.Fprintf(w, `{"id":"1","userName":"anna","active":true%s}`, inUsers)
				case strings.HasSuffix(r.URL.Path, "/Groups") && !strings.Contains(r.URL.RawQuery, "nobody"):
					_, _ = w.Write([]byte(`{"totalResults":1,"Resources":[{"id":"g","displayName":"staff","members":[{"value":"1"},{"value":"1"}]}]}`))
				default:
					w.WriteHeader(http.StatusNotFound)
				}
			})
			account, err := c.Read(t.Context(), "1")
			require.NoError(t, err)
			assert.Equal(t, []string{"staff"}, account.Entitlements)
		})
	}
}

// Nobody is a member of a group without members, even if a service finds that group for every
// account, as SCIMMY does.
func TestAGroupWithoutMembersThatIsFoundForEverybody(t *testing.T) {
	c := handlingAt(t, "/scim", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/Users/1"):
			_, _ = w.Write([]byte(`{"id":"1","userName":"anna","active":true}`))
		case strings.HasSuffix(r.URL.Path, "/Groups"):
			_, _ = w.Write([]byte(`{"totalResults":1,"Resources":[{"id":"g","displayName":"staff"}]}`))
		case strings.HasSuffix(r.URL.Path, "/Groups/g"):
			_, _ = w.Write([]byte(`{"id":"g","displayName":"staff"}`))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	account, err := c.Read(t.Context(), "1")
	require.NoError(t, err)
	assert.Empty(t, account.Entitlements)
}
