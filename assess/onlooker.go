package assess

import (
	"context"

	"github.com/tenurehq/tenure/ledger"
)

// Onlooker is the Registry of somebody who only looks: deciding with it claims no username.
type Onlooker struct{ ledger.Reader }

// ClaimUsername implements Registry.
func (Onlooker) ClaimUsername(_ context.Context, _, base string, _ int) (string, error) {
	return base, nil
}
