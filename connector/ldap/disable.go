package ldap

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
)

// Disable implements connector.Connector.
func (c *client) Disable(ctx context.Context, accountID string) error {
	err := c.disable(ctx, accountID)
	if c.leavers != "" { // without it, the lock is the only change
		err = connector.Unfinished(err)
	}
	return err
}

// disable ends access first. Then it completes interrupted moves, and moves the entry.
func (c *client) disable(ctx context.Context, accountID string) error {
	const op = connector.OpDisable
	entry, err := c.entry(ctx, op, accountID)
	if err != nil {
		return err
	}
	if !c.disabled(entry) {
		if err := c.setLock(ctx, op, entry, c.lock.disabled); err != nil {
			return err
		}
	}
	if err := c.endMoves(ctx, op, entry); err != nil {
		return connector.Unfinished(err)
	}
	if c.leavers == "" {
		return nil
	}
	if directory.IsBelow(entry.DN, c.leavers) {
		return c.settle(ctx, op, entry, c.people)
	}
	return c.moveBelow(ctx, op, entry, c.leavers)
}

// Enable implements connector.Connector. It leaves a lock that the server set by itself, for
// too many wrong passwords.
func (c *client) Enable(ctx context.Context, accountID string) error {
	const op = connector.OpEnable
	entry, err := c.changing(ctx, op, accountID)
	if err != nil {
		return err
	}
	if c.leavers != "" {
		if directory.IsBelow(entry.DN, c.leavers) {
			err = c.moveBelow(ctx, op, entry, c.people)
		} else {
			err = c.settle(ctx, op, entry, c.leavers)
		}
		if err != nil {
			return err
		}
	}
	if !c.disabled(entry) {
		return nil
	}
	return c.setLock(ctx, op, entry, c.lock.enabled)
}

func (c *client) setLock(ctx context.Context, op string, entry *directory.Entry, value string) error {
	change := directory.Change{How: directory.Replace, Attribute: c.lock.attribute}
	if value != "" {
		change.Values = []string{value}
	}
	err := c.dir.Modify(ctx, op, entry.DN, change)
	if directory.Is(err, undefinedAttributeType) {
		return connector.Invalid(op, "the directory has no such attribute as setting disableAttribute names: load its password policy overlay (ppolicy), or name another")
	}
	return err
}

// undefinedAttributeType is RFC 4511's code for an attribute that the schema does
// not have.
const undefinedAttributeType = 17

// Delete implements connector.Connector. It removes memberships first: they would outlast the
// entry, and the next entry of the same DN would inherit them.
func (c *client) Delete(ctx context.Context, accountID string) error {
	const op = connector.OpDelete
	entry, err := c.changing(ctx, op, accountID)
	if connector.Is(err, connector.KindNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := c.groups.removeAll(ctx, op, c.member(entry)); err != nil {
		return err
	}
	if err := c.dir.Delete(ctx, op, entry.DN); !connector.Is(err, connector.KindNotFound) {
		return err
	}
	return nil
}

const passwordAttribute = "userPassword"

// ResetCredentials implements connector.Connector. It sets a password that nobody knows. The
// error is of KindUnsupported if the password is kept elsewhere ("{SASL}..."), or if the
// bind DN may not write it.
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
	if c.disabled(entry) { // a new password may remove a lock of the password policy
		return c.setLock(ctx, op, entry, c.lock.disabled)
	}
	return nil
}

// newPassword returns a random password with characters of each class that a policy may
// require.
func newPassword() string { return "aA0-" + rand.Text() }
