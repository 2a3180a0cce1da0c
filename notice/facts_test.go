package notice_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/notice"
)

func TestTasksAreToldToWhoDoesThem(t *testing.T) {
	o := newOffice(t)
	task := o.task("desk", "it@example.com", "Provision")
	got := o.passes(31 * time.Minute)
	assert.Equal(t, []string{"d1@example.com", "d2@example.com"}, to(got))
	assert.Contains(t, got[0].text, "Provision of account ada, for Имя-ada Фамилия-ada (ada), by ")
	remind := func(r ledger.TaskReminder) {
		r.ID, r.At, r.LookAt, r.Reminded = task.ID, o.now, o.now.Add(time.Hour), true
		require.NoError(t, o.ledger.RemindOfTask(t.Context(), r))
	}
	remind(ledger.TaskReminder{})
	assert.Equal(t, []string{"d1@example.com", "d2@example.com"}, to(o.passes(31*time.Minute)))
	remind(ledger.TaskReminder{Overdue: true})
	assert.Equal(t, []string{"d1@example.com", "d2@example.com", "it@example.com"}, to(o.passes(0)), "what is overdue is urgent")
	remind(ledger.TaskReminder{})
	_, err := o.ledger.ActOnTask(t.Context(), ledger.TaskAction{Verb: ledger.VerbTaskDone, ID: task.ID, Operator: "d1", Text: "done", At: o.now})
	require.NoError(t, err)
	assert.Empty(t, o.lives(2*time.Hour), "it is done meanwhile")
}

// task opens a task about ada's account.
func (o *office) task(assignee, escalate, kind string) ledger.Task {
	o.Helper()
	p, err := o.store.Person(o.Context(), "ada")
	require.NoError(o, err)
	p.AssessedAt = o.now
	require.NoError(o, o.store.SaveAssessment(o.Context(), ledger.Assessment{
		Summary: p.Summary, Planned: []ledger.Link{{PersonID: "ada", App: "phones", Username: "ada"}},
		Steps: []ledger.Step{{PersonID: "ada", App: "phones", Key: kind, Kind: kind, State: ledger.StepOpen, PlannedAt: o.now}},
	}))
	k, err := o.ledger.OpenTask(o.Context(), ledger.Task{
		PersonID: "ada", App: "phones", Key: kind, Kind: kind, Work: ledger.TaskWork{Account: "ada"}, Assignee: assignee, EscalateTo: escalate,
		OpenedAt: o.now, DueAt: o.now.Add(24 * time.Hour), LookAt: o.now.Add(time.Hour),
	})
	require.NoError(o, err)
	return k
}

func TestATaskThatCutsSomebodyOffIsUrgent(t *testing.T) {
	o := newOffice(t)
	o.task("it@example.com", "", "Disable")
	assert.Equal(t, []string{"it@example.com"}, to(o.passes(0)))
}

func TestWhoCannotBeCutOffIsToldToSecurity(t *testing.T) {
	o := newOffice(t)
	o.task("it@example.com", "", "Disable")
	o.passes(0)
	fails := func() {
		require.NoError(t, o.ledger.FinishStep(t.Context(), ledger.Outcome{
			PersonID: "ada", App: "phones", Key: "Disable", Kind: "Disable", At: o.now, State: ledger.StepAttention, Code: "forbidden",
		}))
	}
	fails()
	got := o.passes(0)
	require.Equal(t, []string{"#security"}, to(got))
	assert.Equal(t, "Disable of ada in phones needs attention (forbidden): they may still have access. tenure person show ada", got[0].text)
	fails()
	assert.Empty(t, o.lives(2*time.Hour), "once")
}

func TestABreakerThatHoldsIsToldToSecurity(t *testing.T) {
	o := newOffice(t)
	ask := func() ledger.Admission {
		a, err := o.ledger.Admit(t.Context(), ledger.AdmissionRequest{
			PersonID: "ada", At: o.now, Asks: []ledger.Ask{{Kind: ledger.Leavers, Key: "k6", Apps: []string{"wiki"}, Immediate: true}},
			Limits: ledger.Limits{Window: time.Hour, Of: map[ledger.WithdrawalKind]ledger.Limit{ledger.Leavers: {}}},
		})
		require.NoError(t, err)
		return a
	}
	require.Len(t, ask().Opened, 1)
	ask()
	got := o.passes(0)
	require.Equal(t, []string{"#security"}, to(got))
	assert.Contains(t, got[0].text, "The breaker holds c-1: 1 people (leavers), 0 are allowed.")
	assert.Empty(t, o.lives(2*time.Hour))
}

// saved saves an assessment of somebody, as the engine does.
func (o *office) saved(id string, links []ledger.Link, steps ...ledger.Step) {
	o.Helper()
	p, err := o.store.Person(o.Context(), id)
	require.NoError(o, err)
	standing := assess.TimelineOf(p).At(o.now)
	s := p.Summary
	s.AssessedAt, s.Status = o.now, standing.Status
	if standing.Profile != nil {
		s.ManagerID, s.GivenName, s.FamilyName = standing.Profile.ManagerID, standing.Profile.GivenName, standing.Profile.FamilyName
	}
	require.NoError(o, o.ledger.SaveAssessment(o.Context(), ledger.Assessment{Summary: s, Period: standing.Period, Planned: links, Steps: steps}))
}

func TestManagersAreToldOnTheDayBeforeSomebodyStarts(t *testing.T) {
	for state, want := range map[string]string{"late": "not ready in wiki", "planned": "given when they start"} {
		t.Run(state, func(t *testing.T) {
			o := newOffice(t)
			start := hr.DateOf(o.now).AddDays(5)
			p := profile("new", "Europe/Berlin")
			p.StartDate = start
			o.hear(hr.Event{Type: hr.EventHired, PersonID: "new", Effective: start, Profile: p})
			for range 3 {
				if state == "late" {
					o.saved("new", []ledger.Link{{PersonID: "new", App: "wiki"}}, ledger.Step{PersonID: "new", App: "wiki", Key: "k", Kind: "Provision", State: ledger.StepAttention, Code: "x", PlannedAt: o.now})
				} else {
					o.saved("new", nil)
				}
				o.now = o.now.Add(time.Hour)
			}
			got := o.lives(7 * 24 * time.Hour)
			require.Equal(t, []string{"boss@example.com"}, to(got))
			assert.Equal(t, "2026-12-04 07:00", got[0].at.Format("2006-01-02 15:04"), "in working hours of the day before")
			assert.Contains(t, got[0].text, want)
		})
	}
}

func TestWhoDoesNotStartAfterAllIsNotToldOf(t *testing.T) {
	o := newOffice(t)
	start := hr.DateOf(o.now).AddDays(5)
	p := profile("new", "Europe/Berlin")
	p.StartDate = start
	o.hear(hr.Event{Type: hr.EventHired, PersonID: "new", Effective: start, Profile: p})
	o.saved("new", nil)
	o.hear(hr.Event{Type: hr.EventRescinded, PersonID: "new", Effective: hr.DateOf(o.now), Rescinds: fmt.Sprint("e", o.events)})
	assert.Empty(t, o.lives(7*24*time.Hour))
	assert.Equal(t, []string{"joiner.start person:boss moot"}, o.states())
}

func TestManagersAreToldOfLeavers(t *testing.T) {
	o := newOffice(t)
	o.hire("gone", "Europe/Berlin")
	o.saved("gone", []ledger.Link{{PersonID: "gone", App: "wiki"}})
	o.leave("gone")
	o.saved("gone", nil, ledger.Step{PersonID: "gone", App: "wiki", Key: "k", Kind: "Disable", State: ledger.StepOpen, PlannedAt: o.now})
	got := o.lives(48 * time.Hour)
	require.Equal(t, []string{"boss@example.com"}, to(got))
	assert.Equal(t, "Tenure: gone: access has not ended everywhere", got[0].subject)
	assert.Contains(t, got[0].text, "has not in wiki")
	assert.NotContains(t, got[0].text, "секрет", "never why somebody leaves")
}

func TestManagersAreToldWhenALeaverIsCutOff(t *testing.T) {
	o := newOffice(t)
	o.hire("gone", "Europe/Berlin")
	o.saved("gone", []ledger.Link{{PersonID: "gone", App: "wiki"}})
	o.leave("gone")
	o.saved("gone", nil, ledger.Step{PersonID: "gone", App: "wiki", Key: "k", Kind: "Disable", State: ledger.StepOpen, PlannedAt: o.now})
	assert.Empty(t, o.lives(2*time.Hour))
	link := ledger.Link{PersonID: "gone", App: "wiki", AccountID: "7", State: ledger.LinkDisabled, CreatedAt: o.now, DisabledAt: o.now, ProvenAt: o.now}
	require.NoError(t, o.ledger.FinishStep(t.Context(), ledger.Outcome{
		PersonID: "gone", App: "wiki", Key: "k", Kind: "Disable", At: o.now, State: ledger.StepDone, Link: &link,
	}))
	got := o.lives(time.Hour)
	require.Equal(t, []string{"boss@example.com"}, to(got))
	assert.Contains(t, got[0].text, "has ended in wiki, as the apps show")
}

func TestOwnersAreToldOfNewFindingsOnly(t *testing.T) {
	o := newOffice(t)
	o.scan("run 1", false)
	assert.Empty(t, o.lives(2*time.Hour), "no items, no notice")
	o.scan("run 2", true)
	got := o.lives(2 * time.Hour)
	require.Equal(t, []string{"owner@example.com"}, to(got))
	assert.Equal(t, "Tenure: 1 new findings in wiki", got[0].subject)
	o.scan("run 3", true)
	assert.Empty(t, o.lives(2*time.Hour), "nothing is new")
}

// scan scans the wiki, where an account is nobody's perhaps.
func (o *office) scan(key string, orphan bool) {
	o.Helper()
	ctx := o.Context()
	s, err := o.ledger.BeginScan(ctx, "wiki", key, o.now)
	require.NoError(o, err)
	require.NoError(o, o.ledger.Observe(ctx, ledger.Listed{Scan: s.ID, Accounts: []ledger.Observed{{AccountID: "9", At: o.now, Active: true}}}))
	_, err = o.ledger.EndListing(ctx, s.ID, o.now, 1)
	require.NoError(o, err)
	verdict := ledger.Verdict{AccountID: "9", Baseline: true}
	if orphan {
		verdict.Findings = []ledger.Finding{{Kind: ledger.FindingOrphan, State: ledger.FindingOpen}}
	}
	_, err = o.ledger.SaveVerdicts(ctx, ledger.Compared{Scan: s.ID, At: o.now, Verdicts: []ledger.Verdict{verdict}})
	require.NoError(o, err)
	require.NoError(o, o.ledger.EndScan(ctx, ledger.ScanEnd{Scan: s.ID, At: o.now, State: ledger.ScanDone}))
	o.now = o.now.Add(time.Second)
}

// Everything that is told in this test goes to a chat, and nothing of it names anybody.
func TestNoChatShowsAnythingPrivateOfRealFacts(t *testing.T) {
	o := newOffice(t)
	seen := map[string]bool{}
	for _, kind := range notice.KindNames() {
		n := ledger.Notice{Kind: kind, PersonID: "ada", App: "phones", To: "chat:security", MadeAt: o.now, Urgent: true}
		for _, about := range []string{"r-1", "x-1", "t-1", "c-1", "app:wiki", "person:ada"} {
			n.About = about
			for _, occasion := range []string{"", "stage 0", "scan 1", "Disable", "2025-12-31T23:00:00Z"} {
				n.Occasion = occasion
				require.NoError(t, o.store.Notify(t.Context(), []ledger.Notice{n}))
			}
		}
	}
	o.decide(o.ask("boss"), ledger.RequestApproved)
	o.ask("boss")
	o.task("it@example.com", "", "Disable")
	o.scan("run 1", true)
	require.NoError(t, o.store.FinishStep(t.Context(), ledger.Outcome{
		PersonID: "ada", App: "phones", Key: "Disable", Kind: "Disable", At: o.now, State: ledger.StepAttention, Code: "forbidden",
	}))
	o.sender.Limit = 10_000
	for _, l := range o.passes(time.Minute) {
		if l.to == "#security" {
			assert.NotEmpty(t, l.text)
			assert.False(t, strings.ContainsFunc(l.text, private), l.text)
		}
	}
	for _, n := range o.all() {
		if n.State == ledger.NoticeSent {
			seen[n.Kind] = true
		}
	}
	assert.Greater(t, len(seen), 6, "%v", seen)
}
