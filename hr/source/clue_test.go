package source_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/hr/source"
)

const terminated = "com.tenurehq.worker.terminated.v1"

func TestLookAt(t *testing.T) {
	for name, c := range map[string]struct {
		key     string
		headers map[string]string
		value   string
		want    source.Clue
	}{
		"nothing": {},
		"a whole event": {
			value: `{"type":"` + terminated + `","source":"/hr","id":"e-1","subject":"7","data":{"workerId":"8"}}`,
			want:  source.Clue{Person: "7", Type: terminated, Source: "/hr", ID: "e-1", Urgent: true},
		},
		"the key first": {
			key: "9", value: `{"subject":"7"}`,
			want: source.Clue{Person: "9"},
		},
		"headers": {
			headers: map[string]string{"ce_type": terminated, "ce_source": "urn:hr", "ce_id": "e/2", "ce_subject": "7"}, value: "\xff\x00",
			want: source.Clue{Person: "7", Type: terminated, Source: "urn:hr", ID: "e/2", Urgent: true},
		},
		"the worker":            {value: `{"data":{"workerId":"8"}}`, want: source.Clue{Person: "8"}},
		"the worker, no event":  {value: `{"workerId":"8"}`, want: source.Clue{Person: "8"}},
		"the partition key":     {value: `{"partitionKey":"8"}`, want: source.Clue{Person: "8"}},
		"a termination object":  {key: "1", value: `{"data":{"termination":{"lastDayOfWork":"soon"}}}`, want: source.Clue{Person: "1", Urgent: true}},
		"an empty one is none":  {key: "1", value: `{"data":{"termination":{},"suspension":null}}`, want: source.Clue{Person: "1"}},
		"a suspension":          {key: "1", value: `{"suspension":{"reason":""}}`, want: source.Clue{Person: "1", Urgent: true}},
		"security":              {key: "1", value: `{"type":"com.tenurehq.security.suspended.v9"}`, want: source.Clue{Person: "1", Type: "com.tenurehq.security.suspended.v9", Urgent: true}},
		"a hire":                {key: "1", value: `{"type":"com.tenurehq.worker.hired.v1"}`, want: source.Clue{Person: "1", Type: "com.tenurehq.worker.hired.v1"}},
		"of another name":       {key: "1", value: `{"type":"Employee Termination"}`, want: source.Clue{Person: "1", Urgent: true}},
		"a batch":               {value: `[{"type":"hired","subject":"1"},{"type":"x","data":{"termination":{"a":1}}}]`, want: source.Clue{Person: "1", Type: "hired", Urgent: true}},
		"breaks off before":     {key: "1", value: `{"data":{"x":`, want: source.Clue{Person: "1"}},
		"breaks off after":      {key: "1", value: `{"type":"` + terminated + `","data":{"x":`, want: source.Clue{Person: "1", Type: terminated, Urgent: true}},
		"broken, then the type": {key: "1", value: `{"data":{,}, "type" : "` + terminated + `"}`, want: source.Clue{Person: "1", Urgent: true}},
		"broken, then the object": {
			key: "1", value: `{"data":oops, "termination":{ "lastDayOfWork":1}}`,
			want: source.Clue{Person: "1", Urgent: true},
		},
		"what a text says is not meant": {key: "1", value: `{"type":"hired","data":{"note":"\"type\":\"terminated\""}}`, want: source.Clue{Person: "1", Type: "hired"}},
		"numbers are no texts":          {value: `{"subject":7,"type":1.5,"x":[true,null,{}]}`},
		"an address is no identifier":   {value: `{"type":"hired","id":"georgi@example.com","source":"Georgi Facello"}`, want: source.Clue{Type: "hired"}},
		"a name is no person":           {key: "Georgi Facello", value: `{"subject":"7"}`, want: source.Clue{Person: "7"}},
		"nor is what cannot be shown":   {key: "\x00\xff", value: `{}`},
		"an ID with a space around it":  {key: "9\u00a0", value: `{"subject":"9\u200b"}`, want: source.Clue{Person: "9"}},
		"not ASCII":                     {key: "M\u00dc-17", value: `{}`, want: source.Clue{Person: "M\u00dc-17"}},
		"deep":                          {key: "1", value: strings.Repeat("[", 100_000), want: source.Clue{Person: "1"}},
		"deep objects":                  {key: "1", value: strings.Repeat(`{"type":`, 100_000) + `"x"`, want: source.Clue{Person: "1"}},
	} {
		got := source.LookAt(source.Record{Key: []byte(c.key), Headers: c.headers, Value: []byte(c.value)})
		assert.Equal(t, c.want, got, name)
	}
}

// LookAt does not panic on any record, and returns nothing but identifiers.
func FuzzLookAt(f *testing.F) {
	f.Add([]byte("1"), []byte(`{"type":"`+terminated+`","data":{"termination":{"a":[1,{}]}}}`))
	f.Add([]byte(nil), []byte(`[[{"subject":"a b"}]]`))
	f.Add([]byte("\xff"), []byte(`{"a":{,"type":"suspended"}`))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		clue := source.LookAt(source.Record{Key: key, Value: value})
		for _, text := range []string{clue.Person, clue.Type, clue.Source, clue.ID} {
			assert.NotContains(t, text, " ")
			assert.LessOrEqual(t, len(text), 200)
		}
	})
}
