//go:build real

package brokertest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A broker that is paused does nothing any more: each of its threads has stopped.
func TestAPausedBrokerHasStopped(t *testing.T) {
	c := Start(t, Options{})
	for range 20 {
		c.Pause(0)
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", c.brokers[0].cmd.Process.Pid))
		require.NoError(t, err)
		require.NotEmpty(t, threads)
		for _, thread := range threads {
			stat, err := os.ReadFile(thread)
			require.NoError(t, err)
			_, rest, _ := bytes.Cut(stat, []byte(") ")) // see proc_pid_stat(5)
			assert.Equal(t, "T", string(rest[:1]), "state of %s", thread)
		}
		c.Resume(0)
	}
}
