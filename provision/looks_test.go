package provision_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/provision"
)

// What an app has accepted and shows late is looked at again, once for each look, and not done
// again.
func TestWhatShowsLateIsLookedAtOnly(t *testing.T) {
	o := newOffice(t)
	settling := 10 * time.Second
	o.engine.Apps["mail"].Settling = &settling
	hidden := true
	o.memory.OnCall(func(_ context.Context, op, _ string) error {
		if op == connector.OpRead && hidden {
			return gone(op)
		}
		return nil
	})
	calls := func() map[string]int {
		some := map[string]int{}
		for _, op := range []string{
			connector.OpFind, connector.OpCreate, connector.OpUpdate, connector.OpEnable, connector.OpGrant, connector.OpRead,
			connector.OpDisable, connector.OpRevoke, connector.OpDelete,
		} {
			if n := o.memory.Calls(op); n > 0 {
				some[op] = n
			}
		}
		return some
	}
	o.hear(hr.EventHired)
	require.Error(t, o.settle(), "the app does not show the account yet")
	made := map[string]int{connector.OpFind: 1, connector.OpCreate: 1, connector.OpGrant: 1, connector.OpRead: 1}
	assert.Equal(t, made, calls())
	o.now, hidden = o.now.Add(2*time.Second), false
	require.NoError(t, o.settle())
	made[connector.OpRead]++
	assert.Equal(t, made, calls(), "one more look")
	require.Equal(t, []string{"staff"}, o.link().Entitlements)

	o.now = o.now.Add(time.Second)
	o.hear(hr.EventTerminated)
	require.Error(t, o.settle(), "what was just given may show late")
	made[connector.OpDisable], made[connector.OpRevoke] = 1, 1
	made[connector.OpRead] += 3 // as proof of the one, and before and after the other
	assert.Equal(t, made, calls())
	o.now = o.now.Add(settling)
	require.NoError(t, o.settle())
	made[connector.OpRead]++
	assert.Equal(t, made, calls(), "one more look")
	assert.False(t, o.link().StrippedAt.IsZero())
}

// What is taken too early for the app to know that it was given shows in the end, and is taken
// again.
func TestWhatShowsAfterItWasTakenIsTakenAgain(t *testing.T) {
	o := newOffice(t)
	settling := 10 * time.Second
	o.engine.Apps["mail"].Settling = &settling
	o.hear(hr.EventHired)
	require.NoError(t, o.settle())
	id := o.link().AccountID
	had, _ := o.memory.Account(id)
	o.now = o.now.Add(time.Second)
	o.hear(hr.EventTerminated)
	require.Error(t, o.settle())
	late, _ := o.memory.Account(id)
	require.Empty(t, late.Entitlements)
	require.NoError(t, o.mail.Grant(t.Context(), id, had.Entitlements), "it comes to light")
	o.now = o.now.Add(settling)
	require.Error(t, o.settle(), "it is seen")
	o.now = o.now.Add(settling)
	require.NoError(t, o.settle())
	stripped, _ := o.memory.Account(id)
	assert.Empty(t, stripped.Entitlements)
}

// stale is an app that shows an account as it was, if old is set.
type stale struct {
	*bin
	old *connector.Account
}

func (s *stale) Read(ctx context.Context, id string) (connector.Account, error) {
	account, err := s.bin.Read(ctx, id)
	if err == nil && s.old != nil {
		return *s.old, nil
	}
	return account, err
}

// Whoever moves is given something and loses something else by one step. If that does not show at
// once, it is looked at once more, as soon as a look can prove what was taken.
func TestWhatIsTakenIsLookedAtWhenThatProvesIt(t *testing.T) {
	o := newOfficeThatNarrows(t)
	settling := 10 * time.Minute
	app := &stale{bin: o.mail}
	o.engine.Apps["mail"] = &provision.App{Connector: app, Settling: &settling}
	o.hear(hr.EventHired)
	require.NoError(t, o.settle())
	o.now = o.now.Add(day)
	old := o.account(o.link().AccountID)
	app.old = &old
	count := func() [3]int {
		return [3]int{o.memory.Calls(connector.OpGrant), o.memory.Calls(connector.OpRevoke), o.memory.Calls(connector.OpRead)}
	}
	before := count()
	o.hear(hr.EventTransferred)
	var waits *provision.Error
	require.ErrorAs(t, o.settle(), &waits)
	assert.True(t, waits.Retryable)
	assert.Positive(t, waits.Settles)
	assert.GreaterOrEqual(t, waits.RetryAfter, settling, "no look before it proves anything")
	assert.Equal(t, []string{"clerks", "staff"}, o.account(old.ID).Entitlements, "it is done")
	o.now, app.old = o.now.Add(waits.RetryAfter), nil
	require.NoError(t, o.settle())
	after := count()
	assert.Equal(t, [3]int{1, 1, 2}, [3]int{after[0] - before[0], after[1] - before[1], after[2] - before[2]}, "given and taken once, and looked at twice")
	assert.Equal(t, []string{"clerks", "staff"}, o.link().Entitlements)
}

// A creation without an answer is waited for until it can take effect no more. It seldom does so
// late: the looks become rarer.
func TestWhatMayStillBeMadeIsLookedForLessAndLess(t *testing.T) {
	o := newOffice(t)
	settling := 10 * time.Second
	o.engine.Apps["mail"].Settling = &settling
	o.memory.OnCall(func(_ context.Context, op, _ string) error {
		if op == connector.OpCreate && o.memory.Calls(op) == 1 {
			return &connector.Error{Kind: connector.KindUnavailable, Op: op, Message: "no answer"}
		}
		return nil
	})
	o.hear(hr.EventHired)
	begun := o.now
	var err error
	for err = o.settle(); err != nil; err = o.settle() {
		o.now = o.now.Add(max(provision.ErrorOf(err).RetryAfter, time.Second))
		require.Less(t, o.now.Sub(begun), time.Hour)
	}
	waited := o.now.Sub(begun)
	assert.Greater(t, waited, 30*time.Second)
	assert.Equal(t, 2, o.memory.Calls(connector.OpCreate))
	assert.LessOrEqual(t, o.memory.Calls(connector.OpFind), 10, "looks in %s", waited)
}

// A step that waited three hours in a queue has not failed for so long, unless it cuts somebody
// off: they still have access.
func TestAllTheTimeForWhichACutOffFailsCounts(t *testing.T) {
	o := newOffice(t)
	failing := connector.OpCreate
	o.memory.OnCall(func(_ context.Context, op, _ string) error {
		if op != failing {
			return nil
		}
		return &connector.Error{Kind: connector.KindUnavailable, Op: op, Message: "busy", Declined: true}
	})
	final := func() bool { return provision.ErrorOf(o.settle()).Final }
	o.hear(hr.EventHired)
	assert.False(t, final())
	o.now = o.now.Add(3 * time.Hour)
	assert.False(t, final())
	failing = ""
	o.now = o.now.Add(time.Minute)
	require.NoError(t, o.settle())

	failing = connector.OpDisable
	o.hear(hr.EventTerminated)
	assert.False(t, final())
	o.now = o.now.Add(3 * time.Hour)
	assert.True(t, final(), "needs attention")
}
