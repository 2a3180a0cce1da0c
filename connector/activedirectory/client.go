package activedirectory

import (
	"context"
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
	leavers        string // empty: nobody is moved
	groups         string
	upnSuffix      string
	externalID     string // attributes
	employeeNumber string // empty: not looked for
	email          string // empty: not looked for
	groupName      string
	shapes         map[string]shape // of the attributes that can be mapped
	recycleBin     time.Duration
}

var _ connector.Connector = (*client)(nil)

// Capabilities implements connector.Connector.
func (c *client) Capabilities() connector.Capabilities {
	return connector.Capabilities{
		Create: true, Adopt: true, Update: true, Relabel: true, Disable: true, Reversible: true, Delete: true, RecycleBin: c.recycleBin,
		Entitlements: true, ListEntitlements: true, ResetCredentials: true, List: true, Probe: true,
	}
}

// Find implements connector.Connector.
func (c *client) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	if keys.AccountID != "" {
		return c.findByID(ctx, keys.AccountID)
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

func (c *client) findByID(ctx context.Context, accountID string) ([]connector.Match, error) {
	account, err := c.read(ctx, connector.OpFind, accountID)
	if connector.Is(err, connector.KindNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []connector.Match{{Account: account, By: connector.ByAccountID}}, nil
}

// findBy returns the accounts whose attribute has that value and that are not
// another person's. The server takes "zoe" and "Zoë" for the same: we do not.
func (c *client) findBy(ctx context.Context, by connector.MatchKey, attribute, value, personID string) ([]connector.Match, error) {
	entries, err := c.search(ctx, connector.OpFind, c.people, directory.And(anyPerson, directory.Equal(attribute, value)), c.wanted()...)
	if err != nil {
		return nil, err
	}
	var matches []connector.Match
	for _, entry := range entries {
		owner, has := entry.Text(c.externalID), entry.Text(attribute)
		if by == connector.ByExternalID && owner != value || !strings.EqualFold(has, value) ||
			owner != "" && personID != "" && owner != personID {
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

// search returns what there is below a base that the settings name.
func (c *client) search(ctx context.Context, op, base, filter string, attributes ...string) ([]*directory.Entry, error) {
	entries, err := c.directory.All(ctx, op, directory.Query{Base: base, Scope: directory.Subtree, Filter: filter, Attributes: attributes})
	return entries, c.misplaced(op, err)
}

// misplaced tells an OU of the settings that is not there from an account that is
// not.
func (c *client) misplaced(op string, err error) error {
	if directory.Is(err, ldap.LDAPResultNoSuchObject) {
		return failed(op, connector.KindInvalid, "an OU of the settings is not there: check people, createIn, leavers and groups", err)
	}
	return refine(err)
}

// Read implements connector.Connector. It reads protected accounts too: one that
// is linked must not be taken for gone.
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

// Adopt implements connector.Connector. The value is added, not replaced: of two
// persons who come at the same time only one gets the account.
func (c *client) Adopt(ctx context.Context, accountID, personID string) error {
	if err := c.checkPersonID(connector.OpAdopt, personID); err != nil {
		return err
	}
	entry, err := c.changeable(ctx, connector.OpAdopt, accountID)
	if err != nil {
		return err
	}
	theirs := failed(connector.OpAdopt, connector.KindConflict,
		"the account carries another person's ID in "+c.externalID+": remove it there if it is wrong", nil)
	switch entry.Text(c.externalID) {
	case personID:
		return nil
	case "":
	default:
		return theirs
	}
	err = c.directory.Modify(ctx, connector.OpAdopt, byGUID(accountID),
		directory.Change{How: directory.Add, Attribute: c.externalID, Values: []string{personID}})
	if directory.Is(err, ldap.LDAPResultAttributeOrValueExists) {
		return theirs
	}
	return refine(err)
}

// Update implements connector.Connector.
func (c *client) Update(ctx context.Context, accountID string, given map[string]any) error {
	encoded, err := c.encode(connector.OpUpdate, given)
	if err != nil || len(encoded) == 0 {
		return err
	}
	if _, err := c.changeable(ctx, connector.OpUpdate, accountID); err != nil {
		return err
	}
	changes := make([]directory.Change, 0, len(encoded))
	for name, values := range encoded {
		changes = append(changes, directory.Change{How: directory.Replace, Attribute: name, Values: values})
	}
	err = c.directory.Modify(ctx, connector.OpUpdate, byGUID(accountID), changes...)
	return c.dangling(ctx, connector.OpUpdate, accountID, err)
}

// dangling tells a missing account from one that refers to something missing: the
// server's answer is the same.
func (c *client) dangling(ctx context.Context, op, accountID string, err error) error {
	if !directory.Is(err, ldap.LDAPResultNoSuchObject) {
		return refine(err)
	}
	if _, gone := c.get(ctx, op, accountID); gone != nil {
		return gone
	}
	return failed(op, connector.KindInvalid, "what the account is to refer to (its manager, a group) is not there, or no more", err)
}
