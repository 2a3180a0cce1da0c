package google

import (
	"context"
	"crypto/rand"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
	"github.com/tenurehq/tenure/internal/set"
)

// localPart matches the part of an address before the "@" that Google takes ("Name and
// password guidelines": letters, digits, dashes, underscores, apostrophes and dots).
var localPart = regexp.MustCompile(`^[A-Za-z0-9_'-]+(\.[A-Za-z0-9_'-]+)*$`)

// checkUsername refuses a username that Google would refuse.
func checkUsername(op, username string) error {
	local, domain, whole := strings.Cut(username, "@")
	if len(local) > maxUsername || !localPart.MatchString(local) || whole && domain == "" {
		return connector.Invalid(op, "Google does not take this username: it may have %d letters without accents, digits, dashes, underscores, apostrophes and single dots", maxUsername)
	}
	return nil
}

// maxName is the length of a given and a family name (users reference, "name").
const maxName = 60

// Create implements connector.Connector. The password is random, and nobody keeps it.
func (c *client) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	const op = connector.OpCreate
	if err := checkUsername(op, spec.Username); err != nil {
		return connector.Account{}, err
	}
	made := user{"primaryEmail": c.address(spec.Username), "password": newPassword(), "suspended": !spec.Active}
	if err := c.set(ctx, op, user{}, made, spec.Attributes); err != nil {
		return connector.Account{}, err
	}
	c.places.person.write(user{}, made, spec.PersonID)
	nameAfter(spec.Username, user{}, made)
	var u user
	if _, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: directory + "/users", Body: made}, &u); err != nil {
		return connector.Account{}, err
	}
	if u.Text("id") == "" || !strings.EqualFold(u.Text("primaryEmail"), c.address(spec.Username)) {
		return connector.Account{ID: u.Text("id")}, rest.Contradictory(op, "Google accepted the account and does not show it")
	}
	c.made.Note(u.Text("id"), u.Text("primaryEmail"))
	account := c.shown(u)
	wanted, set := spec.Attributes[aliasesName]
	if !c.aliases || !set {
		return account, nil
	}
	aliases, err := aliasesIn(op, wanted)
	if err == nil {
		err = c.setAliases(ctx, op, u, aliases)
	}
	if err != nil { // the account is there: an error that says otherwise would be a lie
		return account, rest.Contradictory(op, "the account was made, and its aliases were not set: an update tries again")
	}
	if len(aliases) > 0 {
		account.Attributes[aliasesName] = aliases
	}
	return account, nil
}

// put changes a user. It is a PUT, which changes only the members that it has; a PATCH
// cannot clear lists ("Update a user account").
func (c *client) put(ctx context.Context, op string, u, changed user) error {
	if len(changed) == 0 {
		return nil
	}
	var now user
	if _, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPut, Path: users(u.Text("id")), Body: changed, Repeatable: true}, &now); err != nil {
		return err
	}
	if now.Text("id") != u.Text("id") {
		return rest.Contradictory(op, "Google accepted the change and does not show the account")
	}
	return nil
}

// Adopt implements connector.Connector.
func (c *client) Adopt(ctx context.Context, accountID, personID string) error {
	const op = connector.OpAdopt
	u, err := c.get(ctx, op, accountID)
	if err != nil {
		return err
	}
	if needed, err := connector.Mark(op, c.externalID(u), personID, "Google"); err != nil || !needed {
		return err
	}
	changed := user{}
	c.places.person.write(u, changed, personID)
	return c.put(ctx, op, u, changed)
}

// nameAfter has the username stand in for a given or a family name that the user is not to have:
// Google keeps no user without.
func nameAfter(username string, u, changed user) {
	after := maps.Clone(u)
	maps.Copy(after, changed)
	for _, name := range []string{"givenName", "familyName"} {
		if where := known[name]; where.read(after) == nil {
			where.write(u, changed, username[:min(len(username), maxName)])
		}
	}
}

// Update implements connector.Connector.
func (c *client) Update(ctx context.Context, accountID string, attributes map[string]any) error {
	const op = connector.OpUpdate
	u, err := c.get(ctx, op, accountID)
	if err != nil {
		return err
	}
	changed := user{}
	if err := c.set(ctx, op, u, changed, attributes); err != nil {
		return err
	}
	if changed["name"] != nil {
		nameAfter(c.username(u.Text("primaryEmail")), u, changed)
	}
	wanted, set := attributes[aliasesName]
	aliases, err := aliasesIn(op, wanted)
	if err != nil {
		return err
	}
	if err := c.put(ctx, op, u, changed); err != nil || !c.aliases || !set {
		return err
	}
	return c.setAliases(ctx, op, u, aliases)
}

// aliasesIn returns the addresses that the attribute aliases is set to.
func aliasesIn(op string, value any) ([]string, error) {
	var aliases []string
	switch v := value.(type) {
	case nil:
	case string:
		aliases = []string{v}
	case []string:
		aliases = slices.Clone(v)
	default:
		return nil, connector.Invalid(op, "the attribute aliases must be a list of addresses")
	}
	for i, alias := range aliases {
		aliases[i] = strings.ToLower(alias)
	}
	return set.Sorted(slices.DeleteFunc(aliases, func(alias string) bool { return alias == "" })), nil
}

// setAliases gives the user these aliases and no others.
func (c *client) setAliases(ctx context.Context, op string, u user, wanted []string) error {
	have := u.Texts(aliasesName)
	for _, alias := range wanted {
		if slices.Contains(have, alias) {
			continue
		}
		if _, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: users(u.Text("id"), "aliases"), Body: map[string]any{"alias": alias}}, nil); err != nil {
			return err
		}
	}
	for _, alias := range have {
		if slices.Contains(wanted, alias) {
			continue
		}
		if _, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodDelete, Path: users(u.Text("id"), "aliases", alias)}, nil); rest.Gone(err) != nil {
			return err
		}
	}
	return nil
}

// Relabel implements connector.Connector. The former address stays with the account as an
// alias, so that mail still arrives.
func (c *client) Relabel(ctx context.Context, accountID string, to connector.Label) error {
	const op = connector.OpRelabel
	u, err := c.get(ctx, op, accountID)
	if err != nil {
		return err
	}
	id, err := to.ExternalID(c.externalID(u))
	if err != nil {
		return err
	}
	c.made.Forget(accountID)
	changed := user{}
	if id != "" {
		c.places.person.write(u, changed, id)
	}
	if to.Username != "" && !strings.EqualFold(c.address(to.Username), u.Text("primaryEmail")) {
		if err := checkUsername(op, to.Username); err != nil {
			return err
		}
		changed["primaryEmail"] = c.address(to.Username)
	}
	return c.put(ctx, op, u, changed)
}

// codesWait bounds how long a leaver's suspension waits for the backup codes.
const codesWait = 5 * time.Second

// Disable implements connector.Connector. Google does not touch the backup codes of a
// suspended user, so they are invalidated first. If that fails, the account is suspended all
// the same, and the error tells of the codes.
func (c *client) Disable(ctx context.Context, accountID string) error {
	const op = connector.OpDisable
	u, err := c.get(ctx, op, accountID)
	if err != nil || off(u) {
		return err
	}
	early, cancel := context.WithTimeout(ctx, codesWait)
	codes := c.invalidateCodes(early, op, u)
	cancel()
	if err := c.put(ctx, op, u, user{"suspended": true}); err != nil {
		return err
	}
	return codes
}

// Enable implements connector.Connector.
func (c *client) Enable(ctx context.Context, accountID string) error {
	const op = connector.OpEnable
	u, err := c.get(ctx, op, accountID)
	if err != nil {
		return err
	}
	changed := user{}
	for _, state := range []string{"suspended", "archived"} {
		if u.Is(state) {
			changed[state] = false
		}
	}
	return c.put(ctx, op, u, changed)
}

// Delete implements connector.Connector.
func (c *client) Delete(ctx context.Context, accountID string) error {
	c.made.Forget(accountID)
	_, err := c.api.Do(ctx, rest.Request{Op: connector.OpDelete, Method: http.MethodDelete, Path: users(accountID), Repeatable: true}, nil)
	return rest.Gone(err)
}

// Restore implements connector.Connector. Google restores the account suspended, into the
// org unit that it is told ("Undelete a user").
func (c *client) Restore(ctx context.Context, accountID string) error {
	const op = connector.OpRestore
	_, err := c.get(ctx, op, accountID)
	if !connector.Is(err, connector.KindNotFound) {
		return err
	}
	_, err = c.api.Do(ctx, rest.Request{
		Op: op, Method: http.MethodPost, Path: users(accountID, "undelete"), Body: map[string]any{"orgUnitPath": c.restoreTo},
	}, nil)
	return err
}

// newPassword returns a random password (128 bits or more). Google takes 8 to 100 characters
// of ASCII.
func newPassword() string { return rand.Text() + "-a0" }
