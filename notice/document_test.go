package notice_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/notice"
)

var update = flag.Bool("update", false, "write the table of docs/notices.md")

// After a kind is added or changed, run this test with -update to change the table.
func TestDocumentShowsEveryKind(t *testing.T) {
	const file, begin, end = "../docs/notices.md", "<!-- generated: kinds -->\n", "<!-- end -->\n"
	var table strings.Builder
	table.WriteString("| kind | told | to | sent | not sent if |\n|---|---|---|---|---|\n")
	for _, k := range notice.Kinds() {
		sent := "gathered"
		if k.Urgent {
			sent = "at once"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s | %s |\n", k.Name, k.When, k.To, sent, k.Moot)
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(text), begin)
	require.True(t, found)
	_, after, found := strings.Cut(rest, end)
	require.True(t, found)
	want := before + begin + table.String() + end + after
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(want), 0o600))
		return
	}
	assert.Equal(t, want, string(text), "run `go test ./notice -run Document -update`")
}
