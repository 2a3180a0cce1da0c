package zoom

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/credentials"
	"github.com/tenurehq/tenure/connector/rest"
)

const (
	pageSize = "300" // the most that every list takes
	namesFor = time.Minute
)

// client is the connector. Base answers the calls that it does not offer.
type client struct {
	connector.Base

	api             *rest.Client
	tokens          *credentials.Tokens
	now             func() time.Time
	domain, create  string
	person          string // the key of the custom attribute that holds the person ID; may be empty
	roles, licences bool
	handOver        []string

	pages connector.Pages[struct{}]

	mu    sync.Mutex
	names map[string]names // of groups and roles, by path
}

// lastUse says what accounts show: last_login_time ("List users").
var lastUse = connector.LastUse{By: "a sign-in to Zoom", Note: "Whoever joins a meeting without signing in does not use the account."}

// Capabilities implements connector.Connector.
func (c *client) Capabilities() connector.Capabilities {
	return connector.Capabilities{
		Create: true, Adopt: c.person != "", Update: true, Relabel: true, Disable: true, Reversible: true, Delete: true,
		HandOverByDelete: len(c.handOver) > 0, MarksLater: c.person != "",
		Entitlements: true, ListEntitlements: true, Sessions: true, List: true, Page: true, Probe: true, LastUse: lastUse,
	}
}

// Close implements connector.Connector.
func (c *client) Close() error { return nil }

// Check implements connector.Connector.
func (c *client) Check(ctx context.Context) (string, error) {
	_, err := c.api.Do(ctx, rest.Request{Op: connector.OpCheck, Path: "/users", Query: url.Values{"page_size": {"1"}}}, nil)
	return c.tokens.Who(), err
}

// page is a page of any list.
type page struct {
	Users  []user  `json:"users"`
	Groups []named `json:"groups"`
	Roles  []named `json:"roles"`
	Next   string  `json:"next_page_token"`
}

// pages reads a list page by page ("Pagination").
func pages[T any](ctx context.Context, c *client, op, path string, query url.Values, of func(page) []T) iter.Seq2[T, error] {
	next := func(p page, _ http.Header) (rest.Request, bool) { return pageOf(op, path, query, p.Next), p.Next != "" }
	return rest.Items(ctx, c.api, pageOf(op, path, query, ""), next, func(p page) ([]T, error) { return itemsOf(op, of(p)) })
}

// pageOf returns the request for a page of a list.
func pageOf(op, path string, query url.Values, token string) rest.Request {
	if token != "" {
		query = maps.Clone(query)
		query.Set("next_page_token", token)
	}
	return rest.Request{Op: op, Path: path, Query: query}
}

// itemsOf returns the items of a page, or an error if it has no list.
func itemsOf[T any](op string, items []T) ([]T, error) {
	if items == nil {
		return nil, rest.Contradictory(op, "Zoom answered with success, and not with the list that was asked for")
	}
	return items, nil
}

// Create implements connector.Connector. Zoom takes names with the user, and everything else
// afterwards: if that fails, the account is there.
func (c *client) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	const op = connector.OpCreate
	if c.create == invite && !spec.Active {
		return connector.Account{}, &connector.Error{
			Kind: connector.KindUnsupported, Op: op, Message: "whom Zoom invites can accept at any time: nobody is invited before their access begins",
		}
	}
	later, err := fields(op, user{}, spec.Attributes)
	if err != nil {
		return connector.Account{}, err
	}
	info := map[string]any{"email": c.address(spec.Username), "type": basic}
	for name, value := range later {
		if value == "" {
			delete(later, name)
		} else if name == "first_name" || name == "last_name" || name == "display_name" {
			info[name] = value
			delete(later, name)
		}
	}
	if customs, _ := later["custom_attributes"].([]customAttribute); c.person != "" && spec.PersonID != "" {
		later["custom_attributes"] = setCustom(customs, c.person, spec.PersonID)
	}
	var made user
	body := map[string]any{"action": c.create, "user_info": info}
	if _, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: "/users", Body: body}, &made); err != nil {
		return connector.Account{}, err
	}
	account, err := c.complete(ctx, op, made.ID, later, spec.Active)
	switch {
	case err == nil:
		account.Username = cmp.Or(account.Username, spec.Username)
		return account, nil
	case connector.Is(err, connector.KindUnavailable):
		return connector.Account{ID: made.ID}, err
	}
	var why *connector.Error
	_ = errors.As(err, &why) // each of ours is one
	return connector.Account{ID: made.ID}, &connector.Error{
		Kind: connector.KindContradictory, Op: op, Cause: err, Message: "the account was made, and the rest of it failed: " + why.Message,
	}
}

// complete sets what Zoom does not take with a new user, and reads it.
func (c *client) complete(ctx context.Context, op, id string, later map[string]any, on bool) (connector.Account, error) {
	if id == "" {
		return connector.Account{}, rest.Contradictory(op, "Zoom answered with success, and not with the new user")
	}
	if err := c.patch(ctx, op, id, later); err != nil {
		return connector.Account{}, err
	}
	if !on {
		if err := c.setStatus(ctx, op, id, "deactivate"); err != nil {
			return connector.Account{}, err
		}
	}
	return c.read(ctx, op, id)
}

// Adopt implements connector.Connector.
func (c *client) Adopt(ctx context.Context, accountID, personID string) error {
	const op = connector.OpAdopt
	u, err := c.get(ctx, op, accountID)
	if err != nil {
		return err
	}
	switch c.owner(u) {
	case personID:
		return nil
	case "":
		return c.mark(ctx, op, u, personID)
	}
	return &connector.Error{Kind: connector.KindConflict, Op: op, Message: "the account carries another person's ID: find out in Zoom whose account it is"}
}

// Update implements connector.Connector.
func (c *client) Update(ctx context.Context, accountID string, set map[string]any) error {
	const op = connector.OpUpdate
	u, err := c.get(ctx, op, accountID)
	if err != nil {
		return err
	}
	body, err := fields(op, u, set)
	if err != nil {
		return err
	}
	return c.patch(ctx, op, accountID, body)
}

// Relabel implements connector.Connector. Zoom changes an address within the account's managed
// domains, once a day at most ("Update a user's email").
func (c *client) Relabel(ctx context.Context, accountID string, to connector.Label) error {
	const op = connector.OpRelabel
	u, err := c.get(ctx, op, accountID)
	if err != nil {
		return err
	}
	id, err := to.ExternalID(c.owner(u))
	if err != nil {
		return err
	}
	if to.Username != "" && c.address(to.Username) != u.Email {
		body := map[string]any{"email": c.address(to.Username)}
		if _, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPut, Path: rest.Path("users", accountID, "email"), Body: body}, nil); err != nil {
			return err
		}
	}
	if c.person == "" || id == c.owner(u) {
		return nil
	}
	return c.mark(ctx, op, u, id)
}

// setStatus activates or deactivates a user ("Update user status").
func (c *client) setStatus(ctx context.Context, op, id, action string) error {
	_, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPut, Path: rest.Path("users", id, "status"), Body: map[string]any{"action": action}}, nil)
	return err
}

// Disable implements connector.Connector. A pending user cannot be deactivated, and has
// nothing yet: the invitation is taken back.
func (c *client) Disable(ctx context.Context, accountID string) error {
	const op = connector.OpDisable
	u, err := c.get(ctx, op, accountID)
	switch {
	case err != nil:
		return err
	case u.waits():
		return rest.Gone(c.remove(ctx, op, u, nil))
	case u.Status == inactive:
		return nil
	}
	return c.setStatus(ctx, op, accountID, "deactivate")
}

// Enable implements connector.Connector.
func (c *client) Enable(ctx context.Context, accountID string) error {
	const op = connector.OpEnable
	u, err := c.get(ctx, op, accountID)
	if err != nil || u.Status != inactive {
		return err
	}
	return c.setStatus(ctx, op, accountID, "activate")
}

// RevokeSessions implements connector.Connector ("Revoke a user's SSO token"). Who has not
// accepted the invitation has no session.
func (c *client) RevokeSessions(ctx context.Context, accountID string) error {
	const op = connector.OpRevokeSessions
	u, err := c.get(ctx, op, accountID)
	if err != nil || u.waits() {
		return err
	}
	_, err = c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodDelete, Path: rest.Path("users", accountID, "token")}, nil)
	return err
}

// remove deletes a user, with the transfers of their data. Zoom's default is to disassociate
// them, which leaves them a free account with the data; of pending users it takes nothing else.
func (c *client) remove(ctx context.Context, op string, u user, transfers url.Values) error {
	query := url.Values{"action": {"delete"}}
	if u.waits() {
		query.Set("action", "disassociate")
	}
	maps.Copy(query, transfers)
	_, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodDelete, Path: rest.Path("users", u.ID), Query: query}, nil)
	return err
}

// Delete implements connector.Connector.
func (c *client) Delete(ctx context.Context, accountID string) error {
	const op = connector.OpDelete
	u, err := c.get(ctx, op, accountID)
	if err != nil {
		return rest.Gone(err)
	}
	to := connector.RecipientOf(ctx)
	if to == "" || u.waits() {
		return rest.Gone(c.remove(ctx, op, u, nil))
	}
	transfers, err := c.transfers(ctx, op, to)
	if err != nil {
		return err
	}
	err = c.remove(ctx, op, u, transfers)
	if connector.Is(err, connector.KindNotFound) {
		// Zoom's error does not tell which of the two is missing. The next attempt looks.
		return &connector.Error{Kind: connector.KindUnavailable, Op: op, Cause: err, Message: "Zoom has one of the two users no more: it is looked at again"}
	}
	return err
}

// transfers returns the parameters that give a user's data to another one. Who has no licence
// cannot get recordings or webinars (support.zoom.com, "Transferring data to another user").
func (c *client) transfers(ctx context.Context, op, to string) (url.Values, error) {
	recipient, err := c.get(ctx, op, to)
	switch {
	case connector.Is(err, connector.KindNotFound):
		return nil, connector.Invalid(op, "who is to get the data has no user in Zoom any more: name somebody else")
	case err != nil:
		return nil, err
	case recipient.waits() || recipient.Status == inactive:
		return nil, connector.Invalid(op, "who is to get the data is not active in Zoom: have them accept the invitation, or name somebody else")
	}
	transfers := url.Values{"transfer_email": {recipient.Email}}
	for _, name := range c.handOver {
		if (name == "recordings" || name == "webinars") && recipient.Type != licensed {
			return nil, connector.Invalid(op, "who is to get the data has no licence, without which Zoom gives nobody %s: give them one, name somebody else, or take %s out of handOver", name, name)
		}
		transfers.Set(transferable[name], "true")
	}
	return transfers, nil
}
