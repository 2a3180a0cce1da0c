//go:build real

package real

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// app reads SCIMMY without any code of the product.
type app struct {
	url, token string
	// proxied is the address at which the product reaches the app. calls counts the calls
	// that came that way.
	proxied string
	calls   atomic.Int64
}

func newApp(t *testing.T) *app {
	t.Helper()
	a := &app{url: fromEnv(t, "TENURE_REAL_SCIM_URL"), token: fromEnv(t, "TENURE_REAL_SCIM_TOKEN")}
	require.Empty(t, a.look(t).Users, "the app is to be empty at first")
	target, err := url.Parse(a.url)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: target.Scheme, Host: target.Host})
	proxy.ErrorLog = log.New(io.Discard, "", 0) // a caller that gives up reports that itself
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.calls.Add(1)
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	a.proxied = server.URL + target.Path
	return a
}

// contents holds everything that is in the app.
type contents struct {
	Users  []user
	Groups []struct {
		ID          string `json:"id"`
		DisplayName string `json:"displayName"`
		Members     []struct {
			Value string `json:"value"`
		} `json:"members"`
	}
}

type user struct {
	ID         string `json:"id"`
	UserName   string `json:"userName"`
	ExternalID string `json:"externalId"`
	Active     bool   `json:"active"`
	Title      string `json:"title"`
	Name       struct {
		FamilyName string `json:"familyName"`
	} `json:"name"`
	Enterprise struct {
		Department string `json:"department"`
		Manager    struct {
			Value string `json:"value"`
		} `json:"manager"`
	} `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`
}

func (a *app) look(t *testing.T) contents {
	return contents{
		Users:  readAll(t, a, "Users", contents{}.Users),
		Groups: readAll(t, a, "Groups", contents{}.Groups),
	}
}

// readAll appends a whole collection to resources, page by page.
func readAll[T any](t *testing.T, a *app, collection string, resources []T) []T {
	for {
		address := fmt.Sprintf("%s/%s?count=100&startIndex=%d", a.url, collection, len(resources)+1)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+a.token)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		var page struct {
			TotalResults int
			Resources    []T
		}
		err = json.NewDecoder(response.Body).Decode(&page)
		_ = response.Body.Close()
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, response.StatusCode)
		resources = append(resources, page.Resources...)
		if len(page.Resources) == 0 || len(resources) >= page.TotalResults {
			return resources
		}
	}
}

// has reports whether a person has an account, enabled or not.
func (c contents) has(person string) bool {
	return slices.ContainsFunc(c.Users, func(u user) bool { return u.ExternalID == person })
}

// enabled reports whether a person has access.
func (c contents) enabled(person string) bool {
	return slices.ContainsFunc(c.Users, func(u user) bool { return u.ExternalID == person && u.Active })
}

// access returns the access of people with an enabled account, by person ID.
func (c contents) access() map[string]access {
	people := map[string]string{} // the person IDs, by account
	for _, u := range c.Users {
		if u.Active {
			people[u.ID] = u.ExternalID
		}
	}
	all := map[string]access{}
	for _, u := range c.Users {
		if !u.Active {
			continue
		}
		mine := access{
			FamilyName: u.Name.FamilyName, Title: u.Title,
			Department: u.Enterprise.Department, Manager: people[u.Enterprise.Manager.Value],
		}
		for _, g := range c.Groups {
			for _, m := range g.Members {
				if m.Value == u.ID {
					mine.Groups = append(mine.Groups, g.DisplayName)
				}
			}
		}
		slices.Sort(mine.Groups)
		all[u.ExternalID] = mine
	}
	return all
}
