package scim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
)

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

// A password is replaced only where the service says that it can be, and by another one
// each time.
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

// A service that cannot look addresses up is asked until that is certain, each time for
// the person and for nobody, and holds nobody up.
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
