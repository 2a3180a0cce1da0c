package googletest

import (
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tenurehq/tenure/connector/vendortest"
)

// What the Workspace account of the stand-in is called.
const (
	Domain       = "example.com"
	Admin        = "admin@example.com"
	Customer     = "C0123abcd"
	ClientEmail  = "tenure@project.iam.gserviceaccount.com"
	keyID        = "key-1"
	scopeRoot    = "https://www.googleapis.com/auth/"
	maxDeleted   = 20 * 24 * time.Hour
	neverAt      = "1970-01-01T00:00:00.000Z"
	instantsForm = "2006-01-02T15:04:05.000Z"
)

// Switches are ways in which Google is known to answer. The zero value is a Google that answers
// at once and truly.
type Switches struct {
	// NotFoundAfterCreate is how many requests for a new user are answered by 404.
	NotFoundAfterCreate int
	// NamelessReads is how many reads of a new user lack the name.
	NamelessReads int
	// CreationIncomplete is how many changes of a new user are refused by 412.
	CreationIncomplete int
	// SearchesLag is how many searches do not show a new user.
	SearchesLag int
	// MembershipsLag is how many lists of a user's groups do not show a new membership.
	MembershipsLag int
	// MemberAddedBut404 answers 404 to members that are added.
	MemberAddedBut404 bool
	// QuotaEvery refuses each n-th request by the 403 of a quota.
	QuotaEvery int
	// QuotaReason is the reason of that 403; userRateLimitExceeded if empty.
	QuotaReason string
	// TransferPolls is how often a transfer is looked at until it has ended; 0: it has at once.
	TransferPolls int
	// TransferFails names the applications whose transfers fail.
	TransferFails []string
	// CodesFail fails to invalidate backup codes.
	CodesFail bool
	// Empty has a proxy answer every request by an empty object.
	Empty bool
}

// Service is the stand-in. Its zero value is not usable: see New.
type Service struct {
	mu       sync.Mutex
	switches Switches
	lateFor  time.Duration
	refused  bool // every token
	key      *rsa.PrivateKey
	scopes   map[string]bool     // that the domain-wide delegation has
	tokens   map[string][]string // that were issued, with their scopes
	people   map[string]*person  // by ID
	order    []string
	groups   map[string]*group // by address
	roles    []map[string]any
	assigned []map[string]any
	licences map[string]*licence // by PRODUCT/SKU
	moves    []*move
	last     int
	requests int
	mux      *http.ServeMux
	door     *vendortest.Door
}

type person struct {
	user     map[string]any
	deleted  time.Time
	oauth    []string
	asps     []int
	codes    bool // backup codes are valid
	password string
	signOuts int

	late                              time.Time // when what follows is over; zero: it is not
	hidden, nameless, unfinished, lag int
}

type group struct {
	email, id string
	members   []*membership
}

type membership struct {
	id, role string
	late     time.Time // when the lag is over; zero: it is not
	lag      int
}

type licence struct {
	seats   int
	holders []string // addresses
}

type move struct {
	body  map[string]any
	polls int
}

// New returns a stand-in with these groups.
func New(groups ...string) (*Service, error) {
	s := &Service{
		key: vendortest.Key(), scopes: map[string]bool{}, tokens: map[string][]string{}, people: map[string]*person{},
		groups: map[string]*group{}, licences: map[string]*licence{}, last: 1000,
	}
	for _, scope := range []string{
		"admin.directory.user", "admin.directory.user.security", "admin.directory.group.readonly", "admin.directory.group.member",
		"admin.directory.rolemanagement", "apps.licensing", "admin.datatransfer",
	} {
		s.scopes[scopeRoot+scope] = true
	}
	for _, email := range groups {
		s.groups[email] = &group{email: email, id: "g" + uuid.NewString()}
	}
	for i, name := range []string{"_SEED_ADMIN_ROLE", "_USER_MANAGEMENT_ADMIN_ROLE", "Helpdesk"} {
		s.roles = append(s.roles, map[string]any{"kind": "admin#directory#role", "roleId": strconv.Itoa(100 + i), "roleName": name, "isSuperAdminRole": i == 0})
	}
	s.add(map[string]any{"primaryEmail": Admin, "name": map[string]any{"givenName": "Ada", "familyName": "Admin"}}).user["isAdmin"] = true
	s.mux = s.routes()
	s.door = vendortest.New(http.HandlerFunc(s.serve), vendortest.Options{
		Refuse: s.refuse, Class: vendortest.Pattern(s.mux, "/admin/directory/v1", "/admin", "/apps"),
	})
	return s, nil
}

// Key returns the key file of the service account.
func (s *Service) Key() string {
	file, err := json.Marshal(map[string]string{ //nolint:gosec // G101: made for this stand-in alone
		"type": "service_account", "client_email": ClientEmail, "private_key_id": keyID,
		"private_key": vendortest.PEM(s.key),
		"token_uri":   "https://oauth2.googleapis.com/token",
	})
	if err != nil {
		panic(err)
	}
	return string(file)
}

// SetSwitches sets the traps. What was late until now is shown.
func (s *Service) SetSwitches(to Switches) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.switches = to
	for _, p := range s.people {
		p.hidden, p.nameless, p.unfinished, p.lag = 0, 0, 0, 0
	}
	for _, g := range s.groups {
		for _, m := range g.members {
			m.lag = 0
		}
	}
}

// LateFor has what is late be over after a time in any case.
func (s *Service) LateFor(most time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lateFor = most
}

// lateUntil returns when what is late from now on is shown.
func (s *Service) lateUntil() time.Time {
	if s.lateFor == 0 {
		return time.Time{}
	}
	return time.Now().Add(s.lateFor)
}

// takes counts down what is late, and reports whether it still is.
func takes(left *int, late time.Time) bool {
	if *left == 0 || !late.IsZero() && time.Now().After(late) {
		return false
	}
	*left--
	return true
}

// EndTokens ends the tokens that were issued.
func (s *Service) EndTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// Switches returns the traps that are set.
func (s *Service) Switches() Switches {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.switches
}

// RefuseTokens refuses every token, or takes those that were issued.
func (s *Service) RefuseTokens(refused bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = refused
}

// EndTransfers lets all transfers come to their end.
func (s *Service) EndTransfers() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.moves {
		m.polls = 0
	}
}

// Door returns what stands before the stand-in: it counts requests, keeps quotas and makes
// them fail.
func (s *Service) Door() *vendortest.Door { return s.door }

// TakeScope takes a scope, by its last part, from the domain-wide delegation.
func (s *Service) TakeScope(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.scopes, scopeRoot+name)
	s.tokens = map[string][]string{}
}

// AddLicence adds a licence (PRODUCT/SKU) with so many seats.
func (s *Service) AddLicence(name string, seats int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.licences[name] = &licence{seats: seats}
}

// AddUser adds a user as an administrator would.
func (s *Service) AddUser(user map[string]any) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(user).user["id"].(string)
}

// Persons returns how many users have this employee ID, deleted ones included.
func (s *Service) Persons(employeeID string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.people {
		ids, _ := p.user["externalIds"].([]any)
		for _, id := range ids {
			if id, _ := id.(map[string]any); id["value"] == employeeID {
				n++
			}
		}
	}
	return n
}

// Change changes the members of a user as an administrator would.
func (s *Service) Change(id string, members map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.people[id]
	if email, ok := members["primaryEmail"].(string); ok && email != p.user["primaryEmail"] {
		s.rename(p, email)
	}
	maps.Copy(p.user, members)
}

// SignIn gives a user what somebody who signs in leaves behind: an OAuth token of a client,
// an app password, and backup codes.
func (s *Service) SignIn(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.people[id]
	p.oauth = append(p.oauth, "client-"+strconv.Itoa(len(p.oauth))+".apps.googleusercontent.com")
	p.asps = append(p.asps, len(p.asps)+1)
	p.codes = true
	p.user["lastLoginTime"] = time.Now().UTC().Format(instantsForm)
}

// Left is what is left of a user's ways to sign in.
type Left struct {
	Tokens, AppPasswords, SignOuts int
	BackupCodes                    bool
	Password                       string
}

// Left returns what is left of a user's ways to sign in.
func (s *Service) Left(id string) Left {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.people[id]
	return Left{Tokens: len(p.oauth), AppPasswords: len(p.asps), SignOuts: p.signOuts, BackupCodes: p.codes, Password: p.password}
}

// User returns a copy of a user as it is stored; nil if there is none.
func (s *Service) User(id string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.people[id]; p != nil && p.deleted.IsZero() {
		return maps.Clone(p.user)
	}
	return nil
}

// Transfers returns the transfers that were asked for, as they were sent.
func (s *Service) Transfers() []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []map[string]any
	for _, m := range s.moves {
		all = append(all, maps.Clone(m.body))
	}
	return all
}

// Assign gives a user an admin role for one org unit, as an administrator would.
func (s *Service) Assign(userID, roleID, orgUnitID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.assigned = append(s.assigned, map[string]any{
		"kind": "admin#directory#roleAssignment", "roleAssignmentId": strconv.Itoa(5000 + len(s.assigned)), "roleId": roleID,
		"assignedTo": userID, "scopeType": "ORG_UNIT", "orgUnitId": orgUnitID,
	})
}

// Expire makes deleted users older than Google keeps them.
func (s *Service) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.people {
		if !p.deleted.IsZero() {
			p.deleted = p.deleted.Add(-maxDeleted)
		}
	}
}

func (s *Service) add(user map[string]any) *person {
	s.last++
	user = maps.Clone(user)
	user["id"] = fmt.Sprintf("1%020d", s.last)
	user["creationTime"] = time.Now().UTC().Truncate(time.Second).Format(instantsForm)
	for name, value := range map[string]any{
		"kind": "admin#directory#user", "customerId": Customer, "orgUnitPath": "/", "suspended": false, "archived": false, "isAdmin": false,
		"isDelegatedAdmin": false, "isEnrolledIn2Sv": false, "isEnforcedIn2Sv": false, "lastLoginTime": neverAt,
		"includeInGlobalAddressList": true, "agreedToTerms": true,
	} {
		if _, set := user[name]; !set {
			user[name] = value
		}
	}
	p := &person{user: user, late: s.lateUntil(), hidden: s.switches.NotFoundAfterCreate, nameless: s.switches.NamelessReads, unfinished: s.switches.CreationIncomplete, lag: s.switches.SearchesLag}
	s.people[user["id"].(string)] = p
	s.order = append(s.order, user["id"].(string))
	return p
}

// rename gives a user another primary address. The former one becomes an alias.
func (s *Service) rename(p *person, email string) {
	aliases, _ := p.user["aliases"].([]any)
	aliases = slices.DeleteFunc(slices.Clone(aliases), func(a any) bool { return a == email })
	p.user["aliases"] = append(aliases, p.user["primaryEmail"])
	for _, l := range s.licences {
		for i, holder := range l.holders {
			if strings.EqualFold(holder, p.user["primaryEmail"].(string)) {
				l.holders[i] = email
			}
		}
	}
	p.user["primaryEmail"] = email
}

// byKey returns a user by ID, primary address or alias, as the parameter userKey says; nil
// if there is none.
func (s *Service) byKey(key string) *person {
	if p := s.people[key]; p != nil {
		if !p.deleted.IsZero() {
			return nil
		}
		return p
	}
	for _, id := range s.order {
		if p := s.people[id]; p.deleted.IsZero() && p.has(key) {
			return p
		}
	}
	return nil
}

// has reports whether an address is one of the user's.
func (p *person) has(address string) bool {
	if strings.EqualFold(p.user["primaryEmail"].(string), address) {
		return true
	}
	aliases, _ := p.user["aliases"].([]any)
	return slices.ContainsFunc(aliases, func(a any) bool { return strings.EqualFold(a.(string), address) })
}

// taken reports whether an address is somebody else's, or a group's.
func (s *Service) taken(address string, than *person) bool {
	p := s.byKey(address)
	return p != nil && p != than || s.groups[strings.ToLower(address)] != nil
}
