package preview

import (
	"context"
	"strings"

	"github.com/tenurehq/tenure/internal/username"
	"github.com/tenurehq/tenure/ledger"
)

// taken holds the usernames that people have. They are read only when the first is looked up,
// since most rehearsals need none.
type taken struct {
	ledger Ledger
	except string          // the ID of a person whose username does not count
	names  map[string]bool // in lower case
}

// has reports whether somebody has a username, or had it and was erased.
func (t *taken) has(ctx context.Context, name string) (bool, error) {
	if t.names != nil {
		if t.names[strings.ToLower(name)] {
			return true, nil
		}
		return t.ledger.Reserved(ctx, ledger.IdentifiesUsername, "", name)
	}
	names := map[string]bool{}
	for s, err := range ledger.AllPeople(ctx, t.ledger, "") {
		if err != nil {
			return false, err
		}
		if s.Username != "" && s.PersonID != t.except {
			names[strings.ToLower(s.Username)] = true
		}
	}
	t.names = names
	return t.has(ctx, name)
}

// names is an assess.Registry that remembers which usernames would be claimed, and claims
// none.
type names struct {
	ledger  Ledger
	taken   *taken
	claimed map[string]string // usernames, by person
	given   map[string]bool   // the claimed usernames, in lower case
	links   map[ledger.LinkFilter][]ledger.Link
}

func newNames(l Ledger, t *taken) *names {
	return &names{ledger: l, taken: t, claimed: map[string]string{}, given: map[string]bool{}, links: map[ledger.LinkFilter][]ledger.Link{}}
}

// ClaimUsername returns the username that the person would be given.
func (n *names) ClaimUsername(ctx context.Context, personID, base string, longest int) (string, error) {
	if name, ok := n.claimed[personID]; ok && username.MadeOf(name, base, longest) {
		return name, nil
	}
	for i := 1; ; i++ {
		name := username.Numbered(base, i, longest)
		taken, err := n.taken.has(ctx, name)
		if err != nil {
			return "", err
		}
		if key := strings.ToLower(name); !taken && !n.given[key] {
			n.claimed[personID], n.given[key] = name, true
			return name, nil
		}
	}
}

// Links reads accounts once, such as those of a manager, since many people have the same one.
func (n *names) Links(ctx context.Context, f ledger.LinkFilter) ([]ledger.Link, error) {
	if links, ok := n.links[f]; ok {
		return links, nil
	}
	links, err := n.ledger.Links(ctx, f)
	if err == nil {
		n.links[f] = links
	}
	return links, err
}

// Person implements assess.Registry.
func (n *names) Person(ctx context.Context, personID string) (ledger.Person, error) {
	return n.ledger.Person(ctx, personID)
}

// Granted implements assess.Registry.
func (n *names) Granted(ctx context.Context, app, entitlement string, limit int) ([]string, error) {
	return n.ledger.Granted(ctx, app, entitlement, limit)
}

// Namesakes implements assess.Registry.
func (n *names) Namesakes(ctx context.Context, givenName, familyName string, limit int) ([]string, error) {
	return n.ledger.Namesakes(ctx, givenName, familyName, limit)
}
