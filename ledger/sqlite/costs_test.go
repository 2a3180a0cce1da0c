package sqlite

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/ledger/ledgertest"
	"github.com/tenurehq/tenure/ledger/relational"
)

// Two commits for a step, whether or not it creates an account, and these statements. Whoever adds
// one sees it here; docs/performance.md has the numbers.
func TestWhatAStepAsksOfTheFile(t *testing.T) {
	s := openStore(t, newPath(t))
	// A transaction begins, has a savepoint for each call, and is committed: four statements.
	assert.Equal(t, map[string]relational.Spent{
		"Person":                       {Reads: 1, Statements: 2 + 18},
		"BeginStep":                    {Writes: 1, Commits: 1, Statements: 4 + 10},
		"BeginStep, with the creation": {Writes: 1, Commits: 1, Statements: 4 + 12},
		"FinishStep":                   {Writes: 1, Commits: 1, Statements: 4 + 10},
		"Admit":                        {Writes: 1, Commits: 1, Statements: 4 + 29},
		"Admit, for the end":           {Writes: 1, Commits: 1, Statements: 4 + 10},
	}, ledgertest.StepCosts(t, s, "p1", "wiki"))
}

// The lease, where the record ends, and then for each tile of 256 leaves one look and one transaction
// (its beginning and end and a savepoint, lease, size, leaves, tiles). The numbers are in
// docs/performance.md.
func TestWhatATurnOfTheSequencerAsksOfTheFile(t *testing.T) {
	s := openStore(t, newPath(t))
	assert.Equal(t, relational.Spent{Writes: 12, Commits: 12, Reads: 12, Statements: 118}, ledgertest.TurnCosts(t, s, filling(t, s), newSequencer(s, time.Hour).Step))
}
