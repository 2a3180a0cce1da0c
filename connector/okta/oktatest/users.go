package oktatest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

type user struct {
	id, status, becomes string
	reads               int // until becomes is what it is
	provider            string
	created, updated    time.Time
	lastLogin           time.Time
	profile             map[string]any
	password            string
	question, answer    string
	factors, sessions   bool
	roles               []role
	versions            []version // oldest first
}

// version is what searches know of a user.
type version struct {
	at      time.Time
	status  string
	profile map[string]any
	gone    bool
}

func (u *user) text(name string) string {
	text, _ := u.profile[name].(string)
	return text
}

// touch notes that a user has changed.
func (s *Service) touch(u *user) {
	u.updated = s.now()
	u.versions = append(u.versions, version{at: u.updated, status: u.status, profile: maps.Clone(u.profile)})
}

const timeFormat = "2006-01-02T15:04:05.000Z"

func stamp(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at.UTC().Format(timeFormat)
}

// shown returns a user as the API shows it.
func shown(u *user, status string, profile map[string]any) map[string]any {
	credentials := map[string]any{"provider": map[string]any{"type": u.provider, "name": u.provider}}
	if u.password != "" {
		credentials["password"] = map[string]any{}
	}
	if u.question != "" {
		credentials["recovery_question"] = map[string]any{"question": u.question}
	}
	full := map[string]any{"firstName": nil, "lastName": nil, "mobilePhone": nil, "secondEmail": nil}
	maps.Copy(full, profile)
	out := map[string]any{
		"id": u.id, "status": status, "created": stamp(u.created), "activated": nil, "statusChanged": nil,
		"lastLogin": stamp(u.lastLogin), "lastUpdated": stamp(u.updated), "passwordChanged": nil,
		"type": map[string]any{"id": "oty00000000000000001"}, "profile": full, "credentials": credentials,
		"_links": map[string]any{"self": map[string]any{"href": "https://example.okta.com/api/v1/users/" + u.id}},
	}
	if u.becomes != "" {
		out["transitioningToStatus"] = u.becomes
	}
	return out
}

// look returns the user, whose transition goes on a little each time.
func (s *Service) look(u *user) map[string]any {
	if u.becomes != "" {
		if u.reads--; u.reads < 0 {
			s.become(u, u.becomes)
		}
	}
	return shown(u, u.status, u.profile)
}

// become completes a transition.
func (s *Service) become(u *user, status string) {
	switch {
	case status == "DEPROVISIONED": // "the password is permanently deleted"
		u.password, u.factors, u.sessions = "", false, false
	case status == "ACTIVE" && u.password == "" && u.provider == "OKTA":
		if s.door.Spring("Passwordless"); !s.switches.Passwordless {
			status = "PROVISIONED"
		}
	}
	u.status, u.becomes = status, ""
	s.touch(u)
}

// begin begins a transition.
func (s *Service) begin(u *user, status string) {
	if s.switches.Slow == 0 {
		s.become(u, status)
		return
	}
	s.door.Spring("Slow")
	u.becomes, u.reads = status, s.switches.Slow
	s.touch(u)
}

func (s *Service) one(r request) (*user, error) {
	key := r.PathValue("id")
	if u := s.find(key); u != nil {
		return u, nil
	}
	return nil, notFound(key, "User")
}

func (s *Service) getUser(r request) (answer, error) {
	u, err := s.one(r)
	if err != nil {
		return answer{}, err
	}
	return answer{status: 200, body: s.look(u)}, nil
}

func (s *Service) listUsers(r request) (answer, error) {
	var found []any
	search, filter := r.query.Get("search"), r.query.Get("filter")
	if search != "" && filter != "" || r.query.Has("q") {
		return answer{}, validation("search", "one of search and filter")
	}
	match, err := parse(search+filter, search != "")
	if err != nil {
		return answer{}, err
	}
	lags := false
	for _, u := range s.all {
		switch {
		case search != "":
			at, known := u.indexed(s.now().Add(-s.switches.SearchLag))
			shows := known && match(at.field(u))
			if at.at != u.updated && (shows || match(version{status: u.status, profile: u.profile, at: u.updated}.field(u))) {
				lags = true // another one's change makes no difference
			}
			if shows {
				found = append(found, shown(u, at.status, at.profile))
			}
		case u.gone():
		case filter != "":
			if match(version{status: u.status, profile: u.profile, at: u.updated}.field(u)) {
				found = append(found, u)
			}
		case u.status != "DEPROVISIONED": // "This operation omits users that have a status of DEPROVISIONED"
			found = append(found, u)
		}
	}
	if lags {
		s.door.Spring("SearchLag")
	}
	part, next, err := page(s, r, 200, found)
	part = append([]any{}, part...)
	for i, item := range part {
		if u, is := item.(*user); is {
			part[i] = shown(u, u.status, u.profile)
		}
	}
	return answer{status: 200, body: part, next: next}, err
}

// gone reports whether the user was deleted.
func (u *user) gone() bool { return u.versions[len(u.versions)-1].gone }

// indexed returns what a search at this time knows of a user.
func (u *user) indexed(at time.Time) (last version, known bool) {
	for _, v := range u.versions {
		if !v.at.After(at) {
			last, known = v, !v.gone
		}
	}
	return last, known
}

// field returns a function that returns a property of a user.
func (v version) field(u *user) func(name string) (any, bool) {
	return func(name string) (any, bool) {
		switch name {
		case "id":
			return u.id, true
		case "status":
			return v.status, true
		case "lastUpdated":
			return v.at.UTC().Format(timeFormat), true
		}
		attribute, ok := strings.CutPrefix(name, "profile.")
		value := v.profile[attribute]
		return value, ok
	}
}

// profileAttributes are those of the default profile, and one custom one.
var profileAttributes = []string{
	"login", "email", "secondEmail", "firstName", "lastName", "middleName", "honorificPrefix", "honorificSuffix", "title",
	"displayName", "nickName", "profileUrl", "primaryPhone", "mobilePhone", "streetAddress", "city", "state", "zipCode",
	"countryCode", "postalAddress", "preferredLanguage", "locale", "timezone", "userType", "employeeNumber", "costCenter",
	"organization", "division", "department", "managerId", "manager", "personID", "badges", "floor",
}

// setProfile changes a profile as a partial update does.
func (s *Service) setProfile(u *user, body map[string]any) error {
	changes, _ := body["profile"].(map[string]any)
	next := maps.Clone(u.profile)
	if next == nil {
		next = map[string]any{}
	}
	for name, value := range changes {
		if !slices.Contains(profileAttributes, name) {
			return validation("profile", "Property name/names "+name+" is not defined in profile: default")
		}
		if text, isText := value.(string); isText && name != "badges" && utf8.RuneCountInString(text) > 2100 {
			return validation(name, name+": The field is too long")
		}
		if s.door.Forgets(name) {
			continue
		}
		if value == nil {
			delete(next, name)
		} else {
			next[name] = value
		}
	}
	for _, name := range []string{"login", "email", "firstName", "lastName"} {
		if text, _ := next[name].(string); text == "" {
			return validation(name, name+": The field cannot be left blank")
		}
	}
	if !strings.Contains(next["email"].(string), "@") {
		return validation("email", "email: Does not match required pattern")
	}
	for _, other := range s.users {
		if other != u && !other.gone() && strings.EqualFold(other.text("login"), next["login"].(string)) {
			return validation("login", "login: An object with this field already exists in the current organization")
		}
	}
	u.profile = next
	return nil
}

// setCredentials changes the password and the recovery question.
func setCredentials(u *user, body map[string]any) error {
	credentials, given := body["credentials"].(map[string]any)
	if !given {
		return nil
	}
	if u.provider != "OKTA" {
		return &failure{403, "E0000014", "Update of credentials failed", []string{"Passwords are kept elsewhere"}}
	}
	for name, value := range credentials {
		fields, _ := value.(map[string]any)
		switch name {
		case "password":
			password, _ := fields["value"].(string)
			if len(password) < 8 || len(password) > 72 || !strings.ContainsAny(password, "0123456789") || strings.ToUpper(password) == password || strings.ToLower(password) == password {
				return &failure{400, "E0000080", "The password does not meet the complexity requirements of the current password policy.", nil}
			}
			u.password = password
		case "recovery_question":
			question, _ := fields["question"].(string)
			answer, _ := fields["answer"].(string)
			if question == "" || len(answer) < 4 || len(answer) > 100 {
				return validation("recovery_question", "The security question answer must be at least 4 characters in length")
			}
			u.question, u.answer = question, answer
		default:
			return &failure{400, "E0000003", "The request body was not well-formed.", nil}
		}
	}
	return nil
}

func (s *Service) createUser(r request) (answer, error) {
	u := &user{id: s.id("00u"), status: "STAGED", provider: "OKTA", created: s.now()}
	if err := s.setProfile(u, r.body); err != nil {
		return answer{}, err
	}
	if err := setCredentials(u, r.body); err != nil {
		return answer{}, err
	}
	s.add(u)
	s.touch(u)
	if r.query.Get("activate") != "false" {
		s.mails = append(s.mails, "activation")
		s.begin(u, "ACTIVE")
	}
	return answer{status: 200, body: shown(u, u.status, u.profile)}, nil
}

func (s *Service) updateUser(r request) (answer, error) {
	u, err := s.one(r)
	if err != nil {
		return answer{}, err
	}
	if u.status == "DEPROVISIONED" {
		s.door.Spring("UpdateDeactivated")
	}
	if u.status == "DEPROVISIONED" && !s.switches.UpdateDeactivated {
		return answer{}, &failure{403, "E0000038", "This operation is not allowed in the user's current status.", nil}
	}
	if _, credentials := r.body["credentials"]; credentials && u.status == "SUSPENDED" && s.switches.NoSuspendedReset {
		s.door.Spring("NoSuspendedReset")
		return answer{}, &failure{403, "E0000038", "This operation is not allowed in the user's current status.", nil}
	}
	if err := s.setProfile(u, r.body); err != nil {
		return answer{}, err
	}
	if err := setCredentials(u, r.body); err != nil {
		return answer{}, err
	}
	s.touch(u)
	return answer{status: 200, body: shown(u, u.status, u.profile)}, nil
}

func (s *Service) deleteUser(r request) (answer, error) {
	u, err := s.one(r)
	switch {
	case err != nil:
		return answer{}, err
	case u.becomes != "":
		return answer{}, s.wrongStatus()
	case u.status != "DEPROVISIONED":
		s.begin(u, "DEPROVISIONED")
	default:
		s.touch(u)
		u.versions[len(u.versions)-1].gone = true
		for _, g := range s.groups {
			delete(g.members, u.id)
		}
		s.order = slices.DeleteFunc(s.order, func(id string) bool { return id == u.id })
		delete(s.users, u.id)
	}
	return answer{status: http.StatusNoContent}, nil
}

// lifecycles says in which statuses an operation is allowed, and what the user becomes; empty:
// stays.
var lifecycles = map[string]struct {
	in      []string
	becomes string
}{
	"activate":      {[]string{"STAGED", "DEPROVISIONED"}, "ACTIVE"},
	"reactivate":    {[]string{"PROVISIONED", "RECOVERY"}, ""},
	"deactivate":    {[]string{"STAGED", "PROVISIONED", "ACTIVE", "RECOVERY", "LOCKED_OUT", "PASSWORD_EXPIRED", "SUSPENDED"}, "DEPROVISIONED"},
	"suspend":       {[]string{"ACTIVE"}, "SUSPENDED"},
	"unsuspend":     {[]string{"SUSPENDED"}, "ACTIVE"},
	"unlock":        {[]string{"LOCKED_OUT"}, "ACTIVE"},
	"reset_factors": {[]string{"ACTIVE", "SUSPENDED", "LOCKED_OUT", "PASSWORD_EXPIRED", "RECOVERY", "STAGED"}, ""},
}

func (s *Service) lifecycle(r request) (answer, error) {
	u, err := s.one(r)
	if err != nil {
		return answer{}, err
	}
	operation := r.PathValue("operation")
	rule, known := lifecycles[operation]
	if !known {
		return answer{}, &failure{404, "E0000008", "The requested path was not found", nil}
	}
	if operation == "unlock" && u.provider != "OKTA" {
		return answer{}, &failure{403, "E0000032", "Unlock is not allowed for this user.", []string{"The user is not locked out."}}
	}
	if operation == "activate" && slices.Contains([]string{"ACTIVE", "LOCKED_OUT", "PROVISIONED"}, u.status) {
		return answer{}, &failure{403, "E0000016", "Activation failed because the user is already active", nil}
	}
	if u.becomes != "" || !slices.Contains(rule.in, u.status) {
		return answer{}, s.wrongStatus()
	}
	done := answer{status: 200, body: map[string]any{}}
	switch operation {
	case "activate", "reactivate":
		if r.query.Get("sendEmail") == "true" || operation == "activate" && r.query.Get("sendEmail") == "" {
			s.mails = append(s.mails, "activation")
		} else {
			done.body = map[string]any{"activationUrl": "https://example.okta.com/welcome/x", "activationToken": "x"}
		}
	case "reset_factors":
		u.factors = false
	case "deactivate":
		if s.switches.EmptyDeactivate {
			s.door.Spring("EmptyDeactivate")
			done = answer{status: http.StatusNoContent}
		}
	}
	switch rule.becomes {
	case "":
	case "ACTIVE", "DEPROVISIONED":
		if operation == "unsuspend" || operation == "unlock" {
			u.status = "ACTIVE"
			s.touch(u)
			break
		}
		s.begin(u, rule.becomes)
	default:
		u.status = rule.becomes
		s.touch(u)
	}
	return done, nil
}

func (s *Service) endSessions(r request) (answer, error) {
	u, err := s.one(r)
	if err != nil {
		return answer{}, err
	}
	u.sessions = r.query.Get("oauthTokens") != "true" && u.sessions
	return answer{status: http.StatusNoContent}, nil
}
