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

// doubting has the mail accept each call of an operation by a second request, since the outcome of
// the first was not known.
func (o *office) doubting(doubted string, hidden *bool) {
	o.memory.OnCall(func(ctx context.Context, op, _ string) error {
		switch {
		case op == doubted:
			connector.DoubtsOf(ctx)()
		case op == connector.OpRead && *hidden:
			return gone(op)
		}
		return nil
	})
}

// TestWhatWasSentAgainMayComeLate: the first of two requests may yet be carried out, after what it
// gave was taken. So somebody who is cut off meanwhile is looked at once more when it cannot be any
// more, and nothing counts as taken before.
func TestWhatWasSentAgainMayComeLate(t *testing.T) {
	for name, doubted := range map[string]string{"doubted": connector.OpGrant, "not doubted": ""} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			settling := 10 * time.Second
			o.engine.Apps["mail"].Settling = &settling
			o.doubting(doubted, new(bool))
			o.hear(hr.EventHired)
			require.NoError(t, o.settle())
			assert.Equal(t, []string{"staff"}, o.link().Entitlements, "it is proven all the same")
			assert.Equal(t, 1, o.memory.Calls(connector.OpGrant))
			assert.Equal(t, doubted != "", o.link().GaveAt.After(o.now), "until when it may be given once more")

			o.now = o.now.Add(settling)
			o.hear(hr.EventTerminated)
			err := o.settle()
			assert.Equal(t, doubted == "", err == nil, "whether all counts as taken: %v", err)
			assert.Equal(t, doubted == "", o.link().DoubtUntil.IsZero(), "whether the account is not looked at again")
			account, _ := o.memory.Account(o.link().AccountID)
			assert.False(t, account.Active)
			assert.Empty(t, account.Entitlements)

			for over := o.now.Add(time.Hour); o.link().StrippedAt.IsZero(); o.now = o.now.Add(settling) {
				require.True(t, o.now.Before(over), "it is over some time")
				_ = o.settle() // fails until then
			}
			assert.True(t, o.link().DoubtUntil.IsZero())
		})
	}
}

// TestWhatWasSentAgainIsAccepted: the app has answered in the end, so that what shows late is looked
// at, and not done again.
func TestWhatWasSentAgainIsAccepted(t *testing.T) {
	o := newOffice(t)
	settling, hidden := 10*time.Second, true
	o.engine.Apps["mail"].Settling = &settling
	o.doubting(connector.OpGrant, &hidden)
	o.hear(hr.EventHired)
	require.Error(t, o.settle(), "the app does not show the account yet")
	o.now, hidden = o.now.Add(2*time.Second), false
	require.NoError(t, o.settle())
	assert.Equal(t, 1, o.memory.Calls(connector.OpGrant))
	assert.Equal(t, 1, o.memory.Calls(connector.OpCreate))
	assert.Zero(t, o.memory.Calls(connector.OpUpdate))
	assert.Equal(t, 2, o.memory.Calls(connector.OpRead))
}

// TestACallThatFailsAfterADoubtIsNotAnswered: one of its requests may yet be carried out, whatever
// the app says of the next one.
func TestACallThatFailsAfterADoubtIsNotAnswered(t *testing.T) {
	for _, kind := range []connector.ErrorKind{connector.KindRateLimited, connector.KindInvalid, connector.KindUnavailable} {
		t.Run(string(kind), func(t *testing.T) {
			o := newOffice(t)
			settling := 10 * time.Second
			o.engine.Apps["mail"].Settling = &settling
			failing := true
			o.memory.OnCall(func(ctx context.Context, op, _ string) error {
				if op != connector.OpGrant || !failing {
					return nil
				}
				connector.DoubtsOf(ctx)()
				return &connector.Error{Kind: kind, Op: op, Message: "no"}
			})
			o.hear(hr.EventHired)
			require.Error(t, o.settle())
			assert.True(t, o.link().GaveAt.After(o.now), "what may be given yet")
			failing = false
			o.now = o.now.Add(settling)
			o.hear(hr.EventTerminated)
			require.Error(t, o.settle())
			assert.False(t, o.link().DoubtUntil.IsZero(), "the account is looked at again")
		})
	}
}

// TestAnAccountMayBeTurnedOnByARequestBeforeTheOneThatIsRefused.
func TestAnAccountMayBeTurnedOnByARequestBeforeTheOneThatIsRefused(t *testing.T) {
	for name, doubted := range map[string]bool{"doubted": true, "not doubted": false} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.hear(hr.EventHired)
			require.NoError(t, o.settle())
			o.now = o.now.Add(2 * day)
			o.hear(hr.EventTerminated)
			require.NoError(t, o.settle())
			o.memory.OnCall(func(ctx context.Context, op, _ string) error {
				if op != connector.OpEnable {
					return nil
				}
				if doubted {
					connector.DoubtsOf(ctx)()
				}
				return &connector.Error{Kind: connector.KindRateLimited, Op: op, Message: "too often"}
			})
			o.now = o.now.Add(day)
			o.hear(hr.EventRehired)
			require.Error(t, o.settle())
			assert.Equal(t, doubted, o.link().GaveAt.After(o.now), "what may be given yet")
			assert.Equal(t, doubted, o.link().ChangedAt.After(o.now))
			assert.Equal(t, doubted, o.link().Unsure.State)
		})
	}
}

// TestALookThatLacksSomethingProvesNothing: it needs the account no further, and what the app has
// accepted is not done again.
func TestALookThatLacksSomethingProvesNothing(t *testing.T) {
	o := newOfficeThatNarrows(t)
	settling, lacks := 10*time.Second, true
	o.engine.Apps["mail"].Settling = &settling
	var expected [][]string
	o.memory.OnCall(func(ctx context.Context, op, _ string) error {
		if op != connector.OpRead {
			return nil
		}
		expected = append(expected, connector.ExpectedIn(ctx))
		if lacks {
			return connector.Lacking(op)
		}
		return nil
	})
	o.hear(hr.EventHired)
	require.Error(t, o.settle())
	o.now, lacks = o.now.Add(2*time.Second), false
	require.NoError(t, o.settle())
	assert.Equal(t, 1, o.memory.Calls(connector.OpGrant))
	has := o.link().Entitlements
	assert.Equal(t, has, expected[0])

	o.now, lacks, expected = o.now.Add(day), true, nil
	o.hear(hr.EventTransferred)
	waits := provision.ErrorOf(o.settle())
	assert.Positive(t, waits.Settles, "it is accepted, and shows late")
	assert.Equal(t, has, o.link().Entitlements, "nothing is proven")
	grants := o.memory.Calls(connector.OpGrant)
	o.now, lacks = o.now.Add(2*settling), false
	require.NoError(t, o.settle())
	assert.Equal(t, grants, o.memory.Calls(connector.OpGrant))
	assert.Equal(t, []string{"clerks", "staff"}, o.link().Entitlements)
	assert.Equal(t, []string{"clerks", "staff"}, expected[0])
}
