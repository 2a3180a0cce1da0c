package ledgertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// BesideOldWorkers tests that a step which fails needs an operator in time while workers from
// before migration 00056 take their turns at it: they neither set nor clear the time at which its
// next attempt is due, and leave how long it waited in queues as it was. change changes the
// ledger as they do.
func BesideOldWorkers(t *testing.T, l ledger.Ledger, change func(statement string)) {
	old := func(minutes int) {
		change(fmt.Sprintf(`UPDATE steps SET attempts = attempts + 1, last_attempt_at = %d, trying_since = coalesce(trying_since, %[1]d)`,
			at(minutes).UnixMicro()))
	}
	fails := func(minutes, due int) {
		o := outcome("p1", "wiki", "a", minutes, ledger.StepOpen)
		o.Due = at(due)
		require.NoError(t, l.FinishStep(t.Context(), o))
	}
	tried := func(minutes int) time.Duration {
		begun := begin(t, l, attempt("p1", "wiki", "a", minutes))
		return at(minutes).Sub(begun.TryingSince) - begun.Queued
	}
	assess(t, l, "p1", 0, plan(step("wiki", "a")))

	assert.Zero(t, tried(1))
	fails(1, 2)
	for minutes := 2; minutes < 60; minutes++ {
		old(minutes)
	}
	assert.Equal(t, 59*time.Minute, tried(60), "it was tried each minute, and waited in no queue")
	fails(60, 61)
	assert.Equal(t, time.Hour, tried(101), "nobody tried it for forty minutes")

	// An old command line or worker lets the step start afresh.
	fails(101, 102)
	change(`UPDATE steps SET trying_since = NULL`)
	old(200)
	assert.LessOrEqual(t, tried(201), time.Minute)
	fails(201, 202)
	assert.Equal(t, time.Minute, tried(202), "what it waited before does not make it younger")
}
