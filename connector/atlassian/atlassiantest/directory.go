package atlassiantest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func (s *Service) organisation(request) (int, any, error) {
	return http.StatusOK, map[string]any{"data": map[string]any{"id": s.options.Org, "type": "orgs", "attributes": map[string]any{"name": "Acme"}}}, nil
}

func (s *Service) directories(request) (int, any, error) {
	all := []any{map[string]any{"directoryId": s.options.Directory, "name": "Acme"}}
	if s.switches.SecondOne {
		s.door.Spring("SecondOne")
		all = append(all, map[string]any{"directoryId": "another", "name": "Other"})
	}
	return http.StatusOK, map[string]any{"data": all, "links": map[string]any{}}, nil
}

// page returns a part of a list. A cursor is a place in it.
func (s *Service) page(r request, all []any) (int, any, error) {
	size := 50
	if limit, is := r.fields["limit"].(float64); is {
		size = int(limit)
	}
	if size < 1 || size > 100 {
		return 0, nil, errBadRequest
	}
	if most := s.switches.PageSize; most > 0 && most < len(all) {
		s.door.Spring("PageSize")
		size = min(size, most)
	}
	if s.switches.Mute {
		s.door.Spring("Mute")
		return http.StatusOK, map[string]any{"links": map[string]any{}}, nil
	}
	from := 0
	if cursor := r.text("cursor"); cursor != "" {
		var err error
		if from, err = strconv.Atoi(strings.TrimPrefix(cursor, "c")); err != nil || from < 0 {
			return 0, nil, errBadRequest
		}
	}
	until := min(from+size, len(all))
	links := map[string]any{}
	switch {
	case until < len(all):
		links["next"] = "c" + strconv.Itoa(until)
	case s.switches.Circle:
		s.door.Spring("Circle")
		links["next"] = "c0"
	case s.switches.NullLinks:
		s.door.Spring("NullLinks")
		links["next"] = nil
	}
	return http.StatusOK, map[string]any{"data": append([]any{}, all[min(from, until):until]...), "links": links}, nil
}

// show returns a user as the directory shows it.
func (s *Service) show(u *user, expand []string) map[string]any {
	claim, status := "unmanaged", "active"
	if u.managed {
		claim = "managed"
	}
	switch {
	case u.deleting:
		status = "for_deletion"
	case u.account != "active":
		status = "deactivated"
	case u.membership == "suspended":
		status = "suspended"
	case u.membership == "no_membership":
		status = "not_invited"
	}
	shown := map[string]any{
		"accountId": u.id, "accountType": u.kind, "status": status, "accountStatus": u.account, "membershipStatus": u.membership,
		"addedToOrg": u.added, "name": "Somebody", "nickname": "Some", "email": u.email, "emailVerified": true, "claimStatus": claim,
		"department": nil, "managementSource": nil,
	}
	if slices.Contains(expand, "platformRoles") {
		shown["platformRoles"] = append([]string{}, u.roles...)
	}
	if slices.Contains(expand, "groups") {
		groups := []any{}
		for i, name := range s.groups {
			if id := groupID(i); u.groups[id] {
				groups = append(groups, map[string]any{"id": id, "name": name, "description": nil})
			}
		}
		shown["groups"] = groups
	}
	return shown
}

func groupID(i int) string { return "g-" + strconv.Itoa(i+1) }

// visible reports whether the directory shows a user: its members, and all managed accounts.
func (u *user) visible() bool {
	return u.account != "closed" && (u.managed || u.membership != "no_membership")
}

func (s *Service) searchUsers(r request) (int, any, error) {
	ids, emails := r.texts("accountIds"), r.texts("emails")
	var found []any
	for _, u := range s.users {
		same := func(email string) bool { return strings.EqualFold(email, u.email) }
		fits := u.visible() && (len(ids) == 0 || slices.Contains(ids, u.id)) && (len(emails) == 0 || slices.ContainsFunc(emails, same)) &&
			(r.text("claimStatus") != "managed" || u.managed)
		if fits && u.late && s.switches.Lags {
			s.door.Spring("Lags")
			fits = false
		}
		if fits {
			shown := s.show(u, r.texts("expand"))
			if s.switches.Stale {
				s.door.Spring("Stale")
				shown["status"], shown["accountStatus"], shown["membershipStatus"] = "deactivated", "inactive", "suspended"
			}
			found = append(found, shown)
		}
	}
	return s.page(r, found)
}

func (s *Service) one(r request) (*user, error) {
	if u := s.of(r.PathValue("id")); u != nil && u.visible() {
		return u, nil
	}
	return nil, errUnknown
}

func (s *Service) details(r request) (int, any, error) {
	u, err := s.one(r)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]any{"data": s.show(u, []string{"platformRoles"})}, nil
}

func (s *Service) remove(r request) (int, any, error) {
	u, err := s.one(r)
	if err != nil || u.membership == "no_membership" {
		return 0, nil, errUnknown
	}
	u.membership = "no_membership"
	clear(u.groups)
	return http.StatusNoContent, nil, nil
}

func (s *Service) suspend(r request) (int, any, error) {
	u, err := s.one(r)
	switch {
	case err != nil || u.membership == "no_membership":
		return 0, nil, errUnknown
	case slices.Contains(u.roles, "atlassian/org-admin"): // "cannot be used on organization administrators"
		return 0, nil, errBadRequest
	}
	u.membership = "suspended"
	return http.StatusNoContent, nil, nil
}

func (s *Service) restore(r request) (int, any, error) {
	u, err := s.one(r)
	if err != nil || u.membership != "suspended" {
		return 0, nil, errUnknown
	}
	u.membership = "active"
	return http.StatusNoContent, nil, nil
}

func (s *Service) searchGroups(r request) (int, any, error) {
	names := r.texts("groupNames")
	var found []any
	for i, name := range s.groups {
		same := func(one string) bool { return strings.EqualFold(one, name) }
		if len(names) == 0 || slices.ContainsFunc(names, same) {
			found = append(found, map[string]any{"id": groupID(i), "name": name, "directoryId": s.options.Directory, "externalSynced": s.switches.Synced})
		}
	}
	return s.page(r, found)
}

func (s *Service) knowsGroup(id string) bool {
	number, err := strconv.Atoi(strings.TrimPrefix(id, "g-"))
	return err == nil && number >= 1 && number <= len(s.groups)
}

func (s *Service) join(r request) (int, any, error) {
	u := s.of(r.text("accountId"))
	switch {
	case !s.knowsGroup(r.PathValue("group")):
		return 0, nil, errUnknownGroup
	case u == nil || !u.visible() || u.membership == "no_membership" || u.deleting:
		return 0, nil, errUnknown
	case s.switches.Synced:
		s.door.Spring("Synced")
		return 0, nil, &failure{403, "ADMIN-UAM-403-1"}
	case u.groups[r.PathValue("group")]:
		return 0, nil, errConflict
	case s.switches.NoSeats:
		s.door.Spring("NoSeats")
		return 0, nil, errNoSeat
	}
	u.groups[r.PathValue("group")] = true
	return http.StatusNoContent, nil, nil
}

func (s *Service) leave(r request) (int, any, error) {
	u, err := s.one(r)
	switch {
	case !s.knowsGroup(r.PathValue("group")):
		return 0, nil, errUnknownGroup
	case err != nil || !u.groups[r.PathValue("group")]:
		return 0, nil, errUnknown
	case s.switches.Synced:
		s.door.Spring("Synced")
		return 0, nil, &failure{403, "ADMIN-UAM-403-1"}
	}
	delete(u.groups, r.PathValue("group"))
	return http.StatusNoContent, nil, nil
}

// invite puts somebody into the directory, if it puts them into a group. An address that is
// being deleted belongs to nobody else for 14 days.
func (s *Service) invite(r request) (int, any, error) {
	emails, groups := r.texts("emails"), r.texts("additionalGroups")
	if len(emails) != 1 || !strings.Contains(emails[0], "@") {
		return 0, nil, errBadRequest
	}
	for _, id := range groups {
		if !s.knowsGroup(id) {
			return 0, nil, errUnknownGroup
		}
	}
	at := slices.IndexFunc(s.users, func(u *user) bool { return u.account != "closed" && strings.EqualFold(u.email, emails[0]) })
	var u *user
	if at >= 0 {
		u = s.users[at]
		if u.deleting || u.membership != "no_membership" && !s.switches.InvitesAgain {
			return 0, nil, errConflict
		}
		if u.membership != "no_membership" {
			s.door.Spring("InvitesAgain")
		}
	} else {
		u = s.add(emails[0])
		u.membership, u.late = "no_membership", true
	}
	if sends, _ := r.fields["sendNotification"].(bool); sends && r.text("notificationText") != "" {
		s.mails++
	}
	var results []any
	for _, id := range groups {
		result := map[string]any{"group": id, "status": "INVITED", "statusReason": nil}
		if s.switches.NoSeats {
			s.door.Spring("NoSeats")
			result["status"], result["statusReason"] = "ERROR", "limit"
		} else {
			u.groups[id] = true
			if u.membership == "no_membership" {
				u.membership = "active"
			}
		}
		results = append(results, result)
	}
	status := http.StatusOK
	if s.switches.NoSeats {
		status = http.StatusPartialContent
	}
	return status, map[string]any{"data": []any{map[string]any{
		"id": u.id, "email": u.email, "results": []any{map[string]any{"roleAssignmentResult": []any{}, "groupAssignmentResult": results}},
	}}}, nil
}

func (s *Service) assign(r request) (int, any, error) {
	u, err := s.one(r)
	role := r.text("role")
	if err != nil {
		return 0, nil, err
	}
	if !slices.Contains([]string{"atlassian/org-admin", "atlassian/site-admin", "atlassian/user-access-admin", "atlassian/ai-access"}, role) {
		return 0, nil, errBadRequest
	}
	has := slices.Contains(u.roles, role)
	switch r.PathValue("how") {
	case "assign":
		if has {
			return 0, nil, errConflict
		}
		u.roles = append(u.roles, role)
	case "revoke":
		if !has {
			return 0, nil, errUnknown
		}
		u.roles = slices.DeleteFunc(u.roles, func(one string) bool { return one == role })
	default:
		return 0, nil, errUnknown
	}
	return http.StatusNoContent, nil, nil
}
