// Package onelogintest is a stand-in for a OneLogin account, for tests: the users and roles of
// its API, and its token endpoint. It behaves as OneLogin's reference says
// (https://developers.onelogin.com/api-docs/2/getting-started/dev-overview), refuses what that
// does not have, and has a switch for each trap. It proves nothing about OneLogin itself.
package onelogintest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tenurehq/tenure/connector/vendortest"
)

// Options describe an account.
type Options struct {
	ClientID, ClientSecret string
	Roles                  []string
}

// Switches are the ways in which accounts differ, and the traps of OneLogin's API.
type Switches struct {
	// PasswordPending gives users who are created without a password status 7, whatever was
	// asked for.
	PasswordPending bool
	// PageSize is the most entries of a page; zero: 50.
	PageSize int
	// Mapping is a role that a mapping gives to everybody: who loses it has it back.
	Mapping string
	// ReadOnly has credentials that may only read.
	ReadOnly bool
	// Foreign adds somebody else to what a filter finds, as a wildcard does.
	Foreign bool
}

type user struct {
	fields   map[string]any
	roles    []int
	sessions bool
}

// Service is the account. It is an http.Handler.
type Service struct {
	options Options
	mux     *http.ServeMux
	door    *vendortest.Door

	mu       sync.Mutex
	switches Switches
	secret   string
	tokens   map[string]bool
	users    map[int]*user
	order    []int
	roles    []string // the ID is the place, from 1
	next     int
}

// New returns an account.
func New(options Options, switches Switches) *Service {
	s := &Service{
		options: options, switches: switches, secret: options.ClientSecret,
		tokens: map[string]bool{}, users: map[int]*user{}, roles: options.Roles, next: 1000,
	}
	s.mux = http.NewServeMux()
	s.mux.HandleFunc("POST /auth/oauth2/v2/token", s.issue)
	const filters = "external_id username email limit cursor"
	for pattern, r := range map[string]route{
		"GET /api/2/users":                   {query: filters, do: s.list},
		"POST /api/2/users":                  {body: true, changes: true, do: s.create},
		"GET /api/2/users/{id}":              {do: s.get},
		"PUT /api/2/users/{id}":              {body: true, changes: true, do: s.update},
		"DELETE /api/2/users/{id}":           {changes: true, do: s.remove},
		"GET /api/2/roles":                   {query: "limit cursor", do: s.listRoles},
		"GET /api/2/roles/{id}/users":        {query: "limit cursor", do: s.usersOfRole},
		"PUT /api/1/users/{id}/logout":       {changes: true, old: true, do: s.logout},
		"PUT /api/1/users/{id}/add_roles":    {body: true, changes: true, old: true, do: s.addRoles},
		"PUT /api/1/users/{id}/remove_roles": {body: true, changes: true, old: true, do: s.addRoles},
	} {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, req *http.Request) { s.serve(w, req, r) })
	}
	s.door = vendortest.New(s.mux, vendortest.Options{Refuse: refuse, Class: vendortest.Pattern(s.mux, "/api")})
	return s
}

type route struct {
	query              string
	body, changes, old bool
	do                 func(request) (int, any, error)
}

type request struct {
	*http.Request
	query  url.Values
	fields map[string]any
	w      http.ResponseWriter
}

type failure struct {
	status int
	name   string
	text   string
}

func (f *failure) Error() string { return f.text }

var missing = &failure{404, "NotFoundError", "The resource with the given id could not be found"}

func invalid(text string) error {
	return &failure{422, "UnprocessableEntityError", "Validation failed: " + text}
}

// Door returns what stands before the account: it counts requests, keeps quotas and makes
// them fail.
func (s *Service) Door() *vendortest.Door { return s.door }

// SetSwitches sets how the account behaves.
func (s *Service) SetSwitches(to Switches) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.switches = to
}

// SetSecret sets the client's secret, and ends all tokens.
func (s *Service) SetSecret(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secret = secret
	clear(s.tokens)
}

// AddUser adds a user as an administrator does, and returns the ID.
func (s *Service) AddUser(fields map[string]any) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strconv.Itoa(s.add(fields))
}

func (s *Service) add(fields map[string]any) int {
	s.next++
	all := map[string]any{"id": s.next, "status": 1, "state": 1, "created_at": time.Now().UTC().Format(time.RFC3339), "last_login": nil}
	maps.Copy(all, fields)
	s.users[s.next] = &user{fields: all, sessions: true}
	s.order = append(s.order, s.next)
	return s.next
}

// Field returns a field of a user; nil if there is none.
func (s *Service) Field(id, name string) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	number, _ := strconv.Atoi(id)
	if u := s.users[number]; u != nil {
		return u.fields[name]
	}
	return nil
}

// SetField sets a field of a user.
func (s *Service) SetField(id, name string, value any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	number, _ := strconv.Atoi(id)
	s.users[number].fields[name] = value
}

// Sessions reports whether a user is signed in.
func (s *Service) Sessions(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	number, _ := strconv.Atoi(id)
	return s.users[number].sessions
}

func (s *Service) issue(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	if r.PostFormValue("grant_type") != "client_credentials" || id != s.options.ClientID || secret != s.secret {
		write(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	s.next++
	token := fmt.Sprint("onelogin-", s.next)
	s.tokens[token] = true
	write(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "bearer", "expires_in": 36000})
}

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.door.ServeHTTP(w, r) }

// refuse answers a request as OneLogin does that it cannot or does not want to serve.
func refuse(w http.ResponseWriter, r *http.Request, why vendortest.Refusal) {
	switch why.Trouble {
	case vendortest.Proxy:
		http.NotFound(w, r)
	case vendortest.Down:
		why.RetryAfter(w.Header())
		w.WriteHeader(http.StatusServiceUnavailable)
	case vendortest.Failed:
		write(w, http.StatusInternalServerError, map[string]any{"statusCode": 500, "name": "InternalServerError", "message": "failed"})
	case vendortest.Limited:
		if why.Wait > 0 {
			w.Header().Set("X-RateLimit-Limit", "5000")
			w.Header().Set("X-RateLimit-Remaining", "0")
			w.Header().Set("X-RateLimit-Reset", strconv.Itoa(why.Seconds())) // what is left, and no instant
		}
		write(w, http.StatusTooManyRequests, map[string]any{"statusCode": 429, "name": "TooManyRequestsError", "message": "rate limit"})
	}
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request, to route) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	status, body, err := s.answer(w, r, raw, to)
	if err != nil {
		f, ok := err.(*failure) //nolint:errorlint // all errors of this package are
		if !ok {
			f = &failure{500, "InternalServerError", "failed"}
		}
		status, body = f.status, map[string]any{"statusCode": f.status, "name": f.name, "message": f.text}
		if to.old {
			body = map[string]any{"status": map[string]any{"error": true, "code": f.status, "type": strings.ToLower(http.StatusText(f.status)), "message": f.text}}
		}
	} else if to.old {
		body = map[string]any{"status": map[string]any{"error": false, "code": 200, "type": "success", "message": "Success"}}
	}
	write(w, status, body)
}

func (s *Service) answer(w http.ResponseWriter, r *http.Request, raw []byte, to route) (status int, body any, err error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !ok || !s.tokens[token]:
		return 0, nil, &failure{401, "UnauthorizedError", "Unauthorized"}
	case to.changes && s.switches.ReadOnly:
		s.door.Spring("ReadOnly")
		return 0, nil, &failure{403, "ForbiddenError", "Insufficient Permissions"}
	}
	asked := request{Request: r, query: r.URL.Query(), w: w}
	for name := range asked.query {
		if !slices.Contains(strings.Fields(to.query), name) {
			return 0, nil, &failure{400, "BadRequestError", "unknown parameter"}
		}
	}
	if to.body != (len(raw) > 0) || to.body && (r.Header.Get("Content-Type") != "application/json" || json.Unmarshal(raw, &asked.fields) != nil) {
		return 0, nil, &failure{400, "BadRequestError", "body"}
	}
	return to.do(asked)
}

func write(w http.ResponseWriter, status int, body any) {
	if status == http.StatusNoContent {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
