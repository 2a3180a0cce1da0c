package connectortest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
)

// relabel gives an account another username, and then another person's ID. It stays the
// same account, and is found by its new keys.
func (s *suite) relabel(t *testing.T) {
	c := s.open(t)
	want := s.make(t, c, s.spec())
	other := s.make(t, c, s.spec())
	was, to := want, s.remember(s.spec())

	s.fails(t, c.Relabel(t.Context(), want.ID, connector.Label{Username: other.Username}), connector.OpRelabel, connector.KindExists)
	err := c.Relabel(t.Context(), want.ID, connector.Label{PersonID: to.PersonID, WasPersonID: other.ExternalID})
	s.fails(t, err, connector.OpRelabel, connector.KindConflict)
	assert.Equal(t, want, read(t, c, want.ID), "as it was")

	label := connector.Label{Username: to.Username}
	require.NoError(t, c.Relabel(t.Context(), want.ID, label))
	want.Username = read(t, c, want.ID).Username
	assert.NotEqual(t, was.Username, want.Username)
	assert.Equal(t, want, read(t, c, want.ID), "the username, and nothing else")

	label = connector.Label{PersonID: to.PersonID, WasPersonID: was.ExternalID}
	require.NoError(t, c.Relabel(t.Context(), want.ID, label))
	require.NoError(t, c.Relabel(t.Context(), want.ID, label), "again")
	want.ExternalID = to.PersonID
	assert.Equal(t, want, read(t, c, want.ID), "the external ID, and nothing else")

	assert.Empty(t, s.find(t, c, connector.Keys{PersonID: was.ExternalID, Username: was.Username}))
	for _, keys := range []connector.Keys{{PersonID: to.PersonID}, {Username: want.Username}} {
		matches := s.find(t, c, keys)
		require.Len(t, matches, 1)
		assert.Equal(t, want, matches[0].Account)
	}
}
