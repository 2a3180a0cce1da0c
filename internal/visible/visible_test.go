package visible_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/internal/visible"
)

func TestLine(t *testing.T) {
	for given, want := range map[string]string{
		"Zoë Müller":          "Zoë Müller",
		"a\nb\tc":             `a\nb\tc`,
		"\x1b[2J\x9b":         `\x1b[2J\x9b`,
		"\u009b31m\u202eevil": `\u009b31m\u202eevil`,
	} {
		assert.Equal(t, want, visible.Line(given))
	}
	assert.Equal(t, "a\nb\tc\\r", visible.Lines("a\nb\tc\r"))
}

// No text moves a cursor after escaping, and escaped JSON has the same meaning as before.
func TestNothingInvisibleIsLeft(t *testing.T) {
	hidden := func(r rune) bool { return !visible.Rune(r) }
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		assert.Equal(t, -1, strings.IndexFunc(visible.Line(text), hidden))
		var out bytes.Buffer
		enc := json.NewEncoder(visible.JSONWriter{Writer: &out})
		assert.NoError(t, enc.Encode(text))
		assert.Equal(t, -1, strings.IndexFunc(strings.TrimSuffix(out.String(), "\n"), hidden))
		var again string
		assert.NoError(t, json.Unmarshal(out.Bytes(), &again))
		assert.Equal(t, strings.ToValidUTF8(text, "\ufffd"), again)
	})
}
