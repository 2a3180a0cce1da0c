package ldap

import (
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/nearest"
)

// usual are the attributes of people that the classes of RFC 4519, RFC 2798 and RFC
// 2307 have, and that somebody may want to map.
var usual = []string{
	"audio", "businessCategory", "c", "carLicense", "cn", "departmentNumber", "description", "destinationIndicator", "displayName",
	"employeeNumber", "employeeType", "facsimileTelephoneNumber", "gecos", "generationQualifier", "gidNumber", "givenName",
	"homeDirectory", "homePhone", "homePostalAddress", "initials", "internationaliSDNNumber", "jpegPhoto", "l", "labeledURI",
	"loginShell", "mail", "manager", "mobile", "o", "ou", "pager", "photo", "physicalDeliveryOfficeName", "postOfficeBox",
	"postalAddress", "postalCode", "preferredDeliveryMethod", "preferredLanguage", "registeredAddress", "roomNumber", "secretary",
	"seeAlso", "sn", "st", "street", "telephoneNumber", "title", "uid", "uidNumber", "userCertificate", "userPKCS12",
	"userSMIMECertificate", "x121Address", "x500UniqueIdentifier",
}

// longer are other names of usual attributes (RFC 4519).
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

// doubt says which usual attribute a name misspells. Which others there are, the
// server's schema says.
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
