package scale

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// A sweep finds nothing due of copied people, also after their runs have looked at them.
func TestCopiesHaveSeenTheirEvents(t *testing.T) {
	const people = 30
	s, err := newStore(t.Context(), t.TempDir(), "", people)
	require.NoError(t, err)
	h, _, err := s.fill(t.Context(), people, func(string, ...any) {})
	require.NoError(t, err)
	require.NoError(t, s.with(t.Context(), func(l ledger.Ledger) error {
		asleep := 0
		for p, err := range ledger.AllPeople(t.Context(), l, "") {
			require.NoError(t, err)
			whole, err := l.Person(t.Context(), p.PersonID)
			require.NoError(t, err)
			require.NotEmpty(t, whole.Events, p.PersonID)
			assert.Equal(t, whole.Events[len(whole.Events)-1].Seq, p.LastSeq, p.PersonID)
			if !strings.HasPrefix(p.PersonID, leaverMark[:1]) {
				continue
			}
			a, err := h.on(l).engine.Assess(t.Context(), p.PersonID)
			require.NoError(t, err)
			assert.Empty(t, a.Todo, p.PersonID)
			asleep++
		}
		assert.Equal(t, people/familySize*leavers, asleep)
		due, err := l.Due(t.Context(), time.Now(), people)
		assert.Empty(t, due)
		return err
	}))
}
