package chaos

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/tenurehq/tenure/ingest/broker"
)

// hostile returns records that nobody can read, sent by mistake or on purpose. Each is
// about a person of the history, and must not delay or change anything for anybody.
func hostile(person string, number int) []broker.Message {
	headers := map[string]string{"content-type": structured}
	said := func(kind, subject string) []byte {
		return []byte(`{"specversion":"1.0","id":"hostile-` + strconv.Itoa(number) + `","source":"/hostile","type":"com.tenurehq.` + kind +
			`.v1","subject":"` + subject + `","time":"2026-01-01T00:00:00Z","data":{"workerId":"` + subject + `","effectiveDate":"2026-01-01"}}`)
	}
	return []broker.Message{
		{Key: person, Headers: headers, Value: []byte(`{"specversion":"1.0","type":"com.tenurehq.worker.terminated.v1","subj`)},
		{Key: person, Headers: headers, Value: []byte("{\"specversion\":\"1.0\xff\"}")},
		{Key: person, Headers: headers, Value: []byte("{\"a\":" + strings.Repeat("[", 100_000))},
		{Key: person, Headers: headers, Value: said("worker.terminated", person+`\u200b`)},
		{Key: person, Headers: headers, Value: said("worker.terminated", person+`\n`)},
		{Key: "", Headers: headers, Value: said("worker.promoted", person)},
		{Key: person, Headers: headers, Value: said("worker.terminated", strings.Repeat("x", 300_000))},
		{Key: person, Headers: headers, Value: bytes.Repeat([]byte{0}, 500_000)},
		{Key: person, Headers: headers},
	}
}

// withHostile puts hostile records among those of the history, spread over it.
func (h *history) withHostile() {
	const places = 5
	every := max(1, len(h.messages)/(places+1))
	var all []broker.Message
	for i, m := range h.messages {
		all = append(all, m)
		if number := i / every; i%every == every-1 && number < places {
			bad := hostile(m.Key, number)
			all = append(all, bad...)
			h.refused += len(bad)
		}
	}
	h.messages = slices.Clip(all)
}
