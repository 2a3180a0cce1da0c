package bamboohr_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/bamboohr"
	"github.com/tenurehq/tenure/hr/source/sourcetest"
)

// The API is as https://documentation.bamboohr.com/reference/get-employee and
// https://documentation.bamboohr.com/docs/getting-started say: the key is the user
// of basic authentication, fields are a list with commas, and JSON has to be asked
// for (it answers XML otherwise).
func TestFetch(t *testing.T) {
	answer := []byte(`{"id":"67890","firstName":"Bryony"}`)
	sourcetest.Fetch(t, sourcetest.Fetching{
		Kind: bamboohr.Kind,
		Settings: func(url string) source.Settings {
			return source.Settings{
				"url": url, "apiKey": "s3cret-api-key", "zone": "Europe/Berlin",
				"fields": map[string]any{"division": "customUnit"}, "attributes": map[string]any{"shirt": "customShirt"},
			}
		},
		Secret: "s3cret-api-key", Reference: "67890", Unsafe: "..", Answer: answer,
		API: func(t *testing.T) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				user, _, ok := r.BasicAuth()
				assert.True(t, ok)
				assert.Equal(t, "s3cret-api-key", user)
				assert.Equal(t, "GET /api/v1/employees/67890", r.Method+" "+r.URL.Path)
				assert.Equal(t, "application/json", r.Header.Get("Accept"))
				assert.Equal(t, "true", r.URL.Query().Get("onlyCurrent"))
				fields := strings.Split(r.URL.Query().Get("fields"), ",")
				assert.Subset(t, fields, []string{"status", "hireDate", "terminationDate", "customUnit", "customShirt"})
				assert.NotContains(t, fields, "division")
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write(answer)
			}
		},
	})
}
