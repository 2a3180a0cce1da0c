package googletest

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

func (g *group) shown() map[string]any {
	return map[string]any{"kind": "admin#directory#group", "id": g.id, "email": g.email, "name": g.email, "directMembersCount": strconv.Itoa(len(g.members))}
}

func (s *Service) listGroups(r *http.Request, _ map[string]any) (any, *problem) {
	q := r.URL.Query()
	key, customer := q.Get("userKey"), q.Get("customer")
	if (key == "") == (customer == "") {
		return nil, &problem{400, "badRequest", "Bad Request"}
	}
	userID := ""
	if key != "" {
		p := s.byKey(key)
		if p == nil {
			return nil, notFound("userKey")
		}
		userID = p.user["id"].(string)
	}
	groups, lags := []any{}, false
	for _, email := range slices.Sorted(maps.Keys(s.groups)) {
		g := s.groups[email]
		if userID == "" {
			groups = append(groups, g.shown())
			continue
		}
		switch i := g.index(userID); {
		case i < 0:
		case takes(&g.members[i].lag, g.members[i].late):
			lags = true
		default:
			groups = append(groups, g.shown())
		}
	}
	if lags {
		s.door.Spring("MembershipsLag")
	}
	return page(r, "admin#directory#groups", "groups", groups, 200)
}

func (g *group) index(id string) int {
	return slices.IndexFunc(g.members, func(m *membership) bool { return m.id == id })
}

func (s *Service) group(r *http.Request) (*group, *problem) {
	if g := s.groups[strings.ToLower(r.PathValue("group"))]; g != nil {
		return g, nil
	}
	return nil, notFound("groupKey")
}

func (s *Service) getGroup(r *http.Request, _ map[string]any) (any, *problem) {
	g, bad := s.group(r)
	if bad != nil {
		return nil, bad
	}
	return g.shown(), nil
}

func (s *Service) member(m *membership) map[string]any {
	shown := map[string]any{"kind": "admin#directory#member", "id": m.id, "role": m.role, "type": "USER", "status": "ACTIVE"}
	if p := s.people[m.id]; p != nil {
		shown["email"] = p.user["primaryEmail"]
	}
	return shown
}

func (s *Service) listMembers(r *http.Request, _ map[string]any) (any, *problem) {
	g, bad := s.group(r)
	if bad != nil {
		return nil, bad
	}
	items := []any{}
	for _, m := range g.members {
		items = append(items, s.member(m))
	}
	return page(r, "admin#directory#members", "members", items, 200)
}

var groupRoles = []string{"MEMBER", "MANAGER", "OWNER"}

func (s *Service) insertMember(r *http.Request, body map[string]any) (any, *problem) {
	g, bad := s.group(r)
	if bad != nil {
		return nil, bad
	}
	email, _ := body["email"].(string)
	role, _ := body["role"].(string)
	if email == "" || !slices.Contains(groupRoles, role) {
		return nil, &problem{400, "required", "Missing required field: memberKey"}
	}
	p := s.byKey(email)
	if p == nil {
		return nil, notFound("memberKey")
	}
	id := p.user["id"].(string)
	if g.index(id) >= 0 {
		return nil, &problem{409, "duplicate", "Member already exists."}
	}
	m := &membership{id: id, role: role, late: s.lateUntil(), lag: s.switches.MembershipsLag}
	g.members = append(g.members, m)
	if s.switches.MemberAddedBut404 {
		s.door.Spring("MemberAddedBut404")
		return nil, added
	}
	return s.member(m), nil
}

// memberOf returns the group and the place of the member that a request is about.
func (s *Service) memberOf(r *http.Request) (*group, int, *problem) {
	g, bad := s.group(r)
	if bad != nil {
		return nil, 0, bad
	}
	if p := s.byKey(r.PathValue("member")); p != nil {
		if i := g.index(p.user["id"].(string)); i >= 0 {
			return g, i, nil
		}
	}
	return nil, 0, notFound("memberKey")
}

func (s *Service) getMember(r *http.Request, _ map[string]any) (any, *problem) {
	g, i, bad := s.memberOf(r)
	if bad != nil {
		return nil, bad
	}
	return s.member(g.members[i]), nil
}

func (s *Service) updateMember(r *http.Request, body map[string]any) (any, *problem) {
	g, i, bad := s.memberOf(r)
	if bad != nil {
		return nil, bad
	}
	role, _ := body["role"].(string)
	if !slices.Contains(groupRoles, role) {
		return nil, invalid("role")
	}
	g.members[i].role = role
	return s.member(g.members[i]), nil
}

func (s *Service) deleteMember(r *http.Request, _ map[string]any) (any, *problem) {
	g, i, bad := s.memberOf(r)
	if bad != nil {
		return nil, bad
	}
	g.members = slices.Delete(g.members, i, i+1)
	return nil, nil
}

func (s *Service) customer(r *http.Request) *problem {
	if key := r.PathValue("customer"); key != "my_customer" && key != Customer {
		return forbidden
	}
	return nil
}

func (s *Service) listRoles(r *http.Request, _ map[string]any) (any, *problem) {
	if bad := s.customer(r); bad != nil {
		return nil, bad
	}
	items := []any{}
	for _, role := range s.roles {
		items = append(items, role)
	}
	return page(r, "admin#directory#roles", "items", items, 100)
}

func (s *Service) listAssignments(r *http.Request, _ map[string]any) (any, *problem) {
	if bad := s.customer(r); bad != nil {
		return nil, bad
	}
	items := []any{}
	key := r.URL.Query().Get("userKey")
	p := s.byKey(key)
	if key != "" && p == nil {
		return nil, notFound("userKey")
	}
	for _, a := range s.assigned {
		if key == "" || a["assignedTo"] == p.user["id"] {
			items = append(items, a)
		}
	}
	return page(r, "admin#directory#roleAssignments", "items", items, 200)
}

func (s *Service) insertAssignment(r *http.Request, body map[string]any) (any, *problem) {
	if bad := s.customer(r); bad != nil {
		return nil, bad
	}
	to, _ := body["assignedTo"].(string)
	known := slices.ContainsFunc(s.roles, func(role map[string]any) bool { return role["roleId"] == body["roleId"] })
	switch {
	case !known || body["scopeType"] != "CUSTOMER":
		return nil, invalid("roleId")
	case s.people[to] == nil || !s.people[to].deleted.IsZero():
		return nil, notFound("userKey")
	}
	a := maps.Clone(body)
	a["kind"], a["roleAssignmentId"] = "admin#directory#roleAssignment", strconv.Itoa(5000+s.requests)
	s.assigned = append(s.assigned, a)
	return a, nil
}

func (s *Service) deleteAssignment(r *http.Request, _ map[string]any) (any, *problem) {
	left := slices.DeleteFunc(slices.Clone(s.assigned), func(a map[string]any) bool { return a["roleAssignmentId"] == r.PathValue("id") })
	if len(left) == len(s.assigned) {
		return nil, notFound("roleAssignmentId")
	}
	s.assigned = left
	return nil, nil
}

func (s *Service) licence(r *http.Request) (*licence, *problem) {
	if l := s.licences[r.PathValue("product")+"/"+r.PathValue("sku")]; l != nil {
		return l, nil
	}
	return nil, invalid("productId or skuId")
}

func (l *licence) has(address string) bool {
	return slices.ContainsFunc(l.holders, func(h string) bool { return strings.EqualFold(h, address) })
}

func (l *licence) drop(address string) {
	l.holders = slices.DeleteFunc(l.holders, func(h string) bool { return strings.EqualFold(h, address) })
}

func assigned(r *http.Request, address string) map[string]any {
	return map[string]any{"kind": "licensing#licenseAssignment", "productId": r.PathValue("product"), "skuId": r.PathValue("sku"), "userId": address}
}

func (s *Service) listLicences(r *http.Request, _ map[string]any) (any, *problem) {
	l, bad := s.licence(r)
	if bad != nil {
		return nil, bad
	}
	if r.URL.Query().Get("customerId") == "" {
		return nil, &problem{400, "required", "Required parameter: customerId"}
	}
	items := []any{}
	for _, address := range l.holders {
		items = append(items, assigned(r, address))
	}
	return page(r, "licensing#licenseAssignmentList", "items", items, 100)
}

// insertLicence refuses a user who has another licence of the product, and one more than
// there are seats.
func (s *Service) insertLicence(r *http.Request, body map[string]any) (any, *problem) {
	l, bad := s.licence(r)
	if bad != nil {
		return nil, bad
	}
	address, _ := body["userId"].(string)
	if !strings.Contains(address, "@") || s.byKey(address) == nil {
		return nil, invalid("userId")
	}
	for name, other := range s.licences {
		if strings.HasPrefix(name, r.PathValue("product")+"/") && other.has(address) {
			return nil, &problem{412, "conditionNotMet", "User already has a license for the specified product."}
		}
	}
	if len(l.holders) >= l.seats {
		return nil, &problem{412, "conditionNotMet", "There aren't enough available licenses for the specified product-SKU pair."}
	}
	l.holders = append(l.holders, address)
	return assigned(r, address), nil
}

func (s *Service) getLicence(r *http.Request, _ map[string]any) (any, *problem) {
	l, bad := s.licence(r)
	if bad != nil {
		return nil, bad
	}
	if !l.has(r.PathValue("user")) {
		return nil, &problem{404, "notFound", "User does not have a license for specified sku and product"}
	}
	return assigned(r, r.PathValue("user")), nil
}

func (s *Service) patchLicence(r *http.Request, body map[string]any) (any, *problem) {
	l, bad := s.licence(r)
	if bad != nil {
		return nil, bad
	}
	sku, _ := body["skuId"].(string)
	to := s.licences[r.PathValue("product")+"/"+sku]
	switch {
	case to == nil:
		return nil, invalid("skuId")
	case !l.has(r.PathValue("user")):
		return nil, &problem{404, "notFound", "User does not have a license for specified sku and product"}
	case len(to.holders) >= to.seats:
		return nil, &problem{412, "conditionNotMet", "There aren't enough available licenses for the specified product-SKU pair."}
	}
	l.drop(r.PathValue("user"))
	to.holders = append(to.holders, r.PathValue("user"))
	return assigned(r, r.PathValue("user")), nil
}

func (s *Service) deleteLicence(r *http.Request, _ map[string]any) (any, *problem) {
	l, bad := s.licence(r)
	if bad != nil {
		return nil, bad
	}
	if !l.has(r.PathValue("user")) {
		return nil, &problem{404, "notFound", "User does not have a license for specified sku and product"}
	}
	l.drop(r.PathValue("user"))
	return map[string]any{}, nil
}

// applications are those whose data can be transferred ("Transfer parameters").
var applications = map[string]string{"55656082996": "Drive and Docs", "435070579839": "Calendar", "810260081642": "Looker Studio"}

func (s *Service) listApplications(r *http.Request, _ map[string]any) (any, *problem) {
	items := []any{}
	for _, id := range slices.Sorted(maps.Keys(applications)) {
		items = append(items, map[string]any{"kind": "admin#datatransfer#ApplicationResource", "id": id, "name": applications[id]})
	}
	return page(r, "admin#datatransfer#applicationsList", "applications", items, 500)
}

func (s *Service) insertTransfer(_ *http.Request, body map[string]any) (any, *problem) {
	for _, end := range []string{"oldOwnerUserId", "newOwnerUserId"} {
		id, _ := body[end].(string)
		if p := s.people[id]; p == nil || !p.deleted.IsZero() {
			return nil, notFound(end)
		}
	}
	asked, _ := body["applicationDataTransfers"].([]any)
	if len(asked) == 0 {
		return nil, invalid("applicationDataTransfers")
	}
	for _, one := range asked {
		id, _ := one.(map[string]any)["applicationId"].(string)
		if applications[id] == "" {
			return nil, invalid("applicationId")
		}
	}
	body = maps.Clone(body)
	body["kind"], body["id"], body["requestTime"] = "admin#datatransfer#DataTransfer", "AKrEtI"+uuid.NewString(), time.Now().UTC().Format(instantsForm)
	m := &move{body: body, polls: s.switches.TransferPolls}
	s.moves = append(s.moves, m)
	return s.state(m), nil
}

// state returns a transfer with its status now.
func (s *Service) state(m *move) map[string]any {
	overall := "completed"
	apps := []any{}
	for _, one := range m.body["applicationDataTransfers"].([]any) {
		app := maps.Clone(one.(map[string]any))
		app["applicationTransferStatus"] = "completed"
		if slices.Contains(s.switches.TransferFails, app["applicationId"].(string)) {
			s.door.Spring("TransferFails")
			app["applicationTransferStatus"], overall = "failed", "failed"
		}
		if m.polls > 0 {
			app["applicationTransferStatus"], overall = "inProgress", "inProgress"
		}
		apps = append(apps, app)
	}
	shown := maps.Clone(m.body)
	shown["applicationDataTransfers"], shown["overallTransferStatusCode"] = apps, overall
	return shown
}

func (s *Service) getTransfer(r *http.Request, _ map[string]any) (any, *problem) {
	i := slices.IndexFunc(s.moves, func(m *move) bool { return m.body["id"] == r.PathValue("id") })
	if i < 0 {
		return nil, notFound("dataTransferId")
	}
	if s.moves[i].polls > 0 {
		s.moves[i].polls--
		s.door.Spring("TransferPolls")
	}
	return s.state(s.moves[i]), nil
}

func (s *Service) listTransfers(r *http.Request, _ map[string]any) (any, *problem) {
	items := []any{}
	q := r.URL.Query()
	for _, m := range s.moves {
		from, to := q.Get("oldOwnerUserId"), q.Get("newOwnerUserId")
		if (from == "" || from == m.body["oldOwnerUserId"]) && (to == "" || to == m.body["newOwnerUserId"]) {
			items = append(items, s.state(m))
		}
	}
	return page(r, "admin#datatransfer#dataTransfersList", "dataTransfers", items, 500)
}
