package cli

import (
	"bufio"
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whoever ends the server has what runs beside it clean up first.
func TestWhatRunsBesideTheServerIsAskedToEnd(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	from, to := io.Pipe()
	child := beside(ctx, []string{"sh", "-c", `trap 'echo cleaned; exit' TERM; echo ready; while :; do sleep 0.1; done`}, to, io.Discard)
	require.NoError(t, child.Start())
	lines := bufio.NewScanner(from)
	require.True(t, lines.Scan())
	assert.Equal(t, "ready", lines.Text())
	stop()
	require.True(t, lines.Scan())
	assert.Equal(t, "cleaned", lines.Text())
	require.ErrorIs(t, child.Wait(), context.Canceled)
}
