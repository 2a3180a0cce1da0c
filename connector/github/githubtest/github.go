package githubtest

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tenurehq/tenure/connector/vendortest"
)

// Options says how the organisation is.
type Options struct {
	Org   string
	Token string   // of an owner
	Teams []string // slugs
	// Anybody makes up a user for each login that is asked for and could be one.
	Anybody bool
	AppID   string // of an app that is installed
	Key     any    // its public key
}

// Switches are the traps of GitHub.
type Switches struct {
	Pending     bool // invitations wait until Accept is called; else they are accepted at once
	PageSize    int  // the most entries of a page; zero: as many as are asked for
	Primary     bool // the limit that refuses requests is that of the hour, and not that of requests at once
	As          int  // status of a limit: 403 or 429
	Invitations bool // the invitations of the day are used up
	NoSeat      bool // the plan has no seat left
	Hidden      bool // the token may not see the organisation
	Elsewhere   bool // the next page is on another host
	LastOwner   bool // members cannot be removed
	QueryLimit  bool // GraphQL's points are used up
}

// account is a user of GitHub.
type account struct {
	id     int64
	login  string
	keys   []int64 // authorisations of their tokens and keys
	absent bool    // the account was deleted
}

// seat is a membership, or an invitation.
type seat struct {
	user       *account
	role       string
	invitation int64 // that waits; 0 for a member
}

// GitHub is the stand-in.
type GitHub struct {
	options Options

	mu         sync.Mutex
	last       int64
	users      []*account
	seats      []*seat
	teams      map[string]map[int64]string // slug -> user -> role
	synced     map[string]bool
	outside    map[int64]bool
	enterprise map[int64]bool // members by an enterprise team
	token      string
	issued     int
	switches   Switches
	door       *vendortest.Door
}

// New returns a GitHub with one organisation.
func New(options Options) *GitHub {
	g := &GitHub{
		options: options, last: 1000, teams: map[string]map[int64]string{}, synced: map[string]bool{}, outside: map[int64]bool{},
		enterprise: map[int64]bool{}, token: options.Token,
	}
	g.door = vendortest.New(http.HandlerFunc(g.serve), vendortest.Options{
		Refuse: g.refuse, Class: class, Reads: func(r *http.Request) bool { return r.URL.Path == "/graphql" },
	})
	for _, slug := range options.Teams {
		g.teams[slug] = map[int64]string{}
	}
	g.seats = append(g.seats, &seat{user: g.add("the-owner"), role: "admin"})
	return g
}

func (g *GitHub) next() int64 { g.last++; return g.last }

func (g *GitHub) add(login string) *account {
	a := &account{id: g.next(), login: login}
	a.keys = []int64{g.next()}
	g.users = append(g.users, a)
	return a
}

// AddUser adds a user of GitHub who is not in the organisation, and returns their ID.
func (g *GitHub) AddUser(login string) int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.add(login).id
}

// AddMember adds a member, as another owner would, and returns their ID.
func (g *GitHub) AddMember(login string) int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.add(login)
	g.seats = append(g.seats, &seat{user: a, role: "member"})
	return a.id
}

// Rename gives a user another login.
func (g *GitHub) Rename(id int64, login string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, a := range g.users {
		if a.id == id {
			a.login = login
		}
	}
}

// Delete deletes the account of a user, as they may do themselves.
func (g *GitHub) Delete(id int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, a := range g.users {
		if a.id == id {
			a.absent = true
		}
	}
	g.removeSeat(id)
}

// Accept accepts the invitation of a user.
func (g *GitHub) Accept(id int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seatOf(id).invitation = 0
}

// Sync hands the members of a team over to the identity provider.
func (g *GitHub) Sync(slug string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.synced[slug] = true
}

// Maintain makes a user a maintainer of a team.
func (g *GitHub) Maintain(slug string, id int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.teams[slug][id] = "maintainer"
}

// RoleIn returns the role of a user in a team; empty if they are not in it.
func (g *GitHub) RoleIn(slug string, id int64) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.teams[slug][id]
}

// SetOutside makes a user an outside collaborator.
func (g *GitHub) SetOutside(id int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.outside[id] = true
}

// SetEnterprise makes a user a member by an enterprise team also.
func (g *GitHub) SetEnterprise(id int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.enterprise[id] = true
}

// State returns what a user has: membership ("active", "pending" or ""), whether they are an
// outside collaborator, and how many authorisations of tokens and keys there are.
func (g *GitHub) State(id int64) (state string, outside bool, authorisations int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s := g.seatOf(id); s != nil {
		state = s.state()
	}
	for _, a := range g.users {
		if a.id == id {
			authorisations = len(a.keys)
		}
	}
	return state, g.outside[id], authorisations
}

// SetSwitches sets the traps.
func (g *GitHub) SetSwitches(to Switches) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.switches = to
}

// Door returns what stands before GitHub: it counts requests, keeps quotas and makes it
// fail.
func (g *GitHub) Door() *vendortest.Door { return g.door }

// SetToken changes the token that is accepted.
func (g *GitHub) SetToken(token string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.token = token
}

// Calls returns how often each kind of request was made.
func (g *GitHub) Calls() map[string]int { return g.door.Counts() }

func (s *seat) state() string {
	if s.invitation != 0 {
		return "pending"
	}
	return "active"
}

func (g *GitHub) seatOf(id int64) *seat {
	for _, s := range g.seats {
		if s.user.id == id {
			return s
		}
	}
	return nil
}

// byLogin returns the user with a login; nil if there is none.
func (g *GitHub) byLogin(login string) *account {
	for _, a := range g.users {
		if strings.EqualFold(a.login, login) && !a.absent {
			return a
		}
	}
	if g.options.Anybody && possible(login) {
		return g.add(login)
	}
	return nil
}

func possible(login string) bool {
	return login != "" && len(login) <= 39 && login[0] != '-' && !strings.ContainsFunc(login, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

func (g *GitHub) removeSeat(id int64) {
	g.seats = slices.DeleteFunc(g.seats, func(s *seat) bool { return s.user.id == id })
	for _, members := range g.teams {
		delete(members, id)
	}
}

// created is when everything here was made.
var created = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Format(time.RFC3339)

var _ http.Handler = (*GitHub)(nil)
