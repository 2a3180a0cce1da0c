package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/assess/preview"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/workflows"
)

// answer holds the result of an operator's decision.
type answer struct {
	refused error
	keys    []string
}

// retries and skips let an operator decide as the command line does. They return an
// answer that is filled in while the biography is lived.
func (b *biography) retries(after time.Duration, req activities.RepairRequest) *answer {
	return b.repairs(after, req)
}

func (b *biography) skips(after time.Duration, req activities.RepairRequest) *answer {
	req.Skip = true
	return b.repairs(after, req)
}

func (b *biography) repairs(after time.Duration, req activities.RepairRequest) *answer {
	a := &answer{}
	req.PersonID = b.person
	b.on(after, func() {
		o := operator.New(b.ledger, signals{b}, operator.Viewer{Clock: clock.Func(b.now)})
		do := o.Retry
		if req.Skip {
			do = o.Skip
		}
		a.keys, a.refused = do(b.t.Context(), operator.Request{Actor: req.Operator, Reason: req.Reason},
			operator.Attention{PersonID: req.PersonID, App: req.App, Key: req.Key, Keys: req.Keys})
	})
	return a
}

// signals tells the person's run to look again.
type signals struct{ b *biography }

func (signals) Ready(context.Context) error { return nil }

func (s signals) Resume(context.Context, string, string) error {
	s.b.env.SignalWorkflow(workflows.SignalLookAgain, workflows.LookAgain{})
	return nil
}

func (s signals) ResumeRequest(context.Context, int64, string) error { return nil }

func (signals) ResumeReview(context.Context, int64, string) error { return nil }

func (signals) Scan(context.Context, string) error { return nil }

func (s signals) Deliver(ctx context.Context, e hr.Event, _ int64) error {
	return s.Resume(ctx, e.PersonID, "")
}

// inAttention returns the keys of the steps that are in attention in the ledger, by app.
func (b *biography) inAttention() map[string]string {
	b.t.Helper()
	person, err := b.ledger.Person(b.t.Context(), b.person)
	require.NoError(b.t, err)
	out := map[string]string{}
	for _, s := range person.Steps {
		if s.State == ledger.StepAttention {
			out[s.App] = s.Code
		}
	}
	return out
}

func TestAStepThatCannotSucceedWaitsForAHuman(t *testing.T) {
	setUp := func(t *testing.T) *biography {
		b := newBiography(t, testRules())
		// Somebody else has the username in chat.
		b.apps["chat"].Put(connector.Account{ID: "other", Username: "alovelace", ExternalID: "99999", Active: true})
		b.hears(0, hired("Development"))
		b.on(time.Minute, func() {
			assert.Equal(t, map[string]string{"chat": "conflict"}, b.inAttention())
			assert.Equal(t, "on [engineers staff]", b.state("directory"), "other apps are not held up")
		})
		return b
	}
	chat := func(b *biography) string {
		for _, a := range b.apps["chat"].Accounts() {
			if a.ExternalID == b.person {
				return "there"
			}
		}
		return "none"
	}

	t.Run("retry succeeds once the cause is gone", func(t *testing.T) {
		b := setUp(t)
		b.on(2*time.Minute, func() { b.apps["chat"].Reset() })
		done := b.retries(3*time.Minute, activities.RepairRequest{App: "chat", Operator: "it@example.com"})
		b.live(30 * time.Minute)
		require.NoError(t, done.refused)
		assert.Len(t, done.keys, 1)
		assert.Equal(t, "there", chat(b))
		assert.Empty(t, b.inAttention())
		assert.Contains(t, b.actions(), "chat:retry")
		assert.Equal(t, []string{"Joiner"}, b.runs, "the run is over")
	})
	t.Run("skip leaves it undone for good", func(t *testing.T) {
		b := setUp(t)
		done := b.skips(3*time.Minute, activities.RepairRequest{App: "chat", Operator: "it@example.com", Reason: "does not need chat"})
		b.live(300 * day)
		require.NoError(t, done.refused)
		assert.Equal(t, "none", chat(b))
		assert.Empty(t, b.inAttention())
		assert.Contains(t, b.actions(), "chat:skip")
		assert.Equal(t, []string{"Joiner"}, b.runs, "the run is over")
	})
	t.Run("it is tried again by itself, slowly", func(t *testing.T) {
		b := setUp(t)
		b.on(2*time.Minute, func() { b.apps["chat"].Reset() })
		b.live(2 * time.Hour)
		assert.Equal(t, "there", chat(b))
	})
	t.Run("a new event that changes the plan ends the wait", func(t *testing.T) {
		b := setUp(t)
		b.hears(10*time.Minute, terminated(hr.DateOf(epoch.AddDate(0, 0, -1))))
		b.on(11*time.Minute, func() {
			assert.Empty(t, b.inAttention(), "nobody has to make an account for a leaver")
			assert.Equal(t, "off []", b.state("directory"))
		})
		b.live(2 * time.Hour)
	})
	t.Run("an update without who or why is refused", func(t *testing.T) {
		b := setUp(t)
		nobody := b.retries(3*time.Minute, activities.RepairRequest{App: "chat"})
		noReason := b.skips(4*time.Minute, activities.RepairRequest{App: "chat", Operator: "it@example.com"})
		elsewhere := b.retries(5*time.Minute, activities.RepairRequest{App: "wiki", Operator: "it@example.com"})
		b.live(30 * time.Minute)
		assert.ErrorContains(t, nobody.refused, "operator")
		assert.ErrorContains(t, noReason.refused, "reason")
		assert.ErrorContains(t, elsewhere.refused, "chat/Provision", "it says what does need attention")
	})
}

// A skip holds for the step that was asked for at the time, and not for the same step
// years later.
func TestASkipEndsWhenWhatWasSkippedIsNotAskedForAnyMore(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Development"))
	b.on(time.Hour, func() { b.apps["wiki"].SetFaults(memory.Faults{Kind: connector.KindUnavailable}) })
	b.hears(day, hr.Event{Type: hr.EventTransferred, Profile: profile("Sales")})
	b.on(day+20*time.Minute, func() { assert.Equal(t, map[string]string{"wiki": "unavailable"}, b.inAttention()) })
	skip := b.skips(day+30*time.Minute, activities.RepairRequest{App: "wiki", Operator: "it@example.com", Reason: "the wiki is down, and they return soon"})
	b.on(2*day, func() { b.apps["wiki"].SetFaults(memory.Faults{}) })
	promoted := profile("Sales")
	promoted.JobTitle = "Head of Sales"
	b.hears(3*day, hr.Event{Type: hr.EventUpdated, Profile: promoted})
	b.on(4*day, func() {
		assert.Equal(t, "on [engineers]", b.state("wiki"), "it holds, whatever else changes")
		assert.Empty(t, b.inAttention())
		var foreseen []string
		for _, c := range b.rehearse(b.transfer("there", 100*day, "Development"), b.transfer("and back", 200*day, "Sales")).Changes {
			foreseen = append(foreseen, c.App+" "+string(c.Do))
		}
		assert.Contains(t, foreseen, "wiki "+string(preview.Disable))
	})
	b.hears(100*day, hr.Event{Type: hr.EventTransferred, Profile: profile("Development")})
	b.on(101*day, func() { assert.Equal(t, "on [engineers]", b.state("wiki"), "granted again") })
	b.hears(200*day, hr.Event{Type: hr.EventTransferred, Profile: profile("Sales")})
	b.live(201 * day)
	require.NoError(t, skip.refused)
	assert.Equal(t, "off []", b.state("wiki"))
}

// transfer returns a transfer that HR has not sent yet.
func (b *biography) transfer(id string, after time.Duration, department string) hr.Event {
	at := epoch.Add(after)
	return hr.Event{
		EventKey: hr.EventKey{Source: "/hr/test", ID: id}, Type: hr.EventTransferred, PersonID: b.person, Profile: profile(department),
		Recorded: at, Effective: hr.DateOf(at),
	}
}

func TestAHireAfterATerminationAsksAHuman(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Sales"))
	b.hears(day, terminated(hr.DateOf(epoch)))
	again := hired("Sales")
	again.Profile.StartDate = hr.DateOf(epoch.Add(10 * day))
	again.Effective = again.Profile.StartDate
	b.hears(5*day, again)
	b.on(11*day, func() {
		assert.Equal(t, "off []", b.state("directory"), "a termination is a latch")
		assert.Equal(t, map[string]string{"": string(hr.ConflictHiredAfterEnd)}, b.inAttention())
	})
	skip := b.skips(12*day, activities.RepairRequest{Operator: "it@example.com", Reason: "HR mistake"})
	b.on(13*day, func() { assert.Empty(t, b.inAttention()) })
	b.live(60 * day)
	require.NoError(t, skip.refused)
	assert.Equal(t, "none", b.state("directory"), "retention went on meanwhile")
}

func TestAnAppThatStaysDownNeedsAttentionAndRecovers(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Development"))
	b.on(time.Hour, func() { b.apps["wiki"].SetFaults(memory.Faults{Kind: connector.KindUnavailable}) })
	b.hears(day, terminated(hr.DateOf(epoch)))
	b.on(day+5*time.Minute, func() { assert.Empty(t, b.inAttention(), "a short outage bothers nobody") })
	b.on(day+20*time.Minute, func() { assert.Equal(t, map[string]string{"wiki": "unavailable"}, b.inAttention()) })
	b.on(day+3*time.Hour, func() { b.apps["wiki"].SetFaults(memory.Faults{}) })
	b.live(2 * day)
	assert.Equal(t, "off []", b.state("wiki"))
	assert.Empty(t, b.inAttention())
}

func TestAnswersLostAfterTheAppActedAreFoundNotRepeated(t *testing.T) {
	b := newBiography(t, testRules())
	for _, app := range b.apps {
		app.SetFaults(memory.Faults{FailAfterApply: 3})
	}
	b.hears(0, hired("Development"))
	b.live(time.Hour)
	assert.Equal(t, map[string]string{"directory": "on [engineers staff]", "chat": "on []", "wiki": "on [engineers]"}, b.states())
	for name, app := range b.apps {
		assert.Equal(t, 1, app.Calls("create"), name)
	}
}
