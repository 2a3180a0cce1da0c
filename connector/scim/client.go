package scim

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// client is the connector.
type client struct {
	connector.Base

	service      *service
	sessions     *rest.Client // ends sessions; nil if nothing does
	traits       traits
	survey       survey
	groups       *groupCache
	createGroups bool
	creating     sync.Mutex // held while a group is created
	putting      sync.Mutex // held while a group is replaced
	seen         sightings
	pages        pages
	// defaultEntitlement is the entitlement of every new account; empty for none.
	defaultEntitlement string
}

var _ connector.Connector = (*client)(nil)

// now returns the time by which beliefs about the service expire.
func (c *client) now() time.Time { return c.service.now() }

// Read implements connector.Connector.
func (c *client) Read(ctx context.Context, accountID string) (connector.Account, error) {
	return c.read(ctx, connector.OpRead, accountID)
}

func (c *client) read(ctx context.Context, op, accountID string) (connector.Account, error) {
	user, _, err := c.get(ctx, op, accountID)
	if err != nil {
		return connector.Account{}, err
	}
	decide := c.ask
	if connector.SparesEntitlements(ctx) {
		decide = unaskedFor
	}
	return c.account(ctx, op, user, decide)
}

// get returns a user as it was sent, and its version.
func (c *client) get(ctx context.Context, op, accountID string) (user resource, etag string, err error) {
	header, err := c.service.do(ctx, request{op: op, method: http.MethodGet, collection: users, id: accountID}, &user)
	if err != nil {
		return nil, "", err
	}
	if !sameID(user.text("id"), accountID) {
		return nil, "", noSCIM(op)
	}
	return user, user.etag(header), nil
}

// Check implements connector.Connector. SCIM cannot tell a client who it is, so Check
// returns the credentials and the service.
func (c *client) Check(ctx context.Context) (string, error) {
	if err := c.service.probe(ctx, connector.OpCheck, users); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s at %s", c.service.credentials.Who(), c.service.base.Host), nil
}

// Close implements connector.Connector.
func (c *client) Close() error {
	c.service.http.CloseIdleConnections()
	return nil
}

// Adopt implements connector.Connector. It sends the account's version along, so that two
// persons cannot both come to own the account.
func (c *client) Adopt(ctx context.Context, accountID, personID string) error {
	return again(ctx, func() error { return c.adopt(ctx, accountID, personID) })
}

func (c *client) adopt(ctx context.Context, accountID, personID string) error {
	user, etag, err := c.get(ctx, connector.OpAdopt, accountID)
	if err != nil {
		return err
	}
	if needed, err := connector.Mark(connector.OpAdopt, user.text("externalId"), personID, "the app"); err != nil || !needed {
		return err
	}
	return c.change(ctx, request{op: connector.OpAdopt, id: accountID, ifMatch: etag}, edit{core("externalId"), personID})
}

// displayName is the attribute without which some services keep no user.
const displayName = "displayName"

// Update implements connector.Connector.
func (c *client) Update(ctx context.Context, accountID string, given map[string]any) error {
	var user resource
	read := func() (resource, error) {
		var err error
		if user == nil {
			user, _, err = c.get(ctx, connector.OpUpdate, accountID)
		}
		return user, err
	}
	if name, mapped := given[displayName]; mapped && c.traits.needsDisplayName && connector.SameValue(name, nil) {
		user, err := read()
		if err != nil {
			return err
		}
		given = maps.Clone(given)
		given[displayName] = user.text("userName") // as in a new account
	}
	all, err := edits(given, read)
	if err != nil {
		return err
	}
	r := request{op: connector.OpUpdate, id: accountID}
	err = c.change(ctx, r, all...)
	if a := answerOf(err); a == nil || !a.refusesValues() || len(all) == 0 {
		return err
	}
	return c.oneByOne(ctx, r, all, err)
}

// oneByOne makes edits one by one after the service has refused them together, with the
// error together. It names those that the service refuses, and makes the others.
func (c *client) oneByOne(ctx context.Context, r request, all []edit, together error) error {
	var refused []string
	last := answerOf(together)
	for _, e := range all {
		err := together
		if len(all) > 1 {
			err = c.change(ctx, r, e)
		}
		if err == nil {
			continue
		}
		if last = answerOf(err); last == nil || !last.refusesValues() {
			return err
		}
		refused = append(refused, strconv.Quote(strings.Join(e.attr.path, ".")))
	}
	if len(refused) == 0 {
		return nil
	}
	message := fmt.Sprintf("attribute %s: %s: %s", strings.Join(refused, ", "), last, last.meaning(false).advice)
	switch c.how(ctx).form {
	case byPath:
		message += "; if they are right, try changeUsers: object, or put"
	case byObject:
		message += "; if they are right, try changeUsers: put"
	case byPut:
	}
	return &connector.Error{Kind: connector.KindInvalid, Op: r.op, Cause: last, Message: message}
}

// Relabel implements connector.Connector. It sends the account's version along, as Adopt
// does.
func (c *client) Relabel(ctx context.Context, accountID string, to connector.Label) error {
	err := again(ctx, func() error { return c.relabel(ctx, accountID, to) })
	if a := answerOf(err); a != nil && a.status == http.StatusConflict && c.usernameTaken(ctx, accountID, to.Username) {
		return &connector.Error{Kind: connector.KindExists, Op: connector.OpRelabel, Cause: a, Message: a.Error() + ": the app has another account of this username"}
	}
	return err
}

// usernameTaken reports whether another account than this has a username. Some services, such
// as Keycloak, answer 409 to a change of the username without saying that it is about its
// uniqueness: then it looks like a change that somebody else made meanwhile.
func (c *client) usernameTaken(ctx context.Context, accountID, username string) bool {
	if username == "" {
		return false
	}
	matches, err := c.findBy(ctx, lookFor{connector.ByUsername, "userName", username, func(user resource) bool {
		return strings.EqualFold(user.text("userName"), username) && !sameID(user.text("id"), accountID)
	}})
	return err == nil && len(matches) > 0
}

func (c *client) relabel(ctx context.Context, accountID string, to connector.Label) error {
	user, etag, err := c.get(ctx, connector.OpRelabel, accountID)
	if err != nil {
		return err
	}
	externalID, err := to.ExternalID(user.text("externalId"))
	if err != nil {
		return err
	}
	var all []edit
	if to.Username != "" && user.text("userName") != to.Username {
		all = append(all, edit{core("userName"), to.Username})
	}
	if externalID != user.text("externalId") {
		all = append(all, edit{core("externalId"), externalID})
	}
	if len(all) == 0 {
		return nil
	}
	return c.change(ctx, request{op: connector.OpRelabel, id: accountID, ifMatch: etag}, all...)
}

// account returns a user as a connector.Account, in the groups that decide returns.
func (c *client) account(ctx context.Context, op string, user resource, decide membership) (connector.Account, error) {
	id, username := user.text("id"), user.text("userName")
	if id == "" || username == "" {
		return connector.Account{}, noSCIM(op)
	}
	active, err := c.active(ctx, op, user)
	if err != nil {
		return connector.Account{}, err
	}
	entitlements, err := c.entitlements(ctx, op, user, decide)
	if err != nil {
		return connector.Account{}, err
	}
	return connector.Account{
		ID: id, Username: username, ExternalID: user.text("externalId"), Active: active,
		Attributes: decodeAttributes(user), Entitlements: entitlements,
		CreatedAt: user.time("meta", "created"), LastUsedAt: user.lastUsed(),
	}, nil
}

// Capabilities implements connector.Connector, by profile and settings. The service itself
// says whether passwords can be changed: see passwords.
func (c *client) Capabilities() connector.Capabilities {
	t := c.traits
	return connector.Capabilities{
		Create: true, Adopt: true, Update: true, Relabel: true, List: true, Page: true, Probe: true, LastUse: lastUse,
		Disable: true, Reversible: !t.destructiveDisable,
		Delete:           !t.keepsAccounts,
		Entitlements:     !t.noGroups || !t.noValues,
		ListEntitlements: !t.noGroups || len(t.valueLists) > 0,
		ResetCredentials: c.passwords(),
		Sessions:         c.sessions != nil,
	}
}

// passwords reports whether the service may support changing passwords. Without asking, it
// assumes so until the service has said otherwise.
func (c *client) passwords() bool {
	if c.traits.known {
		return c.traits.passwords
	}
	said, fresh := c.survey.last()
	return !fresh || said.passwords
}

// Delete implements connector.Connector: "the service provider MUST return a 404 for all
// operations associated with the previously deleted resource" (RFC 7644 section 3.6).
func (c *client) Delete(ctx context.Context, accountID string) error {
	err := again(ctx, func() error {
		_, err := c.service.do(ctx, request{op: connector.OpDelete, method: http.MethodDelete, collection: users, id: accountID}, nil)
		return err
	})
	if err == nil || connector.Is(err, connector.KindNotFound) {
		c.seen.forget(accountID)
		c.service.learned.activity.turned(accountID, false)
		return nil
	}
	return err
}

// Grant implements connector.Connector.
func (c *client) Grant(ctx context.Context, accountID string, names []string) error {
	return c.entitle(ctx, connector.OpGrant, accountID, names, c.join)
}

// Revoke implements connector.Connector. If the group or the account does not exist, it
// succeeds.
func (c *client) Revoke(ctx context.Context, accountID string, names []string) error {
	return c.entitle(ctx, connector.OpRevoke, accountID, names, c.leave)
}

// ResetCredentials implements connector.Connector. It sets a password that nobody knows, if
// the service says that it supports changing passwords (changePassword of its
// ServiceProviderConfig).
func (c *client) ResetCredentials(ctx context.Context, accountID string) error {
	const op = connector.OpResetCredentials
	if !c.how(ctx).passwords {
		return &connector.Error{Kind: connector.KindUnsupported, Op: op, Message: "the app does not say that it lets passwords be changed (changePassword of its ServiceProviderConfig)"}
	}
	password := attribute{path: []string{"password"}}
	return c.change(ctx, request{op: op, id: accountID}, edit{password, "aA0-" + rand.Text()})
}
