package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/api/serviceerror"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/service"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/workflows"
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
	assert.Empty(t, f.requests, "nobody is asked")

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
	both := completed(t, "wiki/Disable/1", "chat/Disable/1")
	f.update = func(req *workflowservice.UpdateWorkflowExecutionRequest) (*updatepb.Outcome, error) {
		switch req.GetWorkflowExecution().GetWorkflowId() {
		case "person:20003":
			return both(req)
		case "person:20004": // its run was ended by hand
			return nil, serviceerror.NewNotFound("workflow execution already completed")
		case "person:20005": // somebody was faster
			return &updatepb.Outcome{Value: &updatepb.Outcome_Failure{Failure: &failurepb.Failure{
				Message: "nothing of this person needs attention",
				FailureInfo: &failurepb.Failure_ApplicationFailureInfo{
					ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: "nothing_to_repair"},
				},
			}}}, nil
		}
		return completed(t, "wiki/Disable/1")(req)
	}
	got := s.run("run", "retry", "--step", "Disable", "--type", "Leaver", "--until", "2026-03-02T08:10:00Z", "--apply", "--rate", "1000", "--operator", "mary", "--reason", "the apps are back")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Equal(t, "10 of 14 steps, of 10 people, will be tried again\n1 person had been seen to meanwhile\n", got.stdout)
	require.Len(t, f.requests, 10, "one Update for each")
	i := slices.IndexFunc(f.requests, func(r workflows.RepairRequest) bool { return len(r.Keys) == 2 })
	require.GreaterOrEqual(t, i, 0)
	assert.Equal(t, workflows.RepairRequest{Keys: []string{"chat/Disable/1", "wiki/Disable/1"}, Operator: "mary", Reason: "the apps are back"}, f.requests[i])

	assert.Equal(t, []string{"person:20004"}, f.nudged, "a run is started for who has none")
	l := s.ledger()
	defer func() { require.NoError(t, l.Close()) }()
	person, err := l.Person(t.Context(), "20004")
	require.NoError(t, err)
	assert.Equal(t, ledger.StepOpen, person.Steps[0].State, "and the ledger has it")
	rows, err := l.Audit(t.Context(), "20004", 0, 10)
	require.NoError(t, err)
	assert.Equal(t, []string{"retry", "mary", "the apps are back"}, []string{rows[0].Action, rows[0].Actor, rows[0].Cause})
}

func TestARepairOfManyThatIsCutShortSaysHowFarItCame(t *testing.T) {
	s := newSite(t)
	s.leavers(12)
	f := &frontend{}
	f.serve(t)
	f.update = func(*workflowservice.UpdateWorkflowExecutionRequest) (*updatepb.Outcome, error) {
		if len(f.requests) > 3 {
			return nil, serviceerror.NewPermissionDenied("no more", "")
		}
		return completed(t, "wiki/Disable/1")(nil)
	}
	got := s.run("run", "retry", "--app", "wiki", "--apply")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Regexp(t, `person 2\d+: no more\n\d of 12 people were seen to: run it again for the others`, got.err)
}
