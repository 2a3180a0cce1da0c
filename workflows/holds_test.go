package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
)

// holds lets an operator place a hold on the person, and tells the run.
func (b *biography) holds(after, until time.Duration) {
	b.nudged(after, func() { b.placeHold(until) })
}

func (b *biography) placeHold(until time.Duration) {
	_, err := b.ledger.PlaceHold(context.Background(), ledger.Hold{
		PersonID: b.person, PlacedAt: b.now(), ExpiresAt: epoch.Add(until), Operator: "counsel", Reason: "matter 42",
	})
	require.NoError(b.t, err)
}

// releases ends all holds of the person.
func (b *biography) releases(after time.Duration) {
	b.nudged(after, func() {
		for _, h := range person(b).Holds {
			_, err := b.ledger.ReleaseHold(context.Background(), ledger.HoldRelease{ID: h.ID, Operator: "counsel", Reason: "settled", At: b.now()})
			require.NoError(b.t, err)
		}
	})
}

// leavesAt lets the person leave after ten days. Their accounts are kept for thirty days.
func leavesAt(b *biography) {
	b.hears(0, hired("Development"))
	b.hears(10*day, terminated(hr.DateOf(epoch.Add(9*day))))
	b.on(10*day+2*time.Minute, func() { assert.Equal(b.t, everywhere("off []"), b.states()) })
}

// over is a time by which the retention of leavesAt has ended.
const over = 41 * day

func TestAHoldOutlivesTheEndOfRetention(t *testing.T) {
	t.Run("released", func(t *testing.T) {
		b := newBiography(t, testRules())
		leavesAt(b)
		b.holds(20*day, 1000*day)
		b.on(over, func() { assert.Equal(t, everywhere("off []"), b.states(), "kept") })
		b.on(200*day, func() {
			assert.Equal(t, everywhere("off []"), b.states(), "whatever timers say")
			assert.Equal(t, "Scheduled", b.runs[len(b.runs)-1])
			assert.Equal(t, []any{"hold", epoch.Add(1000 * day)}, []any{person(b).DueWhat, person(b).DueAt})
		})
		b.releases(201 * day)
		b.on(201*day+time.Minute, func() { assert.Equal(t, everywhere("none"), b.states(), "deleted at once") })
		b.live(300 * day)
		assert.Subset(t, b.actions(), []string{":hold_placed", ":hold_released", "wiki:deleted"})
	})
	t.Run("expired", func(t *testing.T) {
		b := newBiography(t, testRules())
		leavesAt(b)
		b.holds(20*day, 60*day)
		b.on(60*day-time.Second, func() { assert.Equal(t, everywhere("off []"), b.states()) })
		b.on(60*day+time.Minute, func() { assert.Equal(t, everywhere("none"), b.states()) })
		b.live(100 * day)
	})
	t.Run("placed on somebody who still works", func(t *testing.T) {
		b := newBiography(t, testRules())
		b.holds(day, 100*day)
		leavesAt(b)
		b.on(99*day, func() { assert.Equal(t, everywhere("off []"), b.states(), "cut off, as everybody") })
		b.live(101 * day)
		assert.Equal(t, everywhere("none"), b.states())
	})
	t.Run("the last of two decides", func(t *testing.T) {
		b := newBiography(t, testRules())
		leavesAt(b)
		b.holds(20*day, 50*day)
		b.holds(21*day, 70*day)
		b.on(69*day, func() { assert.Equal(t, everywhere("off []"), b.states()) })
		b.live(71 * day)
		assert.Equal(t, everywhere("none"), b.states())
	})
}

// The run does not know of the hold, which is placed after the run has deleted the first
// account.
func TestAHoldThatIsPlacedWhileTheRunDeletesIsHonoured(t *testing.T) {
	rules := testRules()
	rules.Leaver.Retain = 0
	b := newBiography(t, rules)
	b.hears(0, hired("Development"))
	placed := false
	b.apps["wiki"].AfterCall(func(_ context.Context, op, _ string) error {
		if op == connector.OpDelete && !placed { // the deletion in the directory waits for this one
			placed = true
			b.placeHold(100 * day)
		}
		return nil
	})
	b.hears(day, terminated(hr.DateOf(epoch)))
	b.on(99*day, func() {
		assert.True(t, placed)
		assert.Equal(t, "none", b.state("wiki"), "it was too late for this one")
		assert.Equal(t, "off []", b.state("directory"))
		assert.Zero(t, b.apps["directory"].Calls(connector.OpDelete))
	})
	b.live(101 * day)
	assert.Equal(t, "none", b.state("directory"), "once the hold is over")
}

func TestAHoldWithdrawsADeletionThatAHumanWasAskedFor(t *testing.T) {
	b := byHand(t)
	b.hears(0, hired("Development"))
	b.does(time.Hour, ledger.VerbTaskDone, 1)
	b.hears(10*day, terminated(hr.DateOf(epoch.Add(9*day))))
	b.does(10*day+time.Hour, ledger.VerbTaskDone, 2)
	b.on(over, func() { assert.Equal(t, []string{"Provision done", "Disable done", "Delete open"}, b.taskStates()) })
	b.holds(over+time.Hour, 100*day)
	b.on(over+2*time.Hour, func() { assert.Equal(t, "Delete withdrawn", b.taskStates()[2]) })
	b.on(99*day, func() {
		assert.Len(t, b.tasks(), 3, "nobody is asked meanwhile")
		assert.Equal(t, ledger.LinkDisabled, b.link("wiki").State)
	})
	b.live(101 * day)
	assert.Equal(t, "Delete open", b.taskStates()[3], "asked anew once the hold is over")
}

// A deletion under legal hold does not count as one that the breaker limits.
func TestWhatIsHeldIsNotCounted(t *testing.T) {
	b := limited(t)
	leavesAt(b)
	b.holds(20*day, 100*day)
	counted := func() (n int) {
		for _, w := range person(b).Withdrawals {
			if w.Kind == ledger.Deletions {
				n++
			}
		}
		return n
	}
	b.on(over, func() { assert.Zero(t, counted()) })
	b.live(100*day + time.Second)
	assert.Equal(t, everywhere("none"), b.states())
}

// fragile makes the wiki an app in which a disabled account is gone.
func fragile(t *testing.T) *biography {
	b := newBiography(t, testRules())
	b.acts.Apps["wiki"].Connector = destructive{b.acts.Apps["wiki"].Connector}
	return b
}

// offering is a connector with the capabilities of can, and no others.
type offering struct {
	connector.Connector
	can connector.Capabilities
}

func (o offering) Capabilities() connector.Capabilities { return o.can }

type destructive struct{ connector.Connector }

func (destructive) Capabilities() connector.Capabilities {
	return connector.Capabilities{Create: true, Disable: true, Delete: true, Entitlements: true}
}

func (d destructive) Disable(ctx context.Context, id string) error { return d.Delete(ctx, id) }

func TestAnAppInWhichDisablingDestroysAsksAHumanWhileSomebodyIsHeld(t *testing.T) {
	b := fragile(t)
	b.hears(0, hired("Development"))
	b.holds(day, 50*day)
	b.hears(10*day, terminated(hr.DateOf(epoch.Add(9*day))))
	b.on(10*day+time.Minute, func() {
		assert.Equal(t, "off []", b.state("directory"), "all others are cut off")
		assert.Equal(t, "on [engineers]", b.state("wiki"))
		assert.Equal(t, map[string]string{"wiki": provision.CodeSpared}, b.inAttention(), "somebody has to see to it")
	})
	b.releases(11 * day)
	b.live(12 * day)
	assert.Equal(t, "none", b.state("wiki"))
	assert.Empty(t, b.inAttention())
}

// approving returns rules by which deletions in the wiki need an approval.
func approving() policy.Rules {
	rules := testRules()
	wiki := rules.Apps["wiki"]
	wiki.Leaver = &policy.LeaverRules{Retain: 30 * day, Delete: true, Approval: true, Remind: 7 * day}
	rules.Apps["wiki"] = wiki
	return rules
}

// approves lets an operator approve all deletions of the person that wait.
func (b *biography) approves(after time.Duration) {
	b.nudged(after, func() {
		for _, a := range person(b).Approvals {
			_, err := b.ledger.ApproveDeletion(context.Background(), ledger.DeletionApproval{
				PersonID: b.person, App: a.App, Key: a.Key, Operator: "grace", Reason: "ticket 42", At: b.now(),
			})
			require.NoError(b.t, err)
		}
	})
}

func TestADeletionThatHasToBeApprovedWaits(t *testing.T) {
	b := newBiography(t, approving())
	reg := prometheus.NewRegistry()
	b.acts.Metrics = provision.NewMetrics(reg, b.acts.Policy.Apps())
	var lines *observer.ObservedLogs
	b.acts.Log, lines = observed()
	leavesAt(b)
	b.on(39*day, func() { assert.Empty(t, person(b).Approvals, "it is not due") })
	var asked time.Time
	b.on(over, func() {
		assert.Equal(t, map[string]string{"directory": "none", "chat": "none", "wiki": "off []"}, b.states(), "no other app waits")
		assert.Equal(t, "approve", person(b).DueWhat)
		asked = person(b).Approvals[0].AskedAt
		assert.Equal(t, asked.Add(7*day).Truncate(time.Minute), person(b).DueAt.Truncate(time.Minute))
		assert.Equal(t, "Scheduled", b.runs[len(b.runs)-1], "no run is open but one that sleeps")
	})
	b.on(over+22*day, func() {
		assert.Equal(t, 3, person(b).Approvals[0].Reminders, "every week")
		assert.Equal(t, "off []", b.state("wiki"))
	})
	b.approves(over + 23*day)
	b.on(over+23*day+time.Minute, func() { assert.Equal(t, "none", b.state("wiki")) })
	b.live(200 * day)
	assert.Empty(t, person(b).Approvals)
	assert.Subset(t, b.actions(), []string{"wiki:approval_asked", "wiki:approval_reminded", "wiki:deletion_approved", "wiki:deleted"})
	assert.True(t, person(b).DueAt.IsZero())

	var told []string
	for _, line := range lines.FilterMessage("a deletion waits for an operator's approval").All() {
		told = append(told, line.ContextMap()["why"].(string))
	}
	assert.Equal(t, []string{"asked", "reminded", "reminded", "reminded"}, told)
	families, err := reg.Gather()
	require.NoError(t, err)
	counted := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if n := m.GetCounter().GetValue(); f.GetName() == "tenure_deletion_reminders_total" && n > 0 {
				counted[m.GetLabel()[0].GetValue()+" "+m.GetLabel()[1].GetValue()] = n
			}
		}
	}
	assert.Equal(t, map[string]float64{"wiki asked": 1, "wiki reminded": 3}, counted)
}

// observed returns a log and its lines.
func observed() (*zap.Logger, *observer.ObservedLogs) {
	core, lines := observer.New(zap.WarnLevel)
	return zap.New(core), lines
}

func TestAnApprovalIsOfOneEndingOnly(t *testing.T) {
	b := newBiography(t, approving())
	leavesAt(b)
	back := hired("Development")
	back.Type, back.Effective = hr.EventRehired, hr.DateOf(epoch.Add(over+2*day))
	back.Profile.StartDate = back.Effective
	b.hears(over+2*day, back)
	b.on(over+3*day, func() {
		assert.Equal(t, "on [engineers]", b.state("wiki"), "the same account")
		assert.Empty(t, person(b).Approvals, "nothing is to be deleted any more")
	})
	b.hears(over+10*day, terminated(hr.DateOf(epoch.Add(over+9*day))))
	b.on(2*over+20*day, func() {
		require.Len(t, person(b).Approvals, 1)
		assert.Equal(t, ledger.ApprovalAsked, person(b).Approvals[0].State)
		assert.Equal(t, "off []", b.state("wiki"))
	})
	b.live(2*over + 21*day)
}

// keeps lets an operator set how long the person's accounts are kept.
func (b *biography) keeps(after time.Duration, app string, until time.Time, lasts time.Duration) {
	b.nudged(after, func() {
		_, err := b.ledger.SetRetention(context.Background(), ledger.Retention{
			PersonID: b.person, App: app, Until: until, For: lasts, SetAt: b.now(), Operator: "grace", Reason: "ticket 42",
		})
		require.NoError(b.t, err)
	})
}

func TestRetentionIsExtendedAndCutShortForOnePerson(t *testing.T) {
	b := newBiography(t, testRules())
	leavesAt(b)
	b.keeps(12*day, "", epoch.Add(80*day), 0)
	b.keeps(12*day, "chat", time.Time{}, 5*day)
	b.on(14*day, func() { assert.Equal(t, everywhere("off []"), b.states()) })
	b.on(16*day, func() { assert.Equal(t, "none", b.state("chat"), "cut short") })
	b.on(79*day, func() { assert.Equal(t, "off []", b.state("wiki"), "extended") })
	b.on(81*day, func() { assert.Equal(t, everywhere("none"), b.states()) })
	b.live(100 * day)

	b = newBiography(t, testRules())
	leavesAt(b)
	b.keeps(20*day, "", b.now(), 0)
	b.on(20*day+time.Minute, func() { assert.Equal(t, everywhere("none"), b.states(), "at once") })
	b.live(30 * day)

	b = newBiography(t, testRules())
	leavesAt(b)
	b.keeps(20*day, "wiki", epoch.Add(300*day), 0)
	b.nudged(over, func() {
		assert.Equal(t, "off []", b.state("wiki"))
		_, err := b.ledger.ResetRetention(context.Background(), ledger.RetentionReset{PersonID: b.person, App: "wiki", Operator: "grace", Reason: "x", At: b.now()})
		require.NoError(t, err)
	})
	b.live(over + time.Hour)
	assert.Equal(t, everywhere("none"), b.states(), "the configuration says it again")
}

// A retention that was set for one end of employment does not cause a deletion right after
// the next.
func TestARetentionIsOfOneEmployment(t *testing.T) {
	b := newBiography(t, testRules())
	leavesAt(b)
	b.keeps(12*day, "", epoch.Add(13*day), 0)
	b.keeps(12*day, "wiki", epoch.Add(90*day), 0)
	b.on(14*day, func() {
		assert.Equal(t, map[string]string{"directory": "none", "chat": "none", "wiki": "off []"}, b.states())
	})
	back := hired("Development")
	back.Type, back.Effective = hr.EventRehired, hr.DateOf(epoch.Add(60*day))
	back.Profile.StartDate = back.Effective
	b.hears(50*day, back) // the account stays off until the first day, and is kept
	b.on(59*day, func() { assert.Equal(t, "off []", b.state("wiki")) })
	b.on(61*day, func() {
		assert.Equal(t, working, b.states())
		assert.Empty(t, person(b).Retentions)
	})
	b.hears(70*day, terminated(hr.DateOf(epoch.Add(69*day))))
	b.on(99*day, func() { assert.Equal(t, everywhere("off []"), b.states(), "kept as the configuration says") })
	b.live(102 * day)
	assert.Equal(t, everywhere("none"), b.states())
	assert.Contains(t, b.actions(), "wiki:retention_lapsed")
}

// A retention date that was set when another end was expected does not delete at once an
// account that is disabled long after that date.
func TestADateThatHadPassedBeforeAnAccountWasOffDeletesNothing(t *testing.T) {
	kept := func(t *testing.T) *biography {
		b := newBiography(t, testRules())
		b.hears(0, hired("Development"))
		b.keeps(day, "", epoch.Add(10*day), 0)
		return b
	}
	t.Run("terminated", func(t *testing.T) {
		b := kept(t)
		b.hears(60*day, terminated(hr.DateOf(epoch.Add(59*day))))
		b.on(60*day+time.Minute, func() { assert.Equal(t, everywhere("off []"), b.states()) })
		b.on(89*day, func() { assert.Equal(t, everywhere("off []"), b.states()) })
		b.live(91 * day)
		assert.Equal(t, everywhere("none"), b.states(), "kept as the configuration says")
	})
	t.Run("terminated as of a day before that date", func(t *testing.T) {
		b := kept(t)
		b.hears(60*day, terminated(hr.DateOf(epoch.Add(5*day))))
		b.on(60*day+time.Minute, func() { assert.Equal(t, everywhere("off []"), b.states()) })
		b.live(89 * day)
		assert.Equal(t, everywhere("off []"), b.states())
	})
	t.Run("moved", func(t *testing.T) {
		b := kept(t)
		b.hears(60*day, hr.Event{Type: hr.EventTransferred, Profile: profile("Sales")})
		b.on(60*day+time.Minute, func() { assert.Equal(t, "off []", b.state("wiki")) })
		b.live(89 * day)
		assert.Equal(t, "off []", b.state("wiki"))
	})
	t.Run("another date said since", func(t *testing.T) {
		b := kept(t)
		b.hears(60*day, terminated(hr.DateOf(epoch.Add(59*day))))
		b.keeps(61*day, "", epoch.Add(61*day), 0)
		b.live(61*day + time.Minute)
		assert.Equal(t, everywhere("none"), b.states(), "that counts")
	})
	t.Run("what was said of all counts where what was said of the app does not", func(t *testing.T) {
		b := newBiography(t, testRules())
		b.hears(0, hired("Development"))
		b.keeps(day, "wiki", epoch.Add(10*day), 0)
		b.keeps(day, "", time.Time{}, 90*day)
		b.hears(60*day, terminated(hr.DateOf(epoch.Add(59*day))))
		b.live(140 * day)
		assert.Equal(t, everywhere("off []"), b.states())
	})
}

func TestARehearsalKnowsHoldsApprovalsAndRetentions(t *testing.T) {
	b := newBiography(t, approving())
	leavesAt(b)
	b.holds(20*day, 100*day)
	b.keeps(21*day, "chat", epoch.Add(150*day), 0)
	b.on(22*day, func() {
		var deletions []string
		for _, c := range b.rehearse().Changes {
			deletions = append(deletions, c.At.Sub(epoch).String()+" "+c.App+" "+string(c.Do)+" "+c.Problem)
		}
		assert.ElementsMatch(t, []string{
			"2400h0m0s directory delete ", "3600h0m0s chat delete ", "2400h0m0s wiki delete an operator has to approve it (tenure deletion approve)",
		}, deletions)
	})
	b.live(23 * day)
}

// The operator who places a hold is told of such a call as of a deletion, because it is
// one.
func TestADisablingThatDestroysWithoutAnAnswerIsToldOf(t *testing.T) {
	b := fragile(t)
	b.hears(0, hired("Development"))
	for _, name := range []string{"wiki", "chat"} { // a disabled account in chat is kept
		b.apps[name].OnCall(func(_ context.Context, op, _ string) error {
			if op == connector.OpDelete || op == connector.OpDisable {
				return &connector.Error{Kind: connector.KindUnavailable, Op: op, Message: "no answer"}
			}
			return nil
		})
	}
	b.hears(day, terminated(hr.DateOf(epoch)))
	b.on(day+10*time.Second, func() {
		assert.Positive(t, b.apps["chat"].Calls(connector.OpDisable))
		held := ledger.Hold{PersonID: b.person, PlacedAt: b.now(), ExpiresAt: epoch.Add(9 * day), Operator: "counsel", Reason: "matter 42"}
		placed, err := b.ledger.PlaceHold(context.Background(), held)
		require.NoError(t, err)
		assert.Equal(t, []string{"wiki"}, placed.Deleting)
	})
	b.live(2 * day)
}

// A step that needed a human is done once the human has done it, without the call that
// would destroy the account.
func TestWhatAHumanTurnedOffIsNotDestroyedWhileSomebodyIsHeld(t *testing.T) {
	b := fragile(t)
	b.hears(0, hired("Development"))
	b.holds(day, 50*day)
	b.hears(10*day, terminated(hr.DateOf(epoch.Add(9*day))))
	b.on(10*day+time.Minute, func() {
		require.Equal(t, map[string]string{"wiki": provision.CodeSpared}, b.inAttention())
		account, ok := b.account("wiki")
		require.True(t, ok)
		inner := b.acts.Apps["wiki"].Connector.(destructive).Connector
		require.NoError(t, inner.Disable(context.Background(), account.ID))
	})
	b.live(49 * day)
	assert.Equal(t, "off []", b.state("wiki"))
	assert.Zero(t, b.apps["wiki"].Calls(connector.OpDelete))
	assert.Empty(t, b.inAttention())
}

// A step that spares the account only reads it, and asks a human.
func TestADisablingThatSparesTheAccountDestroysNothing(t *testing.T) {
	b := fragile(t)
	b.hears(0, hired("Development"))
	b.holds(day, 50*day)
	b.hears(10*day, terminated(hr.DateOf(epoch.Add(9*day))))
	looked := 0
	b.on(10*day-time.Minute, func() {
		b.apps["wiki"].OnCall(func(_ context.Context, op, _ string) error {
			if op == connector.OpRead {
				looked++
				placed, err := b.ledger.PlaceHold(context.Background(), ledger.Hold{
					PersonID: b.person, PlacedAt: b.now(), ExpiresAt: epoch.Add(60 * day), Operator: "counsel", Reason: "matter 43",
				})
				require.NoError(t, err)
				assert.Empty(t, placed.Deleting)
			}
			return nil
		})
	})
	b.live(11 * day)
	assert.Positive(t, looked)
	assert.Equal(t, "on [engineers]", b.state("wiki"))
}

// A deletion without an answer may still take effect: the operator who places a hold is
// told.
func TestADeletionWithoutAnAnswerIsToldOf(t *testing.T) {
	rules := testRules()
	rules.Leaver.Retain = 0
	b := newBiography(t, rules)
	b.hears(0, hired("Development"))
	b.apps["wiki"].OnCall(func(_ context.Context, op, _ string) error {
		if op == connector.OpDelete {
			return &connector.Error{Kind: connector.KindUnavailable, Op: op, Message: "no answer"}
		}
		return nil
	})
	b.hears(day, terminated(hr.DateOf(epoch)))
	b.on(day+10*time.Second, func() {
		placed, err := b.ledger.PlaceHold(context.Background(), ledger.Hold{
			PersonID: b.person, PlacedAt: b.now(), ExpiresAt: epoch.Add(9 * day), Operator: "counsel", Reason: "matter 42",
		})
		require.NoError(t, err)
		assert.Equal(t, []string{"wiki"}, placed.Deleting)
	})
	b.live(2 * day)
}
