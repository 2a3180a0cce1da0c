package workflows_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/ledgertest"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
)

// moves moves everything to another ledger, with which the biography goes on.
func (b *biography) moves(to ledger.Ledger) {
	var file bytes.Buffer
	by := ledger.Move{Operator: "ops", At: b.now()}
	_, err := b.ledger.Export(b.t.Context(), &file, by, nil)
	require.NoError(b.t, err)
	_, err = to.Import(b.t.Context(), &file, by, nil)
	require.NoError(b.t, err)
	ledgertest.RequireMoved(b.t, b.ledger, to)
	b.ledger, b.acts.Ledger = to, to
}

// lifeInLedgers plays a biography from the first day to the end of the retention, and
// moves it from one ledger to the next.
func lifeInLedgers(t *testing.T, others ...ledger.Ledger) {
	b := newBiography(t, testRules())
	first := b.ledger
	b.hears(0, hired("Development"))
	b.hears(2*day, hr.Event{Type: hr.EventTransferred, Profile: profile("Sales")})
	b.hears(4*day, terminated(hr.Date{Year: 2026, Month: 11, Day: 8}))
	for i, other := range others {
		b.on(day+time.Duration(2*i)*day, func() { b.moves(other) }) // between the events of HR
	}
	b.live(200 * day)
	assert.Equal(t, map[string]string{"directory": "none", "chat": "none", "wiki": "none"}, b.states())
	assert.NotSame(t, first, b.ledger)
	then, err := first.Audit(t.Context(), "", 0, 1000)
	require.NoError(t, err)
	now, err := b.ledger.Audit(t.Context(), "", 0, 1000)
	require.NoError(t, err)
	require.NotEmpty(t, then)
	require.Greater(t, len(now), len(then))
	last := len(then) - 1 // the last row is about the export in the one ledger, and about the import in the other
	assert.Equal(t, then[:last], now[:last])
}

func TestALifeGoesOnInAnotherLedger(t *testing.T) {
	lifeInLedgers(t, openFile(t), openFile(t))
}

func openFile(t *testing.T) ledger.Ledger {
	t.Helper()
	l, err := sqlite.Open(t.Context(), sqlitetest.New(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}
