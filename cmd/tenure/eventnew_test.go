package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/schemas"
	"github.com/tenurehq/tenure/service"
)

// Every type's template is valid as it stands, in one line and over several, by the
// schema and by the decoder.
func TestEveryTypesTemplateIsValid(t *testing.T) {
	s := newSite(t)
	require.Len(t, eventTypes, len(eventWords))
	for i, word := range eventWords {
		assert.Equal(t, word, shortType(eventTypes[i]))
		for _, args := range [][]string{
			{"event", "new", word},
			{"event", "new", word, "--line", "--worker", "MÜ-17", "--effective", "2026-12-01", "--last-day", "2026-12-31", "--reason", "it's \x1b[2J"},
		} {
			got := s.run(args...)
			require.Zero(t, got.code, "%v: %s", args, got.err)
			assert.Empty(t, got.err)
			var doc any
			require.NoError(t, json.Unmarshal([]byte(got.stdout), &doc))
			require.NoError(t, schemas.OfEvent().Validate(doc), "%v: %s", args, got.stdout)
			assert.Empty(t, schemas.OfEvent().Unknown(doc))
			assert.NotContains(t, got.stdout, "\x1b")
			if len(args) > 3 {
				assert.Equal(t, 1, strings.Count(got.stdout, "\n"))
				assert.Contains(t, got.stdout, `"subject":"MÜ-17"`)
			}
			s.write("event.json", got.stdout)
			checked := s.run("event", "validate", "event.json")
			assert.Zero(t, checked.code, "%v: %s%s", args, checked.stdout, checked.err)
		}
	}
	s.write("two.jsonl", s.run("event", "new", "hired", "--line").stdout+s.run("event", "new", "hired", "--line").stdout)
	lines, err := os.ReadFile("two.jsonl")
	require.NoError(t, err)
	ids := map[string]bool{}
	for line := range strings.Lines(string(lines)) {
		var e struct{ ID string }
		require.NoError(t, json.Unmarshal([]byte(line), &e))
		ids[e.ID] = true
	}
	assert.Len(t, ids, 2, "each is an event of its own")
}

func TestWhatNoTemplateIsMadeOf(t *testing.T) {
	s := newSite(t)
	for says, args := range map[string][]string{
		`did you mean "hired"?`:             {"hird"},
		"--effective: ":                     {"hired", "--effective", "tomorrow"},
		`did you mean "contractor"?`:        {"hired", "--worker-type", "contractr"},
		`did you mean "immediate"?`:         {"terminated", "--urgency", "imediate"},
		"timeZone":                          {"hired", "--time-zone", "Europe/Belrin"},
		"wants TYPE, and was given 0 argum": {},
	} {
		got := s.run(append([]string{"event", "new"}, args...)...)
		assert.Equal(t, service.ExitUsage, got.code, "%v", args)
		assert.Contains(t, got.err, says, "%v", args)
		assert.Empty(t, got.stdout)
	}
}
