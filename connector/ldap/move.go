package ldap

import (
	"context"

	"github.com/tenurehq/tenure/connector"
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
	rdn, err := c.vacantName(ctx, op, entry, rdn, parent)
	if err != nil {
		return err
	}
	old, now := entry.DN, directory.Below(rdn, parent)
	var held []*directory.Entry
	if c.groups.holdDNs() && !directory.SameDN(old, now) {
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

// vacantName is an RDN that no other entry has below parent: memberships must not
// be added under a DN that is somebody else's. An entry whose name is taken gets
// its username added to it.
func (c *client) vacantName(ctx context.Context, op string, entry *directory.Entry, rdn, parent string) (string, error) {
	for _, name := range []string{rdn, rdn + "+" + directory.RDN(c.username, entry.Text(c.username))} {
		dn := directory.Below(name, parent)
		if directory.SameDN(dn, entry.DN) {
			return name, nil
		}
		switch _, err := c.dir.Get(ctx, op, dn, c.accountID); {
		case directory.NotFound(err):
			return name, nil
		case directory.Is(err, invalidDNSyntax): // it has the username already
		case err != nil:
			return "", err
		}
	}
	return "", &connector.Error{Kind: connector.KindExists, Op: op, Message: "the directory has another entry of this name where the account is to be: rename or delete that one"}
}

// invalidDNSyntax is RFC 4511's code for what is no DN.
const invalidDNSyntax = 34

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
