package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service"
)

const snapshotConfiguration = `
snapshot:
  source: workday
  columns:
    workerId: ID
    worker.givenName: First name
    worker.familyName: Last name
    worker.jobTitle: Title
    worker.department: Department
    worker.startDate: Hired
    worker.location.timeZone: Zone
    termination.lastDayOfWork: Last day
  defaults: {worker.workerType: employee}
  left: {column: Status, values: [Terminated]}
`

const snapshotHeader = "ID;First name;Last name;Title;Department;Hired;Zone;Last day;Status\n"

// everybody is a snapshot that agrees with the ledger of people().
const everybody = snapshotHeader +
	"10001;Georgi;Facello;Senior Engineer;Research;2026-01-05;Europe/Berlin;;Active\n" +
	"10002;Bezalel;Simmel;Engineer;Sales;2026-01-05;Europe/Berlin;2026-02-28;Terminated\n" +
	"10003;Parto;Bamford;;;2026-01-05;Europe/Berlin;;Active\n"

// snapshotSite returns a site with people and a configuration of snapshots.
func snapshotSite(t *testing.T) *site {
	s := newSite(t)
	s.people()
	s.write("tenure.yaml", configuration+snapshotConfiguration)
	return s
}

// snapshot writes a snapshot that was taken after everything that the ledger knows.
func (s *site) snapshot(name, content string) {
	s.write(name, content)
	taken := at("2026-06-01 06:00:00")
	require.NoError(s.t, os.Chtimes(filepath.Join(s.dir, name), taken, taken))
}

func TestSnapshotThatSaysNothingNew(t *testing.T) {
	s := snapshotSite(t)
	s.snapshot("people.csv", everybody)
	got := s.run("event", "send", "--snapshot", "people.csv")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	golden(t, "snapshot-nothing", got.stdout)
	assert.Empty(t, got.err)

	got = s.run("event", "send", "--snapshot", "people.csv", "--apply")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Equal(t, "there is nothing to send\n", got.err)
}

// different is a snapshot in which people are new, one person has changed, one is gone,
// and one who has left is there again.
const different = "\ufeff" + snapshotHeader +
	"10002;Bezalel;Simmel;Engineer;Sales;2026-01-05;Europe/Berlin;;Active\n" +
	"10003;Parto;Bamford-Weiß;Engineer;Sales;2026-01-05;Europe/Berlin;;Active\n" +
	"10004;Kyoichi;Koblick;Engineer;Production;2026-05-18;Europe/Berlin;;Active\n" +
	"10005;Anneke;Preusig;Engineer;Sales;2026-05-18;Europe/Berlin;2026-08-31;Active\n"

func TestSnapshotDryRun(t *testing.T) {
	s := snapshotSite(t)
	s.snapshot("people.csv", different)

	got := s.run("event", "send", "--snapshot", "people.csv")
	assert.Equal(t, service.ExitAttention, got.code, got.err)
	golden(t, "snapshot", got.stdout+got.err)
	for _, secret := range []string{"Bamford", "Koblick"} {
		assert.NotContains(t, got.stdout+got.err, secret, "values are personal data")
	}

	got = s.run("event", "send", "--snapshot", "people.csv", "--values")
	golden(t, "snapshot-values", got.stdout)

	got = s.run("event", "send", "--snapshot", "people.csv", "-o", "json")
	golden(t, "snapshot.json", got.stdout)

	got = s.run("event", "send", "--snapshot", "people.csv", "--only-present")
	assert.Equal(t, service.ExitAttention, got.code, got.err)
	assert.NotContains(t, got.stdout, "10001")
	assert.Contains(t, got.stdout, "Nobody counts as gone for being absent.")
}

// The ledger takes what --apply sends, and then nothing is left to send. Sending again
// before the starter has read it sends the same events.
func TestSnapshotApply(t *testing.T) {
	s := snapshotSite(t)
	cluster := s.broker("hr.events", "vendor")
	text, err := os.ReadFile("tenure.yaml")
	require.NoError(t, err)
	s.write("tenure.yaml", string(text)+snapshotConfiguration)
	s.snapshot("people.csv", different)

	apply := []string{"event", "send", "--snapshot", "people.csv", "--apply", "--rehire", "10002"}
	got := s.run(apply...)
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.err, "sent 6 events to hr.events")
	first := consume(t, cluster, "hr.events")
	require.Len(t, first, 6)

	got = s.run(apply...)
	assert.Equal(t, service.ExitDone, got.code, got.err)
	both := consume(t, cluster, "hr.events")
	require.Len(t, both, 12)
	count := map[string]int{}
	l := s.ledger()
	var kinds []string
	for _, m := range both {
		events, warnings, err := cloudevents.Decode(source.Record{Key: m.Key, Headers: map[string]string{"content-type": structured}, Value: m.Value})
		require.NoError(t, err)
		require.Empty(t, warnings)
		require.Len(t, events, 1)
		if count[events[0].ID]++; count[events[0].ID] == 1 {
			kinds = append(kinds, events[0].PersonID+" "+shortType(events[0].Type))
		}
		_, err = l.Record(t.Context(), []ledger.Received{{Event: events[0], At: time.Now()}})
		require.NoError(t, err)
	}
	require.NoError(t, l.Close())
	slices.Sort(kinds)
	assert.Equal(t, []string{
		"10001 terminated", "10002 rehired", "10003 transferred", "10004 hired", "10005 hired", "10005 terminated",
	}, kinds)
	for id, n := range count {
		assert.Equal(t, 2, n, "the second time the same events are sent: %s", id)
	}

	got = s.run("event", "send", "--snapshot", "people.csv", "--apply")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Equal(t, "there is nothing to send\n", got.err)
	assert.Len(t, consume(t, cluster, "hr.events"), 12)
}

func TestSnapshotThatWouldEndTooMuchIsRefused(t *testing.T) {
	s := snapshotSite(t)
	s.snapshot("people.csv", snapshotHeader+"10004;Kyoichi;Koblick;Engineer;Production;2026-05-18;Europe/Berlin;;Active\n")
	for _, apply := range []string{"--apply=true", "--apply=false"} {
		got := s.run("event", "send", "--snapshot", "people.csv", apply)
		assert.Equal(t, service.ExitAttention, got.code)
		assert.Contains(t, got.err, "2 of 2 people would leave, and the most is 1 (see snapshot.maxLeavers): is the file complete? If they have all left, say --max-leavers 2")
	}
	got := s.run("event", "send", "--snapshot", "people.csv", "--max-leavers", "2")
	assert.Equal(t, service.ExitAttention, got.code, got.err)
	assert.Equal(t, "\n3 events would be sent; nothing was done: --apply does it\n", got.err)
}

// A file that was cut off at the end of a line looks like a whole one.
func TestSnapshotThatIsNotWholeIsRefused(t *testing.T) {
	s := snapshotSite(t)
	s.snapshot("people.csv", different)
	rows := strings.Count(different, "\n") - 1
	got := s.run("event", "send", "--snapshot", "people.csv", "--rows", fmt.Sprint(rows+1), "--max-leavers", "9")
	assert.Equal(t, service.ExitAttention, got.code, got.err)
	assert.Contains(t, got.err, fmt.Sprintf("nothing would be sent: the file has %d rows and not %d, as --rows says: export it again", rows, rows+1))
	got = s.run("event", "send", "--snapshot", "people.csv", "--rows", fmt.Sprint(rows))
	assert.Contains(t, got.err, "events would be sent; nothing was done")
}

// A row that cannot be read looks like somebody who is gone.
func TestSnapshotWithBadRows(t *testing.T) {
	s := snapshotSite(t)
	s.snapshot("people.csv", strings.NewReplacer(
		"10003;Parto", ";Parto", "2026-05-18;Europe/Berlin;;", "18.05.2026;Europe/Berlin;;").Replace(different)+
		"10002;Bezalel;Sommel;Engineer;Kitchen;2026-01-05;Europe/Berlin;;Active\n")
	got := s.run("event", "send", "--snapshot", "people.csv", "--apply")
	assert.Equal(t, service.ExitAttention, got.code, got.err)
	golden(t, "snapshot-bad-rows", got.err)
	assert.NotContains(t, got.stdout, "10001", "nobody is gone for being absent")
	assert.NotContains(t, got.stdout, "10003")

	got = s.run("event", "send", "--snapshot", "people.csv", "--skip-invalid")
	assert.Equal(t, service.ExitAttention, got.code, got.err)
	assert.Contains(t, got.err, "2 events would be sent; nothing was done: --apply does it")
	assert.NotContains(t, got.stdout, "10001")
}

func TestSnapshotProblems(t *testing.T) {
	s := snapshotSite(t)
	s.snapshot("empty.csv", snapshotHeader)
	s.snapshot("nothing.csv", "")
	s.snapshot("latin.csv", snapshotHeader+"10001;Georgi;Wei\xdf;Engineer;Sales;2026-01-05;Europe/Berlin;;\n")
	s.snapshot("header.csv", strings.Replace(everybody, "Last day", "Lastday", 1))
	s.snapshot("people.csv", everybody)
	s.write("tomorrow.csv", everybody)
	future := time.Now().Add(24 * time.Hour)
	require.NoError(t, os.Chtimes("tomorrow.csv", future, future))
	s.write("other.yaml", configuration)
	tests := []struct {
		code int
		want string
		args []string
	}{
		{service.ExitFailed, "empty.csv: nobody is in the file", []string{"--snapshot", "empty.csv"}},
		{service.ExitFailed, "nothing.csv: nobody is in the file", []string{"--snapshot", "nothing.csv"}},
		{service.ExitFailed, "latin.csv:2:17: is not UTF-8 (perhaps Latin-1)", []string{"--snapshot", "latin.csv"}},
		{service.ExitFailed, `header.csv:1: "Last day" is not the name of a column, but snapshot.columns says so; did you mean "Lastday"?`, []string{"--snapshot", "header.csv"}},
		{service.ExitFailed, "none.csv", []string{"--snapshot", "none.csv"}},
		{service.ExitUsage, "say with --as-of when it was taken", []string{"--snapshot", "tomorrow.csv"}},
		{service.ExitUsage, "say with --as-of", []string{"--snapshot", "-"}},
		{service.ExitUsage, "--as-of wants an instant", []string{"--snapshot", "people.csv", "--as-of", "yesterday"}},
		{service.ExitUsage, "--rehire 10001: this is not somebody who has left", []string{"--snapshot", "people.csv", "--rehire", "10001"}},
		{service.ExitUsage, "--rows wants the number of rows", []string{"--snapshot", "people.csv", "--rows", "0"}},
		{service.ExitUsage, "--apply goes with --snapshot only", []string{"people.csv", "--apply"}},
		{service.ExitUsage, "--source is the format of events", []string{"--snapshot", "people.csv", "--source", "cloudevents"}},
		{service.ExitUsage, "other.yaml has no section snapshot; it needs", []string{"--snapshot", "people.csv", "--config", "other.yaml"}},
		{service.ExitUsage, "unknown command", []string{"--snapshot", "people.csv", "more.csv"}},
	}
	for _, test := range tests {
		got := s.run(append([]string{"event", "send"}, test.args...)...)
		assert.Equal(t, test.code, got.code, test.args)
		assert.Contains(t, got.err, test.want, test.args)
		assert.Empty(t, got.stdout, test.args)
	}
}

// The snapshot of one HR system says nothing about the people of another.
func TestSnapshotOfAnotherSystem(t *testing.T) {
	s := snapshotSite(t)
	s.write("tenure.yaml", configuration+strings.Replace(snapshotConfiguration, "source: workday", "source: agency", 1))
	s.snapshot("people.csv", snapshotHeader+"10004;Kyoichi;Koblick;Engineer;Production;2026-05-18;Europe/Berlin;;Active\n")
	got := s.run("event", "send", "--snapshot", "people.csv", "-o", "json")
	assert.Equal(t, service.ExitAttention, got.code, got.err)
	var run comparisonView
	var shape struct{ Totals, Changes json.RawMessage }
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &shape))
	require.NoError(t, json.Unmarshal(shape.Totals, &run.Totals))
	assert.Equal(t, 3, run.Totals.Elsewhere)
	assert.Equal(t, 1, run.Totals.Hires)
	assert.Zero(t, run.Totals.Leavers)

	s.write("tenure.yaml", configuration+strings.Replace(snapshotConfiguration, "source: workday", "source: agency\n  covers: \"true\"", 1))
	got = s.run("event", "send", "--snapshot", "people.csv")
	assert.Equal(t, service.ExitAttention, got.code)
	assert.Contains(t, got.err, "2 of 2 people would leave")
}
