package ldap

import (
	"context"
	"crypto/hmac"
	"net/url"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
)

// moveBelow moves an entry below another parent, and keeps its RDN.
func (c *client) moveBelow(ctx context.Context, op string, entry *directory.Entry, parent string) error {
	rdn, _, err := directory.Split(entry.DN)
	if err != nil {
		return connector.Invalid(op, "%s", err)
	}
	return c.move(ctx, op, entry, rdn, parent)
}

// move gives an entry another DN, and moves its memberships to that DN. It adds them
// under the new DN first and removes them from the old one last, so that none is lost
// if it breaks off in between. A server that updates memberships by itself leaves
// nothing to remove.
//
// Some servers refuse a member that does not exist yet. Others update memberships by
// themselves and fail if the new DN is a member already (389 Directory Server's
// Referential Integrity). With both, move changes the entry's DN first: see moveFirst.
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
			if connector.Is(err, connector.KindInvalid) {
				return c.moveFirst(ctx, op, entry, held, rdn, parent)
			}
			return err
		}
	}
	err = c.dir.Move(ctx, op, old, rdn, parent)
	if len(held) > 0 && directory.Is(err, attributeOrValueExists) {
		return c.moveFirst(ctx, op, entry, held, rdn, parent)
	}
	if err != nil {
		return err
	}
	entry.DN = now
	return c.groups.removeFrom(ctx, op, held, old)
}

// moveFirst moves an entry, and then its memberships in the groups held. Until those are
// moved, the entry holds a note of its old DN: if moveFirst breaks off, the next change of
// the entry completes the move.
func (c *client) moveFirst(ctx context.Context, op string, entry *directory.Entry, held []*directory.Entry, rdn, parent string) error {
	old, now := entry.DN, directory.Below(rdn, parent)
	if err := c.groups.removeFrom(ctx, op, held, now); err != nil { // what move added before the server refused
		return err
	}
	note, err := c.noteOf(op, entry)
	if err != nil {
		return err
	}
	err = c.dir.Modify(ctx, op, old, directory.Change{How: directory.Add, Attribute: noteAttribute, Values: []string{note}})
	if err != nil && !directory.Is(err, attributeOrValueExists) && !connector.Is(err, connector.KindInvalid, connector.KindForbidden) {
		return err // the other errors mean that the entry can hold no note: settle knows the usual places
	}
	if err := c.dir.Move(ctx, op, old, rdn, parent); err != nil {
		return err
	}
	entry.DN = now
	if err := c.follow(ctx, op, held, old, now); err != nil {
		return err
	}
	return c.forget(ctx, op, entry, note)
}

// follow moves memberships from one DN to another.
func (c *client) follow(ctx context.Context, op string, held []*directory.Entry, old, now string) error {
	if err := c.groups.addTo(ctx, op, held, now); err != nil {
		return err
	}
	return c.groups.removeFrom(ctx, op, held, old)
}

// noteAttribute names the attribute that holds notes of moves. Its values are URLs with a
// label (RFC 2079), and inetOrgPerson allows it. People can often write their own, so that
// a note has a seal: with a note of their own, they could take the memberships of any DN.
const (
	noteAttribute = "labeledURI"
	noteScheme    = "ldap:///"
	noteLabel     = " Tenure moved the entry from here, and its memberships are to follow: "
)

// noteOf returns the note of the DN that an entry has before it is moved.
func (c *client) noteOf(op string, entry *directory.Entry) (string, error) {
	seal, err := c.dir.Seal(op, c.sealed(entry, entry.DN))
	return noteScheme + url.PathEscape(entry.DN) + noteLabel + seal, err
}

// sealed returns the text that a note's seal is made of: the entry's account ID and its
// old DN.
func (c *client) sealed(entry *directory.Entry, dn string) string {
	return "tenure/moved/" + entry.Text(c.accountID) + "/" + dn
}

// noted returns the old DN in a note of this entry. ok is false if Tenure did not write it.
func (c *client) noted(op string, entry *directory.Entry, value string) (dn string, ok bool, err error) {
	dn, seal, ok := readNote(value)
	if !ok {
		return "", false, nil
	}
	own, err := c.dir.Seal(op, c.sealed(entry, dn))
	return dn, hmac.Equal([]byte(own), []byte(seal)), err
}

// readNote splits a value that has the form of a note. It does not check the seal.
func readNote(value string) (dn, seal string, ok bool) {
	escaped, seal, labelled := strings.Cut(value, noteLabel)
	escaped, schemed := strings.CutPrefix(escaped, noteScheme)
	dn, err := url.PathUnescape(escaped)
	return dn, seal, labelled && schemed && err == nil && directory.ValidDN(dn)
}

// forget deletes a note. It is no error if the note is gone or the server refuses.
func (c *client) forget(ctx context.Context, op string, entry *directory.Entry, note string) error {
	err := c.dir.Modify(ctx, op, entry.DN, directory.Change{How: directory.Delete, Attribute: noteAttribute, Values: []string{note}})
	if directory.Is(err, noSuchAttribute) || connector.Is(err, connector.KindInvalid, connector.KindForbidden) {
		return nil
	}
	return err
}

// changing returns the entry of an account that is about to be changed. It completes the
// entry's broken-off moves first.
func (c *client) changing(ctx context.Context, op, accountID string) (*directory.Entry, error) {
	entry, err := c.entry(ctx, op, accountID)
	if err != nil {
		return nil, err
	}
	return entry, c.endMoves(ctx, op, entry)
}

// endMoves completes the moves of an entry that were broken off.
func (c *client) endMoves(ctx context.Context, op string, entry *directory.Entry) error {
	if !c.groups.holdDNs() {
		return nil
	}
	for _, value := range entry.Texts(noteAttribute) {
		old, ok, err := c.noted(op, entry, value)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if !directory.SameDN(old, entry.DN) { // the same DN: the entry was not moved
			if err := c.inherit(ctx, op, entry, old); err != nil {
				return err
			}
		}
		if err := c.forget(ctx, op, entry, value); err != nil {
			return err
		}
	}
	return nil
}

// inherit gives an entry the memberships that are left under its old DN.
func (c *client) inherit(ctx context.Context, op string, entry *directory.Entry, old string) error {
	held, err := c.groups.with(ctx, op, old)
	if err != nil || len(held) == 0 {
		return err
	}
	if _, err := c.dir.Get(ctx, op, old, c.accountID); !connector.Is(err, connector.KindNotFound) {
		return err // another entry has that DN by now, and the memberships are its own
	}
	return c.follow(ctx, op, held, old, entry.DN)
}

// vacantName returns an RDN that no other entry has below parent: memberships must not
// be added under the DN of somebody else. If another entry has the RDN, vacantName adds
// the entry's username to it.
func (c *client) vacantName(ctx context.Context, op string, entry *directory.Entry, rdn, parent string) (string, error) {
	for _, name := range []string{rdn, rdn + "+" + directory.RDN(c.username, entry.Text(c.username))} {
		dn := directory.Below(name, parent)
		if directory.SameDN(dn, entry.DN) {
			return name, nil
		}
		switch _, err := c.dir.Get(ctx, op, dn, c.accountID); {
		case connector.Is(err, connector.KindNotFound):
			return name, nil
		case directory.Is(err, invalidDNSyntax): // the RDN has the username already
		case err != nil:
			return "", err
		}
	}
	return "", &connector.Error{Kind: connector.KindExists, Op: op, Message: "the directory has another entry of this name where the account is to be: rename or delete that one"}
}

// invalidDNSyntax is RFC 4511's code for a text that is no DN.
const invalidDNSyntax = 34

// settle completes a move that left no note: the entry is where it should be, and groups
// may still hold its old DN below the parent before.
func (c *client) settle(ctx context.Context, op string, entry *directory.Entry, before string) error {
	if !c.groups.holdDNs() {
		return nil
	}
	rdn, _, err := directory.Split(entry.DN)
	if err != nil {
		return connector.Invalid(op, "%s", err)
	}
	return c.inherit(ctx, op, entry, directory.Below(rdn, before))
}
