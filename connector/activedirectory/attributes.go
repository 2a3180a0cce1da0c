package activedirectory

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
)

// shape is how an attribute's value is written and read.
type shape struct {
	encode func(value any) ([]string, error)
	decode func(values []string) any
}

var (
	plain = shape{directory.Values, func(values []string) any {
		if len(values) == 1 {
			return values[0]
		}
		return values
	}}
	expiry = shape{
		func(value any) ([]string, error) {
			text, ok := value.(string)
			if !ok {
				return nil, errors.New("must be text")
			}
			ticks, err := encodeExpiry(text)
			return []string{ticks}, err
		},
		func(values []string) any { return decodeExpiry(values[0]) },
	}
	// reference takes an account ID (a manager's, say) or a DN.
	reference = shape{
		func(value any) ([]string, error) {
			if id, ok := value.(string); ok && isGUID(id) {
				return []string{byGUID(id)}, nil
			}
			return directory.Values(value)
		},
		plain.decode,
	}
)

// usual are the attributes that can be mapped without being named in the settings.
var usual = []string{
	"assistant", "c", "co", "comment", "company", "countryCode", "department", "departmentNumber", "description",
	"displayName", "displayNamePrintable", "division", "employeeID", "employeeNumber", "employeeType",
	"facsimileTelephoneNumber", "generationQualifier", "givenName", "homeDirectory", "homeDrive", "homePhone", "info",
	"initials", "ipPhone", "l", "mail", "middleName", "mobile", "o", "ou", "pager", "personalTitle",
	"physicalDeliveryOfficeName", "postalAddress", "postalCode", "postOfficeBox", "preferredLanguage", "profilePath",
	"proxyAddresses", "roomNumber", "scriptPath", "sn", "st", "street", "streetAddress", "telephoneNumber", "title", "uid",
	"url", "wWWHomePage",
}

// own are attributes that the connector sets by itself, or by which somebody would
// be given rights. They cannot be mapped.
var own = []string{
	"accountnamehistory", "admincount", "altsecurityidentities", "cn", "distinguishedname", "member", "memberof", "name", "ntsecuritydescriptor",
	"objectcategory", "objectclass", "objectguid", "objectsid", "primarygroupid", "pwdlastset", "samaccountname",
	"samaccounttype", "serviceprincipalname", "sidhistory", "unicodepwd", "useraccountcontrol", "userpassword",
	"userprincipalname", "msds-allowedtodelegateto", "msds-allowedtoactonbehalfofotheridentity", "msds-keycredentiallink",
}

// shapesOf are the shapes of all attributes that can be mapped, by name.
func shapesOf(more []string) map[string]shape {
	shapes := map[string]shape{"accountExpires": expiry, "manager": reference}
	for _, name := range slices.Concat(usual, more) {
		if _, special := shapes[name]; !special {
			shapes[name] = plain
		}
	}
	shapes["assistant"] = reference
	return shapes
}

// encode makes LDAP attributes of mapped ones.
func (c *client) encode(op string, given map[string]any) (map[string][]string, error) {
	encoded := make(map[string][]string, len(given))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		shape, known := c.shapes[name]
		if !known {
			return nil, failed(op, connector.KindInvalid, `attribute "`+name+`" is not one of Active Directory's usual ones: check its spelling, or name it in the attributes setting`, nil)
		}
		values, err := shape.encode(given[name])
		if err != nil {
			return nil, failed(op, connector.KindInvalid, `attribute "`+name+`" `+err.Error(), nil)
		}
		encoded[name] = values
	}
	return encoded, nil
}

// decode is encode's reverse for what an entry has.
func (c *client) decode(entry *directory.Entry) map[string]any {
	decoded := map[string]any{}
	for name, shape := range c.shapes {
		values := entry.Texts(name)
		if len(values) == 0 || strings.EqualFold(name, c.externalID) {
			continue
		}
		if value := shape.decode(values); value != "" {
			decoded[name] = value
		}
	}
	return decoded
}
