package catalog_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/catalog"
)

var update = flag.Bool("update", false, "write the tables of settings in "+page)

const page = "../../../docs/hr-systems.md"

// table returns a kind's settings in Markdown, with the marks before and after them.
func table(k source.Kind) (begin, text, end string) {
	begin, end = fmt.Sprintf("<!-- settings of %s -->\n", k.Name), fmt.Sprintf("<!-- end of %s -->\n", k.Name)
	var b strings.Builder
	b.WriteString("| setting | form | |\n|---|---|---|\n")
	for _, s := range k.Settings {
		note := s.Text
		switch value := s.Default.(type) {
		case nil:
		case time.Duration:
			note += fmt.Sprintf(" Default: `%s`.", value)
		default:
			note += fmt.Sprintf(" Default: `%v`.", value)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.Name, s.Type, note)
	}
	return begin, b.String(), end
}

// The page about HR systems lists the settings of each kind as the kind declares them.
func TestSettingsAreDocumented(t *testing.T) {
	content, err := os.ReadFile(page)
	require.NoError(t, err)
	text := string(content)
	for _, k := range catalog.Kinds() {
		if len(k.Settings) == 0 {
			continue
		}
		begin, want, end := table(k)
		before, rest, ok := strings.Cut(text, begin)
		have, after, ok2 := strings.Cut(rest, end)
		require.True(t, ok && ok2, "%s has no marks for the settings of %s", page, k.Name)
		if *update {
			text = before + begin + want + end + after
			continue
		}
		assert.Equal(t, want, have, "%s is stale: go test ./hr/source/catalog -update", page)
	}
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(text), 0o600))
	}
}
