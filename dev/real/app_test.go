//go:build real

package real

import (
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

	"github.com/tenurehq/tenure/dev/targets"
)

// app is SCIMMY, which the product reaches through a proxy.
type app struct {
	targets.SCIMMY
	// calls counts the calls that came that way.
	calls atomic.Int64
}

func newApp(t *testing.T, prefix string) *app {
	t.Helper()
	a := &app{SCIMMY: targets.NewSCIMMY(t, prefix)}
	target, err := url.Parse(a.URL())
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: target.Scheme, Host: target.Host})
	proxy.ErrorLog = log.New(io.Discard, "", 0) // a caller that gives up reports that itself
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.calls.Add(1)
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	a.Through = server.URL + target.Path
	return a
}

// contents holds everything that is in the app.
type contents struct {
	Users  []targets.User
	Groups []targets.Group
}

func (a *app) look(t *testing.T) contents { return contents{Users: a.Users(t), Groups: a.Groups(t)} }

// has reports whether a person has an account, enabled or not.
func (c contents) has(person string) bool {
	return slices.ContainsFunc(c.Users, func(u targets.User) bool { return u.ExternalID == person })
}

// enabled reports whether a person has access.
func (c contents) enabled(person string) bool {
	return slices.ContainsFunc(c.Users, func(u targets.User) bool { return u.ExternalID == person && u.Active })
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
