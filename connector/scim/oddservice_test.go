package scim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

const scimError = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","scimType":"invalidFilter"}`

// rewritten changes what a compliant service answers: body is called with each
// successful answer's JSON.
func rewritten(t *testing.T, app *scimtest.Service, body func(r *http.Request, answer map[string]any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		recorded := httptest.NewRecorder()
		app.ServeHTTP(recorded, r)
		answer := map[string]any{}
		if recorded.Body.Len() > 0 {
			assert.NoError(t, json.Unmarshal(recorded.Body.Bytes(), &answer))
			body(r, answer)
		}
		w.Header().Set("Content-Type", recorded.Header().Get("Content-Type"))
		w.WriteHeader(recorded.Code)
		if len(answer) > 0 {
			assert.NoError(t, json.NewEncoder(w).Encode(answer))
		}
	}
}

// keys renames every key of a JSON value.
func keys(value any, name func(string) string) any {
	switch value := value.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, v := range value {
			out[name(k)] = keys(v, name)
		}
		return out
	case []any:
		for i := range value {
			value[i] = keys(value[i], name)
		}
	}
	return value
}

func renamed(name func(string) string) func(*http.Request, map[string]any) {
	return func(_ *http.Request, answer map[string]any) {
		for k, v := range keys(answer, name).(map[string]any) {
			delete(answer, strings.ToLower(k))
			for old := range answer {
				if strings.EqualFold(old, k) {
					delete(answer, old)
				}
			}
			answer[k] = v
		}
	}
}

// each calls f for every resource of an answer.
func eachResource(answer map[string]any, f func(map[string]any)) {
	if list, ok := answer["Resources"].([]any); ok {
		for _, r := range list {
			f(r.(map[string]any))
		}
		return
	}
	if answer["id"] != nil {
		f(answer)
	}
}

func complexValues(r map[string]any, name string, f func(map[string]any)) {
	values, _ := r[name].([]any)
	for _, v := range values {
		f(v.(map[string]any))
	}
}

// withoutRemove is a service of which PATCH knows no "remove".
func withoutRemove(t *testing.T, app *scimtest.Service) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		if r.Method == http.MethodPatch && strings.Contains(string(body), `"remove"`) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		// scimtest takes no null, which is the same as "remove" (RFC 7643 section 2.5).
		text := regexp.MustCompile(`"op":"replace",("path":"[^"]*"),"value":null`).ReplaceAllString(string(body), `"op":"remove",$1`)
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
		app.ServeHTTP(w, r)
	}
}

func created(status int, body string) func(*testing.T, *scimtest.Service) http.HandlerFunc {
	return func(_ *testing.T, app *scimtest.Service) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost {
				app.ServeHTTP(w, r)
				return
			}
			app.ServeHTTP(httptest.NewRecorder(), r)
			w.WriteHeader(status)
			if status != http.StatusNoContent {
				_, _ = w.Write([]byte(body))
			}
		}
	}
}
