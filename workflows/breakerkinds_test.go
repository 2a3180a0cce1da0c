package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// recorded adds an event of a source, and tells the person's run.
func (b *biography) recorded(after time.Duration, source, id string, kind hr.EventType) {
	b.nudged(after, func() {
		at := epoch.Add(after)
		_, err := b.ledger.Record(context.Background(), []ledger.Received{{At: at, Event: hr.Event{
			EventKey: hr.EventKey{Source: source, ID: id}, Type: kind, PersonID: b.person, Recorded: at, Effective: hr.DateOf(at),
		}}})
		require.NoError(b.t, err)
	})
}

// In this test, one source may suspend no more than two people in a day.
func TestOnlyTheFloodOfSuspensionsIsHeld(t *testing.T) {
	off := map[string]string{"directory": "off [engineers staff]", "chat": "off []", "wiki": "off [engineers]"}
	for name, c := range map[string]struct {
		happens func(b *biography)
		want    map[string]string // the state right after the event
	}{
		"alone": {func(b *biography) { b.recorded(day, "/security", "s", hr.EventSuspended) }, off},
		"one of two": {func(b *biography) {
			b.othersBy(day-time.Hour, ledger.Suspensions, "/security", 1)
			b.recorded(day, "/security", "s", hr.EventSuspended)
		}, off},
		"one of many": {func(b *biography) {
			b.othersBy(day-time.Hour, ledger.Suspensions, "/security", 2)
			b.recorded(day, "/security", "s", hr.EventSuspended)
		}, working},
		"by another than who floods": {func(b *biography) {
			b.othersBy(day-time.Hour, ledger.Suspensions, "/security", 5)
			b.recorded(day, "/second", "s", hr.EventSuspended)
		}, off},
		"long after the flood, which nobody has decided about": {func(b *biography) {
			b.othersBy(time.Hour, ledger.Suspensions, "/security", 5)
			b.recorded(day+2*time.Hour, "/security", "s", hr.EventSuspended)
		}, off},
		"by an operator, in the flood": {func(b *biography) {
			b.othersBy(day-time.Hour, ledger.Suspensions, "/security", 5)
			b.recorded(day, "/security", "s", hr.EventSuspended)
			b.recorded(day+time.Minute, hr.OperatorSource, "o", hr.EventSuspended)
		}, off},
		"by an operator, who suspends many": {func(b *biography) {
			b.othersBy(day-time.Hour, ledger.Suspensions, hr.OperatorSource, 5)
			b.recorded(day, hr.OperatorSource, "o", hr.EventSuspended)
		}, off},
		"by a second system, in the flood of the first": {func(b *biography) {
			b.othersBy(day-time.Hour, ledger.Suspensions, "/security", 5)
			b.recorded(day, "/security", "s", hr.EventSuspended)
			b.recorded(day+time.Minute, "/second", "s", hr.EventSuspended)
		}, off},
		"and terminated at once": {func(b *biography) {
			b.othersBy(day-time.Hour, ledger.Suspensions, "/security", 5)
			b.recorded(day, "/security", "s", hr.EventSuspended)
			now := terminated(hr.DateOf(epoch))
			now.Termination.Urgency = hr.UrgencyImmediate
			b.hears(day+time.Minute, now)
		}, everywhere("off []")},
		"while terminations are held": {func(b *biography) {
			b.others(day-time.Hour, ledger.Leavers, 5)
			b.hears(day, terminated(hr.DateOf(epoch)))
			b.recorded(day+time.Minute, "/security", "s", hr.EventSuspended)
		}, off},
	} {
		t.Run(name, func(t *testing.T) {
			b := limited(t)
			b.hears(0, hired("Development"))
			c.happens(b)
			b.on(day+3*time.Hour, func() { assert.Equal(t, c.want, b.states()) })
			b.live(day + 4*time.Hour)
		})
	}
}

func TestASuspensionThatIsHeldIsDecidedAbout(t *testing.T) {
	held := func(t *testing.T) *biography {
		b := limited(t)
		b.hears(0, hired("Development"))
		b.othersBy(day-time.Hour, ledger.Suspensions, "/security", 2)
		b.recorded(day, "/security", "s", hr.EventSuspended)
		b.on(2*day, func() { assert.Equal(t, working, b.states()) })
		return b
	}
	t.Run("released", func(t *testing.T) {
		b := held(t)
		b.decides(2*day+time.Hour, ledger.VerbRelease)
		b.live(3 * day)
		assert.Equal(t, "off [engineers]", b.state("wiki"))
	})
	t.Run("cancelled", func(t *testing.T) {
		b := held(t)
		b.nudged(2*day+time.Hour, func() {
			_, err := b.ledger.DecideCohort(context.Background(), ledger.CohortDecision{
				Cohort: 1, Verb: ledger.VerbCancel, People: []string{b.person}, Operator: "ops", Reason: "a test", At: epoch.Add(2*day + time.Hour),
			})
			require.NoError(t, err)
		})
		b.hears(3*day, hr.Event{Type: hr.EventTransferred, Profile: profile("Sales")})
		b.live(4 * day)
		assert.Equal(t, hr.StatusActive, person(b).Status)
		assert.Equal(t, "on [sales staff]", b.state("directory"), "as if it had never been said")
		assert.Zero(t, b.apps["directory"].Calls("disable")+b.apps["chat"].Calls("disable"))
	})
}

// A loss or grant of somebody who stays waits until it is known whether other people have
// one, too. In this test, the breaker holds more than two.
func TestWhatManyLoseOrAreGivenIsHeld(t *testing.T) {
	moved := map[string]string{"directory": "on [sales staff]", "chat": "on []", "wiki": "off []"}
	for name, c := range map[string]struct {
		kind   ledger.WithdrawalKind
		others int
		want   map[string]string
	}{
		"nobody else":         {ledger.Losses, 0, moved},
		"few lose":            {ledger.Losses, 1, moved},
		"many lose":           {ledger.Losses, 3, map[string]string{"directory": "on [engineers staff]", "chat": "on []", "wiki": "off []"}},
		"many are given":      {ledger.Grants, 3, map[string]string{"directory": "on [engineers staff]", "chat": "on []", "wiki": "off []"}},
		"many are turned off": {ledger.Disables, 3, map[string]string{"directory": "on [sales staff]", "chat": "on []", "wiki": "on [engineers]"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := limited(t)
			b.hears(0, hired("Development"))
			if c.others > 0 {
				b.others(day, c.kind, c.others)
			}
			b.hears(day+time.Hour, hr.Event{Type: hr.EventTransferred, Profile: profile("Sales")})
			b.on(day+time.Hour+50*time.Second, func() { assert.Equal(t, working, b.states(), "it settles") })
			b.on(2*day, func() { assert.Equal(t, c.want, b.states()) })
			if c.others > 2 {
				b.decides(3*day, ledger.VerbRelease)
			}
			b.live(4 * day)
			assert.Equal(t, moved, b.states())
		})
	}
}

// A new title does not undo what an operator has decided.
func TestWhatIsRefusedStaysSoWhateverElseChanges(t *testing.T) {
	b := limited(t)
	b.hears(0, hired("Development"))
	b.others(day, ledger.Grants, 3)
	b.hears(day+time.Hour, hr.Event{Type: hr.EventTransferred, Profile: profile("Sales")})
	b.decides(2*day, ledger.VerbCancel)
	promoted := profile("Sales")
	promoted.JobTitle = "Admiral"
	b.hears(3*day, hr.Event{Type: hr.EventUpdated, Profile: promoted})
	b.live(5 * day)
	assert.Equal(t, "on [engineers staff]", b.state("directory"))
	assert.Equal(t, "on []", b.state("chat"))
}

// Grants to a joiner, or to somebody who comes back, do not count as part of a flood,
// whatever is held.
func TestWhoBeginsOrComesBackIsGivenWhatPolicyGrants(t *testing.T) {
	b := limited(t)
	b.others(0, ledger.Grants, 3)
	b.hears(time.Minute, hired("Development"))
	b.on(time.Hour, func() { assert.Equal(t, working, b.states()) })
	b.hears(day, hr.Event{Type: hr.EventLeaveStarted})
	b.hears(2*day, hr.Event{Type: hr.EventLeaveEnded})
	b.on(3*day, func() { assert.Equal(t, working, b.states()) })
	b.live(4 * day)
}

// down lets all calls to an app fail until the given time.
func (b *biography) down(app string, until time.Duration) {
	isDown := true
	b.apps[app].OnCall(func(context.Context, string, string) error {
		if isDown {
			return errors.New("down")
		}
		return nil
	})
	b.on(until, func() { isDown = false })
}

// If an app is down on the first day, a joiner gets their access later, even if they were
// transferred meanwhile: it was due to them from the beginning.
func TestWhatAJoinerIsStillOwedIsNoGrant(t *testing.T) {
	b := limited(t)
	b.down("wiki", day+time.Hour)
	b.others(0, ledger.Grants, 3)
	b.hears(time.Minute, hired("Development"))
	b.on(time.Hour, func() { assert.Equal(t, "none", b.state("wiki")) })
	promoted := profile("Development")
	promoted.JobTitle = "Admiral"
	b.hears(day, hr.Event{Type: hr.EventUpdated, Profile: promoted})
	b.live(3 * day)
	assert.Equal(t, working, b.states())
}

// Grants to many people are also held in an app that does not keep external IDs, and so
// does not show accounts as they were set, no matter who created them.
func TestGrantsCountInAnAppThatDropsTheExternalID(t *testing.T) {
	for _, adopted := range []bool{false, true} {
		t.Run(fmt.Sprintf("adopted: %t", adopted), func(t *testing.T) {
			b := dropping(t, testRules(), "directory", connector.ExternalID)
			b.limit()
			if adopted {
				b.adopted("directory")
			}
			b.hears(0, hired("Development"))
			b.others(day, ledger.Grants, 3)
			b.hears(day+time.Hour, hr.Event{Type: hr.EventTransferred, Profile: profile("Sales")})
			b.on(2*day, func() { assert.Equal(t, "on [engineers staff]", b.state("directory")) })
			b.decides(3*day, ledger.VerbRelease)
			b.live(4 * day)
			assert.Equal(t, "on [sales staff]", b.state("directory"))
		})
	}
}

// adopted links an account that exists already.
func (b *biography) adopted(app string) {
	id := b.apps[app].Put(connector.Account{Username: "gfacello", Active: true})
	require.NoError(b.t, b.ledger.FinishStep(context.Background(), ledger.Outcome{
		PersonID: b.person, App: app, Key: "adopt", Kind: "Provision", At: b.now(), State: ledger.StepDone,
		Link: &ledger.Link{PersonID: b.person, App: app, AccountID: id, Username: "gfacello", State: ledger.LinkActive, Adopted: true},
	}))
}

// Grants to many people are also held while the result of an update of their accounts is
// not known.
func TestGrantsCountWhileAnUpdateFails(t *testing.T) {
	b := limited(t)
	var failing bool
	b.apps["directory"].OnCall(func(_ context.Context, op, _ string) error {
		if failing && op == connector.OpRead {
			return &connector.Error{Kind: connector.KindUnavailable, Op: op, Message: "not now"}
		}
		return nil
	})
	b.hears(0, hired("Development"))
	b.on(time.Hour, func() { failing = true })
	promoted := profile("Development")
	promoted.JobTitle = "Admiral"
	b.hears(2*time.Hour, hr.Event{Type: hr.EventUpdated, Profile: promoted})
	b.others(day, ledger.Grants, 3)
	b.hears(day+time.Hour, hr.Event{Type: hr.EventTransferred, Profile: profile("Sales")})
	b.on(2*day, func() { assert.Equal(t, "on [engineers staff]", b.state("directory")) })
	b.live(3 * day)
}

// An adopted account gets what policy gives, whatever is held, even if that fails at
// first.
func TestWhatAnAdoptedAccountGetsIsNoGrant(t *testing.T) {
	b := limited(t)
	failing := true
	b.apps["wiki"].OnCall(func(_ context.Context, op, _ string) error {
		if failing && op == connector.OpGrant {
			return &connector.Error{Kind: connector.KindUnavailable, Op: op, Message: "not now"}
		}
		return nil
	})
	b.hears(0, hired("Sales"))
	b.others(day, ledger.Grants, 3)
	b.on(day+time.Hour, func() { b.adopted("wiki") })
	b.hears(day+2*time.Hour, hr.Event{Type: hr.EventTransferred, Profile: profile("Development")})
	b.on(day+3*time.Hour, func() { failing = false })
	b.live(3 * day)
	assert.Equal(t, "on [engineers]", b.state("wiki"))
	assert.Equal(t, "on [sales staff]", b.state("directory"), "that is a grant, and held")
}

// deleteOnly makes the wiki an app that can take access only by deleting.
func deleteOnly(b *biography) {
	can := connector.Capabilities{Create: true, Delete: true, Entitlements: true}
	b.acts.Apps["wiki"].Connector = offering{b.acts.Apps["wiki"].Connector, can}
}

// In a flood of suspensions no account is destroyed, no matter who suspended the person.
func TestAnAccountThatCanOnlyBeDeletedIsHeldWhileItsOwnerIsSuspended(t *testing.T) {
	for _, source := range []string{"/security", hr.OperatorSource} {
		for name, c := range map[string]struct {
			others int
			want   string
		}{"alone": {0, "none"}, "with many": {3, "on [engineers]"}} {
			t.Run(source+" "+name, func(t *testing.T) {
				b := limited(t)
				deleteOnly(b)
				b.hears(0, hired("Development"))
				b.recorded(day, source, "s", hr.EventSuspended)
				if c.others > 0 {
					b.others(day+time.Hour, ledger.Disables, c.others)
				}
				b.hears(day+2*time.Hour, hr.Event{Type: hr.EventTransferred, Profile: profile("Sales")})
				b.on(day+2*time.Hour+50*time.Second, func() { assert.Equal(t, "on [engineers]", b.state("wiki"), "it settles") })
				b.on(2*day, func() { assert.Equal(t, c.want, b.state("wiki")) })
				if c.others > 0 {
					b.decides(3*day, ledger.VerbRelease)
				}
				b.live(4 * day)
				assert.Equal(t, "none", b.state("wiki"))
				assert.Equal(t, "off [engineers staff]", b.state("directory"), "what can be turned off waits for nothing")
			})
		}
	}
}

// Somebody who is suspended before they have an account counts like the others, and gets
// no account.
func TestSuspensionsOfWhoHasNoAccountYetAreHeld(t *testing.T) {
	held := func(t *testing.T) *biography {
		b := limited(t)
		b.othersBy(0, ledger.Suspensions, "/security", 3)
		b.recorded(time.Hour, "/security", "s", hr.EventSuspended)
		b.hears(2*time.Hour, hired("Development"))
		b.on(day, func() {
			assert.Equal(t, everywhere("none"), b.states(), "nothing is made for who may be suspended")
			withdrawals := person(b).Withdrawals
			require.Len(t, withdrawals, 1)
			assert.Equal(t, ledger.WithdrawalHeld, withdrawals[0].State)
		})
		return b
	}
	t.Run("cancelled", func(t *testing.T) {
		b := held(t)
		b.decides(day+time.Hour, ledger.VerbCancel)
		b.live(2 * day)
		assert.Equal(t, working, b.states())
	})
	t.Run("released", func(t *testing.T) {
		b := held(t)
		b.decides(day+time.Hour, ledger.VerbRelease)
		b.recorded(2*day, "/security", "r", hr.EventReinstated)
		b.on(2*day-time.Hour, func() { assert.Equal(t, everywhere("none"), b.states()) })
		b.live(3 * day)
		assert.Equal(t, working, b.states())
	})
}

// A joiner still gets their access while their end, which is a mistake, is held.
func TestWhatAJoinerIsOwedIsNoGrantOnceTheirEndIsCancelled(t *testing.T) {
	b := limited(t)
	b.down("wiki", 2*day+time.Hour)
	b.others(0, ledger.Grants, 3)
	hire := hired("Development")
	hire.ID = "hire"
	b.hears(time.Minute, hire)
	b.hears(day, hr.Event{Type: hr.EventRescinded, Rescinds: "hire"})
	b.others(day+30*time.Second, ledger.Leavers, 2)
	b.nudged(2*day, func() {
		_, err := b.ledger.DecideCohort(context.Background(), ledger.CohortDecision{
			Cohort: 2, Verb: ledger.VerbCancel, People: []string{b.person}, Operator: "ops", Reason: "a test", At: b.now(),
		})
		require.NoError(t, err)
	})
	b.live(4 * day)
	assert.Equal(t, working, b.states())
}
