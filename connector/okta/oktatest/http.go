package oktatest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tenurehq/tenure/connector/vendortest"
)

// failure is an error as Okta writes it.
type failure struct {
	status  int
	code    string
	summary string
	causes  []string
}

func (f *failure) Error() string { return f.summary }

func notFound(what, kind string) error {
	return &failure{404, "E0000007", "Not found: Resource not found: " + what + " (" + kind + ")", nil}
}

func validation(field string, causes ...string) error {
	return &failure{400, "E0000001", "Api validation failed: " + field, causes}
}

// wrongStatus returns the error for an operation that the user's status does not allow.
func (s *Service) wrongStatus() error {
	if s.switches.InvalidStatus {
		s.door.Spring("InvalidStatus")
		return validation("status", "Cannot do this in the user's current status")
	}
	return &failure{403, "E0000038", "This operation is not allowed in the user's current status.", nil}
}

// answer is what a handler answers: a body, or nothing.
type answer struct {
	status int
	body   any
	next   string // the cursor of the next page
}

// request is what a handler is asked.
type request struct {
	*http.Request
	query url.Values
	body  map[string]any
}

// route says what may be asked of a path.
type route struct {
	pattern string
	read    string // the scope that reads; empty if it changes something
	manage  string // the scope that changes, and reads too
	query   []string
	members []string // of the body; nil: there is none
	do      func(request) (answer, error)
}

func (s *Service) routes() {
	const users, groups, roles = "okta.users", "okta.groups", "okta.roles"
	s.mux = http.NewServeMux()
	for _, r := range []route{
		{"GET /users", users + ".read", users + ".manage", []string{"search", "filter", "q", "limit", "after"}, nil, s.listUsers},
		{"POST /users", "", users + ".manage", []string{"activate"}, []string{"profile", "credentials"}, s.createUser},
		{"GET /users/{id}", users + ".read", users + ".manage", nil, nil, s.getUser},
		{"POST /users/{id}", "", users + ".manage", nil, []string{"profile", "credentials"}, s.updateUser},
		{"DELETE /users/{id}", "", users + ".manage", []string{"sendEmail"}, nil, s.deleteUser},
		{"POST /users/{id}/lifecycle/{operation}", "", users + ".manage", []string{"sendEmail"}, nil, s.lifecycle},
		{"DELETE /users/{id}/sessions", "", users + ".manage", []string{"oauthTokens", "forgetDevices"}, nil, s.endSessions},
		{"GET /users/{id}/groups", users + ".read", users + ".manage", []string{"after"}, nil, s.groupsOfUser},
		{"GET /users/{id}/roles", roles + ".read", roles + ".manage", nil, nil, s.listRoles},
		{"POST /users/{id}/roles", "", roles + ".manage", nil, []string{"type"}, s.addRole},
		{"DELETE /users/{id}/roles/{role}", "", roles + ".manage", nil, nil, s.dropRole},
		{"GET /iam/assignees/users", roles + ".read", roles + ".manage", []string{"limit", "after"}, nil, s.listAdministrators},
		{"GET /groups", groups + ".read", groups + ".manage", []string{"q", "filter", "search", "limit", "after"}, nil, s.listGroups},
		{"GET /groups/{id}/users", groups + ".read", groups + ".manage", []string{"limit", "after"}, nil, s.membersOf},
		{"PUT /groups/{id}/users/{user}", "", groups + ".manage", nil, nil, s.member},
		{"DELETE /groups/{id}/users/{user}", "", groups + ".manage", nil, nil, s.member},
	} {
		method, path, _ := strings.Cut(r.pattern, " ")
		s.mux.HandleFunc(method+" /api/v1"+path, func(w http.ResponseWriter, req *http.Request) { s.serve(w, req, r) })
	}
	s.door = vendortest.New(s.mux, vendortest.Options{Refuse: s.refuse, Class: vendortest.Pattern(s.mux, "/api/v1")})
	s.mux.HandleFunc("POST /oauth2/v1/token", s.issue)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.fail(w, &failure{404, "E0000008", "The requested path was not found", nil})
	})
}

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	now := s.now()
	s.mu.Unlock()
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	w.Header().Set("X-Rate-Limit-Limit", "600")
	w.Header().Set("X-Rate-Limit-Remaining", "599")
	w.Header().Set("X-Rate-Limit-Reset", fmt.Sprint(now.Unix()+60))
	s.door.ServeHTTP(w, r)
}

// refuse answers a request as Okta does that it cannot or does not want to serve.
func (s *Service) refuse(w http.ResponseWriter, _ *http.Request, why vendortest.Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch why.Trouble {
	case vendortest.Proxy:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"status":404,"message":"Resource not found"}`)
	case vendortest.Down:
		why.RetryAfter(w.Header())
		w.WriteHeader(http.StatusServiceUnavailable)
	case vendortest.Failed:
		s.fail(w, &failure{500, "E0000009", "Internal Server Error", nil})
	case vendortest.Limited:
		if why.Wait > 0 {
			s.door.Spring("Skew")
			w.Header().Set("X-Rate-Limit-Remaining", "0")
			w.Header().Set("X-Rate-Limit-Reset", fmt.Sprint(s.now().Unix()+int64(why.Seconds())))
		} else {
			for _, name := range []string{"Limit", "Remaining", "Reset"} {
				w.Header().Del("X-Rate-Limit-" + name)
			}
		}
		s.fail(w, &failure{429, "E0000047", "API call exceeded rate limit due to too many requests.", nil})
	}
}

// serve answers one request to the API.
func (s *Service) serve(w http.ResponseWriter, r *http.Request, to route) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/api/v1")
	if err := s.authorized(r, path, to); err != nil {
		s.fail(w, err)
		return
	}
	asked := request{Request: r, query: r.URL.Query()}
	for name := range asked.query {
		if !slices.Contains(to.query, name) {
			s.fail(w, validation("query", "unknown parameter "+name))
			return
		}
	}
	if asked.body, err = bodyOf(r, raw, to.members); err != nil {
		s.fail(w, err)
		return
	}
	done, err := to.do(asked)
	if err != nil {
		s.fail(w, err)
		return
	}
	if done.next != "" {
		s.link(w, r, done.next)
	}
	if done.status == http.StatusNoContent {
		w.WriteHeader(done.status)
		return
	}
	write(w, done.status, done.body)
}

// bodyOf reads a body that has no other members than these.
func bodyOf(r *http.Request, raw []byte, members []string) (map[string]any, error) {
	malformed := &failure{400, "E0000003", "The request body was not well-formed.", nil}
	if members == nil {
		if len(raw) > 0 {
			return nil, malformed
		}
		return nil, nil
	}
	if r.Header.Get("Content-Type") != "application/json" {
		return nil, &failure{415, "E0000021", "Bad request. Accept and/or Content-Type headers are likely not set.", nil}
	}
	var body map[string]any
	if json.Unmarshal(raw, &body) != nil {
		return nil, malformed
	}
	for name := range body {
		if !slices.Contains(members, name) {
			return nil, malformed
		}
	}
	return body, nil
}

// authorized checks the token, and whether it has the right.
func (s *Service) authorized(r *http.Request, path string, to route) error {
	header := r.Header.Get("Authorization")
	if token, ok := strings.CutPrefix(header, "Bearer "); ok {
		scopes, known := s.tokens[token]
		if !known {
			return &failure{401, "E0000011", "Invalid token provided", nil}
		}
		if !slices.Contains(scopes, to.manage) && (to.read == "" || !slices.Contains(scopes, to.read)) {
			return &failure{403, "E0000006", "You do not have permission to perform the requested action", nil}
		}
	} else if token, ok := strings.CutPrefix(header, "SSWS "); !ok || s.token == "" || token != s.token {
		return &failure{401, "E0000011", "Invalid token provided", nil}
	}
	if without := s.switches.WithoutRight; without != "" && strings.HasPrefix(r.Method+" "+path, without) {
		s.door.Spring("WithoutRight")
		return &failure{403, "E0000006", "You do not have permission to perform the requested action", nil}
	}
	return nil
}

// link writes the headers Link: one for this page, one for the next.
func (s *Service) link(w http.ResponseWriter, r *http.Request, after string) {
	host := r.Host
	if s.switches.ForeignLink {
		s.door.Spring("ForeignLink")
		host = "elsewhere.example.com"
	}
	query := r.URL.Query()
	query.Set("after", after)
	w.Header().Add("Link", "<http://"+r.Host+r.URL.RequestURI()+`>; rel="self"`)
	w.Header().Add("Link", "<http://"+host+r.URL.EscapedPath()+"?"+query.Encode()+`>; rel="next"`)
}

func (s *Service) fail(w http.ResponseWriter, err error) {
	f, ok := err.(*failure) //nolint:errorlint // all errors of this package are
	if !ok {
		f = &failure{500, "E0000009", "Internal Server Error", nil}
	}
	causes := []map[string]string{}
	for _, cause := range f.causes {
		causes = append(causes, map[string]string{"errorSummary": cause})
	}
	write(w, f.status, map[string]any{
		"errorCode": f.code, "errorSummary": f.summary, "errorLink": f.code, "errorId": "oaeStandIn", "errorCauses": causes,
	})
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// page returns a part of a list, and the cursor of the next part.
func page(s *Service, r request, most int, all []any) (part []any, next string, err error) {
	limit := most
	if text := r.query.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 {
			return nil, "", validation("limit", "limit: must be a positive number")
		}
		limit = min(limit, most)
	}
	if s.switches.PageSize > 0 {
		limit = min(limit, s.switches.PageSize)
	}
	if after := r.query.Get("after"); after != "" {
		if all = s.behind(all, after); all == nil {
			return nil, "", validation("after", "after: invalid cursor")
		}
	}
	if len(all) <= limit {
		return all, "", nil
	}
	s.door.Spring("PageSize")
	return all[:limit], idOf(all[limit-1]), nil
}

func idOf(item any) string {
	if u, is := item.(*user); is {
		return u.id
	}
	id, _ := item.(map[string]any)["id"].(string)
	return id
}

// behind returns the items of a list behind the one with an ID, which may have been deleted
// meanwhile; nil if there never was one.
func (s *Service) behind(all []any, id string) []any {
	if i := slices.IndexFunc(all, func(item any) bool { return idOf(item) == id }); i >= 0 {
		return all[i+1:]
	}
	later := map[string]bool{}
	i := slices.IndexFunc(s.all, func(u *user) bool { return u.id == id })
	if i < 0 {
		return nil
	}
	for _, u := range s.all[i+1:] {
		later[u.id] = true
	}
	return append([]any{}, slices.DeleteFunc(slices.Clone(all), func(item any) bool { return !later[idOf(item)] })...)
}
