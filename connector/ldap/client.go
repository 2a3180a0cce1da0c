package ldap

import (
	"context"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
)

// client is the connector.
type client struct {
	connector.Base

	dir    *directory.Client
	groups *groups // nil if no groups are configured

	people, leavers string // DNs; leavers may be empty
	filter          string
	classes         []string

	// Names of attributes. The last two may be empty.
	rdn, username, externalID, accountID, employeeNumber, email string
	lock                                                        lock
}

// lock holds the attribute by which an account is disabled, and its two values.
type lock struct{ attribute, disabled, enabled string }

var _ connector.Connector = (*client)(nil)

// lastUse says what accounts show, where the server keeps it. OpenLDAP writes it at most once in
// lastbind-precision (slapd.conf(5), slapo-lastbind(5)), which only its administrator knows.
var lastUse = connector.LastUse{
	By:   "a bind to the directory",
	Note: "It needs OpenLDAP's lastbind or its overlay of that name, or the account policy plugin of 389 Directory Server, and that Tenure may read pwdLastSuccess, authTimestamp or lastLoginTime. A replica may not know of binds to another one.",
}

// Capabilities implements connector.Connector. It offers entitlements if groups are
// configured.
func (c *client) Capabilities() connector.Capabilities {
	return connector.Capabilities{
		Create: true, Adopt: true, Update: true, Relabel: true, Disable: true, Reversible: true, Delete: true,
		Entitlements: c.groups != nil, ListEntitlements: c.groups != nil, ResetCredentials: true, List: true, Probe: true,
		LastUse: lastUse,
	}
}

// Check implements connector.Connector.
func (c *client) Check(ctx context.Context) (string, error) {
	return c.dir.WhoAmI(ctx, connector.OpCheck)
}

// Close implements connector.Connector.
func (c *client) Close() error {
	c.dir.Close()
	return nil
}

// Find implements connector.Connector.
func (c *client) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	for _, key := range []struct {
		by               connector.MatchKey
		attribute, value string
	}{
		{connector.ByAccountID, c.accountID, keys.AccountID},
		{connector.ByExternalID, c.externalID, keys.PersonID},
		{connector.ByEmployeeNumber, c.employeeNumber, keys.EmployeeNumber},
		{connector.ByUsername, c.username, keys.Username},
		{connector.ByEmail, c.email, keys.Email},
	} {
		if key.attribute == "" || key.value == "" {
			continue
		}
		matches, err := c.match(ctx, key.by, directory.Equal(key.attribute, key.value), keys.PersonID)
		if err != nil || len(matches) > 0 || key.by == connector.ByAccountID {
			return matches, err
		}
	}
	return nil, nil
}

// match returns the accounts that a filter finds, without those of other persons.
func (c *client) match(ctx context.Context, by connector.MatchKey, filter, personID string) ([]connector.Match, error) {
	var matches []connector.Match
	for entry, err := range c.search(ctx, connector.OpFind, directory.And(c.filter, filter)) {
		if err != nil {
			return nil, err
		}
		owner := entry.Text(c.externalID)
		switch {
		case by == connector.ByExternalID && owner != personID: // servers ignore the case
			continue
		case by != connector.ByAccountID && connector.Foreign(owner, personID):
			continue
		}
		account, err := c.account(ctx, connector.OpFind, entry)
		if err != nil {
			return nil, err
		}
		matches = append(matches, connector.Match{Account: account, By: by})
	}
	return matches, nil
}

// Read implements connector.Connector.
func (c *client) Read(ctx context.Context, accountID string) (connector.Account, error) {
	entry, err := c.entry(ctx, connector.OpRead, accountID)
	if err != nil {
		return connector.Account{}, err
	}
	return c.account(ctx, connector.OpRead, entry)
}

// whole says why there is no Page.
const whole = "A directory's pages end with the connection that began them (RFC 2696): a list that is broken off begins anew."

// List implements connector.Connector.
func (c *client) List(ctx context.Context) iter.Seq2[connector.Account, error] {
	return func(yield func(connector.Account, error) bool) {
		memberships, err := c.groups.all(ctx, connector.OpList)
		if err != nil {
			yield(connector.Account{}, err)
			return
		}
		for entry, err := range c.search(ctx, connector.OpList, c.filter) {
			var account connector.Account
			if err == nil {
				account, err = c.shown(connector.OpList, entry)
			}
			if err == nil {
				account.Entitlements = memberships.of(c.member(entry))
			}
			if !yield(account, err) || err != nil {
				return
			}
		}
	}
}

// bases returns the DNs below which accounts are.
func (c *client) bases() []string {
	if c.leavers == "" || directory.IsBelow(c.leavers, c.people) {
		return []string{c.people}
	}
	return []string{c.people, c.leavers}
}

// wanted returns the attributes to read of an entry. Servers send operational attributes
// only if they are asked for by name.
func (c *client) wanted() []string {
	return append([]string{"*", c.accountID, c.lock.attribute, madeAt}, usedAt...)
}

// madeAt names the attribute that says when an entry was created (RFC 4512 section 3.4.1).
// usedAt names those in which OpenLDAP's and 389 Directory Server's password policies keep
// when somebody last bound as the entry.
const madeAt = "createTimestamp"

var usedAt = []string{"pwdLastSuccess", "authTimestamp", "lastLoginTime"}

// search yields the entries of people that match a filter.
func (c *client) search(ctx context.Context, op, filter string) iter.Seq2[*directory.Entry, error] {
	return func(yield func(*directory.Entry, error) bool) {
		for _, base := range c.bases() {
			for entry, err := range c.dir.Search(ctx, op, directory.Query{Base: base, Scope: directory.Subtree, Filter: filter, Attributes: c.wanted()}) {
				if connector.Is(err, connector.KindNotFound) { // the base is missing, not an account
					err = connector.Invalid(op, "the directory does not have, or show, the DN of setting people or leavers: check both, and that the bind DN may read them")
				}
				if !yield(entry, err) || err != nil {
					return
				}
			}
		}
	}
}

// entry returns the entry of an account, or an error of KindNotFound.
func (c *client) entry(ctx context.Context, op, accountID string) (*directory.Entry, error) {
	for entry, err := range c.search(ctx, op, directory.And(c.filter, directory.Equal(c.accountID, accountID))) {
		return entry, err
	}
	return nil, &connector.Error{Kind: connector.KindNotFound, Op: op, Message: "the directory has no such account"}
}

// member returns the value by which groups hold the entry.
func (c *client) member(entry *directory.Entry) string {
	if c.groups.holdDNs() {
		return entry.DN
	}
	return entry.Text(c.username)
}

// account returns an entry as an account, with its memberships.
func (c *client) account(ctx context.Context, op string, entry *directory.Entry) (connector.Account, error) {
	account, err := c.shown(op, entry)
	if err != nil {
		return connector.Account{}, err
	}
	account.Entitlements, err = c.groups.names(ctx, op, c.member(entry))
	return account, err
}

// shown returns an entry as an account, without its memberships.
func (c *client) shown(op string, entry *directory.Entry) (connector.Account, error) {
	account := connector.Account{
		ID:         entry.Text(c.accountID),
		Username:   entry.Text(c.username),
		ExternalID: entry.Text(c.externalID),
		Active:     !c.disabled(entry),
		Attributes: map[string]any{},
		CreatedAt:  entry.Time(madeAt),
	}
	for _, name := range usedAt {
		if at := entry.Time(name); at.After(account.LastUsedAt) {
			account.LastUsedAt = at
		}
	}
	if account.ID == "" {
		return account, connector.Invalid(op, "the directory does not show the attribute of setting accountID: allow the bind DN to read it, or name another")
	}
	for _, name := range entry.Names() {
		values := entry.Texts(name)
		if c.own(name) || slices.ContainsFunc(values, binary) {
			continue
		}
		if len(values) == 1 {
			account.Attributes[name] = values[0]
			continue
		}
		account.Attributes[name] = slices.Sorted(slices.Values(values))
	}
	return account, nil
}

// binary reports whether a value is no text: a photo, a certificate.
func binary(value string) bool { return !utf8.ValidString(value) }

func (c *client) disabled(entry *directory.Entry) bool {
	return slices.ContainsFunc(entry.Texts(c.lock.attribute), func(value string) bool {
		return strings.EqualFold(value, c.lock.disabled)
	})
}
