package policy

import (
	"strings"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/username"
)

// Username returns the username that a person should have, in a form that every app takes:
// a-z, 0-9 and, inside, dot, dash and underscore. Other letters are written in
// ASCII, and everything else is left out. If nothing is left (of a name in Chinese
// characters, say) the username is "p" and the person ID.
//
// It is a base only, of LongestUsername characters at most: whoever claims it appends
// a number if somebody holds it. One that is a protected account's in some app has one
// already.
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

// LongestUsername is how many characters a username may have, its number included.
func (p *Policy) LongestUsername() int { return p.longest }

// Spelled is a name as a username has it, of LongestUsername characters at most.
func (p *Policy) Spelled(name string) string { return username.Numbered(normalise(name), 1, p.longest) }

// Email returns the address that a person should have; empty if policy gives none.
func (p *Policy) Email(id Identity, profile hr.Profile) (string, error) {
	value, err := p.named(p.email, id, profile)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(value), nil
}

// normalise leaves out what a username may not contain.
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
		kept = strings.ReplaceAll(kept, "..", ".") // a part between two dots was empty
	}
	return strings.Trim(kept, separators)
}
