// Package atlassiantest is a stand-in for an Atlassian Cloud organisation, for tests: the
// users, groups and roles of its Organizations REST API, and the lifecycle and the API tokens
// of its User management REST API. It behaves as Atlassian's reference says
// (https://developer.atlassian.com/cloud/admin/organization/rest/intro/ and
// https://developer.atlassian.com/cloud/admin/user-management/rest/intro/), refuses what that
// does not have, and has a switch for each trap. It proves nothing about Atlassian itself.
package atlassiantest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tenurehq/tenure/connector/vendortest"
)

// Options describe an organisation.
type Options struct {
	Org, Key, Directory string
	Domain              string // verified: its accounts are managed; empty: none is
	Groups              []string
}

// Switches are the ways in which organisations differ, and the traps of Atlassian's API.
type Switches struct {
	PageSize     int  // the most entries of a page; zero: 100
	InvitesAgain bool // the invitation of somebody who is there is accepted; else 409
	SecondOne    bool // the organisation has another directory
	Scoped       bool // the key has scopes, which user management refuses
	Provisioned  bool // an identity provider provisions the accounts by SCIM
	Blocked      bool // who owns sites elsewhere cannot be deactivated
	Synced       bool // an identity provider synchronises the groups
	NoSeats      bool // the groups give apps that have no seat left
	Lags         bool // searches show nobody who was invited since
	Stale        bool // searches show everybody as turned off
	NullLinks    bool // the last page has next: null
	Mute         bool // searches answer without a list
	Circle       bool // the last page leads to the first
	Misrouted    bool // the gateway answers 404, without a code
}

// user is an account, and its membership of the directory.
type user struct {
	id, email, kind     string
	account, membership string
	managed, deleting   bool
	added               time.Time
	groups              map[string]bool // by ID
	roles               []string
	tokens              []string
	late                bool // not shown by searches while they lag
}

// Service is the organisation. It is an http.Handler.
type Service struct {
	options Options
	mux     *http.ServeMux

	door     *vendortest.Door
	mu       sync.Mutex
	switches Switches
	key      string
	users    []*user
	groups   []string // the ID is "g-" and the place, from 1
	mails    int
	next     int
}

// New returns an organisation. It has an administrator, whose key it is.
func New(options Options, switches Switches) *Service {
	s := &Service{options: options, switches: switches, key: options.Key, groups: options.Groups, next: 1000}
	admin := s.add("admin@" + options.Domain)
	admin.roles = []string{"atlassian/org-admin"}
	s.mux = http.NewServeMux()
	const org, org2 = "/admin/v1/orgs/{org}", "/admin/v2/orgs/{org}"
	const dir = org2 + "/directories/{directory}"
	const filters = "cursor limit accountIds emails claimStatus expand"
	for pattern, r := range map[string]route{
		"GET " + org:                                         {do: s.organisation},
		"GET " + org2 + "/directories":                       {do: s.directories},
		"POST " + dir + "/users/search":                      {body: filters, do: s.searchUsers},
		"GET " + dir + "/users/{id}":                         {do: s.details},
		"DELETE " + dir + "/users/{id}":                      {do: s.remove},
		"POST " + dir + "/users/{id}/suspend":                {do: s.suspend},
		"POST " + dir + "/users/{id}/restore":                {do: s.restore},
		"POST " + dir + "/groups/search":                     {body: "cursor limit groupNames", do: s.searchGroups},
		"POST " + dir + "/groups/{group}/memberships":        {body: "accountId", do: s.join},
		"DELETE " + dir + "/groups/{group}/memberships/{id}": {do: s.leave},
		"POST " + org2 + "/users/invite":                     {body: "emails additionalGroups sendNotification notificationText", do: s.invite},
		"POST " + org + "/users/{id}/role-assignments/{how}": {body: "role", do: s.assign},
		"GET /users/{id}/manage":                             {old: true, do: s.permissions},
		"POST /users/{id}/manage/lifecycle/disable":          {old: true, body: "message", do: s.disable},
		"POST /users/{id}/manage/lifecycle/enable":           {old: true, do: s.enable},
		"POST /users/{id}/manage/lifecycle/delete":           {old: true, do: s.deleteAccount},
		"POST /users/{id}/manage/lifecycle/cancel-delete":    {old: true, do: s.cancelDelete},
		"GET /users/{id}/manage/api-tokens":                  {old: true, do: s.tokens},
		"DELETE /users/{id}/manage/api-tokens/{token}":       {old: true, do: s.deleteToken},
	} {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, req *http.Request) { s.serve(w, req, r) })
	}
	s.door = vendortest.New(s.mux, vendortest.Options{
		Refuse: refuse, Class: vendortest.Pattern(s.mux, "/admin", ""),
		Reads: func(r *http.Request) bool {
			return r.Method == http.MethodGet || strings.HasSuffix(r.URL.Path, "/search")
		},
	})
	return s
}

type route struct {
	body string // members that it may have; empty: there is none
	old  bool   // of the user management API, whose errors differ
	do   func(request) (int, any, error)
}

type request struct {
	*http.Request
	fields map[string]any
}

func (r request) texts(name string) []string {
	var texts []string
	list, _ := r.fields[name].([]any)
	for _, one := range list {
		text, _ := one.(string)
		texts = append(texts, text)
	}
	return texts
}

func (r request) text(name string) string {
	text, _ := r.fields[name].(string)
	return text
}

type failure struct {
	status int
	code   string
}

func (f *failure) Error() string { return f.code }

// The errors of the organisation API ("ApiError" in the reference).
var (
	errBadRequest   = &failure{400, "ADMIN-UAM-400-1"}
	errUnknown      = &failure{404, "ADMIN-UAM-404-1"}
	errUnknownGroup = &failure{404, "ADMIN-UAM-404-3"}
	errConflict     = &failure{409, "ADMIN-UAM-409-2"}
	errNoSeat       = &failure{409, "ADMIN-UAM-409-3"}
)

// Door returns what stands before the organisation: it counts requests, keeps quotas and makes
// them fail.
func (s *Service) Door() *vendortest.Door { return s.door }

// refuse answers as Atlassian does. The reset of its quota is an instant: "Next period reset
// time (ISO 8601 - Date and time in UTC)".
func refuse(w http.ResponseWriter, r *http.Request, told vendortest.Refusal) {
	now := time.Now().UTC().Truncate(time.Second)
	switch told.Trouble {
	case vendortest.Limited:
		if told.Wait > 0 {
			w.Header().Set("Date", now.Format(http.TimeFormat))
			w.Header().Set("X-RateLimit-Limit", "1000")
			w.Header().Set("X-RateLimit-Remaining", "0")
			w.Header().Set("X-RateLimit-Reset", now.Add(told.Wait).Format(time.RFC3339))
		}
		write(w, http.StatusTooManyRequests, map[string]any{"code": 429, "message": "Rate limit exceeded"})
	case vendortest.Failed:
		write(w, http.StatusInternalServerError, map[string]any{"errors": []any{map[string]any{"code": "ADMIN-UAM-500-1", "status": "500"}}})
	case vendortest.Proxy:
		http.NotFound(w, r)
	case vendortest.Down:
		told.RetryAfter(w.Header())
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// SetSwitches sets how the organisation behaves.
func (s *Service) SetSwitches(to Switches) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.switches = to
}

// SetKey sets the API key that the organisation takes.
func (s *Service) SetKey(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key = key
}

// AddUser adds a member of the directory as an administrator does, and returns the ID.
func (s *Service) AddUser(email string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(email).id
}

func (s *Service) add(email string) *user {
	s.next++
	_, domain, _ := strings.Cut(email, "@")
	u := &user{
		id: fmt.Sprintf("712020:%08x-0000-4000-8000-000000000000", s.next), email: email, kind: "atlassian", account: "active", membership: "active",
		managed: domain == s.options.Domain && domain != "", added: time.Now().UTC().Truncate(time.Millisecond), groups: map[string]bool{}, tokens: []string{"t-1"},
	}
	s.users = append(s.users, u)
	return u
}

// Set changes a user: the status of the account ("inactive", "closed") and of the membership
// ("suspended", "no_membership"). An empty text leaves it.
func (s *Service) Set(id, account, membership string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.of(id)
	if account != "" {
		u.account = account
	}
	if membership != "" {
		u.membership = membership
	}
}

// SetKind sets the type of an account: "app", "customer".
func (s *Service) SetKind(id, kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of(id).kind = kind
}

// GiveTokens gives a user API tokens.
func (s *Service) GiveTokens(id string, tokens ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of(id).tokens = tokens
}

// State is what there is of a user.
type State struct {
	Account, Membership string
	Deleting            bool
	Tokens              int
}

// State returns what there is of a user.
func (s *Service) State(id string) State {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.of(id)
	return State{u.account, u.membership, u.deleting, len(u.tokens)}
}

// Mails returns how many invitations were mailed.
func (s *Service) Mails() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mails
}

func (s *Service) of(id string) *user {
	for _, u := range s.users {
		if u.id == id {
			return u
		}
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.door.ServeHTTP(w, r) }

func (s *Service) serve(w http.ResponseWriter, r *http.Request, to route) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	status, body, err := s.answer(r, raw, to)
	if s.switches.Misrouted {
		s.door.Spring("Misrouted")
		write(w, http.StatusNotFound, map[string]any{"path": r.URL.Path, "status": 404, "error": "Not Found", "message": "TCS validation failed"})
		return
	}
	if err != nil {
		f, ok := err.(*failure) //nolint:errorlint // all errors of this package are
		if !ok {
			f = &failure{500, "ADMIN-UAM-500-1"}
		}
		status, body = f.status, map[string]any{"errors": []any{map[string]any{"id": "1", "code": f.code, "status": strconv.Itoa(f.status), "title": http.StatusText(f.status)}}}
		if to.old {
			body = map[string]any{"key": f.code, "context": map[string]any{}}
		}
		if f.code == "" { // a failure of the lifecycle
			body = []any{map[string]any{"code": "user-has-entitlements", "message": "owns sites"}}
		}
	}
	write(w, status, body)
}

func (s *Service) answer(r *http.Request, raw []byte, to route) (status int, body any, err error) {
	if r.Header.Get("Authorization") != "Bearer "+s.key {
		return 0, nil, &failure{401, "ADMIN-UAM-401-1"}
	}
	if to.old && s.switches.Scoped {
		s.door.Spring("Scoped")
		return 0, nil, &failure{403, "insufficient_scope"}
	}
	if named := r.PathValue("org"); named != "" && named != s.options.Org {
		return 0, nil, &failure{404, "ADMIN-UAM-404-2"}
	}
	if named := r.PathValue("directory"); named != "" && named != s.options.Directory {
		return 0, nil, errUnknown
	}
	asked := request{Request: r}
	if (to.body != "") != (len(raw) > 0) || len(raw) > 0 && (r.Header.Get("Content-Type") != "application/json" || json.Unmarshal(raw, &asked.fields) != nil) {
		return 0, nil, errBadRequest
	}
	for name := range asked.fields {
		if !slices.Contains(strings.Fields(to.body), name) {
			return 0, nil, errBadRequest
		}
	}
	if len(r.URL.Query()) > 0 {
		return 0, nil, errBadRequest
	}
	return to.do(asked)
}

func write(w http.ResponseWriter, status int, body any) {
	if body == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
