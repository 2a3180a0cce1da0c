package story

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// On a busy machine a beat comes some days later. Dates that HR speaks of in advance come later,
// too, each once; those that are over stay, and what was told before is as it was.
func TestWhatHRSaysInAdvanceMovesWithTheStory(t *testing.T) {
	for _, b := range Script() {
		moved := b.later(3)
		assert.InDelta(t, b.Day+3, moved.Day, 0.001)
		today := day(int(b.Day))
		for i, e := range b.Events {
			want := e.Effective
			if e.Effective.Compare(today) >= 0 {
				want = want.AddDays(3)
			}
			assert.Equal(t, want, moved.Events[i].Effective, e.ID)
			if e.Termination != nil && e.Termination.LastDay.Compare(today) >= 0 {
				assert.Equal(t, e.Termination.LastDay.AddDays(3), moved.Events[i].Termination.LastDay, e.ID)
			}
			if p := e.Profile; p != nil && !p.EndDate.IsZero() && p.EndDate.Compare(today) >= 0 {
				assert.Equal(t, p.EndDate.AddDays(3), moved.Events[i].Profile.EndDate, e.ID)
			}
			if p := e.Profile; p != nil && p.StartDate.Compare(today) < 0 {
				assert.Equal(t, p.StartDate, moved.Events[i].Profile.StartDate, e.ID)
			}
		}
	}
}
