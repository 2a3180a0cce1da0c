package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/provision"
)

// Whoever is asked about something finds what to do.
func TestEveryQuestionAboutAnAccountIsInTheDocs(t *testing.T) {
	docs := func(name string) string {
		raw, err := os.ReadFile(filepath.Join("../../docs", name))
		require.NoError(t, err)
		return string(raw)
	}
	operating, runbook := docs("operating.md"), docs("runbooks/whose-account.md")
	for _, code := range []string{provision.CodeWhose, provision.CodeNotTheirs, provision.CodeUnproven, provision.CodeContested} {
		assert.Contains(t, operating, "| `"+code+"` |")
		assert.Contains(t, runbook, "## `"+code+"`")
	}
	for _, code := range []string{
		provision.CodeProtected, provision.CodeSpared, provision.CodeNoRecipient, provision.CodeNotConverging,
		provision.CodeUnknownApp, provision.CodeNotKept,
	} {
		assert.Contains(t, operating, "| `"+code+"` |")
	}
}
