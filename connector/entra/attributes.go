package entra

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// form says how the values of a property are written.
type form int

const (
	text form = iota
	list
	instant
	reference
)

// manager is the attribute that holds the account ID of the manager. It is a relationship, and
// no property.
const manager = "manager"

// properties lists the properties of a user that can be mapped (learn.microsoft.com/graph/api/
// resources/user). It leaves out those that need rights of their own (employeeLeaveDateTime),
// that Graph keeps in SharePoint (aboutMe, skills), or that decide what somebody may do
// (userType, passwordPolicies).
var properties = func() map[string]form {
	forms := map[string]form{
		"businessPhones": list, "otherMails": list, "employeeHireDate": instant, manager: reference,
		"employeeOrgData.costCenter": text, "employeeOrgData.division": text,
	}
	for _, name := range []string{
		"ageGroup", "city", "companyName", "consentProvidedForMinor", "country", "department", "displayName", "employeeId",
		"employeeType", "faxNumber", "givenName", "jobTitle", "mail", "mailNickname", "mobilePhone", "officeLocation",
		"postalCode", "preferredDataLocation", "preferredLanguage", "state", "streetAddress", "surname", "usageLocation",
	} {
		forms[name] = text
	}
	for i := 1; i <= 15; i++ {
		forms[fmt.Sprint("onPremisesExtensionAttributes.extensionAttribute", i)] = text
	}
	return forms
}()

func attributeNames() []string { return slices.Sorted(maps.Keys(properties)) }

// roots returns the properties of the attributes: the part before the dot.
func roots() []string {
	var names []string
	for _, name := range attributeNames() {
		if root, _, _ := strings.Cut(name, "."); name != manager && !slices.Contains(names, root) {
			names = append(names, root)
		}
	}
	return names
}

// encode returns attributes as the body of a request. The manager is not in it. An empty value
// clears: it is null, or an empty list.
func (c *client) encode(op string, attributes map[string]any) (map[string]any, error) {
	body := map[string]any{}
	for name, given := range attributes {
		how, known := properties[name]
		if !known || name == c.externalID {
			return nil, connector.Invalid(op, "attribute %q cannot be mapped: `tenure app kind entra` lists those that can", name)
		}
		value, ok := how.encode(given)
		if !ok {
			return nil, connector.Invalid(op, "attribute %q must be %s", name, how)
		}
		root, part, nested := strings.Cut(name, ".")
		switch {
		case how == reference:
		case nested:
			inner, _ := body[root].(map[string]any)
			if inner == nil {
				inner = map[string]any{}
			}
			inner[part], body[root] = value, inner
		default:
			body[name] = value
		}
	}
	return body, nil
}

// String says what values of this form are.
func (f form) String() string {
	return [...]string{"a text", "a text or a list of texts", `a day such as "2026-11-30", or an RFC 3339 time`, "an account ID"}[f]
}

func (f form) encode(given any) (value any, ok bool) {
	if texts, several := given.([]string); several {
		if f == list {
			return slices.Concat([]string{}, texts), true
		}
		return nil, len(texts) == 0
	}
	single, ok := given.(string)
	switch {
	case !ok:
		return nil, false
	case f == list:
		return slices.DeleteFunc([]string{single}, func(s string) bool { return s == "" }), true
	case single == "":
		return nil, true
	case f == instant:
		for _, layout := range []string{time.DateOnly, time.RFC3339} {
			if at, err := time.Parse(layout, single); err == nil {
				return at.UTC().Format(time.RFC3339), true
			}
		}
		return nil, false
	}
	return single, true
}

// user is a user as Graph shows it.
type user = rest.Object

// synced is the property of users who come from Active Directory, where they have to be changed.
const synced = "onPremisesSyncEnabled"

// decode returns the user's attributes, without those that are empty.
func (c *client) decode(u user) map[string]any {
	attributes := map[string]any{}
	for name := range properties {
		root, part, nested := strings.Cut(name, ".")
		value := u[root]
		switch name {
		case c.externalID:
			continue
		case manager:
			part, nested = "id", true
		}
		if nested {
			inner, _ := value.(map[string]any)
			value = inner[part]
		}
		switch value := value.(type) {
		case string:
			if value != "" {
				attributes[name] = value
			}
		case []any:
			var texts []string
			for _, item := range value {
				if s, ok := item.(string); ok {
					texts = append(texts, s)
				}
			}
			if len(texts) > 0 {
				attributes[name] = texts
			}
		}
	}
	if u.Is(synced) {
		attributes[synced] = true // people see by it that the account is changed in Active Directory
	}
	return attributes
}
