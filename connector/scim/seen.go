package scim

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
)

// time returns the instant at a path (RFC 7643 section 2.3.5), or zero.
func (r resource) time(path ...string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, r.text(path...))
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// lastUses are what services call the attribute that says when a user last signed in.
// RFC 7643 has none.
var lastUses = []string{"lastLogin", "lastLoginDate", "lastLoginTime", "lastLoginAt", "lastSignIn", "lastSignInAt", "lastActive"}

// lastUsed returns when the user last signed in, by the service's own attribute: of the
// user itself or of an extension (RFC 7643 section 3.3); zero if it shows none.
func (r resource) lastUsed() (last time.Time) {
	among := func(attributes resource) {
		for _, name := range lastUses {
			if at := attributes.time(name); at.After(last) {
				last = at
			}
		}
	}
	among(r)
	for name, value := range r {
		if extension, ok := value.(map[string]any); ok && strings.HasPrefix(strings.ToLower(name), "urn:") {
			among(extension)
		}
	}
	return last
}

// ResetCredentials implements connector.Connector: the password becomes one
// that nobody knows, in a service that says that it lets passwords be changed
// (changePassword of its ServiceProviderConfig).
func (c *client) ResetCredentials(ctx context.Context, accountID string) error {
	const op = connector.OpResetCredentials
	if !c.how(ctx).passwords {
		return &connector.Error{Kind: connector.KindUnsupported, Op: op, Message: "the app does not say that it lets passwords be changed (changePassword of its ServiceProviderConfig)"}
	}
	password := attribute{path: []string{"password"}}
	return c.change(ctx, request{op: op, id: accountID}, edit{password, "aA0-" + rand.Text()})
}
