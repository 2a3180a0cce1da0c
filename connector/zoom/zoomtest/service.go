// Package zoomtest is a stand-in for a Zoom account, for tests: the users, groups, roles and plan
// usage of version 2 of its API, and its token endpoint. It behaves as Zoom's reference says
// (https://developers.zoom.us/docs/api/users/), refuses what that does not have, and has a switch
// for each trap. It proves nothing about Zoom itself.
package zoomtest

import (
	"cmp"
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

// The credentials of the app, and the domain and owner of the account.
const (
	AccountID = "acct-1"
	ClientID  = "tenure"
	Domain    = "example.com"
	Owner     = "owner@example.com"
)

// Scopes are the scopes that the routes need.
var Scopes = []string{
	"user:read:user:admin", "user:read:list_users:admin", "user:write:user:admin", "user:update:user:admin", "user:update:email:admin",
	"user:update:status:admin", "user:delete:token:admin", "user:delete:user:admin", "group:read:list_groups:admin",
	"group:write:member:admin", "group:delete:member:admin", "role:read:list_roles:admin", "role:write:member:admin",
	"role:delete:member:admin", "billing:read:plan_usage:admin",
}

// Switches are the ways in which accounts differ, and the traps of Zoom's API.
type Switches struct {
	// BarePending shows a pending user by the ID and the time of the call only.
	BarePending bool
	// PendingUnset refuses to change somebody who is pending.
	PendingUnset bool
	// CustomReplaced replaces all custom attributes by those of a request.
	CustomReplaced bool
	// SilentSeats answers with success if there is no seat, and gives none.
	SilentSeats bool
	// RecipientGone has whoever is to get data vanish just before a user is deleted.
	RecipientGone bool
	// PageSize is the most entries of a page; zero: as asked for.
	PageSize int
	// Scopes are those of new tokens; nil: all.
	Scopes []string
	// Daily has the limit that refuses requests be the one of the day.
	Daily bool
	// Leaving answers 429 to deletions, since the user is being disassociated.
	Leaving bool
}

// Service is the account. It is an http.Handler.
type Service struct {
	mux  *http.ServeMux
	door *vendortest.Door

	mu        sync.Mutex
	switches  Switches
	secret    string
	tokens    map[string][]string // scopes
	users     []*person
	groups    []string // the ID is g and the place
	roles     []string // the ID is the place
	elsewhere map[string]bool
	seats     int
	next      int
	gone      []url.Values // the queries by which users were deleted
}

// New returns an account with these groups, the roles Owner, Admin, Member and Analyst, and
// seats for so many licensed users.
func New(secret string, seats int, switches Switches, groups ...string) *Service {
	s := &Service{
		switches: switches, secret: secret, tokens: map[string][]string{}, groups: groups,
		roles: []string{"Owner", "Admin", "Member", "Analyst"}, elsewhere: map[string]bool{}, seats: seats,
	}
	s.add(map[string]any{"email": Owner, "role_id": "0", "type": 2})
	s.mux = http.NewServeMux()
	s.mux.HandleFunc("POST /oauth/token", s.issue)
	for pattern, r := range map[string]route{
		"GET /v2/users":                          {scope: "user:read:list_users:admin", query: "status page_size next_page_token include_fields", do: s.list},
		"POST /v2/users":                         {scope: "user:write:user:admin", body: "action user_info", do: s.create},
		"GET /v2/users/{id}":                     {scope: "user:read:user:admin", do: s.get},
		"PATCH /v2/users/{id}":                   {scope: "user:update:user:admin", body: strings.Join(known, " "), do: s.update},
		"DELETE /v2/users/{id}":                  {scope: "user:delete:user:admin", query: "action transfer_email " + transfers, do: s.remove},
		"PUT /v2/users/{id}/status":              {scope: "user:update:status:admin", body: "action", do: s.setStatus},
		"PUT /v2/users/{id}/email":               {scope: "user:update:email:admin", body: "email", do: s.setEmail},
		"DELETE /v2/users/{id}/token":            {scope: "user:delete:token:admin", do: s.endSession},
		"GET /v2/groups":                         {scope: "group:read:list_groups:admin", query: "page_size next_page_token", do: s.listGroups},
		"POST /v2/groups/{group}/members":        {scope: "group:write:member:admin", body: "members", do: s.join},
		"DELETE /v2/groups/{group}/members/{id}": {scope: "group:delete:member:admin", do: s.leave},
		"GET /v2/roles":                          {scope: "role:read:list_roles:admin", query: "page_size next_page_token", do: s.listRoles},
		"POST /v2/roles/{role}/members":          {scope: "role:write:member:admin", body: "members", do: s.assign},
		"DELETE /v2/roles/{role}/members/{id}":   {scope: "role:delete:member:admin", do: s.unassign},
		"GET /v2/accounts/me/plans/usage":        {scope: "billing:read:plan_usage:admin", do: s.usage},
	} {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, req *http.Request) { s.serve(w, req, r) })
	}
	s.door = vendortest.New(s.mux, vendortest.Options{Refuse: s.refuseRequest, Class: vendortest.Pattern(s.mux, "/v2")})
	return s
}

type route struct {
	scope, query, body string
	do                 func(request) (int, any, error)
}

type request struct {
	*http.Request
	query url.Values
	body  map[string]any
}

type failure struct {
	status, code int
	text         string
}

func (f *failure) Error() string { return f.text }

func refuse(code int, text string) error { return &failure{http.StatusBadRequest, code, text} }

// Door returns what stands before the account: it counts requests, keeps quotas and makes them
// fail.
func (s *Service) Door() *vendortest.Door { return s.door }

// SetSwitches sets how the account behaves, and ends all tokens.
func (s *Service) SetSwitches(to Switches) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.switches = to
	clear(s.tokens)
}

// SetSecret sets the app's secret, and ends all tokens.
func (s *Service) SetSecret(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secret = secret
	clear(s.tokens)
}

// SetElsewhere has an address belong to another Zoom account.
func (s *Service) SetElsewhere(email string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.elsewhere[email] = true
}

// Deletions returns the queries by which users were deleted or let go.
func (s *Service) Deletions() []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.gone)
}

func (s *Service) issue(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, secret, basic := r.BasicAuth()
	if !basic || id != ClientID || secret != s.secret {
		write(w, http.StatusUnauthorized, map[string]any{"reason": "Invalid client_id or client_secret", "error": "invalid_client"})
		return
	}
	if r.PostFormValue("grant_type") != "account_credentials" || r.PostFormValue("account_id") != AccountID {
		write(w, http.StatusBadRequest, map[string]any{"reason": "unsupported grant type", "error": "unsupported_grant_type"})
		return
	}
	s.next++
	token, scopes := fmt.Sprint("zoom-", s.next), s.switches.Scopes
	if scopes == nil {
		scopes = Scopes
	}
	s.tokens[token] = scopes
	write(w, http.StatusOK, map[string]any{
		"access_token": token, "token_type": "bearer", "expires_in": 3599, "scope": strings.Join(scopes, " "), "api_url": "https://api.zoom.us",
	})
}

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	s.door.ServeHTTP(w, r)
}

// refuseRequest answers a request as Zoom does that it cannot or does not want to serve.
func (s *Service) refuseRequest(w http.ResponseWriter, r *http.Request, why vendortest.Refusal) {
	switch why.Trouble {
	case vendortest.Proxy:
		http.NotFound(w, r)
	case vendortest.Down:
		why.RetryAfter(w.Header())
		w.WriteHeader(http.StatusServiceUnavailable)
	case vendortest.Failed:
		write(w, http.StatusInternalServerError, map[string]any{"code": 500, "message": "failed"})
	case vendortest.Limited:
		// "Rate limits": the date is no HTTP date.
		kind, text := "QPS", "You have reached the maximum per-second rate limit for this API. Try again later."
		s.mu.Lock()
		if s.switches.Daily {
			s.door.Spring("Daily")
			kind, text = "Daily-limit", "You have reached the maximum daily rate limit for this API. Refer to the response header for details."
		}
		s.mu.Unlock()
		w.Header().Set("X-RateLimit-Category", "Light")
		w.Header().Set("X-RateLimit-Type", kind)
		w.Header().Set("X-RateLimit-Limit", "60000")
		w.Header().Set("X-RateLimit-Remaining", "0")
		if why.Wait > 0 {
			now, _ := http.ParseTime(w.Header().Get("Date"))
			w.Header().Set("Retry-After", now.Add(why.Wait).UTC().Format(time.RFC3339))
		}
		write(w, http.StatusTooManyRequests, map[string]any{"code": 429, "message": text})
	}
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request, to route) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	status, body, err := s.answer(r, raw, to)
	if err != nil {
		f := err.(*failure) //nolint:errorlint,forcetypeassert // all errors of this package are
		status, body = f.status, map[string]any{"code": f.code, "message": f.text}
	}
	write(w, status, body)
}

func (s *Service) answer(r *http.Request, raw []byte, to route) (status int, body any, err error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	scopes, known := s.tokens[token]
	switch {
	case !ok || !known:
		return 0, nil, &failure{http.StatusUnauthorized, 124, "Invalid access token."}
	case !slices.Contains(scopes, to.scope):
		s.door.Spring("Scopes")
		return 0, nil, refuse(4711, "Invalid access token, does not contain scopes:["+to.scope+"].")
	}
	asked := request{Request: r, query: r.URL.Query()}
	for name := range asked.query {
		if !slices.Contains(strings.Fields(to.query), name) {
			return 0, nil, refuse(300, "Invalid parameter: "+name)
		}
	}
	if (to.body != "") != (len(raw) > 0) {
		return 0, nil, refuse(300, "Request Body should be a valid JSON object.")
	}
	if to.body != "" {
		if r.Header.Get("Content-Type") != "application/json" || json.Unmarshal(raw, &asked.body) != nil {
			return 0, nil, refuse(300, "Request Body should be a valid JSON object.")
		}
		for name := range asked.body {
			if !slices.Contains(strings.Fields(to.body), name) {
				return 0, nil, refuse(300, "Validation Failed.")
			}
		}
	}
	return to.do(asked)
}

// page returns a part of a list, under a name.
func (s *Service) page(r request, name string, all []any) (int, any, error) {
	size, err := strconv.Atoi(r.query.Get("page_size"))
	if err != nil {
		size = 30
	}
	size = min(size, 300)
	if most := s.switches.PageSize; most > 0 && most < len(all) {
		s.door.Spring("PageSize")
		size = min(size, s.switches.PageSize)
	}
	from, err := strconv.Atoi(cmp.Or(r.query.Get("next_page_token"), "0"))
	if err != nil || from < 0 {
		return 0, nil, refuse(300, "The next page token is invalid or expired.")
	}
	until := min(from+size, len(all))
	body := map[string]any{name: append([]any{}, all[min(from, until):until]...), "page_size": size, "total_records": len(all), "next_page_token": ""}
	if until < len(all) {
		body["next_page_token"] = strconv.Itoa(until)
	}
	return http.StatusOK, body, nil
}

func write(w http.ResponseWriter, status int, body any) {
	if status == http.StatusNoContent {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// copied returns some of the fields.
func copied(fields map[string]any, without ...string) map[string]any {
	all := maps.Clone(fields)
	for _, name := range without {
		delete(all, name)
	}
	return all
}
