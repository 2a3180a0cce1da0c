package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service"
)

// leavers puts people into the ledger who have left and could not be cut off in the
// wiki, one a minute; every third of them in the chat neither.
func (s *site) leavers(n int) {
	s.t.Helper()
	l := s.ledger()
	defer func() { require.NoError(s.t, l.Close()) }()
	for i := range n {
		person, failed := fmt.Sprintf("2%04d", i), at("2026-03-02 08:00:00").Add(time.Duration(i)*time.Minute)
		a := ledger.Assessment{Summary: ledger.Summary{PersonID: person, Status: hr.StatusEnded, AssessedAt: failed}}
		apps := []string{"wiki", "chat"}
		if i%3 != 0 {
			apps = apps[:1]
		}
		for _, app := range apps {
			a.Steps = append(a.Steps, ledger.Step{App: app, Key: app + "/Disable/1", Kind: "Disable", PlannedAt: failed})
		}
		require.NoError(s.t, l.SaveAssessment(s.t.Context(), a))
		for _, app := range apps {
			_, err := l.BeginStep(s.t.Context(), ledger.Attempt{PersonID: person, App: app, Key: app + "/Disable/1", Kind: "Disable", At: failed, Deadline: failed.Add(time.Minute)})
			require.NoError(s.t, err)
			require.NoError(s.t, l.FinishStep(s.t.Context(), ledger.Outcome{
				PersonID: person, App: app, Key: app + "/Disable/1", Kind: "Disable", At: failed,
				State: ledger.StepAttention, Code: "unavailable", Message: "disable: the app does not answer",
			}))
		}
	}
}

func TestWhatFailedOfEverybodyIsShownFirst(t *testing.T) {
	s := newSite(t)
	s.people()
	s.leavers(30)
	f := &frontend{}
	f.serve(t)
	got := s.run("run", "retry", "--app", "wiki", "--type", "Leaver")
	assert.Equal(t, service.ExitAttention, got.code)
	assert.Contains(t, got.err, "30 steps of 30 people; nothing was done: --apply does it")
	golden(t, "run-retry-many", got.stdout)
	assert.Empty(t, f.nudged, "nobody is told")

	for args, want := range map[string]string{
		"--type Leaver":                           "41 steps of 31 people",
		"--type Leaver --app chat":                "10 steps of 10 people",
		"--type Mover":                            "1 step of 1 person",
		"--code unavailable --step Disable":       "40 steps of 30 people",
		"--app wiki --since 2026-03-02T08:20:00Z": "10 steps of 10 people",
		"--app wiki --since 2026-03-02T08:10:00Z --until 2026-03-02T08:20:00Z": "10 steps of 10 people",
		"--step Question": "1 step of 1 person",
	} {
		assert.Contains(t, s.run(append([]string{"run", "retry"}, strings.Fields(args)...)...).err, want, args)
	}
	assert.Equal(t, "nothing like that needs attention\n", s.run("run", "retry", "--code", "forbidden").stdout)
}

func TestWhatFailedOfEverybodyIsRepairedPersonByPerson(t *testing.T) {
	s := newSite(t)
	s.people()
	s.leavers(30)
	f := &frontend{}
	f.serve(t)
	got := s.run("run", "retry", "--step", "Disable", "--type", "Leaver", "--until", "2026-03-02T08:10:00Z", "--apply", "--rate", "1000", "--operator", "mary", "--reason", "the apps are back")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Equal(t, "14 of 14 steps, of 10 people, will be tried again\n", got.stdout)
	require.Len(t, f.nudged, 10, "each run is told once")
	assert.Contains(t, f.nudged, "person:20003")
	for key, app := range map[string]string{"chat/Disable/1": "chat", "wiki/Disable/1": "wiki"} {
		step, record := s.step("20003", key)
		assert.Equal(t, ledger.StepOpen, step.State, key)
		assert.Contains(t, record, "retry "+app+" mary the apps are back")
	}
	assert.Equal(t, "nothing like that needs attention\n",
		s.run("run", "retry", "--step", "Disable", "--type", "Leaver", "--until", "2026-03-02T08:10:00Z", "--apply").stdout, "and again: nothing")
}

func TestARepairOfManyThatIsCutShortSaysHowFarItCame(t *testing.T) {
	s := newSite(t)
	s.leavers(12)
	f := &frontend{}
	f.refuses = func(string) error {
		if len(f.nudged) > 3 {
			return serviceerror.NewPermissionDenied("no more", "")
		}
		return nil
	}
	f.serve(t)
	got := s.run("run", "retry", "--app", "wiki", "--apply")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Regexp(t, `person 2\d+: it is on the record.*no more\n\d of 12 people were seen to: run it again for the others`, got.err)
}
