package bamboohr_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/bamboohr"
	"github.com/tenurehq/tenure/hr/source/sourcetest"
)

// The API follows https://documentation.bamboohr.com/reference/get-employee and
// https://documentation.bamboohr.com/docs/getting-started: the key is the user of basic
// authentication, fields are separated by commas, and the request has to ask for JSON (the
// API answers XML otherwise).
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

// Fields of history tables are empty until their date. The fetcher asks again for somebody
// who starts later or has no employment status yet. It does not for anybody else, because
// their later changes are not in force yet.
func TestFetchAheadOfTheFirstDay(t *testing.T) {
	for name, c := range map[string]struct {
		current string
		asked   []string
	}{
		"starts later":          {`{"hireDate":"2199-01-05","employmentHistoryStatus":"Full-Time"}`, []string{"true", "false"}},
		"no employment yet":     {`{"hireDate":"2020-01-05","employmentHistoryStatus":null}`, []string{"true", "false"}},
		"at work":               {`{"hireDate":"2020-01-05","employmentHistoryStatus":"Full-Time"}`, []string{"true"}},
		"no date":               {`{"hireDate":"0000-00-00"}`, []string{"true"}},
		"no JSON, as it stands": {`<employee/>`, []string{"true"}},
	} {
		t.Run(name, func(t *testing.T) {
			var asked []string
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				only := r.URL.Query().Get("onlyCurrent")
				asked = append(asked, only)
				if only == "false" {
					_, _ = w.Write([]byte(`{"all":"of it"}`))
					return
				}
				_, _ = w.Write([]byte(c.current))
			}))
			defer api.Close()
			opened, err := bamboohr.Kind.Open(source.Settings{"url": api.URL, "apiKey": "k", "zone": "Europe/Berlin"})
			require.NoError(t, err)
			answer, err := opened.Fetch(context.Background(), "7")
			require.NoError(t, err)
			assert.Equal(t, c.asked, asked)
			if len(c.asked) == 2 {
				assert.JSONEq(t, `{"all":"of it"}`, string(answer))
			} else {
				assert.Equal(t, c.current, string(answer))
			}
		})
	}
}
