package scimtest

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// failure is an error in the form of RFC 7644 section 3.12.
type failure struct {
	status   int
	scimType string
	detail   string
	allow    []string // of a 405: the methods that the resource supports
}

func (f *failure) Error() string { return f.detail }

func notFound(id string) *failure {
	return &failure{status: http.StatusNotFound, detail: "resource " + id + " not found"}
}

func writeError(w http.ResponseWriter, err error) {
	var f *failure
	if !errors.As(err, &f) {
		f = &failure{status: http.StatusInternalServerError, detail: err.Error()}
	}
	body := map[string]any{"schemas": []string{errorSchema}, "status": strconv.Itoa(f.status), "detail": f.detail}
	if f.scimType != "" {
		body["scimType"] = f.scimType
	}
	if f.allow != nil {
		w.Header().Set("Allow", strings.Join(f.allow, ", "))
	}
	write(w, f.status, body)
}

// writePlainNotFound says that something is not there as GitHub's REST API does
// (https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api).
func writePlainNotFound(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte(`{"message":"Not Found","documentation_url":"https://docs.github.com/rest","status":"404"}`)) // fails only if the client is gone
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/scim+json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body) // fails only if the client is gone
}
