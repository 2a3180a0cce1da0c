package privacy_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/privacy"
)

var update = flag.Bool("update", false, "write the table of docs/privacy.md")

// The records of processing are what the code says.
func TestTheDocumentHasTheRecordsOfProcessing(t *testing.T) {
	const path = "../docs/privacy.md"
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var rows strings.Builder
	for _, h := range privacy.Ledger {
		fmt.Fprintf(&rows, "| `%s` | %s | %s | %s | %s |\n", h.Table, h.What, h.From, h.For, h.Until)
	}
	const head = "| table | what | from | what for | until |\n|---|---|---|---|---|\n"
	table := regexp.MustCompile(regexp.QuoteMeta(head) + `(?:\|.*\n|@@TABLE@@\n)*`)
	want := table.ReplaceAllLiteralString(string(text), head+rows.String())
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
	}
	assert.Contains(t, string(text), head)
	assert.True(t, *update || want == string(text), "run: go test ./privacy -update")
}
