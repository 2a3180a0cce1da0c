package googletest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/tenurehq/tenure/connector/vendortest"
)

// problem is an answer that refuses a request.
type problem struct {
	status          int
	reason, message string
}

func notFound(what string) *problem {
	return &problem{404, "notFound", "Resource Not Found: " + what}
}

func invalid(message string) *problem { return &problem{400, "invalid", "Invalid Input: " + message} }

var (
	duplicate = &problem{409, "duplicate", "Entity already exists."}
	added     = notFound("memberKey") // who was added all the same
	forbidden = &problem{403, "forbidden", "Not Authorized to access this resource/api"}
)

func (p *problem) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	if p == added {
		vendortest.Made(w)
	}
	w.WriteHeader(p.status)
	answer := map[string]any{"code": p.status, "message": p.message}
	if p.reason != "" {
		answer["errors"] = []any{map[string]any{"message": p.message, "domain": "global", "reason": p.reason}}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"error": answer}) // the client is gone
}

// handler answers a request. A nil body is a 204. It is called with the lock held.
type handler func(r *http.Request, body map[string]any) (any, *problem)

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.door.ServeHTTP(w, r) }

func (s *Service) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" {
		s.token(w, r)
		return
	}
	s.mu.Lock()
	refused := s.fault(w, r)
	s.mu.Unlock()
	if !refused {
		s.mux.ServeHTTP(w, r)
	}
}

// refuse answers a request as Google does that it cannot or does not want to serve.
func (s *Service) refuse(w http.ResponseWriter, _ *http.Request, why vendortest.Refusal) {
	switch why.Trouble {
	case vendortest.Proxy:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte("<html>no such page</html>"))
	case vendortest.Down, vendortest.Failed:
		why.RetryAfter(w.Header())
		(&problem{503, "backendError", "Backend Error"}).write(w)
	case vendortest.Limited:
		s.mu.Lock()
		quota := s.quota()
		s.mu.Unlock()
		if why.ByFault { // Google itself never says how long to wait
			why.RetryAfter(w.Header())
		}
		quota.write(w)
	}
}

// quota is the refusal because of a quota.
func (s *Service) quota() *problem {
	if s.switches.QuotaReason != "" {
		s.door.Spring("QuotaReason")
	}
	return &problem{403, cmp.Or(s.switches.QuotaReason, "userRateLimitExceeded"), "Quota exceeded."}
}

// fault answers a request that a fault or a trap refuses, whatever it is.
func (s *Service) fault(w http.ResponseWriter, r *http.Request) bool {
	s.requests++
	switch {
	case s.switches.Empty:
		s.door.Spring("Empty")
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("{}"))
	case s.switches.CodesFail && strings.HasSuffix(r.URL.Path, "/verificationCodes/invalidate"):
		s.door.Spring("CodesFail")
		(&problem{503, "backendError", "Backend Error"}).write(w)
	case s.switches.QuotaEvery > 0 && s.requests%s.switches.QuotaEvery == 0:
		s.door.Spring("QuotaEvery")
		s.quota().write(w)
	default:
		if p := s.allowed(r); p != nil {
			p.write(w)
			return true
		}
		return false
	}
	return true
}

// scopeOf maps the beginnings of paths to the scopes that allow reading and writing, the
// longest first (the scopes of each method in the discovery documents).
var scopeOf = []struct{ path, read, write string }{
	{"/admin/datatransfer/", "admin.datatransfer", "admin.datatransfer"},
	{"/apps/licensing/", "apps.licensing", "apps.licensing"},
	{"/admin/directory/v1/customer/", "admin.directory.rolemanagement", "admin.directory.rolemanagement"},
	{"/admin/directory/v1/groups", "admin.directory.group.readonly", ""},
	{"/admin/directory/v1/users", "admin.directory.user", "admin.directory.user"},
}

// allowed checks a request's token.
func (s *Service) allowed(r *http.Request) *problem {
	scopes, known := s.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	if !known || s.refused {
		return &problem{401, "authError", "Invalid Credentials"}
	}
	needed := ""
	for _, entry := range scopeOf {
		if strings.HasPrefix(r.URL.Path, entry.path) {
			needed = entry.read
			if r.Method != http.MethodGet {
				needed = entry.write
			}
			break
		}
	}
	switch rest := strings.Split(r.URL.Path, "/"); {
	case strings.Contains(r.URL.Path, "/members"):
		needed = "admin.directory.group.member"
	case len(rest) > 6 && rest[4] == "users" && slices.Contains([]string{"signOut", "tokens", "asps", "verificationCodes", "twoStepVerification"}, rest[6]):
		needed = "admin.directory.user.security"
	}
	if !slices.Contains(scopes, scopeRoot+needed) {
		return &problem{403, "insufficientPermissions", "Request had insufficient authentication scopes."}
	}
	return nil
}

// token issues a token for a signed assertion ("Using OAuth 2.0 for Server to Server
// Applications").
func (s *Service) token(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := func(status int, body map[string]any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body) // the client is gone
	}
	refuse := func(status int, code string) { answer(status, map[string]any{"error": code}) }
	if r.Method != http.MethodPost || r.FormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		refuse(400, "unsupported_grant_type")
		return
	}
	var claims struct {
		jwt.RegisteredClaims
		Scope string `json:"scope"`
	}
	_, err := jwt.ParseWithClaims(r.FormValue("assertion"), &claims, func(t *jwt.Token) (any, error) {
		if t.Header["kid"] != keyID {
			return nil, jwt.ErrTokenUnverifiable
		}
		return &s.key.PublicKey, nil
	}, jwt.WithValidMethods([]string{"RS256"}), jwt.WithAudience("http://"+r.Host+"/token"), jwt.WithIssuer(ClientEmail), jwt.WithExpirationRequired())
	if err != nil || claims.ExpiresAt.Sub(claims.IssuedAt.Time) > time.Hour {
		refuse(400, "invalid_grant")
		return
	}
	scopes := strings.Fields(claims.Scope)
	for _, scope := range scopes {
		if !s.scopes[scope] {
			refuse(401, "unauthorized_client")
			return
		}
	}
	if p := s.byKey(claims.Subject); p == nil || p.user["isAdmin"] != true || len(scopes) == 0 {
		refuse(400, "invalid_grant")
		return
	}
	token := "ya29." + uuid.NewString()
	s.tokens[token] = scopes
	answer(200, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 3599})
}

// handle returns the handler of a path. members are those that the body may have.
func (s *Service) handle(members []string, do handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		body, bad := readBody(r, members)
		if bad != nil {
			bad.write(w)
			return
		}
		answer, bad := do(r, body)
		switch {
		case bad != nil:
			bad.write(w)
		case answer == nil:
			w.WriteHeader(http.StatusNoContent)
		default:
			w.Header().Set("Content-Type", "application/json; charset=UTF-8")
			_ = json.NewEncoder(w).Encode(answer) // the client is gone
		}
	}
}

// readBody reads the body of a request, and refuses members that the resource does not have.
func readBody(r *http.Request, members []string) (map[string]any, *problem) {
	if r.Method == http.MethodGet || r.Method == http.MethodDelete || members == nil {
		return nil, nil
	}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return nil, &problem{400, "parseError", "This API does not support parsing form-encoded input."}
	}
	var body map[string]any
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(r.Body); err != nil || json.Unmarshal(raw.Bytes(), &body) != nil {
		return nil, &problem{400, "parseError", "Parse Error"}
	}
	for name := range body {
		if !slices.Contains(members, name) {
			return nil, &problem{400, "badRequest", "Invalid JSON payload received. Unknown name."}
		}
	}
	return body, nil
}

// page returns a page of a list, by maxResults (at most most) and pageToken.
func page(r *http.Request, kind, member string, items []any, most int) (any, *problem) {
	q := r.URL.Query()
	size := min(100, most)
	if text := q.Get("maxResults"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > most {
			return nil, invalid("maxResults")
		}
		size = n
	}
	start := 0
	if token := q.Get("pageToken"); token != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(token, "page-"))
		if err != nil || n < 0 {
			return nil, invalid("pageToken")
		}
		start = min(n, len(items))
	}
	end := min(start+size, len(items))
	answer := map[string]any{"kind": kind, "etag": `"etag"`}
	if end > start {
		answer[member] = items[start:end]
	}
	if end < len(items) {
		answer["nextPageToken"] = "page-" + strconv.Itoa(end)
	}
	return answer, nil
}
