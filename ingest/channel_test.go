package ingest

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ingest/deadletter"
)

// An event that its topic or endpoint may not carry becomes an urgent dead letter that
// names the setting. It holds up nobody.
func TestARecordHasTheAuthorityOfItsChannel(t *testing.T) {
	r := newRig(t, 1)
	suspends := func(id, endpoint string) broker.Message {
		m := note{ID: id, Person: "1", Type: hr.EventSuspended}.message()
		if endpoint != "" {
			m.Headers = map[string]string{headerEndpoint: endpoint}
		}
		return m
	}
	both := []string{source.WorkerTypes, source.SecurityTypes}
	r.publish(suspends("by the topic", ""), suspends("by a named endpoint", "/siem"), suspends("by one for HR", "/hr"), suspends("by one that is gone", "/old"))
	r.publish(notes(1, "2")...)
	r.run(func(o *Options) {
		o.Topics[0].Channel = source.Channel{Types: both}
		o.Topics[0].Endpoints = map[string]source.Channel{"/siem": {Types: both}, "/hr": {}}
	})
	r.awaitCommitted(0, 5)
	assert.Equal(t, []string{"by the topic", "by a named endpoint"}, r.intake.ids("1"))
	assert.Equal(t, []string{"2-1"}, r.intake.ids("2"))
	for _, letter := range r.letters(2) {
		headers := headersOf(letter)
		assert.Equal(t, source.ReasonChannel, headers[deadletter.HeaderReason])
		assert.Equal(t, "true", headers[deadletter.HeaderUrgent])
		assert.Contains(t, headers[deadletter.HeaderText], "write types: [worker.*, security.*] in webhooks.endpoints")
	}
}

// By default a topic takes no security events. No topic takes Tenure's own events.
func TestATopicSaysOnlyWhatHRSaysByDefault(t *testing.T) {
	r := newRig(t, 1)
	r.publish(note{ID: "s", Person: "1", Type: hr.EventSuspended}.message())
	r.publish(note{ID: "own", Person: "1", Type: hr.EventTerminated}.message())
	r.publish(note{ID: "u", Person: "1", Type: hr.EventUpdated}.message())
	r.run(func(o *Options) {
		o.Topics[0].Identify = nil
		o.Topics[0].Decode = func(rec source.Record) ([]hr.Event, []source.Warning, error) {
			events, warnings, err := decodeNote(rec)
			if err == nil && events[0].ID == "own" {
				events[0].Source = hr.OperatorSource
			}
			return events, warnings, err
		}
	})
	r.awaitCommitted(0, 3)
	assert.Equal(t, []string{"u"}, r.intake.ids("1"))
	letters := r.letters(2)
	assert.Contains(t, headersOf(letters[0])[deadletter.HeaderText], "in kafka.topics ("+r.events+") settings")
	assert.Contains(t, headersOf(letters[1])[deadletter.HeaderText], "Tenure's own")
}
