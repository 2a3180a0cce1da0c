package scim

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
)

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

// newUser is the body of a POST that makes an account.
func newUser(spec connector.Spec) (resource, error) {
	schemas := []string{userSchema}
	user := resource{"userName": spec.Username, "active": spec.Active}
	if spec.PersonID != "" {
		user["externalId"] = spec.PersonID
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Attributes)) {
		attr, err := lookup(connector.OpCreate, name)
		if err != nil {
			return nil, err
		}
		value, err := attr.encode(connector.OpCreate, name, spec.Attributes[name])
		if err != nil {
			return nil, err
		}
		if value == nil {
			continue
		}
		if attr.shape == work {
			value = withWork(nil, value)
		}
		if attr.schema != "" && !slices.Contains(schemas, attr.schema) {
			schemas = append(schemas, attr.schema)
		}
		user.put(value, attr.names()...)
	}
	user["schemas"] = schemas
	return user, nil
}
