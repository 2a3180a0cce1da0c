//go:build real

package workflows_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/internal/postgrestest"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/postgres"
)

func TestALifeGoesOnInPostgreSQL(t *testing.T) { lifeInLedgers(t, openDatabase(t), openDatabase(t)) }

func TestALifeComesBackFromPostgreSQL(t *testing.T) { lifeInLedgers(t, openDatabase(t), openFile(t)) }

func openDatabase(t *testing.T) ledger.Ledger {
	t.Helper()
	l, err := postgres.Open(t.Context(), postgrestest.NewDatabase(t).String())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}
