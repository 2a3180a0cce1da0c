package e2e

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/company"
	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/hr"
)

const snapshotTemplate = `
sweep: {every: 1s}
snapshot:
  source: /hr/made-up-company
  columns:
    workerId: ID
    worker.workerType: Type
    worker.givenName: First
    worker.familyName: Last
    worker.jobTitle: Title
    worker.department: Department
    worker.managerId: Manager
    worker.startDate: Start
    worker.endDate: End
    worker.location.timeZone: Zone
    termination.lastDayOfWork: Last day
`

// TestSnapshotMakesUpForLostEvents loses every sixth event. A snapshot of everybody makes
// up for that: afterwards every app is as if nothing had been lost, and the same snapshot
// finds nothing more.
func TestSnapshotMakesUpForLostEvents(t *testing.T) {
	t.Parallel()
	random := seeded(t)
	opts := company.Typical(random.Uint64(), 100)
	opts.Start = hr.Date{Year: 2020, Month: time.January, Day: 1}
	// If HR takes back a mistake and that event is lost, only a human can tell.
	opts.Corrections, opts.Rescinds, opts.Overtaken = 0, 0, 0
	history := company.Generate(opts)

	r := startRig(t, stack.Options{Template: withBreaker("{enabled: false}") + snapshotTemplate})
	var told []hr.Event
	for _, e := range history.Events {
		switch e.Type {
		case hr.EventLeaveStarted, hr.EventLeaveEnded, hr.EventSuspended, hr.EventReinstated: // a snapshot does not show these
		default:
			if random.IntN(6) == 0 {
				continue
			}
		}
		told = append(told, e)
	}
	require.Less(t, len(told), len(history.Events))
	r.publish(t, told...)
	r.awaitRest(t)

	file := filepath.Join(t.TempDir(), "people.csv")
	writeSnapshot(t, file, history.Events)
	send := []string{"event", "send", "--snapshot", file, "--max-leavers", "100", "--apply"}
	if returned := leftButThere(t, r, send[:len(send)-1]); len(returned) > 0 {
		send = append(send, "--rehire", strings.Join(returned, ","))
	}
	_, said, err := r.tenure(t, send...)
	require.NoError(t, err, said)
	require.Contains(t, said, "sent ")
	r.awaitRest(t)
	compare(t, history.Expected(time.Now()), r.accounts(t))

	_, said, err = r.tenure(t, "event", "send", "--snapshot", file, "--apply")
	require.NoError(t, err, said)
	assert.Contains(t, said, "there is nothing to send")
}

// writeSnapshot writes a snapshot of everybody who is at work, or will start, according
// to all events.
func writeSnapshot(t *testing.T, path string, events []hr.Event) {
	t.Helper()
	byPerson := map[string][]hr.Event{}
	for _, e := range events {
		byPerson[e.PersonID] = append(byPerson[e.PersonID], e)
	}
	rows := [][]string{{"ID", "Type", "First", "Last", "Title", "Department", "Manager", "Start", "End", "Zone", "Last day"}}
	for id, events := range byPerson {
		timeline := hr.Merge(id, events)
		standing := timeline.At(time.Now())
		if standing.Period == nil || standing.Period.Ends.Before(time.Now()) && !standing.Period.Ends.IsZero() {
			continue
		}
		p := standing.Profile
		rows = append(rows, []string{
			id, string(p.Type), p.GivenName, p.FamilyName, p.JobTitle, p.Department, p.ManagerID,
			p.StartDate.String(), p.EndDate.String(), p.Location.TimeZone, "",
		})
	}
	slices.SortFunc(rows[1:], func(a, b []string) int { return strings.Compare(b[0], a[0]) })
	file, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, csv.NewWriter(file).WriteAll(rows))
	require.NoError(t, file.Close())
	// The last day of people who are missing is the file's day: it must be over everywhere.
	taken := time.Now().Add(-48 * time.Hour)
	require.NoError(t, os.Chtimes(path, taken, taken))
}

// leftButThere returns the people about whom only a human can decide. Here the human says
// that they came back, as in the company's history.
func leftButThere(t *testing.T, r *rig, dryRun []string) []string {
	t.Helper()
	var run struct {
		Questions []struct{ PersonID, Code string }
	}
	shown, said, _ := r.tenure(t, append(dryRun, "-o", "json")...) // with a question, the exit code is 3
	require.NoError(t, json.Unmarshal([]byte(shown), &run), said)
	var ids []string
	for _, q := range run.Questions {
		require.Equal(t, "left", q.Code, q.PersonID)
		ids = append(ids, q.PersonID)
	}
	return ids
}

// tenure runs the operator's command line.
func (r *rig) tenure(t *testing.T, args ...string) (stdout, stderr string, err error) {
	return r.tenureWith(t, r.Stack.ConfigFile(), args...)
}

// tenureWith runs the command line with another configuration than the stack's.
func (r *rig) tenureWith(t *testing.T, file string, args ...string) (stdout, stderr string, err error) {
	return r.tenureIn(t, r.Stack.Env(), file, args...)
}

// tenureIn runs the command line with another configuration and another environment.
func (r *rig) tenureIn(t *testing.T, env []string, file string, args ...string) (stdout, stderr string, err error) {
	var out, said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), r.TenureBinary, append(args, "--config", file)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, &out, &said
	err = cmd.Run()
	return out.String(), said.String(), err
}
