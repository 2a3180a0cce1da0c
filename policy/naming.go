package policy

import (
	"strings"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/username"
)

// Username returns the username that a person should have, in a form that every app takes:
// a-z, 0-9 and, inside, dot, dash and underscore. Other letters are written in ASCII, and
// everything else is left out. If nothing is left, as of a name in Chinese characters, the
// username is "p" and the person ID.
//
// The result is a base, of LongestUsername characters at most. The ledger appends a number if
// somebody else holds it. If a protected account in some app has the username, the base
// already has a number.
func (p *Policy) Username(personID string, profile hr.Profile) (base string, err error) {
	value, err := p.named(p.username, Identity{PersonID: personID}, profile)
	if err != nil {
		return "", err
	}
	name := normalise(value)
	if name == "" {
		name = normalise("p" + personID)
	}
	for n := 1; ; n++ {
		if base = username.Numbered(name, n, p.longest); !p.reserved(base) {
			return base, nil
		}
	}
}

// LongestUsername returns the greatest length of a username, its number included.
func (p *Policy) LongestUsername() int { return p.longest }

// Spelled returns a name in the form of a username, of LongestUsername characters at most.
func (p *Policy) Spelled(name string) string { return username.Numbered(normalise(name), 1, p.longest) }

// Email returns the address that a person should have; empty if policy gives none.
func (p *Policy) Email(id Identity, profile hr.Profile) (string, error) {
	value, err := p.named(p.email, id, profile)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(value), nil
}

// normalise leaves out the characters that a username may not contain.
func normalise(name string) string {
	const separators = "._-"
	kept := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', strings.ContainsRune(separators, r):
			return r
		default:
			return -1
		}
	}, strings.ToLower(ascii(name)))
	for strings.Contains(kept, "..") {
		kept = strings.ReplaceAll(kept, "..", ".") // the part between two dots is empty
	}
	return strings.Trim(kept, separators)
}
