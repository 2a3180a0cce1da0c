package ldap

import (
	"context"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
	"github.com/tenurehq/tenure/internal/nearest"
)

// Keeps implements connector.Connector. Servers show an attribute under its first name,
// and may write a DN in another way than it was set.
func (c *client) Keeps(_ context.Context, account connector.Account, name string, set any) (bool, error) {
	wanted, err := c.encode(connector.OpRead, name, set)
	if err != nil {
		return false, err
	}
	shown, err := directory.Values(shownAs(account, name))
	if err != nil {
		return false, connector.Invalid(connector.OpRead, "%s", err)
	}
	return account.Shows(wanted, shown) || sameDNs(wanted, shown), nil
}

// shownAs returns the value that an account shows of an attribute, under whichever of the
// attribute's names.
func shownAs(account connector.Account, name string) any {
	for _, names := range aliases {
		if slices.ContainsFunc(names, func(alias string) bool { return strings.EqualFold(alias, name) }) {
			for _, alias := range names {
				if value := account.Attribute(alias); value != nil {
					return value
				}
			}
		}
	}
	return account.Attribute(name)
}

// aliases lists the attributes that have several names (RFC 4519, RFC 4524).
var aliases = [][]string{
	{"c", "countryName"},
	{"cn", "commonName"},
	{"facsimileTelephoneNumber", "fax"},
	{"givenName", "gn"},
	{"homePhone", "homeTelephoneNumber"},
	{"l", "localityName"},
	{"mail", "rfc822Mailbox"},
	{"mobile", "mobileTelephoneNumber"},
	{"o", "organizationName"},
	{"ou", "organizationalUnitName"},
	{"pager", "pagerTelephoneNumber"},
	{"sn", "surname"},
	{"st", "stateOrProvinceName"},
	{"street", "streetAddress"},
	{"uid", "userid"},
}

// sameDNs reports whether two lists hold the same DNs, in any order.
func sameDNs(a, b []string) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(dn string) bool {
		return !slices.ContainsFunc(b, func(other string) bool { return directory.SameDN(dn, other) })
	})
}

// usual lists the attributes of people in the classes of RFC 4519, RFC 2798 and RFC 2307
// that an operator may want to map.
var usual = []string{
	"audio", "businessCategory", "c", "carLicense", "cn", "departmentNumber", "description", "destinationIndicator", "displayName",
	"employeeNumber", "employeeType", "facsimileTelephoneNumber", "gecos", "generationQualifier", "gidNumber", "givenName",
	"homeDirectory", "homePhone", "homePostalAddress", "initials", "internationaliSDNNumber", "jpegPhoto", "l", "labeledURI",
	"loginShell", "mail", "manager", "mobile", "o", "ou", "pager", "photo", "physicalDeliveryOfficeName", "postOfficeBox",
	"postalAddress", "postalCode", "preferredDeliveryMethod", "preferredLanguage", "registeredAddress", "roomNumber", "secretary",
	"seeAlso", "sn", "st", "street", "telephoneNumber", "title", "uid", "uidNumber", "userCertificate", "userPKCS12",
	"userSMIMECertificate", "x121Address", "x500UniqueIdentifier",
}

// longer lists other names of usual attributes (RFC 4519).
var longer = []string{
	"commonName", "surname", "gn", "userid", "rfc822Mailbox", "localityName", "stateOrProvinceName", "streetAddress", "organizationName",
	"organizationalUnitName", "countryName", "fax", "mobileTelephoneNumber", "pagerTelephoneNumber", "homeTelephoneNumber",
}

func foresee(settings *connector.Values) connector.Foresight {
	c := &client{
		username: settings.Text("username"), externalID: settings.Text("externalID"), accountID: settings.Text("accountID"),
		lock: lock{attribute: settings.Text("disableAttribute")},
	}
	f := connector.Foresight{Doubt: doubt}
	if !slices.ContainsFunc([]string{"username", "externalID", "accountID", "disableAttribute"}, settings.Withholds) {
		f.Attribute = func(name string) string {
			if c.own(name) {
				return "cannot be mapped: it is Tenure's own, the server's, or a secret"
			}
			return ""
		}
	}
	return f
}

// doubt returns a hint if a name seems to misspell a usual attribute. Only the server's
// schema knows all attributes.
func doubt(name string) string {
	base, _, _ := strings.Cut(name, ";")
	is := func(known string) bool { return strings.EqualFold(known, base) }
	if slices.ContainsFunc(usual, is) || slices.ContainsFunc(longer, is) {
		return ""
	}
	if near := nearest.Hint(base, usual); near != "" && len(base) > 3 {
		return "is none of the usual attributes" + near
	}
	return ""
}

// encode checks a mapped value and returns it in the form in which the entry holds it.
func (c *client) encode(op, name string, value any) ([]string, error) {
	if c.own(name) {
		return nil, connector.Invalid(op, "attribute %q cannot be mapped: it is Tenure's own, the server's, or a secret", name)
	}
	values, err := directory.Values(value)
	if err != nil {
		return nil, connector.Invalid(op, "attribute %q: %s", name, err)
	}
	return values, nil
}

// own reports whether an attribute cannot be mapped: Tenure writes it itself, it names the
// account, or it is a secret.
func (c *client) own(name string) bool {
	base, _, _ := strings.Cut(name, ";") // options, RFC 4512 section 2.5
	return slices.ContainsFunc(append(slices.Clone(usedAt), madeAt,
		"objectClass", "memberOf", "userPassword", "authPassword", c.username, c.externalID, c.accountID, c.lock.attribute,
	), func(own string) bool { return strings.EqualFold(own, base) })
}
