package scim_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
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

// A service that ignores filters must not make Tenure take one account for another.
func TestFindDoesNotTrustFilters(t *testing.T) {
	app, _ := serve(t)
	app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true})
	bob := app.AddUser(scimtest.User{UserName: "Bob", Active: true})
	c := deviant(t, app, func(r *http.Request) int {
		query := r.URL.Query()
		query.Del("filter")
		r.URL.RawQuery = query.Encode()
		return 0
	}, func(map[string]any) {})

	matches, err := c.Find(t.Context(), connector.Keys{PersonID: "2", Username: "bob"})
	require.NoError(t, err)
	require.Len(t, matches, 1)
	assert.Equal(t, bob, matches[0].Account.ID)
	matches, err = c.Find(t.Context(), connector.Keys{PersonID: "2", Username: "anna"})
	require.NoError(t, err)
	assert.Empty(t, matches)
}

// Adopt does not take over an account that somebody else adopts at the same time.
func TestAdoptHeedsVersions(t *testing.T) {
	app, url := serve(t)
	var meanwhile func(id string)
	c := handlingAt(t, scimtest.BasePath, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch && meanwhile != nil {
			act := meanwhile
			meanwhile = nil
			act(r.URL.Path[len(scimtest.BasePath+"/Users/"):])
		}
		app.ServeHTTP(w, r)
	})
	change := func(id, path, value string) {
		raw(t, "PATCH", url+"/Users/"+id, fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
			"Operations":[{"op":"replace","path":%q,"value":%q}]}`, path, value))
	}
	adopter := c

	taken := app.AddUser(scimtest.User{UserName: "anna", Active: true})
	meanwhile = func(id string) { change(id, "externalId", "somebody-else") }
	assert.Equal(t, connector.KindConflict, failure(t, adopter.Adopt(t.Context(), taken, "1")).Kind)
	assert.Equal(t, "somebody-else", app.Users()[0].ExternalID)

	free := app.AddUser(scimtest.User{UserName: "bob", Active: true})
	meanwhile = func(id string) { change(id, "title", "Engineer") }
	require.NoError(t, adopter.Adopt(t.Context(), free, "1"), "another attribute is no obstacle")
	assert.Equal(t, "1", app.Users()[1].ExternalID)
}

func TestPaging(t *testing.T) {
	app, _ := serve(t)
	const many = 250
	for i := range many {
		app.AddUser(scimtest.User{UserName: fmt.Sprintf("u%d", i), Active: true, Groups: []string{"staff"}})
	}
	list := func(c connector.Connector) (usernames []string, err error) {
		for account, err := range c.List(t.Context()) {
			if err != nil {
				return usernames, err
			}
			usernames = append(usernames, account.Username)
		}
		return usernames, nil
	}
	// rewrite makes the service replace a parameter of the query.
	rewrite := func(name, value string) func(*http.Request) int {
		return func(r *http.Request) int {
			query := r.URL.Query()
			query.Set(name, value)
			r.URL.RawQuery = query.Encode()
			return 0
		}
	}
	t.Run("small pages", func(t *testing.T) {
		usernames, err := list(deviant(t, app, rewrite("count", "7"), func(map[string]any) {}))
		require.NoError(t, err)
		assert.Len(t, usernames, many)
		assert.Equal(t, "u0", usernames[0])
		assert.Equal(t, "u249", usernames[many-1])
	})
	t.Run("the same page always", func(t *testing.T) {
		_, err := list(deviant(t, app, rewrite("startIndex", "1"), func(map[string]any) {}))
		failed := failure(t, err)
		assert.Equal(t, connector.KindInvalid, failed.Kind)
		assert.Contains(t, failed.Message, "startIndex")
	})
	t.Run("the first page behind the last, for whoever goes on where another has listed", func(t *testing.T) {
		var usernames []string
		for token, pages := "", 0; ; pages++ {
			require.Less(t, pages, 10, "it does not end")
			c := deviant(t, app, func(r *http.Request) int {
				if start, _ := strconv.Atoi(r.URL.Query().Get("startIndex")); start > many {
					return rewrite("startIndex", "1")(r)
				}
				return 0
			}, func(map[string]any) {})
			page, err := c.Page(t.Context(), token)
			require.NoError(t, err)
			for _, account := range page.Accounts {
				usernames = append(usernames, account.Username)
			}
			if token = page.Next; token == "" {
				break
			}
		}
		assert.Len(t, slices.Compact(slices.Sorted(slices.Values(usernames))), many)
		assert.Len(t, usernames, many, "each once")
	})
	t.Run("pages shift meanwhile", func(t *testing.T) {
		// As if an account had come in before each page: the last one of a page is
		// the first of the next.
		usernames, err := list(deviant(t, app, func(r *http.Request) int {
			start, _ := strconv.Atoi(r.URL.Query().Get("startIndex"))
			return rewrite("startIndex", strconv.Itoa(max(start-1, 1)))(r)
		}, func(map[string]any) {}))
		require.NoError(t, err)
		assert.Len(t, usernames, many)
		assert.Len(t, slices.Compact(slices.Sorted(slices.Values(usernames))), many, "each once")
	})
	t.Run("accounts go meanwhile", func(t *testing.T) {
		usernames, err := list(deviant(t, app, never, func(body map[string]any) {
			if _, isList := body["Resources"]; isList {
				body["totalResults"] = many + 100 // more than there are
			}
		}))
		require.NoError(t, err)
		assert.Len(t, usernames, many)
	})
	t.Run("pages are asked for as needed", func(t *testing.T) {
		var requests atomic.Int32
		c := deviant(t, app, func(r *http.Request) int {
			if strings.HasSuffix(r.URL.Path, "/Users") {
				requests.Add(1)
			}
			return 0
		}, func(map[string]any) {})
		for _, err := range c.List(t.Context()) {
			require.NoError(t, err)
			break
		}
		assert.EqualValues(t, 1, requests.Load())
	})
	t.Run("an error in the middle", func(t *testing.T) {
		failing := func(times int32) connector.Connector {
			var requests atomic.Int32
			return deviant(t, app, func(r *http.Request) int {
				if !strings.HasSuffix(r.URL.Path, "/Users") {
					return 0
				}
				if n := requests.Add(1); n >= 2 && n < 2+times {
					return http.StatusServiceUnavailable
				}
				return 0
			}, func(map[string]any) {})
		}
		usernames, err := list(failing(2))
		assert.Equal(t, connector.KindUnavailable, failure(t, err).Kind)
		assert.Len(t, usernames, 100)
		usernames, err = list(failing(1))
		require.NoError(t, err, "what fails once is asked for once more")
		assert.Greater(t, len(usernames), 100)
	})
}

func TestHeaders(t *testing.T) {
	var got http.Header
	var path string
	c := handling(t, func(w http.ResponseWriter, r *http.Request) {
		if query := r.URL.Query(); query.Has("filter") || !query.Has("startIndex") { // not how the app counts
			got, path = r.Header, r.RequestURI
		}
		_, _ = io.WriteString(w, `{"totalResults":0}`)
	})
	_, err := c.Find(t.Context(), connector.Keys{Username: `a b+"c"/ü`})
	require.NoError(t, err)
	assert.Equal(t, "Bearer "+token, got.Get("Authorization"))
	assert.Equal(t, "tenure", got.Get("User-Agent"))
	assert.Contains(t, got.Get("Accept"), "application/scim+json")
	assert.Equal(t, "/Users?count=100&filter=userName%20eq%20%22a%20b%2B%5C%22c%5C%22%2F%C3%BC%22&startIndex=1", path)

	_, err = c.Read(t.Context(), "../Groups/1?x=y")
	require.Error(t, err)
	assert.Equal(t, "/Users/..%2FGroups%2F1%3Fx=y", path, "an ID stays one segment of the path")

	identity, err := c.Check(t.Context())
	require.NoError(t, err)
	assert.Contains(t, identity, "bearer token at 127.0.0.1")
}

func TestWhenAnAccountWasMadeAndUsed(t *testing.T) {
	made := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	used := time.Date(2026, 9, 2, 10, 30, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		more       string
		made, used time.Time
	}{
		"neither":            {``, time.Time{}, time.Time{}},
		"made":               {`,"meta":{"created":"2026-03-01T09:00:00+01:00"}`, made, time.Time{}},
		"in another case":    {`,"Meta":{"Created":"2026-03-01T08:00:00.000Z"},"LastLogin":"2026-09-02T10:30:00Z"`, made, used},
		"of an extension":    {`,"urn:example:User":{"lastLogin":"2026-09-02T10:30:00Z","shoe":"43"}`, time.Time{}, used},
		"the latest":         {`,"lastActive":"2026-09-02T10:30:00Z","lastLogin":"2025-01-01T00:00:00Z"`, time.Time{}, used},
		"never":              {`,"lastLogin":"1970-01-01T00:00:00Z"`, time.Time{}, time.Time{}},
		"what is no instant": {`,"meta":{"created":"yesterday"},"lastLogin":false`, time.Time{}, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			app := handling(t, func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, "/Users/1") {
					_, _ = io.WriteString(w, `{"totalResults":0,"Resources":[]}`)
					return
				}
				_, _ = io.WriteString(w, `{"id":"1","userName":"ada","active":true`+c.more+`}`)
			})
			account, err := app.Read(t.Context(), "1")
			require.NoError(t, err)
			assert.Equal(t, c.made, account.CreatedAt)
			assert.Equal(t, c.used, account.LastUsedAt)
		})
	}
}

// Tenure replaces a password only if the service supports that, and each time by another one.
func TestCredentialsAreResetWhereTheServiceLets(t *testing.T) {
	for name, supported := range map[string]bool{"lets": true, "does not": false} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var sent []string
			app := handling(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case strings.HasSuffix(r.URL.Path, "/ServiceProviderConfig"):
					_ = json.NewEncoder(w).Encode(map[string]any{"changePassword": map[string]bool{"supported": supported}})
				case r.Method == http.MethodPatch:
					body, _ := io.ReadAll(r.Body)
					mu.Lock()
					sent = append(sent, string(body))
					mu.Unlock()
					w.WriteHeader(http.StatusNoContent)
				default:
					_, _ = io.WriteString(w, `{"totalResults":0,"Resources":[]}`)
				}
			})
			for range 2 {
				require.NoError(t, connector.Reset(t.Context(), app, "1"), "an app that cannot is no error")
			}
			if !supported {
				assert.Empty(t, sent)
				return
			}
			require.Len(t, sent, 2)
			assert.Contains(t, sent[0], `"path":"password","value":"`)
			assert.NotEqual(t, sent[0], sent[1])
		})
	}
}
