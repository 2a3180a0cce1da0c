//go:build real

package postgres

import (
	"context"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/internal/postgrestest"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/ledgertest"
)

func TestMain(m *testing.M) {
	ledgertest.Main(m, func(ctx context.Context, url string) (ledger.Ledger, error) { return Open(ctx, url) })
}

func TestConformance(t *testing.T) {
	ledgertest.Run(t, func(t *testing.T) ledger.Ledger { return openStore(t, postgrestest.NewDatabase(t)) })
}

// openStore opens the store and closes it when the test ends.
func openStore(t *testing.T, at *url.URL) *Store {
	t.Helper()
	s, err := Open(t.Context(), at.String())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}
