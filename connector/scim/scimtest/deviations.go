package scimtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Deviations make the service deviate from RFC 7644 as real services do, so that it
// refuses the calls that such a service refuses. The zero value does not deviate.
type Deviations struct {
	ActiveFalseDeletes   bool `json:"activeFalseDeletes,omitempty"`   // making a user inactive deletes it; an inactive user cannot be created
	NoDelete             bool `json:"noDelete,omitempty"`             // DELETE of users is answered with 405
	DeleteDeactivates    bool `json:"deleteDeactivates,omitempty"`    // DELETE of a user makes it inactive
	NoGroups             bool `json:"noGroups,omitempty"`             // /Groups is not there
	NoPatch              bool `json:"noPatch,omitempty"`              // PATCH of users is answered with 501
	NoPathFilters        bool `json:"noPathFilters,omitempty"`        // a PATCH path with a filter is refused; members are removed by value
	NoMemberReplace      bool `json:"noMemberReplace,omitempty"`      // members cannot be replaced, or all removed
	MembersHidden        bool `json:"membersHidden,omitempty"`        // groups come without members, and users without groups
	MembersOnRequest     bool `json:"membersOnRequest,omitempty"`     // groups come with members only if the attribute is asked for, and users without groups
	MembersAlone         bool `json:"membersAlone,omitempty"`         // groups come with members one by one only, and users without groups
	EmptyGroups          bool `json:"emptyGroups,omitempty"`          // users come with an empty list of groups
	NoTotals             bool `json:"noTotals,omitempty"`             // lists do not say how many resources there are
	NoResourceTypes      bool `json:"noResourceTypes,omitempty"`      // /ResourceTypes is not there
	CapitalOps           bool `json:"capitalOps,omitempty"`           // operations of a PATCH are taken as "Add", "Replace" and "Remove" only
	TextBooleans         bool `json:"textBooleans,omitempty"`         // true and false are shown, and taken, as "True" and "False"
	PatchNotAllowed      bool `json:"patchNotAllowed,omitempty"`      // PATCH, of users and groups, is answered with 405
	NoExcludedAttributes bool `json:"noExcludedAttributes,omitempty"` // attributes and excludedAttributes are refused
	CursorPaging         bool `json:"cursorPaging,omitempty"`         // pages go by cursor (RFC 9865); startIndex is refused
	InactiveUnlisted     bool `json:"inactiveUnlisted,omitempty"`     // inactive users are in no list
	EntitlementRequired  bool `json:"entitlementRequired,omitempty"`  // a user cannot be made without an entitlement
	OneValue             bool `json:"oneValue,omitempty"`             // a user has at most one of roles, entitlements, emails and phoneNumbers each
	NoVersions           bool `json:"noVersions,omitempty"`           // resources have no version, and If-Match is ignored
	NoAttributes         bool `json:"noAttributes,omitempty"`         // the parameter attributes is refused
	BareReferences       bool `json:"bareReferences,omitempty"`       // members and a user's groups come without "type"
	PlainNotFound        bool `json:"plainNotFound,omitempty"`        // a resource that is not there is answered with GitHub's error, which is no SCIM
	BareConflicts        bool `json:"bareConflicts,omitempty"`        // a 409 does not say that it is about uniqueness
	EndedShown           bool `json:"endedShown,omitempty"`           // with ActiveFalseDeletes: the user that a change deletes is shown once more

	PageMax     int      `json:"pageMax,omitempty"`     // most resources of a list; 0 is 200
	MemberMax   int      `json:"memberMax,omitempty"`   // most members that one PATCH changes; 0 is any number
	Filters     []string `json:"filters,omitempty"`     // the attributes that can be filtered by, by eq alone: "userName", "members/value"; nil is all
	DeafFilters []string `json:"deafFilters,omitempty"` // the attributes by which a filter is taken and finds nothing
	OpenFilters []string `json:"openFilters,omitempty"` // the attributes by which a filter is taken and finds everything
	Required    []string `json:"required,omitempty"`    // attributes that a user needs besides userName: "emails", "name.givenName"
	Attributes  []string `json:"attributes,omitempty"`  // the only attributes of a user besides userName, externalId and active: "name" has all of its parts; nil is any
	OfGroups    []string `json:"ofGroups,omitempty"`    // attributes that a group needs besides displayName
	Roles       []string `json:"roles,omitempty"`       // the only values of roles; nil is any
	NoValues    bool     `json:"noValues,omitempty"`    // neither roles nor entitlements are known
	ValueLists  bool     `json:"valueLists,omitempty"`  // /Entitlements and /Roles list Entitlements and Roles
	Entitlement []string `json:"entitlement,omitempty"` // what /Entitlements lists, and the only values of entitlements; nil is any
}

// refuses returns an error if the service refuses a request by its method or URL.
func (d Deviations) refuses(r *http.Request, t resourceType) error {
	query := r.URL.Query()
	isUser := t.name == userType.name
	switch {
	case d.NoGroups && !isUser:
		return &failure{status: http.StatusNotFound, detail: "no such endpoint"}
	case d.NoDelete && isUser && r.Method == http.MethodDelete:
		return d.notAllowed(r, t)
	case d.PatchNotAllowed && r.Method == http.MethodPatch:
		return d.notAllowed(r, t)
	case d.NoPatch && isUser && r.Method == http.MethodPatch:
		return &failure{status: http.StatusNotImplemented, detail: "PATCH is not supported"}
	}
	return d.refusesQuery(query)
}

// refusesQuery returns an error if the service refuses the parameters of a list.
func (d Deviations) refusesQuery(query url.Values) error {
	switch {
	case d.NoAttributes && query.Has("attributes"):
		return badRequest("invalidValue", "attributes is not supported")
	case d.NoExcludedAttributes && (query.Has("attributes") || query.Has("excludedAttributes")):
		return badRequest("invalidValue", "attributes and excludedAttributes are not supported")
	case d.CursorPaging && query.Has("startIndex"):
		return badRequest("invalidValue", "startIndex is not supported")
	case !d.CursorPaging && query.Has("cursor"):
		return badRequest("invalidValue", "cursor is not supported")
	}
	return nil
}

// notAllowed returns the answer to a method that a resource does not support. It names
// the methods that the resource supports (RFC 9110 section 15.5.6).
func (d Deviations) notAllowed(r *http.Request, t resourceType) *failure {
	methods := []string{"GET", "HEAD", "POST"}
	if r.PathValue("id") != "" {
		methods = []string{"DELETE", "GET", "HEAD", "PATCH", "PUT"}
		isUser := t.name == userType.name
		methods = slices.DeleteFunc(methods, func(method string) bool {
			return method == http.MethodDelete && d.NoDelete && isUser || method == http.MethodPatch && d.PatchNotAllowed
		})
	}
	return &failure{status: http.StatusMethodNotAllowed, detail: r.Method + " is not allowed", allow: methods}
}

// allows returns an error if the service refuses a filter.
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

// inList returns a resource as a list shows it.
func (d Deviations) inList(t resourceType, resource map[string]any) map[string]any {
	if d.MembersAlone && t.name == groupType.name {
		delete(resource, "members")
	}
	return resource
}

// hears reports whether the service heeds a filter. If it does not, all reports whether
// it then finds everything or nothing.
func (d Deviations) hears(filter expression) (heeds, all bool) {
	e, ok := filter.(comparison)
	if !ok {
		return true, false
	}
	all = slices.Contains(d.OpenFilters, e.path.key())
	return !all && !slices.Contains(d.DeafFilters, e.path.key()), all
}

// operations checks a PATCH. It replaces operations that remove members by value with
// operations that name the members by a filter.
func (d Deviations) operations(sent []operation) ([]operation, error) {
	var list []operation
	for _, o := range sent {
		switch {
		case d.CapitalOps && !slices.Contains([]string{"Add", "Replace", "Remove"}, o.Op):
			return nil, badRequest("invalidSyntax", "operation %q is not known", o.Op)
		case d.CapitalOps:
			o.Op = strings.ToLower(o.Op)
		}
		if d.TextBooleans {
			o.Value = fromText(o.Value)
		}
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

// user returns an error if the service refuses a user with these attributes.
func (d Deviations) user(attrs map[string]any) error {
	if err := lacking(attrs, d.Required); err != nil {
		return err
	}
	for name := range attrs {
		own := slices.Contains([]string{"userName", "externalId", "active"}, name)
		if d.Attributes != nil && !own && !slices.Contains(d.Attributes, name) {
			return badRequest("invalidValue", "attribute %s is not known", name)
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

// lacking returns an error if one of the attributes is missing.
func lacking(attrs map[string]any, required []string) error {
	for _, name := range required {
		first, second, inner := strings.Cut(name, ".")
		value := attrs[first]
		if parts, ok := value.(map[string]any); ok && inner {
			value = parts[second]
		}
		list, _ := value.([]any)
		if text, _ := value.(string); text == "" && len(list) == 0 {
			return badRequest("invalidValue", "attribute %s is required", name)
		}
	}
	return nil
}

// newUser returns an error if the service refuses to create a user with these attributes.
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

// fromText replaces "True" and "False" in a value with booleans.
func fromText(value any) any {
	switch v := value.(type) {
	case string:
		switch v {
		case "True":
			return true
		case "False":
			return false
		}
	case map[string]any:
		for name, inner := range v {
			v[name] = fromText(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = fromText(inner)
		}
	}
	return value
}

// toText replaces booleans in a value with "True" and "False". It changes the value in
// place, so that the value must not be shared.
func toText(value any) any {
	switch v := value.(type) {
	case bool:
		if v {
			return "True"
		}
		return "False"
	case map[string]any:
		for name, inner := range v {
			v[name] = toText(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = toText(inner)
		}
	}
	return value
}

func (d Deviations) pageMax() int {
	if d.PageMax > 0 {
		return d.PageMax
	}
	return maxPage
}

// start returns the index at which a page begins; 1 is the first resource.
func (d Deviations) start(query url.Values) (int, error) {
	name := "startIndex"
	if d.CursorPaging {
		name = "cursor"
	}
	return number(query.Get(name), 1)
}

// paged returns the body of a list that holds one page.
func (d Deviations) paged(query url.Values, start, total int, resources any, count int) map[string]any {
	body := map[string]any{"schemas": []string{listSchema}, "itemsPerPage": count, "Resources": resources}
	if !d.CursorPaging || !query.Has("cursor") {
		body["totalResults"], body["startIndex"] = total, start
		if d.NoTotals {
			delete(body, "totalResults")
		}
		return body
	}
	if next := start + count; next <= total {
		body["nextCursor"] = strconv.Itoa(next)
	}
	return body
}
