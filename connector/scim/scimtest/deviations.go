package scimtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Deviations make the service deviate from RFC 7644 as services in the field do,
// so that a call that such a service would refuse is refused. The zero value is a
// service that does not deviate.
type Deviations struct {
	ActiveFalseDeletes   bool // a user who is made inactive is deleted; none can be made inactive
	NoDelete             bool // DELETE of users is answered with 405
	DeleteDeactivates    bool // DELETE of a user makes it inactive
	NoGroups             bool // /Groups is not there
	NoPatch              bool // PATCH of users is answered with 501
	NoPathFilters        bool // a PATCH path with a filter is refused; members are removed by value
	NoMemberReplace      bool // members cannot be replaced, or all removed
	MembersHidden        bool // groups come without members, and users without groups
	NoExcludedAttributes bool // attributes and excludedAttributes are refused
	CursorPaging         bool // pages go by cursor (RFC 9865); startIndex is refused
	InactiveUnlisted     bool // inactive users are in no list
	EntitlementRequired  bool // a user cannot be made without an entitlement
	OneValue             bool // a user has at most one of roles, entitlements, emails and phoneNumbers each

	PageMax     int      // most resources of a list; 0 is 200
	MemberMax   int      // most members that one PATCH changes; 0 is any number
	Filters     []string // the attributes that can be filtered by, by eq alone: "userName", "members/value"; nil is all
	Required    []string // attributes that a user needs besides userName
	Roles       []string // the only values of roles; nil is any
	NoValues    bool     // neither roles nor entitlements are known
	ValueLists  bool     // /Entitlements and /Roles list Entitlements and Roles
	Entitlement []string // what /Entitlements lists, and the only values of entitlements; nil is any
}

// refuses checks what can be told from the request line.
func (d Deviations) refuses(r *http.Request, t resourceType) error {
	query := r.URL.Query()
	isUser := t.name == userType.name
	switch {
	case d.NoGroups && !isUser:
		return &failure{status: http.StatusNotFound, detail: "no such endpoint"}
	case d.NoDelete && isUser && r.Method == http.MethodDelete:
		return &failure{status: http.StatusMethodNotAllowed, detail: "users cannot be deleted"}
	case d.NoPatch && isUser && r.Method == http.MethodPatch:
		return &failure{status: http.StatusNotImplemented, detail: "PATCH is not supported"}
	case d.NoExcludedAttributes && (query.Has("attributes") || query.Has("excludedAttributes")):
		return badRequest("invalidValue", "attributes and excludedAttributes are not supported")
	case d.CursorPaging && query.Has("startIndex"):
		return badRequest("invalidValue", "startIndex is not supported")
	case !d.CursorPaging && query.Has("cursor"):
		return badRequest("invalidValue", "cursor is not supported")
	}
	return nil
}

// allows checks a filter.
func (d Deviations) allows(filter expression) error {
	if d.Filters == nil || filter == nil {
		return nil
	}
	e, ok := filter.(comparison)
	if !ok || e.operator != "eq" || !slices.Contains(d.Filters, e.path.key()) {
		return badRequest("invalidFilter", "only eq is supported, on %s", strings.Join(d.Filters, ", "))
	}
	return nil
}

// operations checks a PATCH, and makes those operations of it that remove members
// by value into ones that name them by a filter.
func (d Deviations) operations(sent []operation) ([]operation, error) {
	var list []operation
	for _, o := range sent {
		values, _ := o.Value.([]any)
		ofMembers := o.Path == "members"
		switch {
		case d.NoPathFilters && strings.Contains(o.Path, "["):
			return nil, badRequest("invalidPath", "path %s holds a filter, which is not supported", o.Path)
		case ofMembers && d.MemberMax > 0 && len(values) > d.MemberMax:
			return nil, badRequest("tooMany", "%d members are more than %d", len(values), d.MemberMax)
		case ofMembers && d.NoMemberReplace && (o.Op == "replace" || o.Op == "remove" && o.Value == nil):
			return nil, badRequest("invalidValue", "members cannot be replaced or removed all at once")
		case ofMembers && d.NoPathFilters && o.Op == "remove" && len(values) > 0:
			ids, err := memberIDs(o.Value)
			if err != nil {
				return nil, err
			}
			for _, id := range ids {
				quoted, err := json.Marshal(id)
				if err != nil {
					return nil, err
				}
				list = append(list, operation{Op: "remove", Path: "members[value eq " + string(quoted) + "]"})
			}
		default:
			list = append(list, o)
		}
	}
	return list, nil
}

// user checks a whole user that is to be kept.
func (d Deviations) user(attrs map[string]any) error {
	for _, name := range d.Required {
		if text, _ := attrs[name].(string); text == "" {
			return badRequest("invalidValue", "attribute %s is required", name)
		}
	}
	for _, name := range []string{"roles", "entitlements", "emails", "phoneNumbers"} {
		list, _ := attrs[name].([]any)
		valued := name == "roles" || name == "entitlements"
		switch {
		case d.OneValue && len(list) > 1:
			return badRequest("invalidValue", "attribute %s takes one value", name)
		case d.NoValues && valued && len(list) > 0:
			return badRequest("invalidSyntax", "attribute %s is not known", name)
		}
		known := map[string][]string{"roles": d.Roles, "entitlements": d.Entitlement}[name]
		for _, item := range list {
			value, _ := item.(map[string]any)
			if text, _ := value["value"].(string); known != nil && !slices.Contains(known, text) {
				return badRequest("invalidValue", "%s has no value %s", name, text)
			}
		}
	}
	return nil
}

// newUser checks a user that is to be made.
func (d Deviations) newUser(attrs map[string]any) error {
	entitled, _ := attrs["entitlements"].([]any)
	switch {
	case d.EntitlementRequired && len(entitled) == 0:
		return badRequest("invalidValue", "a user needs an entitlement")
	case d.ActiveFalseDeletes && attrs["active"] == false:
		return badRequest("invalidValue", "a user cannot be made inactive")
	}
	return d.user(attrs)
}

func (d Deviations) pageMax() int {
	if d.PageMax > 0 {
		return d.PageMax
	}
	return maxPage
}

// start is the index (1 is the first) at which a page begins.
func (d Deviations) start(r *http.Request) (int, error) {
	name := "startIndex"
	if d.CursorPaging {
		name = "cursor"
	}
	return number(r.URL.Query().Get(name), 1)
}

// paged is the body of a list: a page of all.
func (d Deviations) paged(r *http.Request, start, total int, resources any, count int) map[string]any {
	body := map[string]any{"schemas": []string{listSchema}, "itemsPerPage": count, "Resources": resources}
	if !d.CursorPaging || !r.URL.Query().Has("cursor") {
		body["totalResults"], body["startIndex"] = total, start
		return body
	}
	if next := start + count; next <= total {
		body["nextCursor"] = strconv.Itoa(next)
	}
	return body
}
