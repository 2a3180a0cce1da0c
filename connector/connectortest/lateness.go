package connectortest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
)

// settling looks at an account that was just made in an app whose answers lag. A connector that
// declares that they may says what the app says: it keeps no clock, and has to know the ID from
// the app's answer to the creation. One that does not declare it sees through the lag at once.
func (s *suite) settling(t *testing.T) {
	c := s.open(t)
	s.Faults.Lag(t)
	t.Cleanup(func() { s.Faults.Heal(t) })
	spec := s.remember(s.spec())
	made, err := c.Create(t.Context(), spec)
	require.NoError(t, err)
	require.NotEmpty(t, made.ID)

	declared := c.Capabilities().Settling > 0
	late := func(op string, err error) {
		if !declared {
			require.NoError(t, err, "%s: answers lag, and the connector does not declare it", op)
		}
		if err != nil && !connector.Is(err, connector.KindUnavailable, connector.KindContradictory) {
			s.fails(t, err, op, connector.KindNotFound)
		}
	}
	_, err = c.Read(t.Context(), made.ID)
	late(connector.OpRead, err)
	matches, err := c.Find(t.Context(), connector.Keys{PersonID: spec.PersonID, Username: spec.Username})
	late(connector.OpFind, err)
	assert.LessOrEqual(t, len(matches), 1)
	if !declared {
		keys, _ := s.keyOf(t, spec)
		require.Len(t, s.find(t, c, keys), 1, "answers lag, and the connector does not declare it")
	}
	for _, call := range s.changes(c, made.ID, made.ID, spec) {
		if call.op == connector.OpDisable || call.op == connector.OpUpdate || call.op == connector.OpGrant {
			late(call.op, call.do(t.Context()))
		}
	}

	s.Faults.Heal(t)
	assert.Equal(t, made.ID, read(t, c, made.ID).ID)
	assert.Len(t, s.find(t, c, connector.Keys{PersonID: spec.PersonID, Username: spec.Username}), 1)
}

// longOperation hands data over in an app that takes long over it. The call does not wait for
// the end: the error names the operation, and later calls follow that one, from any process.
func (s *suite) longOperation(t *testing.T) {
	c := s.open(t)
	from, to := s.make(t, c, s.spec()), s.make(t, c, s.spec())
	end := s.Faults.TakeLong(t)
	t.Cleanup(func() { s.Faults.Heal(t) })
	begun := s.failure(t, c.HandOver(t.Context(), from.ID, to.ID), connector.OpHandOver, connector.KindUnderway)
	require.NotEmpty(t, begun.Operation, "the error names the operation")
	assert.Positive(t, begun.RetryAfter, "the error says when to look again")

	ctx := connector.WithOperation(t.Context(), begun.Operation)
	for range 2 {
		later := s.failure(t, s.open(t).HandOver(ctx, from.ID, to.ID), connector.OpHandOver, connector.KindUnderway)
		assert.Equal(t, begun.Operation, later.Operation, "it is followed, and not begun again")
	}
	end()
	require.NoError(t, s.open(t).HandOver(ctx, from.ID, to.ID))
	require.NoError(t, s.open(t).HandOver(ctx, from.ID, to.ID), "again")
}
