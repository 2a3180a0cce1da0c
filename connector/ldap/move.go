package ldap

import (
	"context"
	"crypto/hmac"
	"net/url"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
)

// moveBelow gives an entry another parent.
func (c *client) moveBelow(ctx context.Context, op string, entry *directory.Entry, parent string) error {
	rdn, _, err := directory.Split(entry.DN)
	if err != nil {
		return connector.Invalid(op, "%s", err)
	}
	return c.move(ctx, op, entry, rdn, parent)
}

// move gives an entry another DN, and has its memberships follow: they are added
// under the new DN first and taken from the old one last, so that none is lost if
// it ends in between. Where the server does that by itself there is nothing left
// to do. One that takes no member that is not there yet, or that keeps references
// whole itself and stumbles over those under the new DN (389 Directory Server's
// Referential Integrity), is moved first: see moveFirst.
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

// moveFirst moves an entry that those groups hold, and has its memberships follow. The
// entry itself holds a note of where it was until they have: whatever changes it next
// ends what was broken off in between.
func (c *client) moveFirst(ctx context.Context, op string, entry *directory.Entry, held []*directory.Entry, rdn, parent string) error {
	old, now := entry.DN, directory.Below(rdn, parent)
	if err := c.groups.removeFrom(ctx, op, held, now); err != nil { // those that were added in vain
		return err
	}
	note, err := c.noteOf(op, entry)
	if err != nil {
		return err
	}
	err = c.dir.Modify(ctx, op, old, directory.Change{How: directory.Add, Attribute: noteAttribute, Values: []string{note}})
	if err != nil && !directory.Is(err, attributeOrValueExists) && !connector.Is(err, connector.KindInvalid, connector.KindForbidden) {
		return err // else the entry can hold none: settle knows the usual places
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

// noteAttribute holds notes of moves: URLs with a label (RFC 2079), which inetOrgPerson
// may have. People can often write their own, so that a note is sealed: a DN that
// somebody else wrote there would give them the memberships that are left at it.
const (
	noteAttribute = "labeledURI"
	noteScheme    = "ldap:///"
	noteLabel     = " Tenure moved the entry from here, and its memberships are to follow: "
)

// noteOf is the note of where an entry is, before it is moved.
func (c *client) noteOf(op string, entry *directory.Entry) (string, error) {
	seal, err := c.dir.Seal(op, c.sealed(entry, entry.DN))
	return noteScheme + url.PathEscape(entry.DN) + noteLabel + seal, err
}

// sealed is what a note's seal is of: an entry, and where it was.
func (c *client) sealed(entry *directory.Entry, dn string) string {
	return "tenure/moved/" + entry.Text(c.accountID) + "/" + dn
}

// noted is the DN that a note of this entry tells of, if it is one that Tenure wrote.
func (c *client) noted(op string, entry *directory.Entry, value string) (dn string, ok bool, err error) {
	dn, seal, ok := readNote(value)
	if !ok {
		return "", false, nil
	}
	own, err := c.dir.Seal(op, c.sealed(entry, dn))
	return dn, hmac.Equal([]byte(own), []byte(seal)), err
}

// readNote reads what has the form of a note: its seal has not been checked.
func readNote(value string) (dn, seal string, ok bool) {
	escaped, seal, labelled := strings.Cut(value, noteLabel)
	escaped, schemed := strings.CutPrefix(escaped, noteScheme)
	dn, err := url.PathUnescape(escaped)
	return dn, seal, labelled && schemed && err == nil && directory.ValidDN(dn)
}

func (c *client) forget(ctx context.Context, op string, entry *directory.Entry, note string) error {
	err := c.dir.Modify(ctx, op, entry.DN, directory.Change{How: directory.Delete, Attribute: noteAttribute, Values: []string{note}})
	if directory.Is(err, noSuchAttribute) || connector.Is(err, connector.KindInvalid, connector.KindForbidden) {
		return nil
	}
	return err
}

// changing is entry, for what changes it: moves of it that were broken off are ended
// first.
func (c *client) changing(ctx context.Context, op, accountID string) (*directory.Entry, error) {
	entry, err := c.entry(ctx, op, accountID)
	if err != nil {
		return nil, err
	}
	return entry, c.endMoves(ctx, op, entry)
}

// endMoves ends moves of an entry that were broken off.
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
		if !directory.SameDN(old, entry.DN) { // else it has not been moved
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

// inherit gives an entry the memberships that are left at a DN where it was.
func (c *client) inherit(ctx context.Context, op string, entry *directory.Entry, old string) error {
	held, err := c.groups.with(ctx, op, old)
	if err != nil || len(held) == 0 {
		return err
	}
	if _, err := c.dir.Get(ctx, op, old, c.accountID); !connector.Is(err, connector.KindNotFound) {
		return err // somebody else is there, and the memberships are theirs
	}
	return c.follow(ctx, op, held, old, entry.DN)
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
		case connector.Is(err, connector.KindNotFound):
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
		return connector.Invalid(op, "%s", err)
	}
	return c.inherit(ctx, op, entry, directory.Below(rdn, before))
}
