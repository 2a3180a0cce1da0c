package activedirectory

import (
	"context"
	"strconv"

	"github.com/go-ldap/ldap/v3"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
)

// Disable implements connector.Connector.
func (c *client) Disable(ctx context.Context, accountID string) error {
	err := c.disable(ctx, accountID)
	if c.leavers != "" { // without it, Disable is one change
		err = connector.Unfinished(err)
	}
	return err
}

// disable disables the account before it moves it, since that ends access.
func (c *client) disable(ctx context.Context, accountID string) error {
	entry, err := c.changeable(ctx, connector.OpDisable, accountID)
	if err != nil {
		return err
	}
	err = c.setControl(ctx, connector.OpDisable, entry, func(control int64) int64 { return control | accountDisable })
	if err != nil || c.leavers == "" || directory.IsBelow(entry.DN, c.leavers) {
		return err
	}
	return c.move(ctx, connector.OpDisable, entry, c.leavers)
}

// Enable implements connector.Connector. If an account has no password yet, Enable sets one
// that nobody knows: without it, anybody could sign in.
func (c *client) Enable(ctx context.Context, accountID string) error {
	entry, err := c.changeable(ctx, connector.OpEnable, accountID)
	if err != nil {
		return err
	}
	if c.leavers != "" && directory.IsBelow(entry.DN, c.leavers) {
		if err := c.move(ctx, connector.OpEnable, entry, c.createIn); err != nil {
			return err
		}
	}
	if isUnfinished(entry) {
		return c.finish(ctx, connector.OpEnable, entry, true)
	}
	return c.setControl(ctx, connector.OpEnable, entry, func(control int64) int64 { return control &^ accountDisable })
}

// setControl changes userAccountControl, with further changes in the same request, if nobody
// else has changed it since the entry was read.
func (c *client) setControl(ctx context.Context, op string, entry *directory.Entry, change func(int64) int64, with ...directory.Change) error {
	before, err := controlOf(entry)
	if err != nil {
		return failed(op, connector.KindForbidden, "the account that we bind as may not read userAccountControl: allow it", nil)
	}
	after := change(before)
	if after == before && len(with) == 0 {
		return nil
	}
	err = c.directory.Modify(ctx, op, byGUID(guidText(entry.Text("objectGUID"))), append(with,
		directory.Change{How: directory.Delete, Attribute: "userAccountControl", Values: []string{strconv.FormatInt(before, 10)}},
		directory.Change{How: directory.Add, Attribute: "userAccountControl", Values: []string{strconv.FormatInt(after, 10)}})...)
	if directory.Is(err, ldap.LDAPResultNoSuchAttribute, ldap.LDAPResultAttributeOrValueExists) {
		return failed(op, connector.KindUnavailable, "somebody else changed the account's userAccountControl at the same time: nothing was changed", err)
	}
	return refine(err)
}

// move moves an account into another OU. If another object there has its name, the account
// gets a unique one. Not every server can move an object by objectGUID, so move uses the DN
// that was read.
func (c *client) move(ctx context.Context, op string, entry *directory.Entry, to string) error {
	rdn, _, err := directory.Split(entry.DN)
	if err != nil {
		return failed(op, connector.KindInvalid, "the account's DN cannot be read", nil)
	}
	id := guidText(entry.Text("objectGUID"))
	err = c.directory.Move(ctx, op, entry.DN, rdn, to)
	if directory.Is(err, ldap.LDAPResultEntryAlreadyExists) {
		err = c.directory.Move(ctx, op, entry.DN, directory.RDN("CN", entry.Text("sAMAccountName")+" "+id), to)
	}
	if directory.ResultOf(err) == nil {
		return err
	}
	return c.notMoved(ctx, op, entry, to, err)
}

// notMoved finds out why a server refused a move, since servers answer differently: the
// account is gone or was moved elsewhere, or the OU does not exist.
func (c *client) notMoved(ctx context.Context, op string, entry *directory.Entry, to string, err error) error {
	if _, missing := c.directory.Get(ctx, op, to, "objectGUID"); missing != nil {
		return c.misplaced(op, missing)
	}
	now, gone := c.get(ctx, op, guidText(entry.Text("objectGUID")))
	switch {
	case gone != nil:
		return gone
	case now.DN != entry.DN:
		return failed(op, connector.KindUnavailable, "somebody else moved the account at the same time", err)
	}
	return refine(err)
}

// Delete implements connector.Connector.
func (c *client) Delete(ctx context.Context, accountID string) error {
	_, err := c.changeable(ctx, connector.OpDelete, accountID)
	if err == nil {
		err = refine(c.directory.Delete(ctx, connector.OpDelete, byGUID(accountID)))
	}
	if connector.Is(err, connector.KindNotFound) {
		return nil
	}
	return err
}
