package remote_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/internal/remote"
)

// lateContext has a deadline that has passed, and no error yet.
type lateContext struct{ context.Context } //nolint:containedctx // it is one

func (lateContext) Deadline() (time.Time, bool) { return time.Now().Add(-time.Second), true }

// A connection that fails by the caller's deadline is the caller's time running out, even if the
// context does not know of it yet.
func TestAFailureByTheCallersDeadlineIsTheDeadline(t *testing.T) {
	late := lateContext{context.Background()}
	err := remote.Unanswered(late, "create", "the app", time.Minute, os.ErrDeadlineExceeded)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, "the call ran out of time")
}
