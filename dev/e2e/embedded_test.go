package e2e

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/workflows"
)

const embedded = `
kafka: {brokers: ["127.0.0.1:1"]}
ledger: {url: "sqlite:tenure.db"}
apps:
  wiki: {connector: memory, settings: {name: embedded}}
roles:
  - {name: everyone, when: "true", grants: [{app: wiki}]}
`

// A worker that is embedded in another program does what the command does, and stops when
// it is told to.
func TestAWorkerRunsInAnotherProgram(t *testing.T) {
	t.Parallel()
	s := startTemporal(t)
	path := filepath.Join(t.TempDir(), "tenure.yaml")
	require.NoError(t, os.WriteFile(path, []byte(embedded), 0o600))
	cfg, err := config.LoadFor(path, config.PartLedger, config.PartApps)
	require.NoError(t, err)

	metrics := prometheus.NewRegistry()
	stop := s.works(t, cfg, zap.NewNop(), metrics)
	hired, _ := hiredAndCutOff(1, false)
	s.hears(t, hired)
	waited, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, s.client.GetWorkflow(waited, workflows.WorkflowID(hired.PersonID), "").Get(waited, nil))
	assert.Len(t, memory.Shared("embedded").Accounts(), 1)
	families, err := metrics.Gather()
	require.NoError(t, err)
	assert.NotEmpty(t, families)
	sweeps, err := s.runs.Sweeps(t.Context())
	require.NoError(t, err)
	assert.True(t, sweeps.Exists, "the sweeper is scheduled")

	require.NoError(t, stop())
}
