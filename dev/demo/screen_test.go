package demo

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/internal/visible"
	"github.com/tenurehq/tenure/ledger"
)

var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// What an app, a process or the record says is shown, and does nothing else.
func TestTheScreenShowsWhatComesFromOutside(t *testing.T) {
	const hostile = "wiki\x1b[2J\u009b31m\u202eevil\r\x07"
	for _, colour := range []bool{false, true} {
		var out bytes.Buffer
		s := newScreen(&out, colour)
		s.title(hostile)
		s.note(hostile)
		s.trouble(hostile)
		s.action(ledger.AuditRow{
			PersonID: "nobody", App: hostile, Action: "disabled" + hostile, At: time.Now(),
			Detail: map[string]any{"change": hostile, "granted": []any{hostile}, "revoked": []any{hostile}},
		})
		shown := colours.ReplaceAllString(out.String(), "")
		hidden := strings.IndexFunc(shown, func(r rune) bool { return r != '\n' && !visible.Rune(r) })
		assert.Equal(t, -1, hidden, "%q", shown)
		assert.GreaterOrEqual(t, strings.Count(shown, "evil"), 8)
	}
}
