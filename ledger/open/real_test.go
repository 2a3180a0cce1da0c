//go:build real

package open_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/internal/checkup"
	"github.com/tenurehq/tenure/internal/postgrestest"
	"github.com/tenurehq/tenure/ledger/ledgertest"
	"github.com/tenurehq/tenure/ledger/open"
)

func TestOpenPostgreSQL(t *testing.T) {
	at := postgrestest.NewDatabase(t)
	before := open.Check(t.Context(), at.String())
	assert.True(t, before.Reached)
	assert.Equal(t, "postgres://"+at.Host+at.Path, before.Address)
	assert.Equal(t, "role "+at.User.Username(), before.Identity)
	assert.Equal(t, map[string]checkup.Verdict{"server": checkup.OK, "tables": checkup.Note, "fsync": checkup.Missing}, verdicts(before))

	l, err := open.Open(t.Context(), at.String())
	require.NoError(t, err)
	require.NoError(t, ledgertest.WriteRound(t.Context(), l, "p1", 0))
	require.NoError(t, l.Close())
	after := open.Check(t.Context(), at.String())
	assert.Equal(t, map[string]checkup.Verdict{"server": checkup.OK, "schema": checkup.OK, "fsync": checkup.Missing}, verdicts(after))
}

func TestCheckSaysWhichRightIsMissing(t *testing.T) {
	at := *postgrestest.NewDatabase(t)
	at.User = postgrestest.NewDatabase(t).User
	r := open.Check(t.Context(), at.String())
	assert.Equal(t, checkup.Missing, verdicts(r)["rights"])
}

func verdicts(r checkup.Report) map[string]checkup.Verdict {
	all := map[string]checkup.Verdict{}
	for _, f := range r.Findings {
		all[f.About] = f.Verdict
	}
	return all
}
