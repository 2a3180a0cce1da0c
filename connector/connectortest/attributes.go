package connectortest

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
)

// dropped reads the account and returns the names of the attributes that it does not show
// as set.
func (s *suite) dropped(t *testing.T, c connector.Connector, accountID string, set map[string]any) []string {
	t.Helper()
	names, err := connector.Dropped(t.Context(), c, read(t, c, accountID), set)
	require.NoError(t, err)
	return names
}

// shownAttributes checks that connector.Dropped tells attributes that were set from those
// that were not. Proofs of steps rely on it.
func (s *suite) shownAttributes(t *testing.T) {
	c := s.open(t)
	spec := s.spec()
	made := s.make(t, c, spec)
	first, second := s.Attributes[0], s.Attributes[1]

	assert.Empty(t, s.dropped(t, c, made.ID, spec.Attributes))
	assert.Equal(t, []string{first}, s.dropped(t, c, made.ID, map[string]any{first: "Another", second: spec.Attributes[second]}), "another value")
	assert.Equal(t, []string{first}, s.dropped(t, c, made.ID, map[string]any{first: ""}), "one that was to be cleared")

	lacking := s.spec()
	delete(lacking.Attributes, second)
	bare := s.make(t, c, lacking)
	assert.Equal(t, []string{second}, s.dropped(t, c, bare.ID, map[string]any{second: "Missing"}), "one that is not there")
	assert.Empty(t, s.dropped(t, c, bare.ID, map[string]any{second: ""}), "nothing, as wanted")

	if s.can().Update {
		changed := map[string]any{first: "Changed", second: ""}
		require.NoError(t, c.Update(t.Context(), made.ID, changed))
		assert.Empty(t, s.dropped(t, c, made.ID, changed), "set and cleared by an update")
	}
}

// droppedAttributes has the app lose an attribute, and checks that this is noticed: only
// Read counts, not the account that Create returned or the values sent to Update.
func (s *suite) droppedAttributes(t *testing.T) {
	c := s.open(t)
	first, second := s.Attributes[0], s.Attributes[1]
	s.Faults.Drop(t, second)
	t.Cleanup(func() { s.Faults.Heal(t) })
	spec := s.spec()
	made := s.make(t, c, spec)
	assert.Equal(t, []string{second}, s.dropped(t, c, made.ID, spec.Attributes))

	if !s.can().Update {
		return
	}
	changed := maps.Clone(spec.Attributes)
	changed[first], changed[second] = "Changed", "Changed"
	require.NoError(t, c.Update(t.Context(), made.ID, changed))
	assert.Equal(t, []string{second}, s.dropped(t, c, made.ID, changed))
	s.Faults.Heal(t)
	require.NoError(t, c.Update(t.Context(), made.ID, changed))
	assert.Empty(t, s.dropped(t, c, made.ID, changed), "kept again")
}
