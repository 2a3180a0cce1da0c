package connectortest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
)

// fixture creates two accounts, and returns the first and every call that can be made
// for it.
func (s *suite) fixture(t *testing.T) (c connector.Connector, made connector.Account, calls []call) {
	t.Helper()
	c = s.open(t)
	spec := s.spec()
	made = s.make(t, c, spec)
	return c, made, s.calls(c, made.ID, s.make(t, c, s.spec()).ID, spec)
}

func (s *suite) cancelled(t *testing.T) {
	c, made, calls := s.fixture(t)
	before := read(t, c, made.ID)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, call := range calls {
		err := call.do(ctx)
		s.fails(t, err, call.op, connector.KindUnavailable)
		assert.ErrorIs(t, err, context.Canceled, call.op)
	}
	assert.Equal(t, before, read(t, c, made.ID), "a cancelled call changes nothing")
}

func (s *suite) stalled(t *testing.T) {
	_, _, calls := s.fixture(t)
	s.Faults.Stall(t)
	defer s.Faults.Heal(t)
	for _, call := range calls {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		began := time.Now()
		err := call.do(ctx)
		cancel()
		s.fails(t, err, call.op, connector.KindUnavailable)
		require.ErrorIs(t, err, context.DeadlineExceeded, call.op)
		assert.Less(t, time.Since(began), 5*time.Second, "%s does not heed its context", call.op)
	}
}

// failedAfterApply has the app make each change and then report that it failed. The
// caller looks, or repeats the call: either way the change is made once.
func (s *suite) failedAfterApply(t *testing.T) {
	c := s.open(t)
	defer s.Faults.Heal(t)
	spec := s.spec()

	s.Faults.FailAfterApply(t)
	_, err := c.Create(t.Context(), spec)
	failed := s.failure(t, err, connector.OpCreate, connector.KindUnavailable)
	assert.True(t, failed.Kind.Retryable())
	matches := s.find(t, c, connector.Keys{PersonID: spec.PersonID, Username: spec.Username})
	require.Len(t, matches, 1, "the account is there all the same")
	_, by := s.keyOf(t, spec)
	if s.can().MarksLater {
		by = connector.ByUsername
	}
	assert.Equal(t, by, matches[0].By)
	_, err = c.Create(t.Context(), spec)
	s.fails(t, err, connector.OpCreate, connector.KindExists)

	made, other := matches[0].Account, s.make(t, c, s.spec())
	if !made.Active { // Create broke off before it enabled the account: callers enable it
		require.NoError(t, c.Enable(t.Context(), made.ID))
	}
	if s.hasAttributes() {
		spec.Attributes[s.Attributes[0]] = "after all"
	}
	for _, change := range s.changes(c, made.ID, other.ID, s.remember(spec)) {
		if change.op == connector.OpAdopt || change.op == connector.OpRestore {
			continue // the account is the person's already, and not deleted: the call changes nothing, so that nothing fails
		}
		s.Faults.FailAfterApply(t)
		s.fails(t, change.do(t.Context()), change.op, connector.KindUnavailable)
		require.NoError(t, change.do(t.Context()), "%s again", change.op)
	}
	if s.can().Delete {
		_, err := c.Read(t.Context(), made.ID)
		s.fails(t, err, connector.OpRead, connector.KindNotFound)
	}
	if s.can().Adopt {
		s.adoptionFailedAfterApply(t, c)
	}
}

func (s *suite) adoptionFailedAfterApply(t *testing.T, c connector.Connector) {
	spec := s.spec()
	person := spec.PersonID
	spec.PersonID = ""
	made := s.make(t, c, spec)
	s.Faults.FailAfterApply(t)
	s.fails(t, c.Adopt(t.Context(), made.ID, person), connector.OpAdopt, connector.KindUnavailable)
	require.NoError(t, c.Adopt(t.Context(), made.ID, person), "again")
	assert.Len(t, s.find(t, c, connector.Keys{PersonID: person}), 1)
}

func (s *suite) unauthorized(t *testing.T) {
	c, made, calls := s.fixture(t)
	s.Faults.Unauthorize(t)
	for _, call := range calls {
		failed := s.failure(t, call.do(t.Context()), call.op, connector.KindUnauthorized)
		assert.False(t, failed.Kind.Retryable())
	}
	s.Faults.Heal(t)
	assert.Equal(t, made.ID, read(t, c, made.ID).ID, "nothing was done")
}

// astray has a proxy answer in place of the app. Its 404 is no proof that anything is not there.
func (s *suite) astray(t *testing.T) {
	c, made, calls := s.fixture(t)
	before := read(t, c, made.ID)
	s.Faults.Stray(t)
	for _, call := range calls {
		s.fails(t, call.do(t.Context()), call.op, connector.KindUnavailable)
	}
	s.Faults.Heal(t)
	assert.Equal(t, before, read(t, c, made.ID), "nothing was done")
}

func (s *suite) refused(t *testing.T) {
	s.refusedFor(t, 0, 0, s.Faults.Refuse)
	s.refusedFor(t, 7*time.Second, 0, s.Faults.Refuse)
}

func (s *suite) refusedUntil(t *testing.T) {
	// The slack is for dates: they have whole seconds, and time passes until one is read.
	s.refusedFor(t, 90*time.Second, 5*time.Second, s.Faults.RefuseUntil)
}

func (s *suite) refusedFor(t *testing.T, span, slack time.Duration, refuse func(*testing.T, connector.ErrorKind, time.Duration)) {
	for _, kind := range []connector.ErrorKind{connector.KindUnavailable, connector.KindRateLimited} {
		t.Run(string(kind)+" "+span.String(), func(t *testing.T) {
			c, made, calls := s.fixture(t)
			before := read(t, c, made.ID)
			refuse(t, kind, span)
			want := span
			if kind == connector.KindRateLimited && span == 0 {
				want = s.Wait
			}
			for _, call := range calls {
				failed := s.failure(t, call.do(t.Context()), call.op, kind)
				assert.InDelta(t, want, failed.RetryAfter, float64(slack), "%s: RetryAfter", call.op)
				assert.True(t, failed.Kind.Retryable())
			}
			s.Faults.Heal(t)
			assert.Equal(t, before, read(t, c, made.ID), "nothing was done")
		})
	}
}
