//go:build real

package provisioning

import (
	"os"
	"path/filepath"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/topology"
)

// Two workers and two starters share a ledger on PostgreSQL.
func TestSeveralWorkersOnPostgreSQL(t *testing.T) {
	libs := os.Getenv("TENURE_REAL_KAFKA_LIBS")
	require.NotEmpty(t, libs, "TENURE_REAL_KAFKA_LIBS is not set: run `make test-real`")
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	file, err := Make(Size{People: 6, Moves: 3, Leavers: 2, Seed: 1})
	require.NoError(t, err)
	r, err := RunMany(t.Context(), ManyOptions{
		Topology: topology.Options{Root: root, Bin: filepath.Join(root, "bin"), KafkaLibs: libs},
		Numbers:  []int{2}, File: file, Apps: 3, Rate: 10, Stall: time.Minute, Progress: t.Output(),
	})
	require.NoError(t, err)
	r.Print(t.Output())
	assert.Empty(t, r.Wrong())
	require.Len(t, r.Runs, 1)
	assert.GreaterOrEqual(t, r.Runs[0].Steps, 3*(5+3+2), "a person was hired before, with a rate")
	for database, l := range r.Runs[0].Locks {
		assert.Zero(t, l.Deadlocks, "%s", database)
	}
	for _, rate := range r.Runs[0].Rates {
		assert.Positive(t, rate.Calls, rate.App)
	}
}
