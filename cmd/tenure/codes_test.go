package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/activities"
)

// Whoever is asked about something finds what to do.
func TestEveryQuestionAboutAnAccountIsInTheDocs(t *testing.T) {
	docs := func(name string) string {
		raw, err := os.ReadFile(filepath.Join("../../docs", name))
		require.NoError(t, err)
		return string(raw)
	}
	operating, runbook := docs("operating.md"), docs("runbooks/whose-account.md")
	for _, code := range []string{activities.CodeWhose, activities.CodeNotTheirs, activities.CodeUnproven, activities.CodeContested} {
		assert.Contains(t, operating, "| `"+code+"` |")
		assert.Contains(t, runbook, "## `"+code+"`")
	}
	for _, code := range []string{
		activities.CodeProtected, activities.CodeSpared, activities.CodeNoRecipient, activities.CodeNotConverging,
		activities.CodeUnknownApp, activities.CodeNotKept,
	} {
		assert.Contains(t, operating, "| `"+code+"` |")
	}
}
