package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source/catalog"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
	"github.com/tenurehq/tenure/ingest/deadletter"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
	"github.com/tenurehq/tenure/workflows"
)

// asTemporalsClient refuses every nudge that Temporal's client or server would refuse.
func asTemporalsClient(_ context.Context, n workflows.Nudge) error {
	id := workflows.WorkflowID(n.PersonID)
	if strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r > '~' }) {
		return status.Error(codes.Internal, "header key \"workflow-id\" contains value with non-printable ASCII characters")
	}
	if len(id) > 255 {
		return status.Error(codes.Unknown, "value too long for type character varying(255)")
	}
	return nil
}

// odd generates unusual texts that some system has sent, or may send.
var odd = rapid.OneOf(
	rapid.String(),
	rapid.SampledFrom([]string{
		"", " ", "10004", "M\u00dc-17", "10004\u200b", "\u00a010004", "\ufeff1", "a\x00b", "\xff\xfe", "\x1b[2J", "O'Brien", "a%41", "..", "$",
		"com.tenurehq.worker.terminated.v1", "urn:tenure:operator", "2026-02-30", "9999-12-31", "hr.events.dlq/0/0", "{}",
		strings.Repeat("\U00020000", 600), strings.Repeat("x", 10_000), strings.Repeat("%", 128), strings.Repeat("\u00dc", 64),
	}),
)

// anyRecord draws a record that may hold anything: bytes, JSON, or an event with
// something odd in some places.
func anyRecord(t *rapid.T, n int) kafka.Message {
	m := kafka.Message{}
	if rapid.Bool().Draw(t, "has a key") {
		m.Key = []byte(odd.Draw(t, "key"))
	}
	for range rapid.IntRange(0, 3).Draw(t, "headers") {
		name := rapid.OneOf(odd, rapid.SampledFrom([]string{
			"content-type", "ce_id", "ce_source", "ce_subject", "ce_type", "ce_specversion", "ce_time", deadletter.HeaderRedriveOf, deadletter.HeaderRedriveDigest, deadletter.HeaderDigest, deadletter.HeaderUrgent,
		})).Draw(t, "header")
		m.Headers = append(m.Headers, kafka.Header{Key: name, Value: []byte(odd.Draw(t, "header's value"))})
	}
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		m.Value = rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
	case 1:
		m.Value, _ = json.Marshal(map[string]any{odd.Draw(t, "name"): odd.Draw(t, "value"), "data": []any{odd.Draw(t, "item"), nil}})
	default:
		person, id := fmt.Sprint("any-", n), fmt.Sprint("any-", n)
		fields := map[string]string{
			"source": "/hr", "id": id, "type": "com.tenurehq.worker.hired.v1", "subject": person, "worker": person, "time": "2026-01-01T00:00:00Z",
			"given": "A", "department": "D", "manager": "1", "attribute": "x", "start": "2026-01-01",
		}
		for range rapid.IntRange(1, 3).Draw(t, "oddities") {
			fields[rapid.SampledFrom([]string{"source", "id", "type", "subject", "time", "given", "department", "manager", "attribute", "start"}).Draw(t, "field")] = odd.Draw(t, "text")
		}
		if rapid.Bool().Draw(t, "consistent") {
			fields["worker"] = fields["subject"]
			if m.Key != nil {
				m.Key = []byte(fields["subject"])
			}
		}
		m.Value, _ = json.Marshal(map[string]any{
			"specversion": "1.0", "source": fields["source"], "id": fields["id"], "type": fields["type"], "subject": fields["subject"], "time": fields["time"],
			"data": map[string]any{
				"workerId": fields["worker"], "effectiveDate": "2026-01-01",
				"worker": map[string]any{
					"workerType": "employee", "givenName": fields["given"], "familyName": "B", "department": fields["department"], "managerId": fields["manager"],
					"startDate": fields["start"], "location": map[string]any{"timeZone": "UTC"}, "attributes": map[string]any{"a": fields["attribute"]},
				},
				"termination": map[string]any{"urgency": "immediate"}, "rescinds": "e",
			},
		})
	}
	return m
}

// Whatever a record holds, the termination of another person behind it on the same
// partition is delivered, and the partition goes on.
func TestAnyRecordHoldsUpNobody(t *testing.T) {
	r := newRig(t, 1)
	r.nudger.gate = asTemporalsClient
	store, err := sqlite.Open(t.Context(), sqlitetest.New(t))
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	kind, _ := catalog.Lookup(catalog.Default)
	opened, err := kind.Open(nil)
	require.NoError(t, err)
	_, stop := r.run(func(o *Options) {
		o.Intake, o.Tuning.Window = store, 4
		o.Topics[0].Decode, o.Topics[0].Identify, o.Topics[0].Source = opened.Decode, opened.Identify, catalog.Default
	})
	defer stop()

	end := int64(0)
	rapid.Check(t, func(t *rapid.T) {
		n := int(end)
		victim := fmt.Sprint("victim-", n)
		value, err := cloudevents.Encode(hr.Event{
			EventKey: hr.EventKey{Source: "/hr", ID: victim}, Type: hr.EventTerminated, PersonID: victim, Recorded: time.Unix(1, 0),
			Effective: hr.Date{Year: 2026, Month: 1, Day: 1}, Termination: &hr.Termination{Urgency: hr.UrgencyImmediate},
		})
		require.NoError(t, err)
		r.write(anyRecord(t, n), kafka.Message{Key: []byte(victim), Value: value})
		end += 2
		r.awaitCommitted(0, end)
		require.Len(t, r.nudger.nudges(victim), 1)
	})
}
