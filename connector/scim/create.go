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
	if c.traits.needsDisplayName && body[displayName] == nil {
		body[displayName] = spec.Username
	}
	user, err := c.post(ctx, spec, body)
	if err != nil {
		return connector.Account{}, err
	}
	// The account can be in groups already, since some services put everyone in one. If the
	// answer does not show them, Read asks for them later.
	account, err := c.account(ctx, connector.OpCreate, user, unaskedFor)
	if err != nil {
		return connector.Account{ID: user.text("id")}, acknowledged(err)
	}
	return account, nil
}

// acknowledged returns the error for an account that the service says it has created and that
// cannot be seen: it may exist. err says why it cannot be seen; it may be nil.
func acknowledged(err error) error {
	message := "the app says that it has made the account, and does not show it"
	var why *connector.Error
	if errors.As(err, &why) {
		message += ": " + why.Message
	}
	return &connector.Error{Kind: connector.KindContradictory, Op: connector.OpCreate, Cause: err, Message: message}
}

// post creates a user and returns it. A service may answer with nothing or with a part of
// the user (RFC 7644 section 3.3). Then post reads the user at the address in the answer, or
// else finds it by the person ID and the username.
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

// madeOf reports whether a user is the one that was created by spec: the address in an answer
// may lead to another one.
func madeOf(spec connector.Spec, user resource) bool {
	return spec.PersonID != "" && user.text("externalId") == spec.PersonID || strings.EqualFold(user.text("userName"), spec.Username)
}

// newUser returns the body of a POST that creates an account.
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
