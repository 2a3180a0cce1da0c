package scim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tenurehq/tenure/connector"
)

// client is the connector.
type client struct {
	connector.Base

	service      *service
	traits       traits
	survey       survey
	groups       *groupCache
	createGroups bool
	creating     sync.Mutex // held while a group is made
	putting      sync.Mutex // held while a group is replaced
	seen         sightings
	// defaultEntitlement is what every new account gets at once; empty for none.
	defaultEntitlement string
}

var _ connector.Connector = (*client)(nil)

// now is the time by which answers are believed.
func (c *client) now() time.Time { return c.service.now() }

// Find implements connector.Connector.
func (c *client) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	if keys.AccountID != "" {
		return c.findByID(ctx, keys.AccountID)
	}
	byPerson := lookFor{connector.ByExternalID, "externalId", keys.PersonID, func(user resource) bool {
		return user.text("externalId") == keys.PersonID
	}}
	byName := lookFor{connector.ByUsername, "userName", keys.Username, func(user resource) bool {
		owner := user.text("externalId")
		theirs := owner == "" || owner == keys.PersonID || keys.PersonID == ""
		return theirs && strings.EqualFold(user.text("userName"), keys.Username)
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
			continue // what is found by userName is compared with externalId
		}
		if look.key == connector.ByExternalID {
			err = advised(err, "filterExternalID: false")
		}
		if err != nil || len(matches) > 0 {
			return matches, err
		}
	}
	return c.findByEmail(ctx, keys)
}

// unheeded is how many accounts of others show that a service does not heed a look-up by
// address, and sends everybody. A few may have the address as one that is not shown.
const unheeded = 10

// findByEmail looks for accounts that are nobody's and have an address. A service that
// cannot look that up has said so, and is not asked again: what is found proves nothing,
// and is for a human to decide about.
func (c *client) findByEmail(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	noEmails := &c.service.learned.noEmails
	if keys.Email == "" || c.traits.noEmails || noEmails.holds(c.now()) {
		return nil, nil
	}
	others := 0
	matches, err := c.findBy(ctx, lookFor{connector.ByEmail, "emails.value", keys.Email, func(user resource) bool {
		owner := user.text("externalId")
		emails, _ := user.list("emails")
		if !slices.ContainsFunc(emails, func(email resource) bool { return strings.EqualFold(email.text("value"), keys.Email) }) {
			others++
			return false
		}
		return owner == "" || owner == keys.PersonID || keys.PersonID == ""
	}})
	switch {
	case others >= unheeded:
		noEmails.confirmed(c.now(), apart)
	case err == nil:
		noEmails.refuted()
	}
	if refusedLookUp(err) && c.cannotFilter(ctx, "emails.value", nobody+"@invalid", noEmails) {
		return nil, nil
	}
	return matches, advised(err, "filterEmails: false")
}

// cannotFilter reports whether the service, which has refused a look-up by an attribute,
// does so whoever is looked for, while users are read without trouble.
func (c *client) cannotFilter(ctx context.Context, attr, none string, learned *deviation) bool {
	query := url.Values{"filter": {equals(attr, none)}}
	_, err := c.service.page(ctx, request{op: connector.OpFind, collection: users, query: query}, position{}, 1)
	if !refusedLookUp(err) || c.service.probe(ctx, connector.OpFind, users) != nil {
		return false
	}
	learned.met(c.now())
	return true
}

// lookFor is one key to find accounts by.
type lookFor struct {
	key         connector.MatchKey
	attr, value string
	matches     func(resource) bool
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

// findBy returns the accounts that the strongest key finds, the first one being
// the strongest, by the service's filter and, since not every service honours
// one, by matches.
func (c *client) findBy(ctx context.Context, looks ...lookFor) ([]connector.Match, error) {
	var filters []string
	for _, look := range looks {
		filters = append(filters, equals(look.attr, look.value))
	}
	found := make([][]resource, len(looks))
	query := url.Values{"filter": {strings.Join(filters, " or ")}}
	for user, err := range c.each(ctx, request{op: connector.OpFind, collection: users, query: query}) {
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(looks, func(look lookFor) bool { return look.matches(user) }); i >= 0 {
			if found[i] = append(found[i], user); len(found[i]) > mostMatches {
				return nil, &connector.Error{Kind: connector.KindInvalid, Op: connector.OpFind,
					Message: fmt.Sprintf("the app finds more than %d accounts by one person's %s", mostMatches, looks[i].attr)}
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

// Check implements connector.Connector. SCIM has no way to ask who one is, so it
// says by what and where.
func (c *client) Check(ctx context.Context) (string, error) {
	if err := c.service.probe(ctx, connector.OpCheck, users); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s at %s", c.service.credentials.who(), c.service.base.Host), nil
}

// Close implements connector.Connector.
func (c *client) Close() error {
	c.service.http.CloseIdleConnections()
	return nil
}

// Create implements connector.Connector.
func (c *client) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	if c.traits.destructiveDisable && !spec.Active {
		return connector.Account{}, &connector.Error{
			Kind: connector.KindUnsupported, Op: connector.OpCreate,
			Message: "the app deletes what is inactive, so that an account cannot be made before it is to be used",
		}
	}
	body, err := newUser(spec)
	if err != nil {
		return connector.Account{}, err
	}
	if c.defaultEntitlement != "" {
		body["entitlements"] = []resource{c.traits.value(valueds[1], c.defaultEntitlement)}
	}
	if c.traits.needsDisplayName && body["displayName"] == nil {
		body["displayName"] = spec.Username
	}
	user, err := c.post(ctx, spec, body)
	if err != nil {
		return connector.Account{}, err
	}
	// It can be in groups already, since some services put everyone in one. Who does not
	// show that here is asked by whoever reads the account.
	account, err := c.account(ctx, connector.OpCreate, user, unaskedFor)
	if err != nil {
		return connector.Account{ID: user.text("id")}, acknowledged(err)
	}
	return account, nil
}

// acknowledged is an error that comes after the service has taken a creation, or nil:
// whatever it is, the account may have been made.
func acknowledged(err error) error {
	message := "the app says that it has made the account, and does not show it"
	var why *connector.Error
	if errors.As(err, &why) {
		message += ": " + why.Message
	}
	return &connector.Error{Kind: connector.KindContradictory, Op: connector.OpCreate, Cause: err, Message: message}
}

// post makes a user and returns it. A service may answer with nothing or with a part
// of it (RFC 7644 section 3.3): then it is read where the answer says that it is, or
// else found by what was sent.
func (c *client) post(ctx context.Context, spec connector.Spec, body resource) (user resource, err error) {
	header, err := c.service.exchange(ctx, request{op: connector.OpCreate, method: http.MethodPost, collection: users, whole: true, body: body}, &user)
	if answerOf(err) != nil || header == nil {
		return nil, err // refused, or unanswered
	}
	id := user.text("id")
	if err == nil && id != "" && user.text("userName") != "" {
		return user, nil
	}
	if id == "" {
		location := header.Get("Location")
		if id, err = url.PathUnescape(location[strings.LastIndexByte(location, '/')+1:]); err != nil {
			id = ""
		}
	}
	if id != "" {
		if user, _, err = c.get(ctx, connector.OpCreate, id); err == nil && madeOf(spec, user) {
			return user, nil
		}
	}
	matches, found := c.Find(ctx, connector.Keys{PersonID: spec.PersonID, Username: spec.Username})
	if found == nil && len(matches) == 1 {
		if user, _, err = c.get(ctx, connector.OpCreate, matches[0].Account.ID); err == nil {
			return user, nil
		}
	}
	if err == nil {
		err = found
	}
	return nil, acknowledged(err)
}

// madeOf reports whether a user is what came of making an account: the address in an
// answer may lead elsewhere.
func madeOf(spec connector.Spec, user resource) bool {
	return spec.PersonID != "" && user.text("externalId") == spec.PersonID || strings.EqualFold(user.text("userName"), spec.Username)
}

// Adopt implements connector.Connector. The account's version goes with the
// change, so that two persons cannot both come to own it.
func (c *client) Adopt(ctx context.Context, accountID, personID string) error {
	return again(ctx, func() error { return c.adopt(ctx, accountID, personID) })
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
	return c.change(ctx, request{op: connector.OpAdopt, id: accountID, ifMatch: etag}, edit{core("externalId"), personID})
}

// Update implements connector.Connector.
func (c *client) Update(ctx context.Context, accountID string, given map[string]any) error {
	var user resource
	all, err := edits(given, func() (resource, error) {
		var err error
		if user == nil {
			user, _, err = c.get(ctx, connector.OpUpdate, accountID)
		}
		return user, err
	})
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

// oneByOne makes edits of which the service refused some, each by itself: those that it
// takes are made, and the others are named. together is how it refused all of them.
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

// Relabel implements connector.Connector. The account's version goes with the change, as
// with Adopt.
func (c *client) Relabel(ctx context.Context, accountID string, to connector.Label) error {
	return again(ctx, func() error { return c.relabel(ctx, accountID, to) })
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

// Disable implements connector.Connector. Where that deletes the account, one that
// is gone is disabled already.
func (c *client) Disable(ctx context.Context, accountID string) error {
	tells := c.service.learned.omitsFalse.Load()
	if c.unseen() {
		// Whether it shows that it is active, while it is, tells what it means if it
		// shows nothing later. That it cannot be read is no reason not to disable it.
		user, _, err := c.get(ctx, connector.OpDisable, accountID)
		active, shown, unclear := user.active(connector.OpDisable)
		tells = err == nil && unclear == nil && shown && active
	}
	err := c.change(ctx, request{op: connector.OpDisable, id: accountID}, edit{core("active"), false})
	if err == nil && tells {
		c.service.learned.disabled.Store(idKey(accountID), true)
	}
	if c.traits.destructiveDisable && connector.Is(err, connector.KindNotFound) {
		return nil
	}
	return err
}

// Enable implements connector.Connector.
func (c *client) Enable(ctx context.Context, accountID string) error {
	c.service.learned.disabled.Delete(idKey(accountID))
	return c.change(ctx, request{op: connector.OpEnable, id: accountID}, edit{core("active"), true})
}

// unseen reports whether it is not known how the service shows an account that is not
// active.
func (c *client) unseen() bool {
	l := &c.service.learned
	return !c.traits.omitsFalse && !c.traits.destructiveDisable && !l.showsFalse.Load() && !l.omitsFalse.Load()
}

// active reads the attribute of that name. An account of which the service does not say
// counts as active: nobody's access has ended until that is proven. It is proven by the
// showsInactive setting, and of an account that has been disabled where it had shown
// that it was active: some services leave out what is false.
func (c *client) active(op string, user resource) (bool, error) {
	l := &c.service.learned
	active, shown, err := user.active(op)
	id := idKey(user.text("id"))
	_, disabled := l.disabled.Load(id)
	switch {
	case err != nil:
		return false, err
	case shown && !active:
		l.showsFalse.Store(true)
		l.omitsFalse.Store(false)
		l.disabled.Delete(id)
	case shown:
		// still, or again: what was disabled may be shown late
	case c.traits.omitsFalse:
		return false, nil
	case disabled:
		l.omitsFalse.Store(true)
		return false, nil
	}
	return active, nil
}

// Reversible implements connector.Connector: in SCIM, active is an attribute like
// any other (RFC 7643 section 4.1.1), except where the profile knows better.
func (c *client) delete(ctx context.Context, accountID string) error {
	err := again(ctx, func() error {
		_, err := c.service.do(ctx, request{op: connector.OpDelete, method: http.MethodDelete, collection: users, id: accountID}, nil)
		return err
	})
	if err == nil || connector.Is(err, connector.KindNotFound) {
		c.seen.forget(accountID)
		return nil
	}
	return err
}

// account makes a contract's account of a user, in the groups that decide says.
func (c *client) account(ctx context.Context, op string, user resource, decide membership) (connector.Account, error) {
	id, username := user.text("id"), user.text("userName")
	if id == "" || username == "" {
		return connector.Account{}, noSCIM(op)
	}
	active, err := c.active(op, user)
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
