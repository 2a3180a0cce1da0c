package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/provision"
)

// lateCreate lets the first call that creates an account in an app time out, and take
// effect at the given time after the epoch.
func (b *biography) lateCreate(app string, after time.Duration) {
	lost := false
	b.apps[app].OnCall(func(_ context.Context, op, _ string) error {
		if op != connector.OpCreate || lost {
			return nil
		}
		lost = true
		return &connector.Error{Kind: connector.KindUnavailable, Op: op, Message: "timed out"}
	})
	b.on(after, func() {
		b.apps[app].Put(connector.Account{Username: "alovelace", ExternalID: b.person, Active: true, Entitlements: []string{"staff"}})
	})
}

func TestACreateThatTakesEffectAfterTheTerminationIsUndone(t *testing.T) {
	b := newBiography(t, testRules())
	b.lateCreate("directory", 30*time.Second)
	b.hears(0, hired("Sales"))
	fired := terminated(hr.DateOf(epoch))
	fired.Termination.Urgency = hr.UrgencyImmediate
	b.hears(500*time.Millisecond, fired)
	b.on(40*time.Second, func() {
		require.Equal(t, "on [staff]", b.state("directory"), "the app has made the account after all")
	})
	b.live(10 * day)
	assert.Equal(t, "off []", b.state("directory"))
	links, err := b.ledger.Links(t.Context(), ledger.LinkFilter{PersonID: b.person, App: "directory"})
	require.NoError(t, err)
	assert.Equal(t, ledger.LinkDisabled, links[0].State)
	assert.Zero(t, links[0].DoubtUntil)
}

// If a call may have created an account, a look-up that finds nothing is no proof.
// Somebody who has left then counts as cut off only when the account has been seen and
// disabled, or when a human says that it does not exist.
func TestAnEmptyLookUpIsNoProof(t *testing.T) {
	for name, tc := range map[string]struct {
		kind    connector.ErrorKind
		witness bool // the app is seen to find by external ID
		left    bool // all whom it finds have left
		proven  bool
	}{
		"acknowledged, and not shown":                        {connector.KindContradictory, true, false, false},
		"there already, and not shown":                       {connector.KindExists, true, false, false},
		"no answer":                                          {connector.KindUnavailable, false, false, false},
		"no answer of an app that finds others":              {connector.KindUnavailable, true, false, true},
		"no answer of an app that finds those who have left": {connector.KindUnavailable, true, true, true},
		"refused":     {connector.KindInvalid, false, false, true},
		"not allowed": {connector.KindForbidden, false, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBiography(t, testRules())
			if !tc.witness || tc.left {
				b.apps["chat"].Reset()
			}
			if tc.left {
				b.addLinked("chat", "10002", "whoever", ledger.LinkDisabled)
			}
			b.apps["chat"].OnCall(func(_ context.Context, op, _ string) error {
				if op != connector.OpCreate {
					return nil
				}
				return &connector.Error{Kind: tc.kind, Op: op, Message: "no"}
			})
			b.hears(0, hired("Sales"))
			b.hears(time.Hour, terminated(hr.DateOf(epoch)))
			check := func() {
				links, err := b.ledger.Links(context.Background(), ledger.LinkFilter{PersonID: b.person, App: "chat"})
				require.NoError(t, err)
				if tc.proven {
					assert.Equal(t, ledger.LinkDeleted, links[0].State)
					assert.Empty(t, b.inAttention())
					return
				}
				assert.Equal(t, ledger.LinkPlanned, links[0].State)
				assert.Equal(t, map[string]string{"chat": provision.CodeUnproven}, b.inAttention())
			}
			b.on(2*day, check)
			b.live(5 * day)
			check()
		})
	}
}

func TestNothingIsThereOnceNothingCanCome(t *testing.T) {
	b := newBiography(t, testRules())
	b.lateCreate("directory", 100*day)
	b.hears(0, hired("Sales"))
	fired := terminated(hr.DateOf(epoch))
	fired.Termination.Urgency = hr.UrgencyImmediate
	b.hears(500*time.Millisecond, fired)
	b.live(10 * day)
	assert.Equal(t, "none", b.state("directory"))
	links, err := b.ledger.Links(t.Context(), ledger.LinkFilter{PersonID: b.person, App: "directory"})
	require.NoError(t, err)
	assert.Equal(t, ledger.LinkDeleted, links[0].State)
}
