package cloudevents_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
)

const structured = "application/cloudevents+json"

// structuredRecord returns a record in structured mode.
func structuredRecord(key, value string) source.Record {
	return source.Record{
		Key: []byte(key), Headers: map[string]string{"content-type": structured}, Value: []byte(value),
	}
}

// binaryRecord returns an event, given in structured mode, as a record in binary mode.
func binaryRecord(t testing.TB, structured []byte) source.Record {
	t.Helper()
	var event map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(structured, &event))
	r := source.Record{
		Headers: map[string]string{"content-type": "application/json; charset=UTF-8"}, Value: event["data"],
	}
	for name, raw := range event {
		var text string
		if name != "data" && name != "datacontenttype" && json.Unmarshal(raw, &text) == nil {
			r.Headers["ce_"+name] = text
		}
	}
	r.Key = []byte(r.Headers["ce_subject"])
	return r
}

func example(t testing.TB, name string) []byte {
	t.Helper()
	value, err := os.ReadFile(filepath.Join("../../../schemas/examples", name))
	require.NoError(t, err)
	return value
}

func examples(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("../../../schemas/examples/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	all := make(map[string][]byte)
	for _, path := range paths {
		all[filepath.Base(path)] = example(t, filepath.Base(path))
	}
	return all
}

func date(s string) hr.Date {
	d, err := hr.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func decodeOne(t testing.TB, r source.Record) hr.Event {
	t.Helper()
	events, warnings, err := cloudevents.Decode(r)
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.Len(t, events, 1)
	return events[0]
}

func TestDecodeHired(t *testing.T) {
	want := hr.Event{
		EventKey:  hr.EventKey{Source: "/hr/example", ID: "e-1"},
		Type:      hr.EventHired,
		PersonID:  "10004",
		Recorded:  time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC),
		Sequence:  "000001",
		Effective: date("2026-03-01"),
		Profile: &hr.Profile{
			Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Byron", PreferredName: "Ada",
			PersonalEmail: "ada@example.org", Phone: "+49 30 1234567", EmployeeNumber: "E-4711",
			JobTitle: "Engineer", Department: "Development", CostCenter: "CC-42", Company: "Example GmbH",
			Location:  hr.Location{Site: "Berlin", Country: "DE", TimeZone: "Europe/Berlin"},
			ManagerID: "10001", StartDate: date("2026-03-01"), Attributes: map[string]string{"shirt": "M"},
		},
	}
	value := example(t, "hired.json")
	assert.Equal(t, want, decodeOne(t, structuredRecord("10004", string(value))), "structured")
	assert.Equal(t, want, decodeOne(t, binaryRecord(t, value)), "binary")
}

func TestDecodeTerminated(t *testing.T) {
	no := false
	e := decodeOne(t, structuredRecord("10004", string(example(t, "terminated-immediate.json"))))
	assert.Equal(t, hr.Event{
		EventKey: hr.EventKey{Source: "/hr/example", ID: "e-8"}, Type: hr.EventTerminated, PersonID: "10004",
		Recorded: time.Date(2027, 1, 10, 8, 0, 0, 0, time.UTC), Effective: date("2027-01-10"),
		Termination: &hr.Termination{
			LastDay: date("2027-01-10"), AccessEndsAt: time.Date(2027, 1, 10, 8, 0, 0, 0, time.UTC),
			Urgency: hr.UrgencyImmediate, Voluntary: &no,
		},
	}, e)
}

func TestDecodeOtherTypes(t *testing.T) {
	leave := decodeOne(t, structuredRecord("10004", string(example(t, "leave_started.json"))))
	assert.Equal(t, &hr.Leave{ExpectedReturn: date("2026-12-01")}, leave.Leave)
	rescinded := decodeOne(t, structuredRecord("10004", string(example(t, "rescinded.json"))))
	assert.Equal(t, "e-9", rescinded.Rescinds)
	suspended := decodeOne(t, structuredRecord("10004", string(example(t, "suspended.json"))))
	assert.Equal(t, &hr.Suspension{Reason: "laptop stolen"}, suspended.Suspension)
}

func TestBothModesDecodeEveryExample(t *testing.T) {
	for name, value := range examples(t) {
		inStructured := decodeOne(t, structuredRecord("10004", string(value)))
		assert.Equal(t, inStructured, decodeOne(t, binaryRecord(t, value)), name)

		bare := source.Record{Key: []byte("10004"), Value: value}
		assert.Equal(t, inStructured, decodeOne(t, bare), "%s without a content type", name)
	}
}

// with returns the example of a hire, changed at a path.
func with(t testing.TB, name string, value any, path ...string) string {
	t.Helper()
	var event map[string]any
	require.NoError(t, json.Unmarshal(example(t, name), &event))
	at := event
	for _, p := range path[:len(path)-1] {
		if at[p] == nil {
			at[p] = map[string]any{}
		}
		at = at[p].(map[string]any)
	}
	at[path[len(path)-1]] = value
	text, err := json.Marshal(event)
	require.NoError(t, err)
	return string(text)
}

func TestEmptyAndNullMeanAbsent(t *testing.T) {
	want := decodeOne(t, structuredRecord("10004", string(example(t, "hired.json"))))
	for _, empty := range []any{nil, ""} {
		got := decodeOne(t, structuredRecord("10004", with(t, "hired.json", empty, "data", "worker", "workEmail")))
		assert.Equal(t, want, got)
		got = decodeOne(t, structuredRecord("10004", with(t, "hired.json", empty, "data", "worker", "attributes", "size")))
		assert.Equal(t, want, got)
		got = decodeOne(t, structuredRecord("10004", with(t, "hired.json", empty, "data", "termination")))
		assert.Equal(t, want, got)
		got = decodeOne(t, structuredRecord("10004", with(t, "hired.json", empty, "partitionkey")))
		assert.Equal(t, want, got)
	}
}

// Invisible characters make no difference, neither in texts nor in words of a list.
func TestTextsAreTidied(t *testing.T) {
	want := decodeOne(t, structuredRecord("10004", string(example(t, "hired.json"))))
	for _, tt := range []struct {
		text string
		path []string
	}{
		{"Development ", []string{"data", "worker", "department"}},
		{"\u00a0Development\u200b", []string{"data", "worker", "department"}},
		{" employee", []string{"data", "worker", "workerType"}},
		{"2026-03-01\u00a0", []string{"data", "effectiveDate"}},
		{"Europe/Berlin ", []string{"data", "worker", "location", "timeZone"}},
		{"\tM ", []string{"data", "worker", "attributes", "shirt"}},
		{"\u200b ", []string{"data", "worker", "workEmail"}},
	} {
		assert.Equal(t, want, decodeOne(t, structuredRecord("10004", with(t, "hired.json", tt.text, tt.path...))), "%q", tt.text)
	}
	for _, id := range []string{"M\u00dc-17", "\u5de5\u53f7-7", "a%41/b?'\""} {
		value := strings.ReplaceAll(string(example(t, "hired.json")), `"10004"`, strconv.Quote(id))
		assert.Equal(t, id, decodeOne(t, structuredRecord(id, value)).PersonID)
	}
}

func TestEndDatesThatMeanNone(t *testing.T) {
	for _, none := range []string{"9999-12-31", "4712-12-31", "2200-01-01"} {
		e := decodeOne(t, structuredRecord("10004", with(t, "hired.json", none, "data", "worker", "endDate")))
		assert.True(t, e.Profile.EndDate.IsZero(), none)
		e = decodeOne(t, structuredRecord("10004", with(t, "leave_started.json", none, "data", "leave", "expectedReturn")))
		assert.True(t, e.Leave.ExpectedReturn.IsZero(), none)
	}
	e := decodeOne(t, structuredRecord("10004", with(t, "hired.json", "2199-12-31", "data", "worker", "endDate")))
	assert.Equal(t, date("2199-12-31"), e.Profile.EndDate)
}

func TestWarnings(t *testing.T) {
	tests := []struct {
		name   string
		record source.Record
		want   []source.Warning
	}{
		{
			"no key", structuredRecord("", string(example(t, "hired.json"))),
			[]source.Warning{{Field: "key", Text: "is missing: it should be the worker ID"}},
		},
		{
			"unknown field", structuredRecord("10004", with(t, "hired.json", 50_000, "data", "worker", "salary")),
			[]source.Warning{{Field: "/data/worker/salary", Text: "is not known and was left out"}},
		},
		{
			"another case is another field",
			structuredRecord("10004", with(t, "hired.json", "10005", "data", "WORKERID")),
			[]source.Warning{{Field: "/data/WORKERID", Text: "is not known and was left out"}},
		},
		{
			"unprintable field", structuredRecord("10004", with(t, "hired.json", "x", "data", "a\n\x1b"+strings.Repeat("b", 200))),
			[]source.Warning{{
				Field: "/data/a??" + strings.Repeat("b", 91) + "...", Text: "is not known and was left out",
			}},
		},
		{
			"ends before it starts", structuredRecord("10004", with(t, "hired.json", "2025-01-01", "data", "worker", "endDate")),
			[]source.Warning{{Field: "/data/worker/endDate", Text: "is before /data/worker/startDate"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			events, warnings, err := cloudevents.Decode(tt.record)
			require.NoError(t, err)
			require.Len(t, events, 1)
			assert.Equal(t, "10004", events[0].PersonID)
			assert.Equal(t, tt.want, warnings)
		})
	}
}

func TestWarningsAreFew(t *testing.T) {
	many := make(map[string]any)
	for i := range 1000 {
		many[strings.Repeat("x", i+1)] = i
	}
	_, warnings, err := cloudevents.Decode(structuredRecord("10004", with(t, "hired.json", many, "data", "worker", "location")))
	require.Error(t, err)
	require.Empty(t, warnings)

	many["timeZone"] = "UTC"
	_, warnings, err = cloudevents.Decode(structuredRecord("10004", with(t, "hired.json", many, "data", "worker", "location")))
	require.NoError(t, err)
	require.Len(t, warnings, 11)
	assert.Equal(t, source.Warning{Field: "/data", Text: "has 990 more unknown fields"}, warnings[10])
}

// Parts that a type does not use are ignored, even if they are not complete.
func TestPartsOfOtherTypesAreLeftOut(t *testing.T) {
	e := decodeOne(t, structuredRecord("10004", with(t, "terminated.json", "Ada", "data", "worker", "givenName")))
	assert.Nil(t, e.Profile)
	e = decodeOne(t, structuredRecord("10004", with(t, "hired.json", "asap", "data", "termination", "urgency")))
	assert.Nil(t, e.Termination)
}

func TestExtensionsOfTheEnvelopeAreIgnored(t *testing.T) {
	want := decodeOne(t, structuredRecord("10004", string(example(t, "hired.json"))))
	value := with(t, "hired.json", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "traceparent")
	assert.Equal(t, want, decodeOne(t, structuredRecord("10004", value)))
	r := binaryRecord(t, []byte(value))
	r.Headers["ce_data"] = "not the data"
	r.Headers["x-other"] = "\xff"
	assert.Equal(t, want, decodeOne(t, r))
}

func TestDecodeIsIndifferentToFormatting(t *testing.T) {
	var compact bytes.Buffer
	require.NoError(t, json.Compact(&compact, example(t, "hired.json")))
	assert.Equal(t,
		decodeOne(t, structuredRecord("10004", string(example(t, "hired.json")))),
		decodeOne(t, structuredRecord("10004", "\n\t"+compact.String()+" \r\n")))
}

func TestDecodePositions(t *testing.T) {
	hired := decodeOne(t, structuredRecord("10004", string(example(t, "hired-second-position.json"))))
	assert.Equal(t, "P-2", hired.PositionID)
	assert.False(t, hired.Primary)
	ended := decodeOne(t, structuredRecord("10004", string(example(t, "terminated-position.json"))))
	assert.Equal(t, "P-2", ended.PositionID)
	hired.Primary = true
	value, err := cloudevents.Encode(hired)
	require.NoError(t, err)
	assert.Equal(t, hired, decodeOne(t, structuredRecord("10004", string(value))))
	hidden := decodeOne(t, structuredRecord("10004", with(t, "terminated-position.json", " P-\u200b2", "data", "positionId")))
	assert.Equal(t, "P-2", hidden.PositionID, "it is compared as people read it")
}
