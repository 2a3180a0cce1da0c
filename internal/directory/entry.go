package directory

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// Entry holds an entry as the server showed it. Attribute names may be given in any case.
type Entry struct {
	DN     string
	names  []string
	values map[string][]string // by lower-case name
}

func newEntry(from *ldap.Entry) *Entry {
	e := &Entry{DN: from.DN, values: make(map[string][]string, len(from.Attributes))}
	for _, attribute := range from.Attributes {
		e.names = append(e.names, attribute.Name)
		e.values[strings.ToLower(attribute.Name)] = attribute.Values
	}
	return e
}

// Text returns an attribute's first value, or "".
func (e *Entry) Text(name string) string {
	if values := e.Texts(name); len(values) > 0 {
		return values[0]
	}
	return ""
}

// Texts returns all values of an attribute. Those of a binary attribute are its bytes.
func (e *Entry) Texts(name string) []string { return e.values[strings.ToLower(name)] }

// Names lists the entry's attributes, as the server spells them.
func (e *Entry) Names() []string { return e.names }

// Values returns the attribute values of a mapped value (string, []string, bool or int64) by
// RFC 4517: none for an empty text or list, TRUE or FALSE for a bool.
func Values(value any) ([]string, error) {
	switch v := value.(type) {
	case nil:
		return nil, nil
	case string:
		if v == "" {
			return nil, nil
		}
		return []string{v}, nil
	case []string:
		var values []string
		for _, text := range v {
			if text != "" {
				values = append(values, text)
			}
		}
		return values, nil
	case bool:
		return []string{strings.ToUpper(strconv.FormatBool(v))}, nil
	case int64:
		return []string{strconv.FormatInt(v, 10)}, nil
	}
	return nil, fmt.Errorf("a %T is no value of an attribute: map a text, a list of texts, true or false, or a whole number", value)
}

// Equal returns the filter for entries that have a value (RFC 4515).
func Equal(attribute, value string) string {
	return "(" + attribute + "=" + ldap.EscapeFilter(value) + ")"
}

// And returns the filter for entries that match all filters. It leaves out empty filters.
func And(filters ...string) string { return joined("&", filters) }

// Or returns the filter for entries that match any of the filters. It leaves out empty
// filters.
func Or(filters ...string) string { return joined("|", filters) }

// ValidFilter reports whether text is a filter (RFC 4515).
func ValidFilter(text string) bool {
	_, err := ldap.CompileFilter(text)
	return err == nil
}

// ValidDN reports whether text is a DN (RFC 4514).
func ValidDN(text string) bool {
	_, err := ldap.ParseDN(text)
	return err == nil
}

func joined(by string, filters []string) string {
	all := strings.Join(filters, "")
	return "(" + by + all + ")"
}

// RDN returns an entry's name below its parent (RFC 4514).
func RDN(attribute, value string) string { return attribute + "=" + ldap.EscapeDN(value) }

// Below returns the DN of the entry with an RDN below a parent.
func Below(rdn, parent string) string { return rdn + "," + parent }

// Rename returns the RDN with another value of one of its attributes. ok reports whether the
// RDN has the attribute, with a different value.
func Rename(rdn, attribute, value string) (renamed string, ok bool) {
	dn, err := ldap.ParseDN(rdn)
	if err != nil || len(dn.RDNs) != 1 {
		return rdn, false
	}
	parts := make([]string, len(dn.RDNs[0].Attributes))
	for i, part := range dn.RDNs[0].Attributes {
		if strings.EqualFold(part.Type, attribute) && part.Value != value {
			part.Value, ok = value, true
		}
		parts[i] = RDN(part.Type, part.Value)
	}
	if !ok {
		return rdn, false
	}
	return strings.Join(parts, "+"), true
}

// SameDN reports whether two DNs are the same in any spelling.
func SameDN(a, b string) bool {
	left, leftErr := ldap.ParseDN(a)
	right, rightErr := ldap.ParseDN(b)
	if leftErr != nil || rightErr != nil {
		return a == b
	}
	return left.EqualFold(right)
}

// Canonical returns one spelling for all spellings of a DN.
func Canonical(dn string) string {
	parsed, err := ldap.ParseDN(dn)
	if err != nil {
		return dn
	}
	return strings.ToLower(parsed.String())
}

// IsBelow reports whether dn is base or lies below it at any depth.
func IsBelow(dn, base string) bool {
	child, childErr := ldap.ParseDN(dn)
	above, aboveErr := ldap.ParseDN(base)
	return childErr == nil && aboveErr == nil && (above.EqualFold(child) || above.AncestorOfFold(child))
}

// Split splits a DN into its RDN, as it is spelled, and its parent.
func Split(dn string) (rdn, parent string, err error) {
	if _, err := ldap.ParseDN(dn); err != nil {
		return "", "", errUnreadable
	}
	for i := 0; i < len(dn); i++ {
		switch dn[i] {
		case '\\':
			i++
		case ',':
			return dn[:i], strings.TrimLeft(dn[i+1:], " "), nil
		}
	}
	return dn, "", nil
}

var errUnreadable = errors.New("a DN cannot be read")

// Time returns an attribute's first value as an instant (generalized time, RFC 4517 section
// 3.3.13, as servers write it: in UTC, with or without fractions); zero if it is not one.
func (e *Entry) Time(name string) time.Time {
	whole, _, _ := strings.Cut(strings.TrimSuffix(e.Text(name), "Z"), ".")
	at, err := time.Parse("20060102150405", whole)
	if err != nil {
		return time.Time{}
	}
	return at
}
