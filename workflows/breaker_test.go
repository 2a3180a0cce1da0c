package workflows_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/provision"
	"github.com/tenurehq/tenure/workflows"
)

// limited returns a biography in which at most two people may lose access in a day.
func limited(t *testing.T) *biography {
	b := newBiography(t, testRules())
	b.limit()
	return b
}

// limit lets the breaker admit two people a day.
func (b *biography) limit() {
	b.acts.Breaker = &ledger.Limits{Window: day, Settle: time.Minute, Of: map[ledger.WithdrawalKind]ledger.Limit{}}
	for _, kind := range ledger.WithdrawalKinds() {
		b.acts.Breaker.Of[kind] = ledger.Limit{Count: 2}
	}
}

// others adds n other people who are about to lose access in the same way.
func (b *biography) others(after time.Duration, kind ledger.WithdrawalKind, n int) {
	b.othersBy(after, kind, "/hr/test", n)
}

// othersBy adds n other people who are about to lose access because of a source.
func (b *biography) othersBy(after time.Duration, kind ledger.WithdrawalKind, source string, n int) {
	b.on(after, func() {
		for i := range n {
			_, err := b.ledger.Admit(context.Background(), ledger.AdmissionRequest{
				PersonID: fmt.Sprint("other ", i), At: epoch.Add(after), Limits: *b.acts.Breaker,
				Asks: []ledger.Ask{{Kind: kind, Key: "x", Event: hr.EventKey{Source: source}, SaidAt: epoch.Add(after), Immediate: kind == ledger.Suspensions}},
			})
			require.NoError(b.t, err)
		}
	})
}

// decides lets an operator decide about all withdrawals of the open cohort.
func (b *biography) decides(after time.Duration, verb ledger.Verb) {
	b.nudged(after, func() {
		cohorts, err := b.ledger.Cohorts(context.Background(), ledger.CohortFilter{Open: true})
		require.NoError(b.t, err)
		require.Len(b.t, cohorts, 1)
		n, err := b.ledger.DecideCohort(context.Background(), ledger.CohortDecision{
			Cohort: cohorts[0].ID, Verb: verb, People: []string{b.person, "other 0", "other 1", "other 2"}, Operator: "ops", Reason: "a test", At: epoch.Add(after),
		})
		require.NoError(b.t, err)
		assert.Positive(b.t, n)
		cohorts, err = b.ledger.Cohorts(context.Background(), ledger.CohortFilter{Open: true})
		require.NoError(b.t, err)
		assert.Empty(b.t, cohorts)
	})
}

// nudged adds something that happens, and then tells the person's run.
func (b *biography) nudged(after time.Duration, do func()) {
	b.events = append(b.events, happening{at: epoch.Add(after), do: do, starts: workflows.TypeScheduled})
}

func everywhere(state string) map[string]string {
	return map[string]string{"directory": state, "chat": state, "wiki": state}
}

var working = map[string]string{"directory": "on [engineers staff]", "chat": "on []", "wiki": "on [engineers]"}

func TestALeaverWaitsUntilItIsSeenWhetherManyFollow(t *testing.T) {
	b := limited(t)
	b.hears(0, hired("Development"))
	b.hears(day, terminated(hr.DateOf(epoch)))
	b.on(day+50*time.Second, func() { assert.Equal(t, working, b.states()) })
	b.on(day+61*time.Second, func() { assert.Equal(t, everywhere("off []"), b.states()) })
	b.live(2 * day)
	assert.Equal(t, []string{"Joiner", "Leaver", "Scheduled"}, b.runs, "it waits in the run that it is")
}

// A run that waits for an operator's decision ends when it is cancelled: it does not hang.
func TestAHeldRunCanBeCancelled(t *testing.T) {
	b := limited(t)
	b.hears(0, hired("Development"))
	b.hears(day, terminated(hr.DateOf(epoch)))
	b.others(day+30*time.Second, ledger.Leavers, 2)
	b.live(2 * day) // the run is cancelled then
	assert.True(t, temporal.IsCanceledError(b.ended), "%v", b.ended)
	assert.Equal(t, working, b.states())
}

func TestAMassChangeIsHeldBeforeAnyOfItIsDone(t *testing.T) {
	held := func(t *testing.T) *biography {
		b := limited(t)
		b.hears(0, hired("Development"))
		mistake := terminated(hr.DateOf(epoch))
		mistake.ID = "mistake"
		b.hears(day, mistake)
		b.others(day+30*time.Second, ledger.Leavers, 2)
		b.on(3*day, func() {
			assert.Equal(t, working, b.states(), "held, for as long as nobody decides")
			assert.Equal(t, []string{"Joiner", "Leaver"}, b.runs, "in a run that is open, for people to see")
		})
		return b
	}
	t.Run("cancelled", func(t *testing.T) {
		b := held(t)
		b.decides(4*day, ledger.VerbCancel)
		b.on(4*day+time.Minute, func() { assert.Equal(t, working, b.states()) })
		b.live(100 * day)
		assert.Equal(t, working, b.states(), "all is as it was")
		for name, app := range b.apps {
			assert.Zero(t, app.Calls("disable")+app.Calls("revoke_sessions")+app.Calls("delete"), name)
		}
		assert.Contains(t, b.actions(), ":cancel")
		assert.Empty(t, person(b).Withdrawals)
		assert.Equal(t, hr.StatusActive, person(b).Status)
	})
	t.Run("released", func(t *testing.T) {
		b := held(t)
		b.decides(4*day, ledger.VerbRelease)
		b.on(4*day+time.Minute, func() { assert.Equal(t, everywhere("off []"), b.states()) })
		b.live(100 * day)
		assert.Equal(t, everywhere("none"), b.states())
	})
	t.Run("rescinded by HR itself", func(t *testing.T) {
		b := held(t)
		b.hears(4*day, hr.Event{Type: hr.EventRescinded, Rescinds: "mistake"})
		b.live(5 * day)
		assert.Equal(t, working, b.states())
		assert.Empty(t, person(b).Withdrawals)
	})
	t.Run("suspended by security meanwhile", func(t *testing.T) {
		b := held(t)
		b.hears(4*day, hr.Event{Type: hr.EventSuspended})
		b.on(4*day+time.Second, func() {
			assert.Equal(t, map[string]string{"directory": "off [engineers staff]", "chat": "off []", "wiki": "off [engineers]"}, b.states(), "that is never held")
		})
		b.hears(5*day, hr.Event{Type: hr.EventReinstated})
		b.on(6*day, func() {
			assert.Equal(t, "off [engineers staff]", b.state("directory"), "back in the cohort: nothing is taken, and nothing is given back")
		})
		b.decides(7*day, ledger.VerbCancel)
		b.live(8 * day)
		assert.Equal(t, working, b.states())
	})
	t.Run("rehired, and that is rescinded by mistake", func(t *testing.T) {
		b := limited(t)
		b.hears(0, hired("Development"))
		b.hears(day, terminated(hr.DateOf(epoch))) // an ordinary termination, which the breaker lets pass
		again := hr.Event{EventKey: hr.EventKey{ID: "again"}, Type: hr.EventRehired, Effective: hr.DateOf(epoch.Add(10 * day)), Profile: profile("Development")}
		again.Profile.StartDate = again.Effective
		b.hears(5*day, again)
		b.on(19*day, func() { assert.Equal(t, working, b.states()) })
		b.hears(20*day, hr.Event{EventKey: hr.EventKey{ID: "mistake"}, Type: hr.EventRescinded, Rescinds: "again"})
		b.others(20*day+30*time.Second, ledger.Leavers, 2)
		b.on(22*day, func() { assert.Equal(t, working, b.states(), "held, though the old termination was let through") })
		b.decides(23*day, ledger.VerbCancel)
		b.live(25 * day)
		assert.Equal(t, working, b.states())
		assert.Equal(t, hr.StatusActive, person(b).Status)
	})
	t.Run("suspended by security, whose hire was rescinded by mistake", func(t *testing.T) {
		b := limited(t)
		hire := hired("Development")
		hire.EventKey = hr.EventKey{Source: "hr", ID: "hire"}
		b.hears(0, hire)
		b.hears(day, hr.Event{EventKey: hr.EventKey{Source: "hr"}, Type: hr.EventRescinded, Rescinds: "hire"})
		b.others(day+30*time.Second, ledger.Leavers, 2)
		b.on(2*day, func() { assert.Equal(t, working, b.states(), "held") })
		b.hears(4*day, hr.Event{Type: hr.EventSuspended})
		b.on(4*day+time.Second, func() {
			assert.Equal(t, map[string]string{"directory": "off [engineers staff]", "chat": "off []", "wiki": "off [engineers]"}, b.states(), "that is never held")
		})
		b.decides(7*day, ledger.VerbCancel)
		b.hears(8*day, hr.Event{Type: hr.EventReinstated})
		b.live(9 * day)
		assert.Equal(t, working, b.states())
	})
	t.Run("terminated a second time, as a system does that repeats itself", func(t *testing.T) {
		b := held(t)
		again := terminated(hr.DateOf(epoch))
		again.Effective = again.Effective.AddDays(1)
		b.hears(2*day, again)
		b.decides(4*day, ledger.VerbCancel)
		b.live(20 * day)
		assert.Equal(t, working, b.states(), "both are void")
	})
}

// Cancelling undoes what took the person's access, even if HR has rescinded something
// else since.
func TestACancelledCohortUndoesTheRescindThatEndedTheEmployment(t *testing.T) {
	hire := hired("Development")
	hire.ID = "hire"
	leave := hr.Event{EventKey: hr.EventKey{ID: "leave"}, Type: hr.EventLeaveStarted, Effective: hr.DateOf(epoch.Add(90 * day))}
	mistake := hr.Event{EventKey: hr.EventKey{ID: "mistake"}, Type: hr.EventRescinded, Rescinds: "hire"}
	noLeave := hr.Event{EventKey: hr.EventKey{ID: "no leave"}, Type: hr.EventRescinded, Rescinds: "leave"}
	for name, says := range map[string]func(b *biography){
		"one after the other": func(b *biography) {
			b.hears(2*day, mistake)
			b.hears(2*day+10*time.Second, noLeave)
		},
		"at once": func(b *biography) {
			b.records(2*day, mistake)
			b.hears(2*day+10*time.Second, noLeave)
		},
		"the other way round": func(b *biography) {
			b.records(2*day, noLeave)
			b.hears(2*day+10*time.Second, mistake)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := limited(t)
			b.hears(0, hire)
			b.hears(day, leave)
			says(b)
			b.others(2*day+30*time.Second, ledger.Leavers, 2)
			b.on(3*day, func() {
				assert.Equal(t, working, b.states())
				w := person(b).Withdrawals
				require.Len(t, w, 1)
				assert.Equal(t, ledger.WithdrawalHeld, w[0].State)
				assert.Equal(t, "mistake", w[0].Event.ID)
			})
			b.decides(4*day, ledger.VerbCancel)
			b.on(4*day+time.Hour, func() {
				assert.Equal(t, working, b.states())
				assert.Empty(t, person(b).Withdrawals)
			})
			b.live(200 * day)
			assert.Equal(t, working, b.states(), "all is as it was, without the leave")
			assert.Equal(t, hr.StatusActive, person(b).Status)
		})
	}
}

// records adds an event of HR. The person's run is told of it only with the next event.
func (b *biography) records(after time.Duration, event hr.Event) {
	at := epoch.Add(after)
	event.PersonID, event.Source, event.Recorded, event.Effective = b.person, "/hr/test", at, hr.DateOf(at)
	b.on(after, func() {
		_, err := b.ledger.Record(context.Background(), []ledger.Received{{Event: event, At: at}})
		require.NoError(b.t, err)
	})
}

func TestWhatIsImmediateIsHeldOnceACohortIsOpen(t *testing.T) {
	b := limited(t)
	b.hears(0, hired("Development"))
	b.others(day, ledger.Leavers, 3)
	now := terminated(hr.DateOf(epoch.Add(30 * day)))
	now.Termination.Urgency = hr.UrgencyImmediate
	b.hears(day+time.Minute, now)
	b.live(2 * day)
	assert.Equal(t, working, b.states())
}

func TestAWrongDateForManyIsSeenWhenItIsGiven(t *testing.T) {
	b := limited(t)
	b.hears(0, hired("Development"))
	b.hears(day, terminated(hr.DateOf(epoch.Add(9*day))))
	b.others(day+time.Hour, ledger.Leavers, 2)
	b.nudged(day+time.Hour+time.Second, func() {}) // as the sweeper does, because the cohort made them due
	b.on(2*day, func() {
		w := person(b).Withdrawals
		require.Len(t, w, 1)
		assert.Equal(t, ledger.WithdrawalHeld, w[0].State, "long before the day")
		assert.Equal(t, []string{"Joiner", "Leaver", "Scheduled"}, b.runs)
	})
	b.on(20*day, func() { assert.Equal(t, working, b.states(), "the day has come") })
	b.decides(21*day, ledger.VerbRelease)
	b.live(22 * day)
	assert.Equal(t, everywhere("off []"), b.states())
}

func TestWhatPolicyTakesFromManyIsHeldAndTheRestIsDone(t *testing.T) {
	b := limited(t)
	b.hears(0, hired("Development"))
	b.others(day, ledger.Disables, 3)
	b.hears(day+time.Hour, hr.Event{Type: hr.EventTransferred, Profile: profile("Sales")})
	b.on(2*day, func() {
		assert.Equal(t, map[string]string{"directory": "on [sales staff]", "chat": "on []", "wiki": "on [engineers]"}, b.states())
	})
	b.decides(3*day, ledger.VerbCancel)
	b.hears(4*day, hr.Event{Type: hr.EventTransferred, Profile: profile("Development")})
	b.live(5 * day)
	assert.Equal(t, "on [engineers]", b.state("wiki"))
	assert.Empty(t, person(b).Withdrawals, "what was refused is forgotten once it is not asked for")
	assert.Zero(t, b.apps["wiki"].Calls("disable"))
}

func TestManyDeletionsAreHeld(t *testing.T) {
	b := limited(t)
	b.hears(0, hired("Development"))
	b.hears(day, terminated(hr.DateOf(epoch)))
	b.others(20*day, ledger.Deletions, 3)
	b.on(50*day, func() { assert.Equal(t, everywhere("off []"), b.states()) })
	b.decides(51*day, ledger.VerbRelease)
	b.live(52 * day)
	assert.Equal(t, everywhere("none"), b.states())
}

// TestNothingIsAppliedThatIsNotAdmitted asks for a step as some runs do: runs that are
// older than the breaker, and runs whose person was put into a cohort after they had
// planned.
func TestNothingIsAppliedThatIsNotAdmitted(t *testing.T) {
	b := limited(t)
	b.hears(0, hired("Development"))
	b.live(time.Hour)
	_, err := b.ledger.Record(t.Context(), []ledger.Received{{At: b.at, Event: hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: "leaves"}, Type: hr.EventTerminated, PersonID: b.person,
		Recorded: b.at, Effective: hr.DateOf(epoch.Add(-day)),
	}}})
	require.NoError(t, err)
	todo, err := b.acts.Assess(t.Context(), b.person)
	require.NoError(t, err)
	assert.Equal(t, time.Minute, todo.Settle)
	assert.Empty(t, todo.Todo)

	steps := steps(t, b)
	require.NotEmpty(t, steps)
	for _, step := range steps {
		var suite testsuite.WorkflowTestSuite
		env := suite.NewTestActivityEnvironment()
		env.RegisterActivityWithOptions(b.acts.Apply, activity.RegisterOptions{Name: string(step.Kind)})
		value, err := env.ExecuteActivity(string(step.Kind), activities.StepRequest{PersonID: b.person, Step: step})
		require.NoError(t, err)
		var result activities.StepResult
		require.NoError(t, value.Get(&result))
		assert.Equal(t, provision.ResultSuperseded, result.Result)
	}
	assert.Equal(t, working, b.states())
}

// steps returns the steps of the person's plan, admitted or not.
func steps(t *testing.T, b *biography) []plan.Step {
	t.Helper()
	limits := b.acts.Breaker
	b.acts.Breaker = nil
	defer func() { b.acts.Breaker = limits }()
	todo, err := b.acts.Assess(t.Context(), b.person)
	require.NoError(t, err)
	var all []plan.Step
	for _, s := range todo.Todo {
		all = append(all, s.Step)
	}
	return all
}

func person(b *biography) ledger.Person {
	b.t.Helper()
	p, err := b.ledger.Person(context.Background(), b.person)
	require.NoError(b.t, err)
	return p
}
