package scim_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

// Tenure asks a service that cannot look addresses up until that is certain: each time for the
// person's address and for nobody's. The failure holds nobody up.
func TestAddressesThatCannotBeLookedUp(t *testing.T) {
	for name, status := range map[string]int{"400": 400, "403": 403, "501": 501} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			asked := 0
			app := handling(t, func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Query().Get("filter"), "emails") {
					mu.Lock()
					asked++
					mu.Unlock()
					http.Error(w, "{}", status)
					return
				}
				_, _ = io.WriteString(w, `{"totalResults":0,"Resources":[]}`)
			})
			for range 4 {
				found, err := app.Find(t.Context(), connector.Keys{PersonID: "10004", Username: "ada", Email: "ada@example.com"})
				require.NoError(t, err)
				assert.Empty(t, found)
			}
			assert.Equal(t, 4, asked)
		})
	}
}

// If a service sends everybody when it is asked for an address, Tenure asks only once:
// otherwise it would read thousands of accounts for each hire. SCIMMY does so.
func TestALookUpByAddressThatIsNotHeeded(t *testing.T) {
	for others, want := range map[int]int{3: 3, 20: 1} {
		t.Run(fmt.Sprint(others, " others"), func(t *testing.T) {
			app, _ := serve(t)
			for i := range others {
				app.AddUser(scimtest.User{UserName: fmt.Sprint("user", i), Active: true})
			}
			asked := 0
			c := handlingAt(t, scimtest.BasePath, func(w http.ResponseWriter, r *http.Request) {
				if query := r.URL.Query(); strings.Contains(query.Get("filter"), "emails.value") {
					if query.Get("startIndex") == "1" && query.Get("count") != "1" {
						asked++
					}
					query.Del("filter")
					r.URL.RawQuery = query.Encode()
				}
				app.ServeHTTP(w, r)
			})
			for range 3 {
				matches, err := c.Find(t.Context(), connector.Keys{PersonID: "1", Username: "anna", Email: "anna@example.com"})
				require.NoError(t, err)
				assert.Empty(t, matches)
			}
			assert.Equal(t, want, asked)
		})
	}
}

// If a service heeds no filter and sends its groups one by one, only calls that need all
// groups read them to the end, and not every look-up.
func TestLookUpsOfGroupsThatAreNotHeeded(t *testing.T) {
	app, _ := serve(t)
	var names []string
	for i := range 150 {
		names = append(names, fmt.Sprintf("g%03d", i))
		app.AddGroup(names[i])
	}
	app.SetDeviations(scimtest.Deviations{EmptyGroups: true, PageMax: 1, OpenFilters: []string{"displayName", "members/value"}})
	anna := app.AddUser(scimtest.User{UserName: "anna", ExternalID: "1", Active: true, Groups: names[149:]})
	c := handlingAt(t, scimtest.BasePath, app.ServeHTTP)
	for range 2 {
		account, err := c.Read(t.Context(), anna)
		require.NoError(t, err)
		assert.Equal(t, names[149:], account.Entitlements)
	}
	require.NoError(t, c.Grant(t.Context(), anna, names[148:149]))
	account, err := c.Read(t.Context(), anna)
	require.NoError(t, err)
	assert.Equal(t, names[148:], account.Entitlements)
}
