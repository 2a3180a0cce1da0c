package scim_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

// A service that sends everybody when it is asked for an address is asked once: everybody
// again for each hire would be thousands of accounts. SCIMMY does so.
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

// Nobody is a member of a group that has none, though a service finds it whoever is
// looked for, as SCIMMY does.
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
