package scim

import (
	"context"
	"iter"

	"github.com/tenurehq/tenure/connector"
)

// Capabilities implements connector.Connector: what profile and settings leave. Whether
// passwords can be changed is for the service to say: see passwords.
func (c *client) Capabilities() connector.Capabilities {
	t := c.traits
	return connector.Capabilities{
		Create: true, Adopt: true, Update: true, Relabel: true, List: true, Probe: true,
		Disable: true, Reversible: !t.destructiveDisable,
		Delete:           !t.keepsAccounts,
		Entitlements:     !t.noGroups || !t.noValues,
		ListEntitlements: !t.noGroups || len(t.valueLists) > 0,
		ResetCredentials: c.passwords(),
	}
}

// passwords reports whether the service may let passwords be changed, for all that is
// known without asking it: it may until it has said otherwise.
func (c *client) passwords() bool {
	if c.traits.known {
		return c.traits.passwords
	}
	said, fresh := c.survey.last()
	return !fresh || said.passwords
}

// Delete implements connector.Connector: "the service provider MUST return a 404 for all
// operations associated with the previously deleted resource" (RFC 7644 section 3.6).
func (c *client) Delete(ctx context.Context, accountID string) error { return c.delete(ctx, accountID) }

// Grant implements connector.Connector.
func (c *client) Grant(ctx context.Context, accountID string, names []string) error {
	return c.entitle(ctx, connector.OpGrant, accountID, names, c.join)
}

// Revoke implements connector.Connector. A group that does not exist has no members, so
// it is revoked already; the same goes for an account.
func (c *client) Revoke(ctx context.Context, accountID string, names []string) error {
	return c.entitle(ctx, connector.OpRevoke, accountID, names, c.leave)
}

// Entitlements implements connector.Connector: the groups, and what other kinds the
// service lists. SCIM itself has no list of roles.
func (c *client) Entitlements(ctx context.Context) iter.Seq2[connector.Entitlement, error] {
	return c.offered(ctx)
}
