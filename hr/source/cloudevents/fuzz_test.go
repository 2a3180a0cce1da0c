package cloudevents_test

import (
	"errors"
	"testing"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
)

// FuzzDecode checks that Decode never panics and fails only with a *source.Error. An event
// that it accepts decodes to the same event after Encode, and Identify finds its key.
func FuzzDecode(f *testing.F) {
	for _, value := range examples(f) {
		f.Add([]byte("10004"), structured, "", value)
		r := binaryRecord(f, value)
		f.Add(r.Key, r.Headers["content-type"], r.Headers["ce_type"], r.Value)
	}
	f.Fuzz(func(t *testing.T, key []byte, contentType, ceType string, value []byte) {
		r := source.Record{Key: key, Value: value, Headers: map[string]string{"content-type": contentType}}
		if ceType != "" {
			for name, v := range map[string]string{
				"specversion": "1.0", "type": ceType, "source": "/fuzz", "id": "1", "subject": string(key),
				"time": "2026-01-01T00:00:00Z",
			} {
				r.Headers["ce_"+name] = v
			}
		}
		events, _, err := cloudevents.Decode(r)
		if err != nil {
			var refusal *source.Error
			if !errors.As(err, &refusal) || refusal.Reason == "" || len(events) > 0 {
				t.Fatalf("refused with %v and %d events", err, len(events))
			}
			return
		}
		for _, e := range events {
			if key, ok := cloudevents.Identify(r); !ok || key != e.EventKey {
				t.Fatalf("identified as %+v, %v; decoded as %+v", key, ok, e.EventKey)
			}
			if _, err := cloudevents.Encode(e); err != nil {
				t.Fatalf("accepted, but cannot be sent again: %v", err)
			}
		}
	})
}
