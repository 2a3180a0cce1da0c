package directory

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"iter"
	"strings"
	"sync"

	"github.com/go-ldap/ldap/v3"

	"github.com/tenurehq/tenure/internal/remote"
)

// Client makes requests to one directory. Many goroutines may use it; each request has a
// connection of its own while it lasts. The parameter op of its methods is the operation
// that errors name.
type Client struct {
	config  Config
	answers *remote.Answers

	mu     sync.Mutex
	idle   []*connection
	closed bool
}

// New returns a client. It connects when it is first used.
func New(config Config) *Client { return &Client{config: config, answers: remote.NewAnswers()} }

// Seal returns a seal of a text that only somebody with the password can make. It tells the
// marks that Tenure leaves in the directory from those that others write.
func (c *Client) Seal(op, text string) (string, error) {
	password, err := c.config.Password.Reveal()
	if err != nil {
		return "", remote.NoSecret(op, "password", err)
	}
	seal := hmac.New(sha256.New, []byte(password))
	seal.Write([]byte(text))
	return hex.EncodeToString(seal.Sum(nil)), nil
}

// Close closes the idle connections, and makes connections in use close when they are given
// back.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, conn := range c.idle {
		conn.close()
	}
	c.idle = nil
}

// request makes one request on a connection.
func (c *Client) request(ctx context.Context, op string, conn *connection, do func(*ldap.Conn) error) error {
	if err := c.pace(ctx, op); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	stop := conn.guard(ctx)
	defer conn.raw.Begin(ctx, maxAnswer)()
	err := do(conn.Conn)
	cut := !stop()
	if err == nil {
		conn.broken = cut
		return nil
	}
	failed := asError(ctx, op, err, c.config.Timeout)
	if conn.raw.TooLong() || errors.Is(err, remote.ErrTooLong) {
		failed = tooLong(op)
	}
	conn.broken = cut || ResultOf(failed) == nil
	return failed
}

// do makes one request.
func (c *Client) do(ctx context.Context, op string, do func(*ldap.Conn) error) error {
	conn, err := c.borrow(ctx, op)
	if err != nil {
		return err
	}
	defer c.giveBack(conn)
	return c.request(ctx, op, conn, do)
}

// WhoAmI returns the identity as which the server knows the client (RFC 4532), such as
// "cn=tenure,dc=example at ldap.example.com". If the server does not tell, it is the bind DN.
func (c *Client) WhoAmI(ctx context.Context, op string) (string, error) {
	conn, err := c.borrow(ctx, op)
	if err != nil {
		return "", err
	}
	defer c.giveBack(conn)
	identity := c.config.BindDN
	err = c.request(ctx, op, conn, func(conn *ldap.Conn) error {
		who, err := conn.WhoAmI(nil)
		if err == nil && who.AuthzID != "" {
			identity = strings.TrimPrefix(who.AuthzID, "dn:")
		}
		return err
	})
	if err != nil && !Is(err, ldap.LDAPResultProtocolError) { // RFC 4511 section 4.12: the server does not know the operation
		return "", err
	}
	return identity + " at " + conn.host, nil
}

// Scope is the depth of a search (RFC 4511 section 4.5.1.2).
type Scope int

// The scopes.
const (
	Base    = Scope(ldap.ScopeBaseObject)   // the entry itself
	Level   = Scope(ldap.ScopeSingleLevel)  // the entries directly below it
	Subtree = Scope(ldap.ScopeWholeSubtree) // it and all below it
)

// Query describes a search.
type Query struct {
	Base       string // DN
	Scope      Scope
	Filter     string // RFC 4515; see Equal, And, Or
	Attributes []string
}

// Search yields the entries found. It asks for pages as they are needed, and ignores
// references to other servers. It ends with the first error.
func (c *Client) Search(ctx context.Context, op string, q Query) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		conn, err := c.borrow(ctx, op)
		if err != nil {
			yield(nil, err)
			return
		}
		defer c.giveBack(conn)
		paging := ldap.NewControlPaging(uint32(c.config.PageSize))
		for {
			var page *ldap.SearchResult
			err := c.request(ctx, op, conn, func(conn *ldap.Conn) (err error) {
				page, err = search(ctx, conn, ldap.NewSearchRequest(q.Base, int(q.Scope), ldap.NeverDerefAliases, 0, 0, false, q.Filter, q.Attributes, []ldap.Control{paging}))
				return err
			})
			if err != nil {
				yield(nil, err)
				return
			}
			next, more := ldap.FindControl(page.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
			more = more && len(next.Cookie) > 0
			for _, found := range page.Entries {
				if !yield(newEntry(found), nil) {
					conn.broken = more // so that the server need not keep the rest
					return
				}
			}
			if !more {
				return
			}
			paging.SetCookie(next.Cookie)
		}
	}
}

// All returns all entries that Search yields.
func (c *Client) All(ctx context.Context, op string, q Query) ([]*Entry, error) {
	var all []*Entry
	for entry, err := range c.Search(ctx, op, q) {
		if err != nil {
			return nil, err
		}
		all = append(all, entry)
	}
	return all, nil
}

// Get reads the entry with a DN. The error is remote.NotFound if there is none.
func (c *Client) Get(ctx context.Context, op, dn string, attributes ...string) (*Entry, error) {
	var found *ldap.SearchResult
	err := c.do(ctx, op, func(conn *ldap.Conn) (err error) {
		found, err = search(ctx, conn, ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", attributes, nil))
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(found.Entries) == 0 { // it exists, but the client may not see it
		return nil, &remote.Error{Kind: remote.NotFound, Op: op, Message: "the directory shows no such entry"}
	}
	return newEntry(found.Entries[0]), nil
}

// Add creates an entry. Attributes without values are left out.
func (c *Client) Add(ctx context.Context, op, dn string, attributes map[string][]string) error {
	request := ldap.NewAddRequest(dn, nil)
	for name, values := range attributes {
		if len(values) > 0 {
			request.Attribute(name, values)
		}
	}
	return c.do(ctx, op, func(conn *ldap.Conn) error { return conn.Add(request) })
}

// Change is one change of an entry's attribute.
type Change struct {
	How       How
	Attribute string
	Values    []string // empty with Delete or Replace: all values
}

// How is the way in which an attribute is changed (RFC 4511 section 4.6).
type How uint

// The ways to change an attribute.
const (
	Add     How = ldap.AddAttribute     // adds these values, none of which exists
	Delete  How = ldap.DeleteAttribute  // deletes these values, all of which exist
	Replace How = ldap.ReplaceAttribute // replaces all values by these
)

// Modify makes all of the changes of an entry, or none.
func (c *Client) Modify(ctx context.Context, op, dn string, changes ...Change) error {
	request := ldap.NewModifyRequest(dn, nil)
	for _, change := range changes {
		request.Changes = append(request.Changes, ldap.Change{
			Operation:    uint(change.How),
			Modification: ldap.PartialAttribute{Type: change.Attribute, Vals: change.Values},
		})
	}
	return c.do(ctx, op, func(conn *ldap.Conn) error { return conn.Modify(request) })
}

// Move gives an entry another name (RDN), another parent, or both. With an empty parent the
// entry stays below its own. The old name's value is removed.
func (c *Client) Move(ctx context.Context, op, dn, rdn, parent string) error {
	return c.do(ctx, op, func(conn *ldap.Conn) error { return conn.ModifyDN(ldap.NewModifyDNRequest(dn, rdn, true, parent)) })
}

// Delete deletes an entry that has no entries below it.
func (c *Client) Delete(ctx context.Context, op, dn string) error {
	return c.do(ctx, op, func(conn *ldap.Conn) error { return conn.Del(ldap.NewDelRequest(dn, nil)) })
}
