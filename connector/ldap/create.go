package ldap

import (
	"context"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
)

// requires maps object classes to the attributes that they require (RFC 4519, RFC 2798,
// RFC 2307). Those that nobody maps are set to the username.
var requires = map[string][]string{
	"person":               {"cn", "sn"},
	"organizationalperson": {"cn", "sn"},
	"inetorgperson":        {"cn", "sn"},
	"posixaccount":         {"cn"},
}

// required reports whether an attribute must not be empty.
func (c *client) required(name string) bool {
	return slices.ContainsFunc(c.classes, func(class string) bool {
		return slices.ContainsFunc(requires[strings.ToLower(class)], func(must string) bool { return strings.EqualFold(must, name) })
	})
}

// Create implements connector.Connector.
func (c *client) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	attributes, err := c.attributes(spec)
	if err != nil {
		return connector.Account{}, err
	}
	if err := c.vacant(ctx, spec); err != nil {
		return connector.Account{}, err
	}
	dn, err := c.add(ctx, spec.Username, attributes)
	if err != nil {
		return connector.Account{}, err
	}
	entry, err := c.dir.Get(ctx, connector.OpCreate, dn, c.wanted()...)
	if err != nil {
		return connector.Account{}, err
	}
	// An entry that had this DN before may have left memberships behind.
	if err := c.groups.removeAll(ctx, connector.OpCreate, c.member(entry)); err != nil {
		return connector.Account{}, err
	}
	return c.shown(connector.OpCreate, entry)
}

// vacant returns an error of KindExists if the username or the person has an entry: the
// directory itself keeps only DNs unique.
func (c *client) vacant(ctx context.Context, spec connector.Spec) error {
	claims := []string{directory.Equal(c.username, spec.Username)}
	if spec.PersonID != "" {
		claims = append(claims, directory.Equal(c.externalID, spec.PersonID))
	}
	for _, err := range c.search(ctx, connector.OpCreate, directory.Or(claims...)) {
		if err != nil {
			return err
		}
		return exists()
	}
	return nil
}

func exists() error {
	return &connector.Error{Kind: connector.KindExists, Op: connector.OpCreate, Message: "the directory has an entry with this username or person ID already"}
}

// attributes returns the attributes of a new entry.
func (c *client) attributes(spec connector.Spec) (map[string][]string, error) {
	attributes := map[string][]string{}
	for name, value := range spec.Attributes {
		values, err := c.encode(connector.OpCreate, name, value)
		if err != nil {
			return nil, err
		}
		attributes[name] = values
	}
	for _, name := range []string{"cn", "sn", c.rdn} {
		has := valueOf(attributes, name) != ""
		if !has && (name == c.rdn || c.required(name)) {
			attributes[name] = []string{spec.Username}
		}
	}
	attributes["objectClass"] = c.classes
	attributes[c.username] = []string{spec.Username}
	if spec.PersonID != "" {
		attributes[c.externalID] = []string{spec.PersonID}
	}
	state := c.lock.enabled
	if !spec.Active {
		state = c.lock.disabled
	}
	if state != "" {
		attributes[c.lock.attribute] = []string{state}
	}
	return attributes, nil
}

// valueOf returns the first value of an attribute, whose name is compared without case; empty
// if there is none.
func valueOf(attributes map[string][]string, name string) string {
	for mapped, values := range attributes {
		if strings.EqualFold(mapped, name) && len(values) > 0 {
			return values[0]
		}
	}
	return ""
}

// add adds the entry. If entries are not named by username, another entry may have the same
// name; then add makes the username part of the name.
func (c *client) add(ctx context.Context, username string, attributes map[string][]string) (string, error) {
	rdn := directory.RDN(c.rdn, valueOf(attributes, c.rdn))
	dn := directory.Below(rdn, c.people)
	err := c.dir.Add(ctx, connector.OpCreate, dn, attributes)
	if !connector.Is(err, connector.KindExists) && !directory.NotUnique(err) {
		return dn, asParent(err)
	}
	if strings.EqualFold(c.rdn, c.username) || directory.NotUnique(err) {
		return "", exists()
	}
	holder, err := c.dir.Get(ctx, connector.OpCreate, dn, c.username)
	if err != nil {
		return "", err
	}
	if strings.EqualFold(holder.Text(c.username), username) {
		return "", exists()
	}
	dn = directory.Below(rdn+"+"+directory.RDN(c.username, username), c.people)
	return dn, asParent(c.dir.Add(ctx, connector.OpCreate, dn, attributes))
}

// asParent returns the error for an entry whose parent does not exist, with what to do.
func asParent(err error) error {
	if connector.Is(err, connector.KindNotFound) {
		return connector.Invalid(connector.OpCreate, "the directory does not have the DN of setting people: make it, or check the setting")
	}
	return err
}
