package snapshot_test

import (
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/snapshot"
)

func said(kind hr.EventType, id, recorded, effective string, more ...func(*hr.Event)) hr.Event {
	e := hr.Event{
		EventKey: hr.EventKey{Source: source, ID: id}, PersonID: "1", Type: kind,
		Recorded: instant(recorded + "T09:00:00Z"), Effective: date(effective),
	}
	switch kind {
	case hr.EventTerminated:
		e.Termination = &hr.Termination{LastDay: e.Effective}
	case hr.EventHired, hr.EventRehired, hr.EventUpdated:
		e.Profile = &hr.Profile{
			Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Berg", JobTitle: "Engineer", StartDate: e.Effective,
			Location: hr.Location{TimeZone: "Europe/Berlin"},
		}
	}
	for _, change := range more {
		change(&e)
	}
	return e
}

func endsOn(day string) func(*hr.Event) { return func(e *hr.Event) { e.Profile.EndDate = date(day) } }

// The snapshot is of 3 March 2026, 06:00 UTC.
func TestWhatIsFound(t *testing.T) {
	hired := said(hr.EventHired, "1", "2026-01-02", "2026-01-05")
	const same = "1,employee,Ada,Berg,2026-01-05,,Europe/Berlin,Engineer,,,\n"
	tests := []struct {
		name   string
		known  []hr.Event
		row    string   // empty if the person is not in the file
		events []string // the events found
		asks   snapshot.Code
	}{
		{name: "as known", known: []hr.Event{hired}, row: same},
		{name: "new", row: same, events: []string{"hired 2026-01-05"}},
		{name: "new, and long gone", row: "1,,,,,,,,gone,,\n"},
		{name: "new, with a last day", row: "1,employee,Ada,Berg,2026-01-05,,Europe/Berlin,Engineer,,2026-06-30,\n",
			events: []string{"hired 2026-01-05", "terminated 2026-06-30"}},
		{name: "promoted", known: []hr.Event{hired}, row: "1,employee,Ada,Berg,2026-01-05,,Europe/Berlin,Manager,,,\n",
			events: []string{"transferred 2026-03-03"}},
		{name: "promoted a while ago", known: []hr.Event{hired}, row: "1,employee,Ada,Berg,2026-01-05,,Europe/Berlin,Manager,,,2026-02-01\n",
			events: []string{"transferred 2026-02-01"}},
		{name: "to be promoted", known: []hr.Event{hired}, row: "1,employee,Ada,Berg,2026-01-05,,Europe/Berlin,Manager,,,2026-04-01\n",
			events: []string{"transferred 2026-04-01"}},
		{name: "married", known: []hr.Event{hired}, row: "1,employee,Ada,Hill,2026-01-05,,Europe/Berlin,Engineer,,,\n",
			events: []string{"updated 2026-03-03"}},
		{name: "converted", known: []hr.Event{hired}, row: "1,contractor,Ada,Berg,2026-01-05,2026-12-31,Europe/Berlin,Engineer,,,\n",
			events: []string{"converted 2026-03-03"}},
		{name: "gone", known: []hr.Event{hired}, events: []string{"terminated 2026-03-03"}},
		{name: "marked as gone", known: []hr.Event{hired}, row: "1,,,,,,,,gone,,\n", events: []string{"terminated 2026-03-03"}},
		{name: "marked as gone since", known: []hr.Event{hired}, row: "1,,,,,,,,gone,2026-02-27,\n", events: []string{"terminated 2026-02-27"}},
		{name: "going", known: []hr.Event{hired}, row: "1,employee,Ada,Berg,2026-01-05,,Europe/Berlin,Engineer,,2026-03-31,\n",
			events: []string{"terminated 2026-03-31"}},
		{name: "going, as known", known: []hr.Event{hired, said(hr.EventTerminated, "2", "2026-02-01", "2026-03-31")},
			row: "1,employee,Ada,Berg,2026-01-05,,Europe/Berlin,Engineer,,2026-03-31,\n"},
		{name: "going, and not there any more", known: []hr.Event{hired, said(hr.EventTerminated, "2", "2026-02-01", "2026-03-31")}},
		{name: "going, and the file does not know", known: []hr.Event{hired, said(hr.EventTerminated, "2", "2026-02-01", "2026-03-31")}, row: same},
		{name: "going earlier", known: []hr.Event{hired, said(hr.EventTerminated, "2", "2026-02-01", "2026-03-31")},
			row: "1,employee,Ada,Berg,2026-01-05,,Europe/Berlin,Engineer,,2026-03-15,\n", events: []string{"terminated 2026-03-15"}},
		{name: "going later", known: []hr.Event{hired, said(hr.EventTerminated, "2", "2026-02-01", "2026-03-31")},
			row: "1,employee,Ada,Berg,2026-01-05,,Europe/Berlin,Engineer,,2026-04-15,\n", asks: snapshot.CodeLaterEnd},
		{name: "left, as known", known: []hr.Event{hired, said(hr.EventTerminated, "2", "2026-02-01", "2026-02-15")}},
		{name: "left, and there", known: []hr.Event{hired, said(hr.EventTerminated, "2", "2026-02-01", "2026-02-15")}, row: same, asks: snapshot.CodeLeft},
		{name: "hire taken back, and there", known: []hr.Event{hired, said(hr.EventRescinded, "2", "2026-02-01", "2026-02-15",
			func(e *hr.Event) { e.Rescinds = "1" })}, row: same, asks: snapshot.CodeRescinded},
		{name: "contract over, and there", known: []hr.Event{said(hr.EventHired, "1", "2026-01-02", "2026-01-05", endsOn("2026-02-15"))},
			row: same, asks: snapshot.CodeLeft},
		{name: "contract extended when it was over", known: []hr.Event{said(hr.EventHired, "1", "2026-01-02", "2026-01-05", endsOn("2026-02-15"))},
			row: "1,employee,Ada,Berg,2026-01-05,2026-12-31,Europe/Berlin,Engineer,,,\n", asks: snapshot.CodeLeft},
		{name: "contract extended in time", known: []hr.Event{said(hr.EventHired, "1", "2026-01-02", "2026-01-05", endsOn("2026-03-15"))},
			row: "1,employee,Ada,Berg,2026-01-05,2026-12-31,Europe/Berlin,Engineer,,,\n", events: []string{"updated 2026-03-03"}},
		{name: "to start, not there yet", known: []hr.Event{said(hr.EventHired, "1", "2026-01-02", "2026-04-01")}},
		{name: "to start, as known", known: []hr.Event{said(hr.EventHired, "1", "2026-01-02", "2026-04-01")},
			row: "1,employee,Ada,Berg,2026-04-01,,Europe/Berlin,Engineer,,,\n"},
		{name: "to start earlier", known: []hr.Event{said(hr.EventHired, "1", "2026-01-02", "2026-04-01")},
			row: "1,employee,Ada,Berg,2026-03-16,,Europe/Berlin,Engineer,,,\n", events: []string{"updated 2026-04-01"}},
		{name: "to start, and gone", known: []hr.Event{said(hr.EventHired, "1", "2026-01-02", "2026-04-01")},
			row: "1,,,,,,,,gone,,\n", asks: snapshot.CodeUpcomingLeft},
		{name: "to return", known: []hr.Event{hired, said(hr.EventTerminated, "2", "2026-02-01", "2026-02-15"), said(hr.EventRehired, "3", "2026-02-20", "2026-04-01")}, row: same},
		{name: "back, and gone before", known: []hr.Event{hired, said(hr.EventTerminated, "2", "2026-01-20", "2026-01-31"), said(hr.EventRehired, "3", "2026-02-01", "2026-02-15")},
			row: "1,,,,,,,,gone,2026-01-31,\n", asks: snapshot.CodeEarlierEnd},
		{name: "hired since", known: []hr.Event{said(hr.EventHired, "1", "2026-03-03", "2026-01-05")}},
		{name: "of another system", known: []hr.Event{said(hr.EventHired, "1", "2026-01-02", "2026-01-05", func(e *hr.Event) { e.Source = "/agency" })}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var row *snapshot.Row
			if test.row != "" {
				rows, problems := read(header+test.row, mapping)
				require.Empty(t, problems)
				row = rows[0]
			}
			r, err := snapshot.New(snapshot.Options{AsOf: asOf, Source: source})
			require.NoError(t, err)
			if row != nil {
				require.NoError(t, r.Row(row, test.known))
			} else {
				require.NoError(t, r.Absent("1", test.known))
			}
			var got []string
			for _, c := range r.Changes() {
				for _, e := range c.Events {
					assert.Equal(t, asOf, e.Recorded)
					assert.Equal(t, source, e.Source)
					kind := string(e.Type)
					got = append(got, kind[len("com.tenurehq.worker."):len(kind)-len(".v1")]+" "+e.Effective.String())
				}
			}
			assert.Equal(t, test.events, got)
			var asks snapshot.Code
			for _, q := range r.Questions() {
				asks = q.Code
			}
			assert.Equal(t, test.asks, asks)
		})
	}
}

func TestAPersonTwiceIsABadRow(t *testing.T) {
	rows, _ := read(header+"1,,,,,,,,gone,,\n1,,,,,,,Cook,gone,,\n", mapping)
	r, err := snapshot.New(snapshot.Options{AsOf: asOf, Source: source})
	require.NoError(t, err)
	require.NoError(t, r.Row(rows[0], nil)) // the rows were not counted, so the second one is unexpected
	require.ErrorContains(t, r.Row(rows[1], nil), "3: person 1 is in line 2 already")
	require.NoError(t, r.Absent("2", []hr.Event{said(hr.EventHired, "1", "2026-01-02", "2026-01-05", func(e *hr.Event) { e.PersonID = "2" })}))
	assert.Empty(t, r.Changes(), "nobody counts as gone")
	assert.False(t, r.Infers())
}

func TestLimit(t *testing.T) {
	limit := snapshot.Limit{Share: 0.05, Count: 1}
	for employed, most := range map[int]int{0: 1, 3: 1, 39: 1, 40: 2, 1000: 50} {
		assert.Equal(t, most, limit.Of(employed))
	}
}

// people is a file of n people that is generated while it is read.
type people struct {
	n, next int
	rest    []byte
}

func (p *people) Read(into []byte) (int, error) {
	if len(p.rest) == 0 {
		switch {
		case p.next > p.n:
			return 0, io.EOF
		case p.next == 0:
			p.rest = []byte(header)
		default:
			p.rest = fmt.Appendf(nil, "%d,employee,Ada,Berg,2026-01-05,,Europe/Berlin,Engineer,,,\n", p.next)
		}
		p.next++
	}
	n := copy(into, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// Comparing a file of a hundred thousand people takes about the memory of their IDs,
// however much is known about them.
func TestMemoryOfALargeFile(t *testing.T) {
	const n = 100_000
	r, err := snapshot.New(snapshot.Options{AsOf: asOf, Source: source})
	require.NoError(t, err)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, began, most := heap(), time.Now(), uint64(0)
	rows := 0
	for row, err := range snapshot.Rows(&people{n: n}, mapping) {
		require.NoError(t, err)
		e := said(hr.EventHired, row.PersonID, "2026-01-02", "2026-01-05", func(e *hr.Event) { e.PersonID = row.PersonID })
		require.NoError(t, r.Row(row, []hr.Event{e}))
		if rows++; rows%(n/4) == 0 {
			most = max(most, heap()-min(before, heap()))
		}
	}
	assert.Equal(t, snapshot.Totals{Rows: n, Same: n, Employed: n}, r.Totals())
	assert.Less(t, most, uint64(48<<20), "bytes")
	t.Logf("%d people in %s, %d KiB", n, time.Since(began).Round(time.Millisecond), most>>10)
}
