package activedirectory

import (
	"context"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
)

// Relabel implements connector.Connector. It changes the names and the external ID in one
// request. Then it changes the cn, if that was the old username and no other object in the
// OU has the new one.
func (c *client) Relabel(ctx context.Context, accountID string, to connector.Label) error {
	const op = connector.OpRelabel
	entry, err := c.changeable(ctx, op, accountID)
	if err != nil {
		return err
	}
	changes, err := c.relabelled(entry, to)
	if err != nil || len(changes) == 0 {
		return err
	}
	err = c.directory.Modify(ctx, op, byGUID(accountID), changes...)
	if taken(err) {
		return failed(op, connector.KindExists, "there is an account of that username (sAMAccountName or userPrincipalName)", err)
	}
	if err != nil || to.Username == "" {
		return refine(err)
	}
	return c.renameTo(ctx, entry, to.Username)
}

// relabelled returns the changes that give an account another username and external ID.
func (c *client) relabelled(entry *directory.Entry, to connector.Label) ([]directory.Change, error) {
	const op = connector.OpRelabel
	var changes []directory.Change
	set := func(attribute, value string) {
		changes = append(changes, directory.Change{How: directory.Replace, Attribute: attribute, Values: []string{value}})
	}
	externalID, err := to.ExternalID(entry.Text(c.externalID))
	if err != nil {
		return nil, err
	}
	if externalID != entry.Text(c.externalID) {
		if err := c.checkPersonID(op, externalID); err != nil {
			return nil, err
		}
		set(c.externalID, externalID)
	}
	if to.Username != "" && to.Username != entry.Text("sAMAccountName") {
		if err := checkUsername(to.Username); err != nil {
			return nil, failed(op, connector.KindInvalid, "the username "+err.Error(), nil)
		}
		set("sAMAccountName", to.Username)
		set("userPrincipalName", to.Username+"@"+c.upnSuffix)
	}
	return changes, nil
}

// renameTo changes the object's cn to the new username, if the cn is its old one.
func (c *client) renameTo(ctx context.Context, entry *directory.Entry, username string) error {
	const op = connector.OpRelabel
	rdn, parent, err := directory.Split(entry.DN)
	if err != nil {
		return failed(op, connector.KindInvalid, "the account's DN cannot be read", nil)
	}
	if !strings.EqualFold(rdn, directory.RDN("CN", entry.Text("sAMAccountName"))) {
		return nil
	}
	err = c.directory.Move(ctx, op, entry.DN, directory.RDN("CN", username), parent)
	if directory.Is(err, ldap.LDAPResultEntryAlreadyExists) {
		return nil // another object has this cn, which need not be the username
	}
	return refine(err)
}

// Adopt implements connector.Connector. It adds the external ID and does not replace one: of
// two persons at the same time only one gets the account.
func (c *client) Adopt(ctx context.Context, accountID, personID string) error {
	if err := c.checkPersonID(connector.OpAdopt, personID); err != nil {
		return err
	}
	entry, err := c.changeable(ctx, connector.OpAdopt, accountID)
	if err != nil {
		return err
	}
	if needed, err := connector.Mark(connector.OpAdopt, entry.Text(c.externalID), personID, "Active Directory"); err != nil || !needed {
		return err
	}
	err = c.directory.Modify(ctx, connector.OpAdopt, byGUID(accountID),
		directory.Change{How: directory.Add, Attribute: c.externalID, Values: []string{personID}})
	if directory.Is(err, ldap.LDAPResultAttributeOrValueExists) {
		return failed(connector.OpAdopt, connector.KindConflict, "the account carries an ID in "+c.externalID+" by now: find out in Active Directory whose account it is", nil)
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

// dangling distinguishes a missing account from one that refers to something missing, for
// which the server gives the same answer.
func (c *client) dangling(ctx context.Context, op, accountID string, err error) error {
	if !directory.Is(err, ldap.LDAPResultNoSuchObject) {
		return refine(err)
	}
	if _, gone := c.get(ctx, op, accountID); gone != nil {
		return gone
	}
	return failed(op, connector.KindInvalid, "what the account is to refer to (its manager, a group) is not there, or no more", err)
}
