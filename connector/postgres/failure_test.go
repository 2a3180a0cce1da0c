package postgres

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/connector"
)

// late is a context whose deadline is over, but whose Err is still nil.
type late struct{ context.Context } //nolint:containedctx // it is one

func (late) Deadline() (time.Time, bool) { return time.Now().Add(-time.Millisecond), true }

// If a connection reports the deadline before the context does, the error still means that
// the context ended, and not that the server is silent.
func TestADeadlineThatTheConnectionHeardOfFirst(t *testing.T) {
	s := &server{timeout: 30 * time.Second}
	err := s.failure(late{t.Context()}, connector.OpEnable, os.ErrDeadlineExceeded)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, "the call ran out of time")
	silent := s.failure(t.Context(), connector.OpEnable, os.ErrDeadlineExceeded)
	assert.NotErrorIs(t, silent, context.DeadlineExceeded)
	assert.ErrorContains(t, silent, "no answer within 30s")
}
