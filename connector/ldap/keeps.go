package ldap

import (
	"context"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
)

// Keeps implements connector.Connector. Servers show an attribute by its first
// name, and may write DNs in their own way.
func (c *client) Keeps(_ context.Context, account connector.Account, name string, set any) (bool, error) {
	wanted, err := c.encode(connector.OpRead, name, set)
	if err != nil {
		return false, err
	}
	shown, err := directory.Values(shownAs(account, name))
	if err != nil {
		return false, invalid(connector.OpRead, err.Error())
	}
	return account.Shows(wanted, shown) || sameDNs(wanted, shown), nil
}

// shownAs returns what an account shows of an attribute, whichever of its names is
// mapped.
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

// aliases are the names of attributes that have several (RFC 4519, RFC 4524).
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

// sameDNs reports whether two lists are of the same DNs, in any order.
func sameDNs(a, b []string) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(dn string) bool {
		return !slices.ContainsFunc(b, func(other string) bool { return directory.SameDN(dn, other) })
	})
}
