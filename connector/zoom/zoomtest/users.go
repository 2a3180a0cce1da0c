package zoomtest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// known lists the fields of a user that can be changed ("Update a user").
var known = []string{
	"company", "cost_center", "custom_attributes", "dept", "display_name", "first_name", "job_title", "language", "last_name", "location",
	"manager", "timezone", "type",
}

const transfers = "transfer_meeting transfer_webinar transfer_recording transfer_whiteboard transfer_clipfiles transfer_notes transfer_docs"

type person struct {
	fields   map[string]any
	old      []string // addresses
	sessions bool
	events   bool // upcoming Zoom Events
}

func (p *person) text(name string) string {
	text, _ := p.fields[name].(string)
	return text
}

func (p *person) status() string { return p.text("status") }

// AddUser adds a user as an administrator does, and returns the ID.
func (s *Service) AddUser(fields map[string]any) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(fields)
}

func (s *Service) add(fields map[string]any) string {
	s.next++
	id := fmt.Sprintf("Zm%06dAbCdEf", s.next)
	all := map[string]any{
		"id": id, "status": "active", "type": 1, "role_id": "2", "created_at": time.Now().UTC().Format(time.RFC3339),
		"group_ids": []string{}, "custom_attributes": []any{}, "verified": 1, "pmi": 1234567890,
	}
	maps.Copy(all, fields)
	s.users = append(s.users, &person{fields: all, sessions: all["status"] == "active"})
	return id
}

// Field returns a field of a user; nil if there is none.
func (s *Service) Field(id, name string) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.find(id); p != nil {
		return p.fields[name]
	}
	return nil
}

// SetField sets a field of a user. A new address leaves the old one as one of theirs.
func (s *Service) SetField(id, name string, value any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.find(id)
	if name == "email" {
		p.old = append(p.old, p.text("email"))
	}
	p.fields[name] = value
}

// Accept has everybody who is pending accept the invitation.
func (s *Service) Accept() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.users {
		if p.status() == "pending" {
			p.fields["status"], p.sessions = "active", true
		}
	}
}

// SetEvents gives a user upcoming events.
func (s *Service) SetEvents(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.find(id).events = true
}

// Sessions reports whether a user is signed in.
func (s *Service) Sessions(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(id).sessions
}

// find returns a user by the ID, by an address, or "me"; nil if there is none.
func (s *Service) find(key string) *person {
	for _, p := range s.users {
		if p.text("id") == key || strings.EqualFold(p.text("email"), key) || key == "me" && p.text("email") == Owner {
			return p
		}
	}
	for _, p := range s.users {
		if slices.ContainsFunc(p.old, func(old string) bool { return strings.EqualFold(old, key) }) {
			return p
		}
	}
	return nil
}

func (s *Service) one(key string) (*person, error) {
	if p := s.find(key); p != nil {
		return p, nil
	}
	if s.elsewhere[strings.ToLower(key)] {
		return nil, refuse(1010, "User not found on this account: "+key)
	}
	return nil, &failure{http.StatusNotFound, 1001, "User does not exist: " + key}
}

func (s *Service) list(r request) (int, any, error) {
	status := r.query.Get("status")
	if status == "" {
		status = "active"
	}
	var found []any
	for _, p := range s.users {
		if p.status() != status {
			continue
		}
		without := []string{"job_title", "company", "location", "cost_center", "manager", "language"}
		if r.query.Get("include_fields") != "custom_attributes" {
			without = append(without, "custom_attributes")
		}
		if status == "pending" {
			without = append(without, "id")
		}
		found = append(found, copied(p.fields, without...))
	}
	return s.page(r, "users", found)
}

func (s *Service) get(r request) (int, any, error) {
	p, err := s.one(r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	if p.status() != "pending" {
		return http.StatusOK, p.fields, nil
	}
	now := time.Now().UTC().Format(time.RFC3339Nano)
	if s.switches.BarePending {
		s.door.Spring("BarePending")
		return http.StatusOK, map[string]any{"id": p.fields["id"], "created_at": now}, nil
	}
	shown := copied(p.fields)
	shown["created_at"] = now
	return http.StatusOK, shown, nil
}

func (s *Service) create(r request) (int, any, error) {
	action, _ := r.body["action"].(string)
	info, _ := r.body["user_info"].(map[string]any)
	email, _ := info["email"].(string)
	kind, typed := info["type"].(float64)
	for name := range info {
		if !slices.Contains([]string{"email", "first_name", "last_name", "display_name", "password", "type"}, name) {
			return 0, nil, refuse(300, "Validation Failed.")
		}
	}
	switch {
	case action != "create" && action != "ssoCreate":
		return 0, nil, refuse(200, "No permission.")
	case strings.Count(email, "@") != 1 || !typed || kind != 1:
		return 0, nil, refuse(300, "Validation Failed.")
	case s.elsewhere[strings.ToLower(email)]:
		return 0, nil, &failure{http.StatusConflict, 1009, "The user " + email + " already holds an active account."}
	}
	if p := s.find(email); p != nil && strings.EqualFold(p.text("email"), email) {
		return 0, nil, &failure{http.StatusConflict, 1005, "User already in the account: " + email}
	}
	fields := map[string]any{"status": "active"}
	for name, value := range info {
		if !s.door.Forgets(name) {
			fields[name] = value
		}
	}
	fields["type"] = int(kind)
	if action == "create" {
		fields["status"] = "pending"
	}
	id := s.add(fields)
	shown := copied(info, "password")
	shown["id"] = id
	return http.StatusCreated, shown, nil
}

func (s *Service) licensed() int {
	n := 0
	for _, p := range s.users {
		if p.fields["type"] == 2 {
			n++
		}
	}
	return n
}

func (s *Service) update(r request) (int, any, error) {
	p, err := s.one(r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	if p.status() == "pending" && s.switches.PendingUnset {
		s.door.Spring("PendingUnset")
		return 0, nil, refuse(1000, "You can not access settings of users that are still in pending state.")
	}
	if kind, ok := r.body["type"].(float64); ok && kind == 2 && p.fields["type"] != 2 && s.licensed() >= s.seats {
		if !s.switches.SilentSeats {
			return 0, nil, refuse(300, "You have reached the limit of licensed users.")
		}
		s.door.Spring("SilentSeats")
		delete(r.body, "type")
	}
	for name, value := range r.body {
		switch {
		case s.door.Forgets(name):
		case name == "type":
			kind, _ := value.(float64)
			p.fields[name] = int(kind)
		case name == "custom_attributes":
			list, ok := value.([]any)
			if !ok {
				return 0, nil, refuse(300, "Validation Failed.")
			}
			p.fields[name] = s.merged(p, list)
		default:
			if _, ok := value.(string); !ok {
				return 0, nil, refuse(300, "Validation Failed.")
			}
			p.fields[name] = value
		}
	}
	return http.StatusNoContent, nil, nil
}

// merged returns the custom attributes after a change.
func (s *Service) merged(p *person, list []any) []any {
	if s.switches.CustomReplaced {
		s.door.Spring("CustomReplaced")
		return list
	}
	after, _ := p.fields["custom_attributes"].([]any)
	after = slices.Clone(after)
	for _, one := range list {
		key := one.(map[string]any)["key"]
		i := slices.IndexFunc(after, func(other any) bool { return other.(map[string]any)["key"] == key })
		if i < 0 {
			after = append(after, one)
		} else {
			after[i] = one
		}
	}
	return after
}

func (s *Service) remove(r request) (int, any, error) {
	p, err := s.one(r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	action, to := r.query.Get("action"), r.query.Get("transfer_email")
	switch {
	case s.switches.Leaving:
		s.door.Spring("Leaving")
		return 0, nil, &failure{http.StatusTooManyRequests, 429, "Too many concurrent requests. A request to disassociate this user has already been made."}
	case p.text("role_id") == "0":
		return 0, nil, refuse(200, "Cannot delete the owner.")
	case p.status() == "pending" && action == "delete":
		return 0, nil, refuse(300, "Use disassociate for pending users.")
	case to == "" && p.events:
		return 0, nil, refuse(300, "This user has published events, and no transfer user was specified.")
	}
	if to != "" {
		if strings.EqualFold(to, p.text("email")) {
			return 0, nil, refuse(300, "The transfer-to email address cannot be the same as the unlinked or deleted user's email address.")
		}
		_, err := s.one(to)
		if err == nil && s.switches.RecipientGone {
			s.door.Spring("RecipientGone")
		}
		if err != nil || s.switches.RecipientGone {
			return 0, nil, &failure{http.StatusNotFound, 1001, "User does not exist: " + to}
		}
	}
	s.gone = append(s.gone, r.query)
	if action != "delete" && p.status() != "pending" { // the default
		s.elsewhere[strings.ToLower(p.text("email"))] = true
		s.elsewhere[strings.ToLower(p.text("id"))] = true
	}
	s.users = slices.DeleteFunc(s.users, func(other *person) bool { return other == p })
	return http.StatusNoContent, nil, nil
}

func (s *Service) setStatus(r request) (int, any, error) {
	p, err := s.one(r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	to, ok := map[any]string{"activate": "active", "deactivate": "inactive"}[r.body["action"]]
	switch {
	case !ok:
		return 0, nil, refuse(300, "Validation Failed.")
	case p.status() == "pending":
		return 0, nil, refuse(300, "This user is pending.")
	case p.text("role_id") == "0":
		return 0, nil, refuse(200, "Cannot deactivate the owner.")
	}
	p.fields["status"] = to
	return http.StatusNoContent, nil, nil
}

func (s *Service) setEmail(r request) (int, any, error) {
	p, err := s.one(r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	email, _ := r.body["email"].(string)
	if other := s.find(email); other != nil && other != p && strings.EqualFold(other.text("email"), email) {
		return 0, nil, &failure{http.StatusConflict, 1005, "Email has already been used: " + email}
	}
	p.old = append(p.old, p.text("email"))
	p.fields["email"] = email
	return http.StatusNoContent, nil, nil
}

func (s *Service) endSession(r request) (int, any, error) {
	p, err := s.one(r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	p.sessions = false
	return http.StatusNoContent, nil, nil
}

func (s *Service) listGroups(r request) (int, any, error) {
	var all []any
	for i, name := range s.groups {
		all = append(all, map[string]any{"id": fmt.Sprint("g", i), "name": name, "total_members": 1})
	}
	return s.page(r, "groups", all)
}

func (s *Service) listRoles(r request) (int, any, error) {
	var all []any
	for i, name := range s.roles {
		all = append(all, map[string]any{"id": strconv.Itoa(i), "name": name, "description": "", "total_members": 1})
	}
	return s.page(r, "roles", all)
}

// member returns the user that a request adds.
func (s *Service) member(r request) (*person, error) {
	members, _ := r.body["members"].([]any)
	if len(members) != 1 {
		return nil, refuse(300, "Validation Failed.")
	}
	id, _ := members[0].(map[string]any)["id"].(string)
	return s.one(id)
}

func (s *Service) group(r request) (string, error) {
	id := r.PathValue("group")
	if i, err := strconv.Atoi(strings.TrimPrefix(id, "g")); err != nil || i < 0 || i >= len(s.groups) {
		return "", &failure{http.StatusNotFound, 4130, "A group with this id does not exist."}
	}
	return id, nil
}

func (s *Service) join(r request) (int, any, error) {
	group, err := s.group(r)
	if err != nil {
		return 0, nil, err
	}
	p, err := s.member(r)
	if err != nil {
		return 0, nil, err
	}
	has, _ := p.fields["group_ids"].([]string)
	if slices.Contains(has, group) {
		return 0, nil, refuse(300, "The member is already in the group.")
	}
	p.fields["group_ids"] = append(slices.Clone(has), group)
	return http.StatusCreated, map[string]any{"ids": p.text("id"), "added_at": time.Now().UTC().Format(time.RFC3339)}, nil
}

func (s *Service) leave(r request) (int, any, error) {
	group, err := s.group(r)
	if err != nil {
		return 0, nil, err
	}
	p, err := s.one(r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	has, _ := p.fields["group_ids"].([]string)
	p.fields["group_ids"] = slices.DeleteFunc(slices.Clone(has), func(id string) bool { return id == group })
	return http.StatusNoContent, nil, nil
}

func (s *Service) assign(r request) (int, any, error) {
	p, err := s.member(r)
	if err != nil {
		return 0, nil, err
	}
	role, err := strconv.Atoi(r.PathValue("role"))
	if err != nil || role <= 0 || role >= len(s.roles) {
		return 0, nil, refuse(300, "You cannot assign this role.")
	}
	p.fields["role_id"] = strconv.Itoa(role)
	return http.StatusCreated, map[string]any{"ids": p.text("id"), "add_at": time.Now().UTC().Format(time.RFC3339)}, nil
}

func (s *Service) unassign(r request) (int, any, error) {
	p, err := s.one(r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	if p.text("role_id") != r.PathValue("role") || p.text("role_id") == "0" {
		return 0, nil, refuse(300, "The user does not have this role, or is the owner.")
	}
	p.fields["role_id"] = "2"
	return http.StatusNoContent, nil, nil
}

func (s *Service) usage(request) (int, any, error) {
	return http.StatusOK, map[string]any{
		"plan_base":    map[string]any{"type": "monthly", "hosts": s.seats, "usage": s.licensed()},
		"plan_webinar": []any{map[string]any{"type": "webinar500_monthly", "hosts": 1, "usage": 1}},
	}, nil
}
