package worker

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/activities"
)

// overdueSoon has people who stay overdue until they are swept.
type overdueSoon struct {
	people, swept int
	err           error
}

func (o *overdueSoon) CountOverdue(context.Context) (int, error) { return o.people, o.err }

func (o *overdueSoon) Sweep(context.Context) (activities.SweepResult, error) {
	o.swept++
	o.people = 0
	return activities.SweepResult{}, nil
}

// People who are overdue are swept even if the schedule does nothing.
func TestWhoIsOverdueIsSweptWithoutTheSchedule(t *testing.T) {
	acts, put := &overdueSoon{}, 0
	w := &watch{every: time.Minute, acts: acts, log: zap.NewNop(), schedule: func(context.Context, time.Duration) error { put++; return nil }}
	w.look(t.Context())
	assert.Equal(t, [2]int{0, 0}, [2]int{put, acts.swept}, "nobody is")
	acts.people = 1
	w.look(t.Context())
	w.look(t.Context())
	assert.Equal(t, [2]int{1, 1}, [2]int{put, acts.swept})

	acts.people, acts.err = 1, errors.New("locked")
	w.look(t.Context())
	assert.Equal(t, 1, acts.swept, "the ledger is waited for")
	acts.err, w.schedule = nil, func(context.Context, time.Duration) error { return errors.New("not allowed") }
	w.look(t.Context())
	assert.Equal(t, 2, acts.swept, "it sweeps even if the schedule cannot be repaired")
}
