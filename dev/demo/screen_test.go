package demo

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/dev/story"
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

// What is found, asked and decided is shown with whom it is about, and who decided.
func TestTheScreenSaysWhatWasFoundAndDecided(t *testing.T) {
	at := story.Start.Add(30 * time.Hour)
	for row, want := range map[*ledger.AuditRow]string{
		{PersonID: "orphan:f-2", App: "crm", Action: "drift_seen", Detail: map[string]any{"finding": 2.0, "kind": "orphan"}}: "day  1 06:00 nobody (orphan:f-2) f-2 crm drift seen orphan",
		{PersonID: "10003", App: "wiki", Action: "review_decided", Detail: map[string]any{
			"item": "v-1/1", "decision": "revoke", "kind": "stray", "entitlement": "engineers", "as": "10001",
		}}: "day  1 06:00 Grace Hopper v-1/1 wiki review decided revoke stray engineers by Ada Lovelace",
		{Action: "review_decided", Detail: map[string]any{"item": "v-1/2", "decision": "keep", "kind": "role", "role": "sales", "as": "nobody"}}:                        "day  1 06:00 v-1/2 review decided keep role sales by silence",
		{PersonID: "10001", Action: "review_asked", Detail: map[string]any{"review": "v-1", "items": 1.0}}:                                                              "day  1 06:00 Ada Lovelace v-1 review asked 1 item",
		{PersonID: "10001", App: "wiki", Action: "updated", Detail: map[string]any{"change": "Mover", "granted": []any{"engineers"}}}:                                   "day  1 06:00 Ada Lovelace Mover wiki updated +engineers",
		{PersonID: "10001", App: "wiki", Action: "enabled", Detail: map[string]any{"change": "Joiner", "since": at.Add(-time.Hour).Format(time.RFC3339Nano)}}:           "day  1 06:00 Ada Lovelace Joiner wiki enabled on its date",
		{PersonID: "10001", App: "wiki", Action: "disabled", Detail: map[string]any{"change": "Leaver", "since": at.Add(-5 * 24 * time.Hour).Format(time.RFC3339Nano)}}: "day  1 06:00 Ada Lovelace Leaver wiki disabled 5 days after it was due",
	} {
		var out bytes.Buffer
		row.At = at
		newScreen(&out, false).action(*row)
		assert.Equal(t, strings.Join(strings.Fields(want), " "), strings.Join(strings.Fields(out.String()), " "))
		assert.Equal(t, strings.TrimRight(out.String(), " \n")+"\n", out.String())
	}
}
