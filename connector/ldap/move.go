package ldap

import (
	"context"

	"github.com/tenurehq/tenure/internal/directory"
)

// moveBelow gives an entry another parent.
func (c *client) moveBelow(ctx context.Context, op string, entry *directory.Entry, parent string) error {
	rdn, _, err := directory.Split(entry.DN)
	if err != nil {
		return invalid(op, err.Error())
	}
	return c.move(ctx, op, entry, rdn, parent)
}

// move gives an entry another DN, and has its memberships follow: they are added
// under the new DN first and taken from the old one last, so that none is lost if
// it ends in between. Where the server does that by itself there is nothing left
// to do.
func (c *client) move(ctx context.Context, op string, entry *directory.Entry, rdn, parent string) error {
	old, now := entry.DN, directory.Below(rdn, parent)
	var held []*directory.Entry
	if c.groups.holdDNs() && !directory.SameDN(old, now) {
		var err error
		if held, err = c.groups.with(ctx, op, old); err != nil {
			return err
		}
		if err := c.groups.addTo(ctx, op, held, now); err != nil {
			return err
		}
	}
	if err := c.dir.Move(ctx, op, old, rdn, parent); err != nil {
		return err
	}
	entry.DN = now
	return c.groups.removeFrom(ctx, op, held, old)
}

// settle ends a move that was broken off: the entry is where it should be, and
// groups may hold it where it was before, too.
func (c *client) settle(ctx context.Context, op string, entry *directory.Entry, before string) error {
	if !c.groups.holdDNs() {
		return nil
	}
	rdn, _, err := directory.Split(entry.DN)
	if err != nil {
		return invalid(op, err.Error())
	}
	old := directory.Below(rdn, before)
	held, err := c.groups.with(ctx, op, old)
	if err != nil || len(held) == 0 {
		return err
	}
	if _, err := c.dir.Get(ctx, op, old, c.accountID); !directory.NotFound(err) {
		return err // somebody else is there, and the memberships are theirs
	}
	if err := c.groups.addTo(ctx, op, held, entry.DN); err != nil {
		return err
	}
	return c.groups.removeFrom(ctx, op, held, old)
}
