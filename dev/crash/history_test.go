//go:build real

package crash

import (
	"bufio"
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/company"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
	"github.com/tenurehq/tenure/ingest/broker"
)

// history holds the records to publish, and what must result from them.
type history struct {
	messages []broker.Message
	events   int                   // without repetitions
	people   map[string][]hr.Event // everybody's events, in order, without repetitions
}

// newHistory returns the history of a thousand people, unless the environment names
// another history.
func newHistory(t *testing.T) history {
	t.Helper()
	var lines bytes.Buffer
	if path := os.Getenv("TENURE_CRASH_EVENTS"); path != "" {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		lines.Write(text)
	} else {
		opts := company.Typical(seed, 1000)
		opts.Pace = 3
		require.NoError(t, company.Generate(opts).WriteEvents(&lines))
	}
	h := history{people: map[string][]hr.Event{}}
	seen := map[hr.EventKey]bool{}
	scanner := bufio.NewScanner(&lines)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		line := bytes.Clone(scanner.Bytes())
		events, _, err := cloudevents.Decode(source.Record{
			Headers: map[string]string{"content-type": "application/cloudevents+json"}, Value: line,
		})
		require.NoError(t, err)
		require.Len(t, events, 1)
		e := events[0]
		h.messages = append(h.messages, broker.Message{
			Key: e.PersonID, Value: line, Headers: map[string]string{"content-type": "application/cloudevents+json"},
		})
		if !seen[e.EventKey] {
			seen[e.EventKey] = true
			h.events++
			h.people[e.PersonID] = append(h.people[e.PersonID], e)
		}
	}
	require.NoError(t, scanner.Err())
	return h
}
