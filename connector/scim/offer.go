package scim

import (
	"context"
	"iter"

	"github.com/tenurehq/tenure/connector"
)

// deleter, entitler and lister are what not every profile can do. They are put
// beside the client, since a connector can do what its type implements.
type (
	deleter  struct{ c *client }
	entitler struct{ c *client }
	lister   struct{ c *client }
)

// offer is the client with what its traits allow.
func offer(c *client) connector.Connector {
	t := c.traits
	entitled := !t.noGroups || !t.noValues
	listed := !t.noGroups || len(t.valueLists) > 0
	switch d, e, l := (deleter{c}), (entitler{c}), (lister{c}); {
	case t.keepsAccounts && listed:
		return struct {
			*client
			entitler
			lister
		}{c, e, l}
	case t.keepsAccounts && entitled:
		return struct {
			*client
			entitler
		}{c, e}
	case t.keepsAccounts:
		return c
	case listed:
		return struct {
			*client
			deleter
			entitler
			lister
		}{c, d, e, l}
	case entitled:
		return struct {
			*client
			deleter
			entitler
		}{c, d, e}
	default:
		return struct {
			*client
			deleter
		}{c, d}
	}
}

// Delete implements connector.Deleter.
func (d deleter) Delete(ctx context.Context, accountID string) error {
	return d.c.delete(ctx, accountID)
}

// Deletion implements connector.Deleter: "the service provider MUST return a 404
// for all operations associated with the previously deleted resource" (RFC 7644
// section 3.6).
func (deleter) Deletion() connector.Deletion { return connector.Deletion{} }

// Grant implements connector.Entitler.
func (e entitler) Grant(ctx context.Context, accountID string, names []string) error {
	return e.c.entitle(ctx, connector.OpGrant, accountID, names, e.c.join)
}

// Revoke implements connector.Entitler. A group that does not exist has no
// members, so it is revoked already; the same goes for an account.
func (e entitler) Revoke(ctx context.Context, accountID string, names []string) error {
	return e.c.entitle(ctx, connector.OpRevoke, accountID, names, e.c.leave)
}

// Entitlements implements connector.EntitlementLister: the groups, and what other
// kinds the service lists. SCIM itself has no list of roles.
func (l lister) Entitlements(ctx context.Context) iter.Seq2[connector.Entitlement, error] {
	return l.c.offered(ctx)
}
