package activedirectory

import (
	"context"
	"slices"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
)

// proxyAddresses is the attribute of which case says something: "SMTP:" is for the address
// that mail is sent from.
const proxyAddresses = "proxyAddresses"

// Keeps implements connector.Connector. A reference that was set by an account's ID
// is shown as its DN.
func (c *client) Keeps(ctx context.Context, account connector.Account, name string, set any) (bool, error) {
	encoded, err := c.encode(connector.OpRead, map[string]any{name: set})
	if err != nil {
		return false, err
	}
	value := account.Attribute(name)
	if value == nil {
		value = ""
	}
	again, err := c.encode(connector.OpRead, map[string]any{name: value})
	if err != nil {
		return false, err
	}
	wanted, shown := encoded[name], again[name]
	if id, ok := set.(string); ok && isGUID(id) && len(shown) == 1 {
		entry, err := c.directory.Get(ctx, connector.OpRead, byGUID(id), "objectGUID")
		if connector.Is(err, connector.KindNotFound) {
			return false, nil
		}
		if err != nil {
			return false, refine(err)
		}
		wanted = []string{entry.DN}
	}
	if name == proxyAddresses {
		return slices.Equal(slices.Sorted(slices.Values(wanted)), slices.Sorted(slices.Values(shown))), nil
	}
	sameDN := len(wanted) == 1 && len(shown) == 1 && directory.SameDN(wanted[0], shown[0])
	return sameDN || account.Shows(wanted, shown), nil
}
