package scim_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A member who is listed twice, as some services do who is added twice, is in the group
// once.
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
