//go:build real

package chaos

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/topology"
)

// TestNoFailureMakesAnAccountWrong is the chaos that fits in a few minutes: every
// process killed, and every dependency stopped for some seconds, in one history, in
// a topology in which everybody has to prove who they are. `make chaos` is the whole.
func TestNoFailureMakesAnAccountWrong(t *testing.T) {
	libs := os.Getenv("TENURE_REAL_KAFKA_LIBS")
	require.NotEmpty(t, libs, "TENURE_REAL_KAFKA_LIBS is not set: run `make test-real`")
	root := filepath.Join("..", "..")
	faults, err := Choose([]string{"kill", "stop temporal", "stop postgresql", "pause kafka"})
	require.NoError(t, err)
	opts := Options{
		Topology: topology.Options{
			Root: root, Bin: filepath.Join(root, "bin"), KafkaLibs: libs, Scimmy: filepath.Join(root, ".real", "scimmy"),
			Workers: 2, Starters: 2, Secure: true, Namespace: "people-and-access", Allowed: 1,
		},
		Faults: faults, Together: true, People: 120, Seed: 7,
		Outage: 15 * time.Second, Calm: 2 * time.Second, Patience: 5 * time.Minute,
		Progress: func(line string) { t.Log(line) },
	}
	var rows []Row
	require.NoError(t, Run(t.Context(), opts, func(r Row) { rows = append(rows, r) }))
	var table bytes.Buffer
	Print(&table, rows)
	t.Log("\n" + table.String())
	assert.Len(t, rows, len(faults))
	for _, r := range rows {
		assert.True(t, r.Good(), r.Fault)
		assert.Empty(t, r.Restarted, "nothing ends because something else has")
	}
}
