package activedirectory

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
)

// client is the connector.
type client struct {
	connector.Base

	directory      *directory.Client
	people         string // DNs
	createIn       string
	leavers        string // empty if nobody is moved
	groups         string
	upnSuffix      string
	externalID     string // attributes
	employeeNumber string // empty if Find does not use it
	email          string // empty if Find does not use it
	groupName      string
	shapes         map[string]shape // of the attributes that can be mapped
	recycleBin     time.Duration
}

var _ connector.Connector = (*client)(nil)

// Capabilities implements connector.Connector.
func (c *client) Capabilities() connector.Capabilities {
	return connector.Capabilities{
		Create: true, Adopt: true, Update: true, Relabel: true, Disable: true, Reversible: true, Delete: true, RecycleBin: c.recycleBin,
		Entitlements: true, ListEntitlements: true, ResetCredentials: true, List: true, Probe: true, LastUse: lastUse,
	}
}

// Find implements connector.Connector.
func (c *client) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	if keys.AccountID != "" {
		return connector.FoundByID(c.read(ctx, connector.OpFind, keys.AccountID))
	}
	for _, key := range []struct {
		by               connector.MatchKey
		attribute, value string
	}{
		{connector.ByExternalID, c.externalID, keys.PersonID},
		{connector.ByEmployeeNumber, c.employeeNumber, keys.EmployeeNumber},
		{connector.ByUsername, "sAMAccountName", keys.Username},
		{connector.ByEmail, c.email, keys.Email},
	} {
		if key.attribute == "" || key.value == "" {
			continue
		}
		matches, err := c.findBy(ctx, key.by, key.attribute, key.value, keys.PersonID)
		if err != nil || len(matches) > 0 {
			return matches, err
		}
	}
	return nil, nil
}

// findBy returns the accounts whose attribute has that value and that are not another
// person's. To the server "zoe" and "Zoë" are the same; findBy leaves such accounts out.
func (c *client) findBy(ctx context.Context, by connector.MatchKey, attribute, value, personID string) ([]connector.Match, error) {
	entries, err := c.search(ctx, connector.OpFind, c.people, directory.And(anyPerson, directory.Equal(attribute, value)), c.wanted()...)
	if err != nil {
		return nil, err
	}
	var matches []connector.Match
	for _, entry := range entries {
		owner, has := entry.Text(c.externalID), entry.Text(attribute)
		if by == connector.ByExternalID && owner != value || !strings.EqualFold(has, value) ||
			connector.Foreign(owner, personID) {
			continue
		}
		account, err := c.withEntitlements(ctx, connector.OpFind, entry)
		if err != nil {
			return nil, err
		}
		matches = append(matches, connector.Match{Account: account, By: by})
	}
	return matches, nil
}

// search returns the entries below a base that the settings name.
func (c *client) search(ctx context.Context, op, base, filter string, attributes ...string) ([]*directory.Entry, error) {
	entries, err := c.directory.All(ctx, op, directory.Query{Base: base, Scope: directory.Subtree, Filter: filter, Attributes: attributes})
	return entries, c.misplaced(op, err)
}

// misplaced returns another error if an OU of the settings does not exist: the server gives
// the same answer as for an account that does not exist.
func (c *client) misplaced(op string, err error) error {
	if directory.Is(err, ldap.LDAPResultNoSuchObject) {
		return failed(op, connector.KindInvalid, "an OU of the settings is not there: check people, createIn, leavers and groups", err)
	}
	return refine(err)
}

// Read implements connector.Connector. It also reads protected accounts: one that is linked
// must not count as gone.
func (c *client) Read(ctx context.Context, accountID string) (connector.Account, error) {
	return c.read(ctx, connector.OpRead, accountID)
}

func (c *client) read(ctx context.Context, op, accountID string) (connector.Account, error) {
	entry, err := c.get(ctx, op, accountID)
	if err != nil {
		return connector.Account{}, err
	}
	return c.withEntitlements(ctx, op, entry)
}

func (c *client) withEntitlements(ctx context.Context, op string, entry *directory.Entry) (connector.Account, error) {
	names, err := c.memberships(ctx, op, entry.DN)
	if err != nil {
		return connector.Account{}, err
	}
	return c.account(op, entry, names)
}

// Check implements connector.Connector.
func (c *client) Check(ctx context.Context) (string, error) {
	identity, err := c.directory.WhoAmI(ctx, connector.OpCheck)
	return identity, refine(err)
}

// Close implements connector.Connector.
func (c *client) Close() error {
	c.directory.Close()
	return nil
}

// lastUse says what accounts show: lastLogonTimestamp, which domain controllers write again when
// it is older than ms-DS-Logon-Time-Sync-Interval, 14 days unless the domain has another one
// (MS-ADA1 section 2.351).
var lastUse = connector.LastUse{By: "a logon to the domain", Lag: 14 * 24 * time.Hour}

// whole says why there is no Page.
const whole = "A directory's pages end with the connection that began them (RFC 2696): a list that is broken off begins anew."

// List implements connector.Connector. It reads the groups' names first, so that it needs no
// call for each account.
func (c *client) List(ctx context.Context) iter.Seq2[connector.Account, error] {
	return func(yield func(connector.Account, error) bool) {
		names, err := c.groupNames(ctx)
		if err != nil {
			yield(connector.Account{}, err)
			return
		}
		for entry, err := range c.directory.Search(ctx, connector.OpList, directory.Query{
			Base: c.people, Scope: directory.Subtree, Filter: anyPerson, Attributes: append(c.wanted(), "memberOf"),
		}) {
			if err != nil {
				yield(connector.Account{}, c.misplaced(connector.OpList, err))
				return
			}
			if !yield(c.listed(ctx, entry, names)) {
				return
			}
		}
	}
}

// groupNames returns the names of all groups, by DN in lower case.
func (c *client) groupNames(ctx context.Context) (map[string]string, error) {
	all, err := c.search(ctx, connector.OpList, c.groups, anyGroup, c.groupName)
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(all))
	for _, group := range all {
		names[strings.ToLower(group.DN)] = group.Text(c.groupName)
	}
	return names, nil
}

// listed returns an account with the groups in its memberOf. The server sends a long memberOf
// in parts and under another name (MS-ADTS section 3.1.1.3.1.3.3): then listed looks the
// groups up.
func (c *client) listed(ctx context.Context, entry *directory.Entry, names map[string]string) (connector.Account, error) {
	inParts := func(name string) bool { return strings.HasPrefix(name, "memberof;") }
	if slices.ContainsFunc(entry.Names(), inParts) {
		return c.withEntitlements(ctx, connector.OpList, entry)
	}
	var has []string
	for _, dn := range entry.Texts("memberOf") {
		if name := names[strings.ToLower(dn)]; name != "" {
			has = append(has, name)
		}
	}
	slices.Sort(has)
	return c.account(connector.OpList, entry, slices.Compact(has))
}
