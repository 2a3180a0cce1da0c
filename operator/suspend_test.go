package operator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// Whether a worker has seen a suspension does not depend on its clock, which may be
// behind.
func TestASuspensionIsSeenWhateverTheClocksSay(t *testing.T) {
	before := ledger.Summary{Status: hr.StatusActive, AssessedAt: time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)}
	after := func(status hr.Status, later time.Duration) ledger.Summary {
		return ledger.Summary{Status: status, AssessedAt: before.AssessedAt.Add(later)}
	}
	suspend := Secured{Event: hr.Event{Type: hr.EventSuspended}, before: before}
	assert.False(t, suspend.seen(before))
	assert.False(t, suspend.seen(after(hr.StatusActive, time.Second)))
	assert.True(t, suspend.seen(after(hr.StatusSuspended, time.Second)))
	assert.True(t, suspend.seen(after(hr.StatusSuspended, -time.Hour)), "a worker whose clock is behind")

	again := Secured{Event: hr.Event{Type: hr.EventSuspended}, before: after(hr.StatusSuspended, 0)}
	assert.False(t, again.seen(after(hr.StatusSuspended, 0)), "not decided anew yet")
	assert.True(t, again.seen(after(hr.StatusSuspended, time.Second)))

	reinstate := Secured{Event: hr.Event{Type: hr.EventReinstated}, before: after(hr.StatusSuspended, 0)}
	assert.False(t, reinstate.seen(after(hr.StatusSuspended, time.Second)))
	assert.True(t, reinstate.seen(after(hr.StatusActive, time.Second)))
}
