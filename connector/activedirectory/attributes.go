package activedirectory

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
	"github.com/tenurehq/tenure/internal/nearest"
)

// shape writes and reads the values of an attribute.
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

// usual lists the attributes that can be mapped without being named in the settings.
var usual = []string{
	"assistant", "c", "co", "comment", "company", "countryCode", "department", "departmentNumber", "description",
	"displayName", "displayNamePrintable", "division", "employeeID", "employeeNumber", "employeeType",
	"facsimileTelephoneNumber", "generationQualifier", "givenName", "homeDirectory", "homeDrive", "homePhone", "info",
	"initials", "ipPhone", "l", "mail", "middleName", "mobile", "o", "ou", "pager", "personalTitle",
	"physicalDeliveryOfficeName", "postalAddress", "postalCode", "postOfficeBox", "preferredLanguage", "profilePath",
	"proxyAddresses", "roomNumber", "scriptPath", "sn", "st", "street", "streetAddress", "telephoneNumber", "title", "uid",
	"url", "wWWHomePage",
}

// own lists attributes that cannot be mapped: the connector sets them itself, or they give
// rights.
var own = []string{
	"accountnamehistory", "admincount", "altsecurityidentities", "cn", "distinguishedname", "member", "memberof", "name", "ntsecuritydescriptor",
	"objectcategory", "objectclass", "objectguid", "objectsid", "primarygroupid", "pwdlastset", "samaccountname",
	"samaccounttype", "serviceprincipalname", "sidhistory", "unicodepwd", "useraccountcontrol", "userpassword",
	"userprincipalname", "msds-allowedtodelegateto", "msds-allowedtoactonbehalfofotheridentity", "msds-keycredentiallink",
}

// shapesOf returns the shapes of all attributes that can be mapped, by name.
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

// encode returns mapped attributes as LDAP attributes.
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

// decode is the reverse of encode, for an entry.
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

// An account's expiry (accountExpires) is counted in 100 ns since 1601. Both 0 and
// the greatest number mean never (MS-ADA1, attribute accountExpires).
const (
	noExpiry       = "0"
	ticksPerSecond = 10_000_000
	secondsTo1970  = 11_644_473_600 // from 1601
	dateForm       = "2006-01-02"
)

// encodeExpiry returns the value of accountExpires for a day, an RFC 3339 time, or "" for
// never. With a day, the account expires at its end (UTC), as in Active Directory's own
// tools.
func encodeExpiry(text string) (string, error) {
	if text == "" {
		return noExpiry, nil
	}
	at, err := time.Parse(dateForm, text)
	if err == nil {
		at = at.AddDate(0, 0, 1)
	} else if at, err = time.Parse(time.RFC3339, text); err != nil {
		return "", errors.New(`must be a day such as "2026-11-30", or an RFC 3339 time`)
	}
	seconds := at.Unix() + secondsTo1970
	if seconds <= 0 || seconds > math.MaxInt64/ticksPerSecond {
		return "", errors.New("must be between the years 1601 and 9999")
	}
	return strconv.FormatInt(seconds*ticksPerSecond+int64(at.Nanosecond())/100, 10), nil
}

// decodeExpiry is the reverse of encodeExpiry. For a midnight it returns the day that ends
// then.
func decodeExpiry(raw string) string {
	at := timeOf(raw)
	if at.IsZero() {
		return ""
	}
	if at.Equal(at.Truncate(24 * time.Hour)) {
		return at.AddDate(0, 0, -1).Format(dateForm)
	}
	return at.Format(time.RFC3339Nano)
}

// timeOf returns an instant that is counted in 100 ns since 1601; zero for never.
func timeOf(raw string) time.Time {
	ticks, err := strconv.ParseInt(raw, 10, 64)
	if err != nil || ticks <= 0 || ticks == math.MaxInt64 {
		return time.Time{}
	}
	return time.Unix(ticks/ticksPerSecond-secondsTo1970, ticks%ticksPerSecond*100).UTC()
}

// proxyAddresses is an attribute whose case matters: "SMTP:" marks the address that mail is
// sent from.
const proxyAddresses = "proxyAddresses"

// Keeps implements connector.Connector. A reference that was set by an account's ID
// is shown as its DN.
func (c *client) Keeps(ctx context.Context, account connector.Account, name string, set any) (bool, error) {
	encoded, err := c.encode(connector.OpRead, map[string]any{name: set})
	if err != nil {
		return false, err
	}
	value := account.Attribute(name)
	if value == nil {
		value = ""
	}
	again, err := c.encode(connector.OpRead, map[string]any{name: value})
	if err != nil {
		return false, err
	}
	wanted, shown := encoded[name], again[name]
	if id, ok := set.(string); ok && isGUID(id) && len(shown) == 1 {
		entry, err := c.directory.Get(ctx, connector.OpRead, byGUID(id), "objectGUID")
		if connector.Is(err, connector.KindNotFound) {
			return false, nil
		}
		if err != nil {
			return false, refine(err)
		}
		wanted = []string{entry.DN}
	}
	if name == proxyAddresses {
		return slices.Equal(slices.Sorted(slices.Values(wanted)), slices.Sorted(slices.Values(shown))), nil
	}
	sameDN := len(wanted) == 1 && len(shown) == 1 && directory.SameDN(wanted[0], shown[0])
	return sameDN || account.Shows(wanted, shown), nil
}

func attributeNames() []string { return slices.Sorted(maps.Keys(shapesOf(nil))) }

func foresee(settings *connector.Values) connector.Foresight {
	shapes := shapesOf(settings.Texts("attributes"))
	return connector.Foresight{Attribute: func(name string) string {
		if _, known := shapes[name]; known {
			return ""
		}
		if slices.Contains(own, strings.ToLower(name)) {
			return "cannot be mapped: Tenure sets it itself, or it gives rights"
		}
		return "is not one of Active Directory's usual ones: check its spelling, or name it in the setting attributes" +
			nearest.Hint(name, slices.Collect(maps.Keys(shapes)))
	}}
}
