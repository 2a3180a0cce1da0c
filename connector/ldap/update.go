package ldap

import (
	"context"
	"maps"
	"slices"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
)

// Adopt implements connector.Connector. It adds the external ID and does not replace one: the
// server refuses a second value of an attribute that has one.
func (c *client) Adopt(ctx context.Context, accountID, personID string) error {
	entry, err := c.changing(ctx, connector.OpAdopt, accountID)
	if err != nil {
		return err
	}
	if needed, err := connector.Mark(connector.OpAdopt, entry.Text(c.externalID), personID, "the directory"); err != nil || !needed {
		return err
	}
	return c.dir.Modify(ctx, connector.OpAdopt, entry.DN, directory.Change{How: directory.Add, Attribute: c.externalID, Values: []string{personID}})
}

// Update implements connector.Connector. It does not send values that the entry has already.
func (c *client) Update(ctx context.Context, accountID string, attributes map[string]any) error {
	const op = connector.OpUpdate
	entry, err := c.changing(ctx, op, accountID)
	if err != nil {
		return err
	}
	encoded := make(map[string][]string, len(attributes))
	for attribute, value := range attributes {
		values, err := c.encode(op, attribute, value)
		if err != nil {
			return err
		}
		if len(values) == 0 && c.required(attribute) {
			values = []string{entry.Text(c.username)}
		}
		encoded[attribute] = values
	}
	return c.set(ctx, op, entry, encoded)
}

// Relabel implements connector.Connector. It renames the entry if the username attribute is
// part of the entry's RDN.
func (c *client) Relabel(ctx context.Context, accountID string, to connector.Label) error {
	const op = connector.OpRelabel
	entry, err := c.changing(ctx, op, accountID)
	if err != nil {
		return err
	}
	externalID, err := to.ExternalID(entry.Text(c.externalID))
	if err != nil {
		return err
	}
	changed := map[string][]string{}
	if externalID != entry.Text(c.externalID) {
		changed[c.externalID] = []string{externalID}
	}
	if was := entry.Text(c.username); to.Username != "" && to.Username != was {
		others, err := c.Find(ctx, connector.Keys{Username: to.Username})
		if err != nil {
			return err
		}
		if len(others) > 0 {
			return &connector.Error{Kind: connector.KindExists, Op: op, Message: "an entry of that username is there already"}
		}
		changed[c.username] = []string{to.Username}
	}
	return c.set(ctx, op, entry, changed)
}

// set changes attributes, and the entry's name if an attribute of it changes. It does not
// send values that the entry has already.
func (c *client) set(ctx context.Context, op string, entry *directory.Entry, attributes map[string][]string) error {
	rdn, parent, err := directory.Split(entry.DN)
	if err != nil {
		return connector.Invalid(op, "%s", err)
	}
	var changes []directory.Change
	name := rdn
	for _, attribute := range slices.Sorted(maps.Keys(attributes)) {
		values := attributes[attribute]
		if sameValues(values, entry.Texts(attribute)) {
			continue
		}
		if len(values) == 1 {
			if renamed, ok := directory.Rename(name, attribute, values[0]); ok {
				name = renamed
				if len(entry.Texts(attribute)) == 1 {
					continue // the rename replaces the value in the old name, and no other value
				}
			}
		}
		changes = append(changes, directory.Change{How: directory.Replace, Attribute: attribute, Values: values})
	}
	if name != rdn {
		if err := c.move(ctx, op, entry, name, parent); err != nil {
			return err
		}
	}
	if len(changes) == 0 {
		return nil
	}
	return c.dir.Modify(ctx, op, entry.DN, changes...)
}

func sameValues(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
