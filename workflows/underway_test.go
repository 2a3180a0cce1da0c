package workflows_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/provision"
)

// comesAndGoes lets somebody be hired, and leave after a day.
func (b *biography) comesAndGoes() {
	b.hears(0, hired("Sales"))
	b.hears(day, terminated(hr.DateOf(epoch)))
}

// underway returns the operation in an app that one of the person's steps waits for.
func (b *biography) underway(app string) (ledger.Step, bool) {
	person, err := b.ledger.Person(context.Background(), b.person)
	require.NoError(b.t, err)
	for _, s := range person.Steps {
		if s.App == app && s.Underway.Call != "" {
			return s, true
		}
	}
	return ledger.Step{}, false
}

// looker is a ledger that tells of each outcome by which a step waits for an operation.
type looker struct {
	ledger.Ledger
	looked func(ledger.Outcome)
}

func (l looker) FinishStep(ctx context.Context, o ledger.Outcome) error {
	err := l.Ledger.FinishStep(ctx, o)
	if o.Underway.Call != "" {
		l.looked(o)
	}
	return err
}

// An operation that takes long is followed to its end by its name in the app, whatever
// becomes of the workers. Nothing that needs it is done before.
func TestAnOperationThatTakesLongIsFollowedToItsEnd(t *testing.T) {
	for op, kind := range map[string]string{
		connector.OpHandOver: "HandOver", connector.OpDelete: "Delete", connector.OpDisable: "Disable", connector.OpUpdate: "Update", connector.OpCreate: "Provision",
	} {
		t.Run(kind, func(t *testing.T) {
			rules := testRules()
			rules.Leaver.Retain = 2 * time.Hour
			b := newBiography(t, rules)
			b.apps["chat"].SetFaults(memory.Faults{Long: map[string]int{op: 8}})
			var looks []time.Time
			b.acts.Ledger = looker{b.ledger, func(o ledger.Outcome) {
				looks = append(looks, o.At)
				assert.Equal(t, kind, o.Kind)
				assert.Equal(t, op+"/1", o.Underway.Operation)
				assert.Equal(t, looks[0], o.Underway.Since)
				assert.Equal(t, ledger.StepOpen, o.State)
				assert.Contains(t, o.Message, "under way since 2026-11-0")
				s, ok := b.underway("chat")
				assert.True(t, ok)
				assert.Equal(t, o.Underway, s.Underway)
				if op == connector.OpHandOver {
					assert.NotEqual(t, "none", b.state("chat"), "not deleted before the data are moved")
				}
				// Another worker goes on with it.
				b.acts.Apps["chat"] = &provision.App{Connector: b.acts.Apps["chat"].Connector}
			}}
			promoted := profile("Sales")
			promoted.JobTitle = "Head"
			b.hears(12*time.Hour, hr.Event{Type: hr.EventUpdated, Profile: promoted})
			b.on(12*time.Hour-time.Second, func() { assert.Equal(t, "on []", b.state("chat")) })
			b.comesAndGoes()
			b.live(40 * day)
			require.Len(t, looks, 8, "it is looked at, and not waited for")
			for i, at := range looks[1:] {
				assert.GreaterOrEqual(t, at.Sub(looks[i]), time.Minute, "the app says when to look again")
			}
			assert.Equal(t, 1, b.apps["chat"].Begun())
			assert.Equal(t, map[string]string{"directory": "none", "chat": "none", "wiki": "none"}, b.states())
			assert.Empty(t, b.inAttention())
		})
	}
}

// What an app never ends is shown to an operator, with the name of the operation.
func TestAnOperationThatDoesNotEndNeedsAttention(t *testing.T) {
	b := newBiography(t, testRules())
	b.apps["chat"].SetFaults(memory.Faults{Long: map[string]int{connector.OpHandOver: -1}})
	b.comesAndGoes()
	b.on(day+20*time.Hour, func() { assert.Empty(t, b.inAttention()) })
	b.on(2*day+2*time.Hour, func() {
		assert.Equal(t, map[string]string{"chat": "underway"}, b.inAttention())
		s, ok := b.underway("chat")
		assert.True(t, ok)
		assert.Contains(t, s.Message, "operation hand_over/1")
	})
	b.on(3*day, func() { b.apps["chat"].SetFaults(memory.Faults{}) }) // it has come to its end
	b.live(90 * day)
	assert.Equal(t, 1, b.apps["chat"].Begun())
	assert.Equal(t, "none", b.state("chat"))
	assert.Empty(t, b.inAttention())
}

// Somebody who is to be cut off may have access while the app takes long over it, so that an
// operator hears of it as of any cut-off that fails.
func TestACutOffThatTakesLongNeedsAttentionSoon(t *testing.T) {
	b := newBiography(t, testRules())
	b.apps["chat"].SetFaults(memory.Faults{Long: map[string]int{connector.OpDisable: -1}})
	b.comesAndGoes()
	b.on(day+2*time.Hour, func() { assert.Equal(t, map[string]string{"chat": "underway"}, b.inAttention()) })
	b.on(day+3*time.Hour, func() { b.apps["chat"].SetFaults(memory.Faults{}) })
	b.live(2 * day)
	assert.Contains(t, b.state("chat"), "off")
	assert.Empty(t, b.inAttention())
}

// An operation that the app says has failed is begun again, and one whose state it could not
// tell is not.
func TestAnOperationThatFailedIsBegunAgain(t *testing.T) {
	for kind, begun := range map[connector.ErrorKind]int{connector.KindInvalid: 2, connector.KindUnavailable: 1} {
		t.Run(string(kind), func(t *testing.T) {
			b := newBiography(t, testRules())
			chat := b.apps["chat"]
			chat.SetFaults(memory.Faults{Long: map[string]int{connector.OpHandOver: 3}})
			chat.OnCall(func(ctx context.Context, op, _ string) error {
				if op == connector.OpHandOver && strings.HasSuffix(connector.OperationOf(ctx), "/1") && chat.Calls(op) == 2 {
					return &connector.Error{Kind: kind, Op: op, Message: "no"}
				}
				return nil
			})
			b.comesAndGoes()
			b.live(90 * day)
			assert.Equal(t, begun, chat.Begun())
			assert.Equal(t, "none", b.state("chat"))
			assert.Empty(t, b.inAttention())
		})
	}
}

// An operation of a step that nobody wants any more is forgotten, which is on the record: the
// app may complete it all the same. What is planned later begins its own.
func TestAnOperationThatNobodyWantsIsForgottenOnTheRecord(t *testing.T) {
	for name, again := range map[string]bool{"stays": false, "leaves again": true} {
		t.Run(name, func(t *testing.T) {
			b := newBiography(t, testRules())
			chat := b.apps["chat"]
			chat.SetFaults(memory.Faults{Long: map[string]int{connector.OpHandOver: 300}})
			b.comesAndGoes()
			b.on(day+time.Hour, func() {
				_, ok := b.underway("chat")
				assert.True(t, ok)
			})
			back := profile("Sales")
			back.StartDate = hr.DateOf(epoch.Add(day))
			b.hears(day+2*time.Hour, hr.Event{Type: hr.EventRehired, Profile: back})
			b.on(day+4*time.Hour, func() {
				_, ok := b.underway("chat")
				assert.False(t, ok)
				assert.Equal(t, "on []", b.state("chat"))
				assert.Contains(t, b.actions(), "chat:left_underway")
				chat.SetFaults(memory.Faults{Long: map[string]int{connector.OpHandOver: 3}})
			})
			if again {
				b.hears(3*day, terminated(hr.DateOf(epoch.Add(2*day))))
			}
			b.live(90 * day)
			assert.Equal(t, map[bool]int{false: 1, true: 2}[again], chat.Begun())
			assert.Equal(t, map[bool]string{false: "on []", true: "none"}[again], b.state("chat"))
			assert.Empty(t, b.inAttention())
		})
	}
}

// A look that comes to nothing leaves an operation that is known, and is none that has failed for
// as long as the operation takes.
func TestALookThatIsLostForgetsNoOperation(t *testing.T) {
	b := newBiography(t, testRules())
	chat := b.apps["chat"]
	chat.SetFaults(memory.Faults{Long: map[string]int{connector.OpHandOver: 20}})
	b.acts.Ledger = looker{b.ledger, func(o ledger.Outcome) {
		assert.Equal(t, ledger.StepOpen, o.State, "it has not failed for longer than since the last look")
	}}
	lost := 0
	chat.OnCall(func(_ context.Context, op, _ string) error {
		if op == connector.OpHandOver && chat.Calls(op)%2 == 0 {
			lost++
			return errors.New("no answer")
		}
		return nil
	})
	b.comesAndGoes()
	b.live(90 * day)
	assert.Equal(t, 1, chat.Begun())
	assert.Positive(t, lost)
	assert.Equal(t, "none", b.state("chat"))
	assert.Empty(t, b.inAttention())
}
