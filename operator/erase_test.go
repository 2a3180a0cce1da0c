package operator_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/erase"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
)

// left makes somebody who left a month ago, and who has nothing.
func (s *site) left(t *testing.T, id string) {
	t.Helper()
	began := now.AddDate(-1, 0, 0)
	ended := hr.DateOf(now.AddDate(0, -1, 0))
	_, err := s.ledger.Record(t.Context(), []ledger.Received{
		{At: began, Event: hr.Event{
			EventKey: hr.EventKey{Source: "/hr", ID: "hired-" + id}, Type: hr.EventHired, PersonID: id, Recorded: began, Effective: hr.DateOf(began),
			Profile: &hr.Profile{Type: hr.TypeEmployee, GivenName: "Eva", FamilyName: "Lu-Ator", StartDate: hr.DateOf(began), Location: hr.Location{TimeZone: "UTC"}},
		}},
		{At: began, Event: hr.Event{
			EventKey: hr.EventKey{Source: "/hr", ID: "left-" + id}, Type: hr.EventTerminated, PersonID: id, Recorded: began, Effective: ended,
			Termination: &hr.Termination{LastDay: ended},
		}},
	})
	require.NoError(t, err)
	p, err := s.ledger.Person(t.Context(), id)
	require.NoError(t, err)
	p.Status, p.AssessedAt, p.DueAt, p.DueWhat = hr.StatusEnded, now, time.Time{}, ""
	p.GivenName, p.FamilyName = "Eva", "Lu-Ator"
	require.NoError(t, s.ledger.SaveAssessment(t.Context(), ledger.Assessment{Summary: p.Summary}))
}

func TestWhatStandsAgainstAnErasureIsSaidAndStopsIt(t *testing.T) {
	s := newSite(t)
	s.ledger.(interface{ SetPepper(pepper []byte) }).SetPepper([]byte("a pepper"))
	s.left(t, "eva")
	kinds := func(e operator.Erasing) (kinds []ledger.ObstacleKind) {
		for _, o := range e.Against {
			assert.NotContains(t, erase.Sentence(o, "eva"), "%!")
			kinds = append(kinds, o.What)
		}
		return kinds
	}
	for _, c := range []struct {
		person string
		terms  erase.Terms
		want   []ledger.ObstacleKind
	}{
		{"eva", erase.Terms{Keep: 40 * 24 * time.Hour}, []ledger.ObstacleKind{ledger.ObstacleKept}},
		{"eva", erase.Terms{Keep: 20 * 24 * time.Hour}, nil},
		{"eva", erase.Terms{}, nil},
	} {
		shown, err := s.MayErase(t.Context(), c.terms, c.person)
		require.NoError(t, err)
		assert.Equal(t, c.want, kinds(shown))
	}
	shown, err := s.MayErase(t.Context(), erase.Terms{}, "ada")
	require.NoError(t, err)
	assert.Contains(t, kinds(shown), ledger.ObstacleEmployed)

	refused, err := s.Erase(t.Context(), asks, erase.Terms{Keep: 40 * 24 * time.Hour}, "eva")
	require.NoError(t, err)
	assert.False(t, refused.Applied)
	assert.Equal(t, []ledger.ObstacleKind{ledger.ObstacleKept}, kinds(refused))
	p, err := s.ledger.Person(t.Context(), "eva")
	require.NoError(t, err)
	assert.Zero(t, p.ErasedAt)

	_, err = s.PlaceHold(t.Context(), earlier, "eva", now.Add(time.Hour))
	require.NoError(t, err)
	refused, err = s.Erase(t.Context(), asks, erase.Terms{}, "eva")
	require.NoError(t, err)
	assert.Contains(t, kinds(refused), ledger.ObstacleHold)
	assert.False(t, refused.Applied)
}

func TestErasingAgainOnlyScrubs(t *testing.T) {
	s := newSite(t)
	s.ledger.(interface{ SetPepper(pepper []byte) }).SetPepper([]byte("a pepper"))
	s.left(t, "eva")
	first, err := s.Erase(t.Context(), asks, erase.Terms{}, "eva")
	require.NoError(t, err)
	require.True(t, first.Applied)
	require.NoError(t, first.Unscrubbed)
	again, err := s.Erase(t.Context(), asks, erase.Terms{}, "eva")
	require.NoError(t, err)
	assert.True(t, again.Erased.Again)
	assert.Equal(t, first.Erased.Seq, again.Erased.Seq)
	_, data, err := s.Data(t.Context(), "eva")
	require.NoError(t, err)
	text, err := json.Marshal(data)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "Lu-Ator")
}
