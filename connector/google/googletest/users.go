package googletest

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var localPart = regexp.MustCompile(`^[A-Za-z0-9_'-]+(\.[A-Za-z0-9_'-]+)*$`)

// readOnly lists the members of a user that are ignored in requests.
var readOnly = []string{
	"agreedToTerms", "aliases", "archivalTime", "creationTime", "customerId", "deletionTime", "etag", "id", "isAdmin", "isDelegatedAdmin",
	"isEnforcedIn2Sv", "isEnrolledIn2Sv", "isMailboxSetup", "kind", "lastLoginTime", "nonEditableAliases", "suspensionReason", "suspensionTime",
	"thumbnailPhotoEtag", "thumbnailPhotoUrl",
}

// lists are the members of a user that hold lists.
var lists = []string{"addresses", "emails", "externalIds", "ims", "keywords", "languages", "locations", "organizations", "phones", "posixAccounts", "relations", "sshPublicKeys", "websites"}

// orgUnits are the org units that there are.
var orgUnits = []string{"/", "/Staff", "/Leavers"}

// check checks the members of a user that a request sets.
func (s *Service) check(body map[string]any, self *person) *problem {
	if value, set := body["primaryEmail"]; set {
		email, _ := value.(string)
		local, domain, _ := strings.Cut(email, "@")
		switch {
		case domain != Domain:
			return forbidden
		case !localPart.MatchString(local) || len(local) > 64:
			return invalid("primary_user_email")
		case s.taken(email, self):
			return duplicate
		}
	}
	if value, set := body["name"]; set {
		name, _ := value.(map[string]any)
		for _, part := range []string{"givenName", "familyName"} {
			if text, _ := name[part].(string); text == "" || len([]rune(text)) > 60 {
				return invalid("INVALID_GIVEN_OR_FAMILY_NAME")
			}
		}
	}
	if value, set := body["password"]; set {
		if text, _ := value.(string); len(text) < 8 || len(text) > 100 {
			return invalid("Password")
		}
	}
	if value, set := body["orgUnitPath"]; set && !slices.ContainsFunc(orgUnits, func(unit string) bool { return unit == value }) {
		return invalid("INVALID_OU_ID")
	}
	for _, name := range []string{"suspended", "archived", "includeInGlobalAddressList", "changePasswordAtNextLogin"} {
		if value, set := body[name]; set {
			if _, is := value.(bool); !is {
				return invalid(name)
			}
		}
	}
	return checkLists(body)
}

// checkLists checks that lists are lists of objects with types that Google knows, and not
// too long.
func checkLists(body map[string]any) *problem {
	for _, name := range lists {
		value, set := body[name]
		if !set || value == nil {
			continue
		}
		items, is := value.([]any)
		raw, _ := json.Marshal(value)
		if !is || len(raw) > 10<<10 || name == "externalIds" && len(raw) > 2<<10 {
			return invalid(name)
		}
		for _, item := range items {
			entry, is := item.(map[string]any)
			custom := entry["type"] == "custom"
			if !is || custom != (entry["customType"] != nil && entry["customType"] != "") {
				return invalid(name)
			}
			if name == "externalIds" && !slices.Contains([]string{"account", "custom", "customer", "login_id", "network", "organization"}, entry["type"].(string)) {
				return invalid(name)
			}
		}
	}
	return nil
}

func (s *Service) insertUser(_ *http.Request, body map[string]any) (any, *problem) {
	for _, required := range []string{"primaryEmail", "name", "password"} {
		if body[required] == nil {
			return nil, &problem{400, "required", "Missing required field: " + required}
		}
	}
	if bad := s.check(body, nil); bad != nil {
		return nil, bad
	}
	user := map[string]any{}
	p := s.add(map[string]any{"primaryEmail": body["primaryEmail"]})
	s.merge(p, body, true)
	maps.Copy(user, p.shown())
	return user, nil
}

// shown returns the user as answers show it: without the password.
func (p *person) shown() map[string]any {
	user := maps.Clone(p.user)
	delete(user, "password")
	return user
}

// merge changes a user as a PUT does, which has patch semantics: what is missing stays, null
// clears, lists are replaced. A PATCH cannot clear lists.
func (s *Service) merge(p *person, body map[string]any, clears bool) {
	for name, value := range body {
		items, isList := value.([]any)
		switch {
		case slices.Contains(readOnly, name) || name == "hashFunction":
		case name == "password":
			p.password, _ = value.(string)
		case name == "primaryEmail":
			if email := value.(string); email != p.user[name] {
				s.rename(p, email)
			}
		case slices.Contains(lists, name) && (value == nil || isList && len(items) == 0):
			if clears {
				delete(p.user, name)
			}
		case value == nil || value == "":
			delete(p.user, name)
		case name == "organizations":
			p.user[name] = s.forget(items)
		case name == "customSchemas":
			p.user[name] = withoutNulls(value.(map[string]any))
		case name == "name":
			kept := maps.Clone(value.(map[string]any))
			maps.DeleteFunc(kept, func(_ string, v any) bool { return v == nil || v == "" })
			kept["fullName"] = kept["givenName"].(string) + " " + kept["familyName"].(string)
			p.user[name] = kept
		default:
			p.user[name] = value
		}
	}
}

func withoutNulls(schemas map[string]any) map[string]any {
	kept := map[string]any{}
	for schema, fields := range schemas {
		fields := maps.Clone(fields.(map[string]any))
		maps.DeleteFunc(fields, func(_ string, v any) bool { return v == nil })
		if len(fields) > 0 {
			kept[schema] = fields
		}
	}
	return kept
}

// forget returns the entries without the members that are not kept.
func (s *Service) forget(entries []any) []any {
	kept := []any{}
	for _, entry := range entries {
		entry := maps.Clone(entry.(map[string]any))
		maps.DeleteFunc(entry, func(name string, _ any) bool { return s.door.Forgets(name) })
		kept = append(kept, entry)
	}
	return kept
}

func (s *Service) listUsers(r *http.Request, _ map[string]any) (any, *problem) {
	q := r.URL.Query()
	if q.Get("customer") != "my_customer" && q.Get("customer") != Customer {
		return nil, &problem{400, "badRequest", "Bad Request"}
	}
	matches := func(*person) bool { return true }
	if query := q.Get("query"); query != "" {
		value, ok := unquote(query)
		if !ok {
			return nil, invalid("query")
		}
		matches = func(p *person) bool { return p.carries(value) }
	}
	users := []any{}
	for _, id := range s.order {
		p := s.people[id]
		deleted := !p.deleted.IsZero()
		if deleted != (q.Get("showDeleted") == "true") || !matches(p) {
			continue
		}
		if q.Get("query") != "" && takes(&p.lag, p.late) {
			s.door.Spring("SearchesLag")
			continue
		}
		users = append(users, p.shown())
	}
	return page(r, "admin#directory#users", "users", users, 500)
}

// unquote reads a query of the form externalId='VALUE' ("Search for users").
func unquote(query string) (string, bool) {
	value, ok := strings.CutPrefix(query, "externalId='")
	if !ok || !strings.HasSuffix(value, "'") {
		return "", false
	}
	value = strings.TrimSuffix(value, "'")
	return strings.NewReplacer(`\\`, `\`, `\'`, `'`).Replace(value), true
}

// carries reports whether the user has an external ID of any type.
func (p *person) carries(value string) bool {
	entries, _ := p.user["externalIds"].([]any)
	return slices.ContainsFunc(entries, func(e any) bool {
		text, _ := e.(map[string]any)["value"].(string)
		return strings.EqualFold(text, value)
	})
}

// user returns the user of a request. A user who is new may not be there yet.
func (s *Service) user(r *http.Request) (*person, *problem) {
	key := r.PathValue("user")
	if _, domain, whole := strings.Cut(key, "@"); whole && !strings.EqualFold(domain, Domain) {
		return nil, forbidden
	}
	p := s.byKey(key)
	if p == nil {
		return nil, notFound("userKey")
	}
	if takes(&p.hidden, p.late) {
		s.door.Spring("NotFoundAfterCreate")
		return nil, notFound("userKey")
	}
	if r.Method != http.MethodGet && takes(&p.unfinished, p.late) {
		s.door.Spring("CreationIncomplete")
		return nil, &problem{412, "conditionNotMet", "User creation is not complete."}
	}
	return p, nil
}

func (s *Service) getUser(r *http.Request, _ map[string]any) (any, *problem) {
	p, bad := s.user(r)
	if bad != nil {
		return nil, bad
	}
	shown := p.shown()
	if takes(&p.nameless, p.late) {
		s.door.Spring("NamelessReads")
		delete(shown, "name")
	}
	if r.URL.Query().Get("projection") != "full" {
		delete(shown, "customSchemas")
	}
	return shown, nil
}

func (s *Service) updateUser(r *http.Request, body map[string]any) (any, *problem) {
	p, bad := s.user(r)
	if bad != nil {
		return nil, bad
	}
	if bad := s.check(body, p); bad != nil {
		return nil, bad
	}
	s.merge(p, body, r.Method == http.MethodPut)
	return p.shown(), nil
}

func (s *Service) deleteUser(r *http.Request, _ map[string]any) (any, *problem) {
	p, bad := s.user(r)
	if bad != nil {
		return nil, bad
	}
	p.deleted = time.Now()
	for _, g := range s.groups {
		g.members = slices.DeleteFunc(g.members, func(m *membership) bool { return m.id == p.user["id"] })
	}
	s.assigned = slices.DeleteFunc(s.assigned, func(a map[string]any) bool { return a["assignedTo"] == p.user["id"] })
	for _, l := range s.licences {
		l.drop(p.user["primaryEmail"].(string))
	}
	return nil, nil
}

func (s *Service) undeleteUser(r *http.Request, body map[string]any) (any, *problem) {
	p := s.people[r.PathValue("user")] // only by the immutable ID
	if p == nil || p.deleted.IsZero() || time.Since(p.deleted) > maxDeleted {
		return nil, notFound("userKey")
	}
	if s.taken(p.user["primaryEmail"].(string), p) {
		return nil, duplicate
	}
	if bad := s.check(map[string]any{"orgUnitPath": body["orgUnitPath"]}, p); bad != nil {
		return nil, bad
	}
	p.deleted = time.Time{}
	p.user["suspended"], p.user["orgUnitPath"] = true, body["orgUnitPath"]
	return nil, nil
}

func (s *Service) insertAlias(r *http.Request, body map[string]any) (any, *problem) {
	p, bad := s.user(r)
	if bad != nil {
		return nil, bad
	}
	alias, _ := body["alias"].(string)
	if alias == "" || s.taken(alias, nil) {
		return nil, duplicate
	}
	aliases, _ := p.user["aliases"].([]any)
	p.user["aliases"] = append(slices.Clone(aliases), alias)
	return map[string]any{"kind": "admin#directory#alias", "alias": alias, "id": p.user["id"]}, nil
}

func (s *Service) deleteAlias(r *http.Request, _ map[string]any) (any, *problem) {
	p, bad := s.user(r)
	if bad != nil {
		return nil, bad
	}
	aliases, _ := p.user["aliases"].([]any)
	left := slices.DeleteFunc(slices.Clone(aliases), func(a any) bool { return a == r.PathValue("alias") })
	if len(left) == len(aliases) {
		return nil, notFound("resource_id")
	}
	p.user["aliases"] = left
	return nil, nil
}

func (s *Service) signOut(r *http.Request, _ map[string]any) (any, *problem) {
	p, bad := s.user(r)
	if bad == nil {
		p.signOuts++
	}
	return nil, bad
}

func (s *Service) listTokens(r *http.Request, _ map[string]any) (any, *problem) {
	p, bad := s.user(r)
	if bad != nil {
		return nil, bad
	}
	items := []any{}
	for _, client := range p.oauth {
		items = append(items, map[string]any{"kind": "admin#directory#token", "clientId": client, "userKey": p.user["id"], "scopes": []any{"https://mail.google.com/"}})
	}
	return map[string]any{"kind": "admin#directory#tokenList", "etag": `"e"`, "items": items}, nil
}

func (s *Service) deleteToken(r *http.Request, _ map[string]any) (any, *problem) {
	p, bad := s.user(r)
	if bad != nil {
		return nil, bad
	}
	left := slices.DeleteFunc(slices.Clone(p.oauth), func(client string) bool { return client == r.PathValue("client") })
	if len(left) == len(p.oauth) {
		return nil, notFound("clientId")
	}
	p.oauth = left
	return nil, nil
}

func (s *Service) listPasswords(r *http.Request, _ map[string]any) (any, *problem) {
	p, bad := s.user(r)
	if bad != nil {
		return nil, bad
	}
	answer := map[string]any{"kind": "admin#directory#aspList", "etag": `"e"`}
	items := []any{}
	for _, code := range p.asps {
		items = append(items, map[string]any{"kind": "admin#directory#asp", "codeId": code, "name": "Mail", "userKey": p.user["id"]})
	}
	if len(items) > 0 {
		answer["items"] = items
	}
	return answer, nil
}

func (s *Service) deletePassword(r *http.Request, _ map[string]any) (any, *problem) {
	p, bad := s.user(r)
	if bad != nil {
		return nil, bad
	}
	left := slices.DeleteFunc(slices.Clone(p.asps), func(code int) bool { return strconv.Itoa(code) == r.PathValue("code") })
	if len(left) == len(p.asps) {
		return nil, notFound("codeId")
	}
	p.asps = left
	return nil, nil
}

// invalidateCodes refuses a suspended user, as the tool GAM documents. With what error
// Google does so is not documented.
func (s *Service) invalidateCodes(r *http.Request, _ map[string]any) (any, *problem) {
	p, bad := s.user(r)
	switch {
	case bad != nil:
		return nil, bad
	case p.user["suspended"] == true || p.user["archived"] == true:
		return nil, &problem{400, "failedPrecondition", "User is suspended."}
	}
	p.codes = false
	return nil, nil
}

// turnOff turns the second factor off, unless it is enforced, or the user is not enrolled or
// suspended (twoStepVerification.turnOff).
func (s *Service) turnOff(r *http.Request, _ map[string]any) (any, *problem) {
	p, bad := s.user(r)
	switch {
	case bad != nil:
		return nil, bad
	case p.user["suspended"] == true || p.user["isEnrolledIn2Sv"] != true || p.user["isEnforcedIn2Sv"] == true:
		return nil, &problem{400, "failedPrecondition", "Precondition check failed."}
	}
	p.user["isEnrolledIn2Sv"] = false
	return nil, nil
}
