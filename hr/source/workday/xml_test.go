package workday

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The time and memory of parsing stay in proportion to a document's size, for any content.
func TestParsingIsBounded(t *testing.T) {
	const size = 1 << 20
	fill := func(piece string) []byte {
		return []byte("<a><Worker>" + strings.Repeat(piece, size/len(piece)) + "</Worker></a>")
	}
	for name, c := range map[string]struct {
		document []byte
		wrong    string
	}{
		"text in pieces":     {document: fill("x<!---->")},
		"text in entities":   {document: fill("&#120;")},
		"CDATA":              {document: fill("<![CDATA[x]]>")},
		"too many elements":  {document: fill("<b/>"), wrong: "too many elements"},
		"attributes":         {document: []byte("<a " + strings.Repeat("b=\"\" ", size/5) + "/>")},
		"instructions":       {document: fill("<?a?>")},
		"elements in a line": {document: fill(strings.Repeat(" ", 100) + "<b>x</b>")},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := parse(c.document)
			runtime.ReadMemStats(&after)
			if c.wrong != "" {
				require.NotNil(t, err)
				assert.Contains(t, err.Text, c.wrong)
			} else {
				assert.Nil(t, err)
			}
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(128*size))
		})
	}
}
