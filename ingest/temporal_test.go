package ingest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/workflows"
)

// Whether Temporal refuses calls or lets them hang, the intake stops, and goes on
// afterwards.
func TestTemporalHangs(t *testing.T) {
	r := newFakeRig(t, 2)
	back := make(chan struct{})
	r.nudger.gate = func(ctx context.Context, _ workflows.Nudge) error {
		select {
		case <-back:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	r.publish(notes(10, "1", "2", "3")...)
	c, _ := r.run(func(o *Options) { o.Tuning.Attempt, o.Tuning.Window = 50*time.Millisecond, 5 })
	r.eventually(func() bool { return counter(t, c.metrics.retries, "temporal") > 10 }, "each attempt ends")
	assert.LessOrEqual(t, len(r.intake.ids("")), 10, "two windows")
	assert.LessOrEqual(t, r.committed(0)+r.committed(1), int64(0))
	close(back)
	r.awaitAllCommitted()
	r.hadAll(30)
}
