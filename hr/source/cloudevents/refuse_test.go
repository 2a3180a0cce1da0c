package cloudevents_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
)

func TestRefusals(t *testing.T) {
	hired := func(value any, path ...string) source.Record {
		return structuredRecord("10004", with(t, "hired.json", value, path...))
	}
	binary := func(change func(*source.Record)) source.Record {
		r := binaryRecord(t, example(t, "hired.json"))
		change(&r)
		return r
	}
	header := func(name, value string) source.Record {
		return binary(func(r *source.Record) { r.Headers[name] = value })
	}
	nested := func(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }

	tests := []struct {
		name   string
		record source.Record
		want   string
	}{
		{
			"tombstone", source.Record{Key: []byte("10004")},
			"tombstone: the record has no value; to end an employment send a terminated event, to take one back a rescinded event",
		},
		{
			"tombstone with headers", binary(func(r *source.Record) { r.Value = nil }),
			"tombstone: the record has no value; to end an employment send a terminated event, to take one back a rescinded event",
		},
		{"not UTF-8", structuredRecord("10004", "{\"id\": \"\xff\"}"), "not_utf8: the record is not UTF-8"},
		{"header not UTF-8", header("ce_id", "\xff"), "not_utf8: ce_id is not UTF-8"},
		{"not JSON", structuredRecord("10004", `{"id": `), "malformed: the record is not JSON (at byte 7)"},
		{"binary, not JSON", binary(func(r *source.Record) { r.Value = []byte("hello") }), "malformed: the record is not JSON (at byte 1)"},
		{"more than JSON", structuredRecord("10004", `{} {}`), "malformed: the record is not JSON (at byte 4)"},
		{"two fields of a name", structuredRecord("10004", `{"data": {"workerId": "1", "workerId": "2"}}`), "malformed: /data/workerId is there twice"},
		{"half a surrogate pair in an ID", structuredRecord("", strings.ReplaceAll(string(example(t, "hired.json")), `"10004"`, `"10004\ud800"`)), "schema: /subject has U+FFFD in it, the 6th character, which stands for one that was lost: mend it where the ID comes from"},
		{
			"deep", structuredRecord("10004", `{"data": {"x": `+nested(31)+`}}`),
			"malformed: /data/x" + strings.Repeat("/0", 30) + " is nested more than 32 levels deep",
		},
		{
			"very deep", structuredRecord("10004", nested(1_000_000)),
			"malformed: the record is not JSON (at byte 10001)",
		},
		{"NUL", hired("Ada\x00", "data", "worker", "givenName"), "malformed: /data/worker/givenName has a NUL character in it"},
		{"NUL in a name", hired("x", "data", "worker", "attributes", "a\x00"), "malformed: /data/worker/attributes/a? has a NUL character in it"},
		{"no object", structuredRecord("10004", `[]`), "schema: the record must be an object, not an array"},
		{"batch", binary(func(r *source.Record) { r.Headers["content-type"] = "application/cloudevents-batch+json" }), "wrong_content_type: content-type batches are not read: send one event a record"},
		{"avro", header("content-type", "application/avro"), "wrong_content_type: content-type must be application/json, with ce_ headers, or application/cloudevents+json"},
		{"other charset", header("content-type", "application/json; charset=latin1"), "wrong_content_type: content-type has a charset other than utf-8"},
		{"no media type", header("content-type", "json/"), "wrong_content_type: content-type is not a media type"},
		{
			"JSON without headers",
			source.Record{Headers: map[string]string{"content-type": "application/json"}, Value: example(t, "hired.json")},
			"wrong_content_type: content-type without ce_ headers must be application/cloudevents+json",
		},
		{"other version of CloudEvents", header("ce_specversion", "0.3"), "unsupported_version: /specversion is not a version of CloudEvents that Tenure reads (1.0)"},
		{"no version", binary(func(r *source.Record) { delete(r.Headers, "ce_specversion") }), "schema: /specversion is required"},
		{"other version of a type", header("ce_type", "com.tenurehq.worker.hired.v2"), "unsupported_version: /type is not a version of this event type that Tenure reads (com.tenurehq.worker.hired.v1)"},
		{"unknown type", header("ce_type", "com.tenurehq.worker.promoted.v1"), "unknown_type: /type is not a type of HR event (com.tenurehq.worker.hired.v1 is one; see the schema for all)"},
		{"no type", header("ce_type", ""), "schema: /type is required"},
		{"no effective date", hired(nil, "data", "effectiveDate"), "schema: /data/effectiveDate is required"},
		{"impossible date", hired("2026-02-29", "data", "effectiveDate"), "schema: /data/effectiveDate must be a date that exists (YYYY-MM-DD)"},
		{"date of no plausible year", hired("0026-03-01", "data", "worker", "startDate"), "schema: /data/worker/startDate is not in a plausible year (1900 to 2199)"},
		{"start date that means none", hired("9999-12-31", "data", "worker", "startDate"), "schema: /data/worker/startDate is not in a plausible year (1900 to 2199)"},
		{"end date of no plausible year", hired("0001-01-01", "data", "worker", "endDate"), "schema: /data/worker/endDate is not in a plausible year (1900 to 2199)"},
		{"recorded in no plausible year", hired("9999-12-31T23:59:59-12:00", "time"), "schema: /time is not in a plausible year (1900 to 2199)"},
		{"unknown zone", hired("Europe/Atlantis", "data", "worker", "location", "timeZone"), "schema: /data/worker/location/timeZone is not the IANA name of a time zone, such as Europe/Berlin"},
		{"zone of this machine", hired("Local", "data", "worker", "location", "timeZone"), "schema: /data/worker/location/timeZone is not the IANA name of a time zone, such as Europe/Berlin"},
		{
			"several things",
			hired(map[string]any{"jobTitle": "Countess"}, "data", "worker"),
			"schema: /data/worker needs one of givenName, familyName; /data/worker/location is required; /data/worker/startDate is required; /data/worker/workerType is required",
		},
		{"ID that cannot be seen whole", hired("10004\u200b", "subject"), "key_mismatch: /data/workerId names another person than /subject"},
		{
			"the same everywhere", structuredRecord("", strings.ReplaceAll(string(example(t, "hired.json")), `"10004"`, `"10004\u200b"`)),
			"schema: /subject has a character in it that cannot be seen (U+200B, the 6th character): take it out where the ID comes from",
		},
		{"manager with a space", hired("10001 ", "data", "worker", "managerId"), "schema: /data/worker/managerId has white space in it or around it: an ID has none"},
		{"event ID with a space", hired("e-1 ", "id"), "schema: /id has white space around it: an ID has none"},
		{"a text that is too long", hired(strings.Repeat("x", 4097), "data", "worker", "department"), "schema: /data/worker/department is longer than 4096 bytes"},
		{"an attribute that is too long", hired(strings.Repeat("x", 4097), "data", "worker", "attributes", "a"), "schema: /data/worker/attributes/a is longer than 4096 bytes"},
		{"an ID of many bytes", hired(strings.Repeat("\u00dc", 300), "id"), "schema: /id is longer than 512 bytes"},
		{"key of another person", structuredRecord("10005", string(example(t, "hired.json"))), "key_mismatch: key names another person than /subject"},
		{"partition key of another person", hired("10005", "partitionkey"), "key_mismatch: /partitionkey names another person than /subject"},
		{"data of another person", hired("10005", "data", "workerId"), "key_mismatch: /data/workerId names another person than /subject"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			events, warnings, err := cloudevents.Decode(tt.record)
			require.EqualError(t, err, tt.want)
			assert.Empty(t, events)
			assert.Empty(t, warnings)
		})
	}
}

func TestRefusalsAreShort(t *testing.T) {
	many := make(map[string]any)
	for i := range 1000 {
		many[strings.Repeat("x", i+1)] = i
	}
	_, _, err := cloudevents.Decode(structuredRecord("10004", with(t, "hired.json", many, "data", "worker", "attributes")))
	require.ErrorContains(t, err, "; and 990 more")
	assert.Less(t, len(err.Error()), 3000)
}

// An error contains none of the record's data about a person.
func TestRefusalsDoNotQuote(t *testing.T) {
	const secret = "77 Q\u00fcx"
	paths := [][]string{
		{"specversion"}, {"type"}, {"subject"}, {"time"}, {"partitionkey"}, {"data"}, {"data", "workerId"},
		{"data", "effectiveDate"}, {"data", "worker"}, {"data", "worker", "workerType"},
		{"data", "worker", "startDate"}, {"data", "worker", "endDate"}, {"data", "worker", "location"},
		{"data", "worker", "location", "timeZone"}, {"data", "worker", "attributes"},
	}
	for _, path := range paths {
		_, _, err := cloudevents.Decode(structuredRecord("10004", with(t, "hired.json", secret, path...)))
		require.Error(t, err, path)
		assert.NotContains(t, err.Error(), "77", path)
	}
}
