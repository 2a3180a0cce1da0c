package workflows_test

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/workflows"
)

// TestReplay runs histories that earlier code has written through the present
// code. One that cannot be replayed would leave people's runs stuck after a
// deploy: guard the change with workflow.GetVersion instead of changing the
// fixture. New fixtures: make demo DEMO_FLAGS="--record workflows/testdata/replay/NAME".
func TestReplay(t *testing.T) {
	files, err := filepath.Glob("testdata/replay/*/*.json")
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, file := range files {
		kind, _, _ := strings.Cut(filepath.Base(file), "-")
		seen[kind] = true
		t.Run(strings.TrimPrefix(file, "testdata/replay/"), func(t *testing.T) {
			replayer := worker.NewWorkflowReplayer()
			for name, fn := range map[string]any{
				workflows.TypeJoiner: workflows.Joiner, workflows.TypeMover: workflows.Mover,
				workflows.TypeLeaver: workflows.Leaver, workflows.TypeScheduled: workflows.Scheduled,
				workflows.TypeSweep: workflows.Sweep, workflows.TypeRequest: workflows.Request,
				workflows.TypeReconcile: workflows.Reconcile, workflows.TypeReview: workflows.Review, workflows.TypeErase: workflows.Erase,
			} {
				replayer.RegisterWorkflowWithOptions(fn, workflow.RegisterOptions{Name: name})
			}
			quiet := log.NewStructuredLogger(slog.New(slog.DiscardHandler))
			require.NoError(t, replayer.ReplayWorkflowHistoryFromJSONFile(quiet, file))
		})
	}
	for _, kind := range []string{workflows.TypeJoiner, workflows.TypeMover, workflows.TypeLeaver, workflows.TypeScheduled, workflows.TypeSweep, workflows.TypeRequest, workflows.TypeReconcile, workflows.TypeReview, workflows.TypeErase} {
		require.True(t, seen[kind], "no fixture of %s", kind)
	}
}
