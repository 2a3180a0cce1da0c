package scim_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

const byteOrderMark = "\xef\xbb\xbf"

const scimError = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","scimType":"invalidFilter"}`

// rewritten changes the answers of a compliant service: it calls body with the JSON of each
// successful answer.
func rewritten(t *testing.T, app http.Handler, body func(r *http.Request, answer map[string]any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		recorded := httptest.NewRecorder()
		app.ServeHTTP(recorded, r)
		text, marked := bytes.CutPrefix(recorded.Body.Bytes(), []byte(byteOrderMark))
		answer := map[string]any{}
		if json.Unmarshal(text, &answer) != nil {
			maps.Copy(w.Header(), recorded.Header())
			w.WriteHeader(recorded.Code)
			_, _ = w.Write(recorded.Body.Bytes())
			return
		}
		body(r, answer)
		maps.Copy(w.Header(), recorded.Header())
		w.Header().Del("Content-Length")
		w.WriteHeader(recorded.Code)
		if len(answer) > 0 {
			if marked {
				_, _ = w.Write([]byte(byteOrderMark))
			}
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

// eachResource calls f for every resource of an answer.
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

// withoutRemove returns a service whose PATCH knows no "remove".
func withoutRemove(t *testing.T, app http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		if r.Method == http.MethodPatch && strings.Contains(string(body), `"remove"`) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		// scimtest accepts no null, which means the same as "remove" (RFC 7643 section 2.5).
		text := regexp.MustCompile(`"op":"replace",("path":"[^"]*"),"value":null`).ReplaceAllString(string(body), `"op":"remove",$1`)
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
		app.ServeHTTP(w, r)
	}
}

func created(status int, body string) layer {
	return func(_ *testing.T, app http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			recorded := httptest.NewRecorder()
			app.ServeHTTP(recorded, r)
			if r.Method != http.MethodPost || recorded.Code != http.StatusCreated {
				maps.Copy(w.Header(), recorded.Header())
				w.WriteHeader(recorded.Code)
				_, _ = w.Write(recorded.Body.Bytes())
				return
			}
			w.WriteHeader(status)
			if status != http.StatusNoContent {
				_, _ = w.Write([]byte(body))
			}
		}
	}
}

// sent changes the body of requests.
func sent(change func(body string) string, next layer) layer {
	return func(t *testing.T, app http.Handler) http.HandlerFunc {
		handler := next(t, app)
		return func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			text := change(string(body))
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
			handler(w, r)
		}
	}
}

// takesNames returns a service that shows names in another case, and accepts them in that case.
func takesNames(change func(*http.Request, map[string]any)) layer {
	return sent(func(body string) string {
		for _, name := range []string{
			"schemas", "id", "externalId", "userName", "displayName", "active", "title", "emails", "value", "type", "primary", "members", "$ref", "display",
		} {
			body = strings.ReplaceAll(body, `"`+strings.ToUpper(name)+`":`, `"`+name+`":`)
		}
		return body
	}, plain(change))
}

// takesNumbers returns a service that shows truth values as numbers, and accepts numbers.
func takesNumbers(change func(*http.Request, map[string]any)) layer {
	return sent(strings.NewReplacer(`"active":1`, `"active":true`, `"active":0`, `"active":false`).Replace, plain(change))
}
