package scimtest

import (
	"crypto/subtle"
	"net/http"
	"strings"
	"sync"
	"time"
)

// BasePath is where a Service serves SCIM.
const BasePath = "/scim/v2"

// Options configure a Service. The zero value is an empty app that keeps nothing and
// lets anybody in.
type Options struct {
	Name   string   // what people call the app; shown on its page
	Token  string   // bearer token; empty lets anybody in
	Groups []string // displayNames of groups to create if they are missing
	// Deviations from RFC 7644; Vendors holds those of some vendors' services.
	Deviations Deviations
	// File, if set, names the file that keeps the app's state, as JSON. New reads it. The
	// Service replaces it as a whole within about a second of each change, and in Close.
	// Changes of that second are lost if the process is killed.
	File string
}

// Service is one app. All methods may be called at any time from any goroutine.
type Service struct {
	name string
	mux  *http.ServeMux

	mu    sync.RWMutex
	store *store
	token string

	switches sync.RWMutex
	deviates Deviations // under switches
	faults   faultState
	stats    stats
	saver    *saver // nil without a file
}

// New returns a running app with the state in Options.File, if that file exists. The
// caller has to Close it.
func New(o Options) (*Service, error) {
	s := &Service{name: o.Name, token: o.Token, store: newStore(), deviates: o.Deviations}
	if o.File != "" {
		if err := load(o.File, s.store); err != nil {
			return nil, err
		}
		s.saver = startSaver(o.File, s.snapshot)
	}
	for _, name := range o.Groups {
		s.AddGroup(name)
	}
	s.mux = s.routes()
	return s, nil
}

// Close writes unwritten changes to Options.File. It returns an error if that fails.
func (s *Service) Close() error {
	if s.saver == nil {
		return nil
	}
	return s.saver.close()
}

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Service) routes() *http.ServeMux {
	scim := http.NewServeMux()
	s.resourceRoutes(scim, userType)
	s.resourceRoutes(scim, groupType)
	s.discoveryRoutes(scim)
	scim.HandleFunc("POST /.search", s.searchAll)
	s.valueRoutes(scim)
	scim.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, &failure{status: http.StatusNotFound, detail: "no such endpoint"})
	})

	mux := http.NewServeMux()
	mux.Handle(BasePath+"/", s.counted(s.faulty(s.authorized(http.StripPrefix(BasePath, scim)))))
	switches(s, mux, "/admin/faults", s.Faults, s.SetFaults)
	switches(s, mux, "/admin/deviations", s.deviations, s.SetDeviations)
	mux.Handle("GET /admin/stats", s.authorized(http.HandlerFunc(s.getStats)))
	mux.HandleFunc("GET /{$}", s.page)
	return mux
}

// SetToken changes the bearer token: the service refuses clients with the old one.
func (s *Service) SetToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = token
}

func (s *Service) authorized(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		want := s.token
		s.mu.RUnlock()
		got, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if want != "" && subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			writeError(w, &failure{status: http.StatusUnauthorized, detail: "token " + got + " is not valid"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// User is a summary of an account.
type User struct {
	ID          string
	UserName    string
	ExternalID  string
	DisplayName string
	Title       string
	Email       string // of type "work"; set by AddUser only
	GivenName   string // set by AddUser only
	FamilyName  string // set by AddUser only
	Active      bool
	Groups      []string // displayNames, sorted
}

// Users returns every account, in order of creation.
func (s *Service) Users() []User {
	s.mu.RLock()
	defer s.mu.RUnlock()
	users := make([]User, 0, len(s.store.users.order))
	for _, id := range s.store.users.order {
		users = append(users, s.store.summary(s.store.users.byID[id]))
	}
	return users
}

// AddUser creates an account as an administrator of the app would, and returns its
// ID. It creates groups that are missing. It checks neither userName nor externalId for
// uniqueness, so that tests can make an ambiguous app.
func (s *Service) AddUser(u User) string {
	s.mu.Lock()
	attrs := map[string]any{"userName": u.UserName, "active": u.Active}
	for name, text := range map[string]string{"externalId": u.ExternalID, "displayName": u.DisplayName, "title": u.Title} {
		if text != "" {
			attrs[name] = text
		}
	}
	if u.Email != "" {
		attrs["emails"] = []any{map[string]any{"value": u.Email, "type": "work", "primary": true}}
	}
	if u.GivenName != "" || u.FamilyName != "" {
		attrs["name"] = map[string]any{"givenName": u.GivenName, "familyName": u.FamilyName}
	}
	user := s.store.insert(s.store.users, attrs, time.Now())
	for _, name := range u.Groups {
		s.store.groupNamed(name).addMember(s.store, user.id)
	}
	s.mu.Unlock()
	s.changed()
	return user.id
}

// AddGroup creates a group, unless one of that displayName exists, and returns its ID.
func (s *Service) AddGroup(displayName string) string {
	s.mu.Lock()
	id := s.store.groupNamed(displayName).id
	s.mu.Unlock()
	s.changed()
	return id
}

// AddMember puts an account into the group of a displayName, as an administrator of the app
// would. It creates the group if it is missing.
func (s *Service) AddMember(displayName, userID string) {
	s.mu.Lock()
	s.store.groupNamed(displayName).addMember(s.store, userID)
	s.mu.Unlock()
	s.changed()
}

// RemoveGroup deletes the groups of that displayName. It ignores the case.
func (s *Service) RemoveGroup(displayName string) {
	s.mu.Lock()
	for _, id := range s.store.named(displayName) {
		s.store.remove(s.store.groups, id)
	}
	s.mu.Unlock()
	s.changed()
}

func (s *Service) changed() {
	if s.saver != nil {
		s.saver.changed()
	}
}
