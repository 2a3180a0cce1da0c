package e2e

import (
	"encoding/json"
	"errors"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/tenurehq/tenure/dev/stack"
)

// TestStatusOfAWholeStack asks for the status when everything works, and when somebody
// has paused the sweeper.
func TestStatusOfAWholeStack(t *testing.T) {
	t.Parallel()
	r := startRig(t, stack.Options{})
	var shown struct {
		Parts []struct {
			Part, State, Text string
			Numbers           map[string]int
		}
	}
	var out string
	status := func() (code int) {
		var said string
		var err error
		out, said, err = r.tenureWith(t, r.Stack.ConfigFile(), "status", "-o", "json")
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			code = exit.ExitCode()
		} else {
			require.NoError(t, err)
		}
		require.NoError(t, json.Unmarshal([]byte(out), &shown), "%s%s", out, said)
		return code
	}
	require.Eventually(t, func() bool { return status() == 0 }, patience, 100*time.Millisecond)
	for _, p := range shown.Parts {
		switch p.Part {
		case "workers":
			assert.Equal(t, 1, p.Numbers["workers"], p.Text)
			assert.Zero(t, p.Numbers["queuesWithoutWorker"], p.Text)
		case "starters":
			assert.Equal(t, 1, p.Numbers["starters"], p.Text)
			assert.Zero(t, p.Numbers["partitionsWithoutStarter"], p.Text)
		}
	}
	sweeper := r.temporal.ScheduleClient().GetHandle(t.Context(), "tenure-sweep")
	require.NoError(t, sweeper.Pause(t.Context(), client.SchedulePauseOptions{Note: "for an upgrade"}))
	require.Equal(t, 3, status(), out)
	assert.Contains(t, out, "its schedule is paused: for an upgrade")
}
