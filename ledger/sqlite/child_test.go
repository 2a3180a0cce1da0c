package sqlite

import (
	"context"
	"testing"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/ledgertest"
)

func TestMain(m *testing.M) {
	ledgertest.Main(m, func(ctx context.Context, path string) (ledger.Ledger, error) { return Open(ctx, path) })
}
