package scim

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
)

// Find implements connector.Connector.
func (c *client) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	if keys.AccountID != "" {
		return connector.FoundByID(c.read(ctx, connector.OpFind, keys.AccountID))
	}
	byPerson := lookFor{connector.ByExternalID, "externalId", keys.PersonID, func(user resource) bool {
		return user.text("externalId") == keys.PersonID
	}}
	byName := lookFor{connector.ByUsername, "userName", keys.Username, func(user resource) bool {
		return !connector.Foreign(user.text("externalId"), keys.PersonID) && strings.EqualFold(user.text("userName"), keys.Username)
	}}
	looks := slices.DeleteFunc([]lookFor{byPerson, byName}, func(l lookFor) bool { return l.value == "" })
	if c.service.learned.noExternalID.holds(c.now()) || c.traits.noExternalID {
		looks = slices.DeleteFunc(looks, func(l lookFor) bool { return l.key == connector.ByExternalID })
	}
	if c.traits.combinedLookups && len(looks) > 1 {
		return c.findBy(ctx, looks...)
	}
	for _, look := range looks {
		matches, err := c.findBy(ctx, look)
		if look.key == connector.ByExternalID && keys.Username != "" && refusedFilter(err) && c.cannotFilter(ctx, "externalId", nobody, &c.service.learned.noExternalID) {
			continue // what userName finds is compared with externalId anyway
		}
		if look.key == connector.ByExternalID {
			err = advised(err, withoutFilter["externalId"])
		}
		if err != nil || len(matches) > 0 {
			return matches, err
		}
	}
	return c.findByEmail(ctx, keys)
}

// unheeded is how many accounts without the address show that a service ignores a look-up by
// address, and sends everybody. A few may have the address without showing it.
const unheeded = 10

// findByEmail finds unowned accounts that have an address. If the service cannot look that
// up, it finds none: a match by address proves nothing, and only makes Tenure ask a human.
func (c *client) findByEmail(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	noEmails := &c.service.learned.noEmails
	if keys.Email == "" || c.traits.noEmails || noEmails.holds(c.now()) {
		return nil, nil
	}
	others := 0
	matches, err := c.findBy(ctx, lookFor{connector.ByEmail, "emails.value", keys.Email, func(user resource) bool {
		emails, _ := user.list("emails")
		if !slices.ContainsFunc(emails, func(email resource) bool { return strings.EqualFold(email.text("value"), keys.Email) }) {
			others++
			return false
		}
		return !connector.Foreign(user.text("externalId"), keys.PersonID)
	}})
	switch {
	case others >= unheeded:
		noEmails.confirmed(c.now(), apart)
		if errors.Is(err, errEndless) {
			return nil, nil
		}
	case err == nil:
		noEmails.refuted()
	}
	if refusedLookUp(err) && c.cannotFilter(ctx, "emails.value", nobody+"@invalid", noEmails) {
		return nil, nil
	}
	return matches, advised(err, withoutFilter["emails.value"])
}

// cannotFilter reports whether the service refuses a look-up by an attribute whatever the
// value is, while it lists users.
func (c *client) cannotFilter(ctx context.Context, attr, none string, learned *deviation) bool {
	query := url.Values{"filter": {equals(attr, none)}}
	_, err := c.service.page(ctx, request{op: connector.OpFind, collection: users, query: query}, position{}, 1)
	if !refusedLookUp(err) || c.service.probe(ctx, connector.OpFind, users) != nil {
		return false
	}
	learned.met(c.now())
	return true
}

// lookFor describes a look-up of accounts by one key.
type lookFor struct {
	key         connector.MatchKey
	attr, value string
	matches     func(resource) bool
}

// findBy returns the accounts that the strongest key finds; the first key is the strongest.
// It compares what the service's filter finds, since not every service heeds a filter.
func (c *client) findBy(ctx context.Context, looks ...lookFor) ([]connector.Match, error) {
	var filters []string
	for _, look := range looks {
		filters = append(filters, equals(look.attr, look.value))
	}
	found := make([][]resource, len(looks))
	query := url.Values{"filter": {strings.Join(filters, " or ")}}
	for user, err := range c.each(ctx, request{op: connector.OpFind, collection: users, query: query, few: true}) {
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(looks, func(look lookFor) bool { return look.matches(user) }); i >= 0 {
			if found[i] = append(found[i], user); len(found[i]) > mostMatches {
				return nil, connector.Invalid(connector.OpFind, "the app finds more than %d accounts by one person's %s", mostMatches, looks[i].attr)
			}
		}
	}
	strongest := slices.IndexFunc(found, func(users []resource) bool { return len(users) > 0 })
	if strongest < 0 {
		return nil, nil
	}
	var matches []connector.Match
	for _, user := range found[strongest] {
		account, err := c.account(ctx, connector.OpFind, user, c.askLoosely)
		if err != nil {
			return nil, err
		}
		matches = append(matches, connector.Match{Account: account, By: looks[strongest].key})
	}
	return matches, nil
}
