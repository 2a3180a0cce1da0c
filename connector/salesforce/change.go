package salesforce

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
	"github.com/tenurehq/tenure/internal/nearest"
)

// Create implements connector.Connector. Salesforce wants LastName, Email and Alias of each
// user: the username stands in for those that policy does not set.
func (c *client) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	const op = connector.OpCreate
	fields, err := c.written(ctx, op, c.withDefaults(spec.Attributes))
	if err != nil {
		return connector.Account{}, err
	}
	maps.DeleteFunc(fields, func(_ string, value any) bool { return value == nil })
	if fields["ProfileId"] == nil {
		return connector.Account{}, connector.Invalid(op, "a user needs a profile: map the attribute Profile, or give the setting profile")
	}
	username := c.long(spec.Username)
	for name, value := range map[string]string{"LastName": spec.Username, "Email": username, "Alias": alias(spec.Username)} {
		if fields[name] == nil {
			fields[name] = value
		}
	}
	fields["Username"], fields["IsActive"] = username, spec.Active
	if spec.PersonID != "" {
		fields[c.externalID] = spec.PersonID
	}
	id, err := c.insert(ctx, op, "User", fields)
	if err != nil {
		return connector.Account{}, err
	}
	account, err := c.read(connector.SparingEntitlements(ctx), op, id) // a new user has none
	if err != nil && !connector.Is(err, connector.KindUnavailable) {
		// Other kinds would say that no account was made.
		return connector.Account{ID: id}, rest.Contradictory(op, "Salesforce made the user and does not show it: "+err.Error())
	}
	return account, err
}

// alias returns an Alias for a username: at most 8 letters and digits.
func alias(username string) string {
	local, _, _ := strings.Cut(username, "@")
	short := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, local)
	if short == "" {
		return "user"
	}
	return short[:min(len(short), 8)]
}

// Adopt implements connector.Connector.
func (c *client) Adopt(ctx context.Context, accountID, personID string) error {
	const op = connector.OpAdopt
	account, err := c.read(connector.SparingEntitlements(ctx), op, accountID)
	if err != nil {
		return err
	}
	if needed, err := connector.Mark(op, account.ExternalID, personID, "Salesforce"); err != nil || !needed {
		return err
	}
	return c.change(ctx, op, accountID, map[string]any{c.externalID: personID})
}

// Update implements connector.Connector.
func (c *client) Update(ctx context.Context, accountID string, attributes map[string]any) error {
	const op = connector.OpUpdate
	fields, err := c.written(ctx, op, attributes)
	if err != nil {
		return err
	}
	return c.change(ctx, op, accountID, fields)
}

// Relabel implements connector.Connector.
func (c *client) Relabel(ctx context.Context, accountID string, to connector.Label) error {
	const op = connector.OpRelabel
	account, err := c.read(connector.SparingEntitlements(ctx), op, accountID)
	if err != nil {
		return err
	}
	owner, err := to.ExternalID(account.ExternalID)
	if err != nil {
		return err
	}
	fields := map[string]any{}
	if owner != account.ExternalID {
		fields[c.externalID] = owner
	}
	if to.Username != "" && to.Username != account.Username {
		fields["Username"] = c.long(to.Username)
	}
	return c.change(ctx, op, accountID, fields)
}

// change changes fields of a user.
func (c *client) change(ctx context.Context, op, id string, fields map[string]any) error {
	if !userID.MatchString(id) {
		return gone(op)
	}
	if len(fields) == 0 {
		_, err := c.read(connector.SparingEntitlements(ctx), op, id)
		return err
	}
	return c.orGone(ctx, op, id, c.patch(ctx, op, "User", id, fields))
}

// orGone returns err, or that the user is gone if err may say so and it is.
func (c *client) orGone(ctx context.Context, op, id string, err error) error {
	if !rest.Has(err, missing...) {
		return err
	}
	if _, lost := c.read(connector.SparingEntitlements(ctx), op, id); lost != nil {
		return lost
	}
	return err
}

// always lists the attributes that a user always has: an empty value leaves them as they are.
var always = []string{
	"LastName", "Email", "Alias", "CommunityNickname", "Profile",
	"TimeZoneSidKey", "LocaleSidKey", "LanguageLocaleKey", "EmailEncodingKey",
}

// Keeps implements connector.Connector.
func (c *client) Keeps(ctx context.Context, account connector.Account, name string, set any) (bool, error) {
	if slices.Contains(always, name) && connector.SameValue(set, nil) {
		return true, nil
	}
	return c.Base.Keeps(ctx, account, name, set)
}

// written returns the fields of User that attributes set. It looks up the IDs of profiles and
// roles. An empty value clears a field, unless it is one of always.
func (c *client) written(ctx context.Context, op string, attributes map[string]any) (map[string]any, error) {
	fields := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if !slices.Contains(c.fields, name) {
			return nil, connector.Invalid(op, "%q is no field that this app maps%s; add others to the setting fields", name, nearest.Hint(name, c.fields))
		}
		value := attributes[name]
		if list, isList := value.([]string); isList {
			if len(list) > 1 {
				return nil, connector.Invalid(op, "%s takes one value, and policy gives several", name)
			}
			value = strings.Join(list, "")
		}
		if value == "" {
			value = nil
		}
		if value == nil && slices.Contains(always, name) {
			continue
		}
		relation, isNamed := named[name]
		switch {
		case !isNamed:
			fields[name] = value
		case value == nil:
			fields[name+"Id"] = nil
		default:
			text, _ := value.(string)
			id, err := c.lookUp(ctx, op, relation[0], relation[1], text)
			if err != nil {
				return nil, err
			}
			if id == "" {
				return nil, connector.Invalid(op, "Salesforce has no %s %q: check the policy, and the setting profile", name, text)
			}
			fields[name+"Id"] = id
		}
	}
	return fields, nil
}

// lookUp returns the ID of a record by its name; empty if there is none.
func (c *client) lookUp(ctx context.Context, op, object, field, name string) (id string, err error) {
	key := object + " " + name
	id, err = c.ids.Get(key, func() (string, error) {
		found, err := c.all(ctx, op, "SELECT Id FROM "+object+" WHERE "+field+" = "+quote(name))
		if err != nil || len(found) == 0 {
			return "", err
		}
		if len(found) > 1 {
			return "", connector.Invalid(op, "Salesforce has more than one %s named %q", object, name)
		}
		return found[0].Text("Id"), nil
	})
	if id == "" {
		c.ids.Forget(key) // somebody may make it
	}
	return id, err
}
