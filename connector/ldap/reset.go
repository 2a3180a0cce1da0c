package ldap

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
)

const passwordAttribute = "userPassword"

// ResetCredentials implements connector.Connector: the password becomes one
// that nobody knows. Where the entry shows that it is looked up elsewhere ("{SASL}..."),
// or the bind DN may not write it, this app cannot.
func (c *client) ResetCredentials(ctx context.Context, accountID string) error {
	const op = connector.OpResetCredentials
	entry, err := c.changing(ctx, op, accountID)
	if err != nil {
		return err
	}
	elsewhere := func(value string) bool { return strings.HasPrefix(strings.ToUpper(value), "{SASL}") }
	if slices.ContainsFunc(entry.Texts(passwordAttribute), elsewhere) {
		return &connector.Error{Kind: connector.KindUnsupported, Op: op, Message: "the account's password is kept elsewhere (SASL): reset it there"}
	}
	reset := directory.Change{How: directory.Replace, Attribute: passwordAttribute, Values: []string{newPassword()}}
	err = c.dir.Modify(ctx, op, entry.DN, reset)
	if connector.Is(err, connector.KindForbidden) {
		return &connector.Error{Kind: connector.KindUnsupported, Op: op, Message: "the bind DN may not write userPassword: allow it, and passwords are reset when accounts are adopted"}
	}
	if err != nil {
		return err
	}
	if c.disabled(entry) { // a new password may take a lock by password policy away
		return c.setLock(ctx, op, entry, c.lock.disabled)
	}
	return nil
}

// newPassword is one that nobody will ever know, with characters of each class that a
// policy may ask for.
func newPassword() string { return "aA0-" + rand.Text() }
