// Package oktatest is a stand-in for an Okta org, for tests: the users, groups, roles and
// sessions of Okta's management API, and the token endpoint of its org authorization server.
// It behaves as Okta's reference and error codes say
// (https://developer.okta.com/docs/api/openapi/okta-management/management/), refuses what they
// do not have, and has a switch for each trap.
//
// It proves that the connector agrees with our reading of the reference, and nothing about
// Okta itself.
package oktatest

import (
	"crypto"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tenurehq/tenure/connector/vendortest"
)

// Options describe an org.
type Options struct {
	Token  string   // the API token; empty: none works
	Groups []string // groups of type OKTA_GROUP
	// App is an API services app that may get tokens; none if its ID is empty.
	App App
}

// App is an API services app.
type App struct {
	ID     string
	KeyID  string
	Key    crypto.PublicKey
	Scopes []string // that it was granted
}

// Switches are the ways in which orgs differ, and the traps of Okta's API.
type Switches struct {
	// SearchLag is how long ago the state is that searches show.
	SearchLag time.Duration
	// Slow is how many times a user whose activation or deactivation was asked for is read
	// before it is over.
	Slow int
	// Passwordless has users without a password become ACTIVE when they are activated, as in
	// an org where passwords are optional; else they become PROVISIONED.
	Passwordless bool
	// EmptyDeactivate answers 204 to a deactivation, which the reference does not list.
	EmptyDeactivate bool
	// InvalidStatus refuses operations of a wrong status with 400 E0000001, in place of 403
	// E0000038.
	InvalidStatus bool
	// UpdateDeactivated allows changes of deactivated users.
	UpdateDeactivated bool
	// NoSuspendedReset refuses to reset the credentials of suspended users.
	NoSuspendedReset bool
	// ForeignLink has the links to next pages lead to another host.
	ForeignLink bool
	// Skew is how far the org's clock is ahead.
	Skew time.Duration
	// PageSize is the most entries of a page; zero: as many as are asked for.
	PageSize int
	// Rule is a group to which a rule adds everybody: whoever is taken out of it is back.
	Rule string
	// WithoutRight refuses requests whose method and path begin with this: "POST /users".
	WithoutRight string
}

// Service is the org. It is an http.Handler.
type Service struct {
	options Options
	mux     *http.ServeMux
	door    *vendortest.Door

	mu       sync.Mutex
	switches Switches
	token    string
	tokens   map[string][]string // access token -> scopes
	used     map[string]bool     // IDs of assertions
	users    map[string]*user
	order    []string // the IDs of those who are not deleted
	all      []*user  // also those who are, since searches lag
	groups   []*group
	next     int
	mails    []string
}

// New returns an org.
func New(options Options, switches Switches) *Service {
	s := &Service{
		options: options, switches: switches, token: options.Token, tokens: map[string][]string{}, used: map[string]bool{},
		users: map[string]*user{},
	}
	s.addGroup("Everyone", "BUILT_IN")
	for _, name := range options.Groups {
		s.addGroup(name, "OKTA_GROUP")
	}
	s.routes()
	return s
}

// Door returns what stands before the org: it counts requests, keeps quotas and makes them fail.
func (s *Service) Door() *vendortest.Door { return s.door }

// SetSwitches sets how the org behaves.
func (s *Service) SetSwitches(to Switches) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.switches = to
}

// SetToken sets the API token.
func (s *Service) SetToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = token
}

// Requests returns the method and path of each request to the API so far, and forgets them.
func (s *Service) Requests() []string {
	var requests []string
	for _, call := range s.door.Calls() {
		requests = append(requests, strings.Replace(call.Request, " /api/v1", " ", 1))
	}
	return requests
}

// Mails returns what mail Okta has sent.
func (s *Service) Mails() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.mails...)
}

func (s *Service) now() time.Time { return time.Now().Add(s.switches.Skew) }

// id returns a new ID in the form of Okta's.
func (s *Service) id(prefix string) string {
	s.next++
	return fmt.Sprintf("%s%017d", prefix, s.next)
}

// AddGroup adds a group of any type: OKTA_GROUP, APP_GROUP, BUILT_IN.
func (s *Service) AddGroup(name, kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addGroup(name, kind)
}

func (s *Service) addGroup(name, kind string) {
	s.groups = append(s.groups, &group{id: s.id("00g"), name: name, kind: kind, members: map[string]bool{}})
}

// DropGroup deletes a group.
func (s *Service) DropGroup(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, g := range s.groups {
		if g.name == name {
			s.groups = append(s.groups[:i], s.groups[i+1:]...)
			return
		}
	}
}

// Seed describes a user that an administrator has made.
type Seed struct {
	Status   string // default ACTIVE
	Login    string
	Profile  map[string]any
	Provider string // default OKTA
	Question string // of the recovery; empty: none
}

// AddUser adds a user, known to searches, and returns the ID.
func (s *Service) AddUser(seed Seed) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := &user{id: s.id("00u"), status: seed.Status, provider: seed.Provider, created: s.now(), question: seed.Question, password: "known"}
	if u.status == "" {
		u.status = "ACTIVE"
	}
	if u.provider == "" {
		u.provider = "OKTA"
	}
	u.profile = map[string]any{"login": seed.Login, "email": "seed@example.com", "firstName": "Seed", "lastName": "Seed"}
	maps.Copy(u.profile, seed.Profile)
	s.add(u)
	s.touch(u)
	u.versions[0].at = u.versions[0].at.Add(-24 * time.Hour)
	return u.id
}

func (s *Service) add(u *user) {
	s.users[u.id], s.order, s.all = u, append(s.order, u.id), append(s.all, u)
}

// User is a user as the org has it.
type User struct {
	Status, Password, Answer string
	Profile                  map[string]any
	Factors, Sessions        bool
}

// User returns a user by ID or login.
func (s *Service) User(key string) (User, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.find(key)
	if u == nil {
		return User{}, false
	}
	return User{Status: u.status, Password: u.password, Answer: u.answer, Profile: u.profile, Factors: u.factors, Sessions: u.sessions}, true
}

// SignIn has a user sign in with a second factor.
func (s *Service) SignIn(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[id]
	u.sessions, u.factors, u.lastLogin = true, true, s.now()
}

// SetLogin gives a user another login.
func (s *Service) SetLogin(id, login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[id]
	u.profile["login"] = login
	s.touch(u)
}

// find returns the user with an ID, a login, or the unambiguous part of one before the @.
func (s *Service) find(key string) *user {
	if u := s.users[key]; u != nil {
		return u
	}
	var short []*user
	for _, id := range s.order {
		u := s.users[id]
		if u == nil {
			continue
		}
		login := u.text("login")
		if strings.EqualFold(login, key) {
			return u
		}
		if name, _, ok := strings.Cut(login, "@"); ok && strings.EqualFold(name, key) {
			short = append(short, u)
		}
	}
	if len(short) == 1 {
		return short[0]
	}
	return nil
}
