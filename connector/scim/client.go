package scim

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/tenurehq/tenure/connector"
)

// client is the connector.
type client struct {
	service      *service
	groups       *groupCache
	createGroups bool
	creating     sync.Mutex // held while a group is made
}

var (
	_ connector.Connector = (*client)(nil)
	_ connector.Creator   = (*client)(nil)
	_ connector.Adopter   = (*client)(nil)
	_ connector.Updater   = (*client)(nil)
	_ connector.Switch    = (*client)(nil)
	_ connector.Deleter   = (*client)(nil)
	_ connector.Entitler  = (*client)(nil)
	_ connector.Lister    = (*client)(nil)
)

// Find implements connector.Connector.
func (c *client) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	if keys.AccountID != "" {
		return c.findByID(ctx, keys.AccountID)
	}
	if keys.PersonID != "" {
		matches, err := c.findBy(ctx, connector.ByExternalID, "externalId", keys.PersonID, func(user resource) bool {
			return user.text("externalId") == keys.PersonID
		})
		if err != nil || len(matches) > 0 {
			return matches, err
		}
	}
	if keys.Username == "" {
		return nil, nil
	}
	return c.findBy(ctx, connector.ByUsername, "userName", keys.Username, func(user resource) bool {
		owner := user.text("externalId")
		theirs := owner == "" || owner == keys.PersonID || keys.PersonID == ""
		return theirs && strings.EqualFold(user.text("userName"), keys.Username)
	})
}

func (c *client) findByID(ctx context.Context, accountID string) ([]connector.Match, error) {
	account, err := c.read(ctx, connector.OpFind, accountID)
	if isKind(err, connector.KindNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []connector.Match{{Account: account, By: connector.ByAccountID}}, nil
}

// findBy returns the accounts whose attribute has that value, by the service's
// filter and, since not every service honours one, by matches.
func (c *client) findBy(ctx context.Context, key connector.MatchKey, attr, value string, matches func(resource) bool) ([]connector.Match, error) {
	query := url.Values{"filter": {equals(attr, value)}}
	var found []connector.Match
	for user, err := range c.service.each(ctx, request{op: connector.OpFind, collection: users, query: query}) {
		if err != nil {
			return nil, err
		}
		if !matches(user) {
			continue
		}
		account, err := c.account(ctx, connector.OpFind, user, c.ask)
		if err != nil {
			return nil, err
		}
		found = append(found, connector.Match{Account: account, By: key})
	}
	return found, nil
}

// Read implements connector.Connector.
func (c *client) Read(ctx context.Context, accountID string) (connector.Account, error) {
	return c.read(ctx, connector.OpRead, accountID)
}

func (c *client) read(ctx context.Context, op, accountID string) (connector.Account, error) {
	user, _, err := c.get(ctx, op, accountID)
	if err != nil {
		return connector.Account{}, err
	}
	return c.account(ctx, op, user, c.ask)
}

// get returns a user as it was sent, and its version.
func (c *client) get(ctx context.Context, op, accountID string) (user resource, etag string, err error) {
	header, err := c.service.do(ctx, request{op: op, method: http.MethodGet, collection: users, id: accountID}, &user)
	if err != nil {
		return nil, "", err
	}
	if user.text("id") != accountID {
		return nil, "", noSCIM(op)
	}
	return user, user.etag(header), nil
}

// Check implements connector.Connector. SCIM has no way to ask who one is, so it
// says by what and where.
func (c *client) Check(ctx context.Context) (string, error) {
	if err := c.service.probe(ctx, connector.OpCheck); err != nil {
		return "", err
	}
	return fmt.Sprintf("bearer token at %s", c.service.base.Host), nil
}

// Close implements connector.Connector.
func (c *client) Close() error {
	c.service.http.CloseIdleConnections()
	return nil
}

// Create implements connector.Creator.
func (c *client) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	body, err := newUser(spec)
	if err != nil {
		return connector.Account{}, err
	}
	var user resource
	_, err = c.service.do(ctx, request{op: connector.OpCreate, method: http.MethodPost, collection: users, whole: true, body: body}, &user)
	if err != nil {
		return connector.Account{}, err
	}
	// A new account can be in groups already: some services put everyone in one.
	return c.account(ctx, connector.OpCreate, user, c.ask)
}

// Adopt implements connector.Adopter. The account's version goes with the
// change, so that two persons cannot both come to own it.
func (c *client) Adopt(ctx context.Context, accountID, personID string) error {
	err := c.adopt(ctx, accountID, personID)
	if a := answerOf(err); a != nil && a.status == http.StatusPreconditionFailed {
		err = c.adopt(ctx, accountID, personID) // changed meanwhile, perhaps in something else
	}
	return err
}

func (c *client) adopt(ctx context.Context, accountID, personID string) error {
	user, etag, err := c.get(ctx, connector.OpAdopt, accountID)
	if err != nil {
		return err
	}
	switch user.text("externalId") {
	case personID:
		return nil
	case "":
	default:
		return &connector.Error{
			Kind: connector.KindConflict, Op: connector.OpAdopt,
			Message: "the account carries another person's externalId: remove it in the app if it is wrong",
		}
	}
	return c.patch(ctx, request{op: connector.OpAdopt, id: accountID, ifMatch: etag},
		operation{Op: "replace", Path: "externalId", Value: personID})
}

// Update implements connector.Updater.
func (c *client) Update(ctx context.Context, accountID string, given map[string]any) error {
	var user resource
	operations, err := changes(given, func() (resource, error) {
		var err error
		if user == nil {
			user, _, err = c.get(ctx, connector.OpUpdate, accountID)
		}
		return user, err
	})
	if err != nil || len(operations) == 0 {
		return err
	}
	return c.patch(ctx, request{op: connector.OpUpdate, id: accountID}, operations...)
}

// Disable implements connector.Switch.
func (c *client) Disable(ctx context.Context, accountID string) error {
	return c.patch(ctx, request{op: connector.OpDisable, id: accountID}, operation{Op: "replace", Path: "active", Value: false})
}

// Enable implements connector.Switch.
func (c *client) Enable(ctx context.Context, accountID string) error {
	return c.patch(ctx, request{op: connector.OpEnable, id: accountID}, operation{Op: "replace", Path: "active", Value: true})
}

// Reversible implements connector.Switch: in SCIM, active is an attribute like
// any other (RFC 7643 section 4.1.1).
func (c *client) Reversible() bool { return true }

// Delete implements connector.Deleter.
func (c *client) Delete(ctx context.Context, accountID string) error {
	_, err := c.service.do(ctx, request{op: connector.OpDelete, method: http.MethodDelete, collection: users, id: accountID}, nil)
	if isKind(err, connector.KindNotFound) {
		return nil
	}
	return err
}

// Deletion implements connector.Deleter: "the service provider MUST return a 404
// for all operations associated with the previously deleted resource" (RFC 7644
// section 3.6).
func (c *client) Deletion() connector.Deletion { return connector.Deletion{} }

// patch changes the user that r names.
func (c *client) patch(ctx context.Context, r request, operations ...operation) error {
	r.method, r.collection, r.body = http.MethodPatch, users, patch(operations...)
	_, err := c.service.do(ctx, r, nil)
	return err
}

// account makes a contract's account of a user. Where the service does not send
// the user's groups, others is asked for them.
func (c *client) account(ctx context.Context, op string, user resource, others membership) (connector.Account, error) {
	id, username := user.text("id"), user.text("userName")
	if id == "" || username == "" {
		return connector.Account{}, noSCIM(op)
	}
	active, err := user.active(op)
	if err != nil {
		return connector.Account{}, err
	}
	entitlements, err := c.entitlements(ctx, op, user, others)
	if err != nil {
		return connector.Account{}, err
	}
	return connector.Account{
		ID: id, Username: username, ExternalID: user.text("externalId"), Active: active,
		Attributes: decodeAttributes(user), Entitlements: entitlements,
	}, nil
}
