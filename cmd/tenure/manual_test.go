package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The manual is written by this program with another main function (make man).
func TestEveryCommandHasAManualPage(t *testing.T) {
	dir, program := t.TempDir(), filepath.Join(t.TempDir(), "worker")
	const help = "#!/bin/sh\nprintf 'Does the work.\\n\\nUsage: worker [flags]\\n\\n  -only part\\n    \\tone part only\\n' >&2\n"
	require.NoError(t, os.WriteFile(program, []byte(help), 0o700))
	out, err := exec.CommandContext(t.Context(), "go", "run", "-tags", "man", ".", dir, program).CombinedOutput()
	require.NoError(t, err, "%s", out)
	page := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name+".1"))
		require.NoError(t, err)
		return strings.ReplaceAll(string(text), `\-`, "-")
	}
	walk((&cli{}).root(), func(cmd *cobra.Command) {
		text := page(strings.ReplaceAll(cmd.CommandPath(), " ", "-"))
		assert.Contains(t, text, ".SH SYNOPSIS", cmd.CommandPath())
		assert.Contains(t, text, "--output", cmd.CommandPath())
	})
	assert.NotContains(t, page("tenure-dlq-discard"), "--yes", "old spellings are not shown")
	worker := page("worker")
	for _, said := range []string{"worker - Does the work.", `\fB-only\fP part`, "one part only"} {
		assert.Contains(t, worker, said)
	}
}
