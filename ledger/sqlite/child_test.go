package sqlite

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/ledgertest"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childErases); path != "" {
		if err := erasesUntilKilled(context.Background(), path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	ledgertest.Main(m, func(ctx context.Context, path string) (ledger.Ledger, error) { return Open(ctx, path) })
}
