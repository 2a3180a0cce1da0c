package exporter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/audit/export"
	"github.com/tenurehq/tenure/audit/sequencer"
	"github.com/tenurehq/tenure/audit/sink"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/ledgertest"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
)

const origin = "example.com/audit"

func open(t testing.TB) *sqlite.Store {
	t.Helper()
	l, err := sqlite.Open(t.Context(), sqlitetest.New(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

// log writes audit rows, and gives them their leaves.
func log(t testing.TB, l ledger.Ledger, from, n int) {
	t.Helper()
	for i := range n {
		require.NoError(t, ledgertest.WriteRound(t.Context(), l, fmt.Sprint("p", from+i), 0))
	}
	s := sequencer.Sequencer{Ledger: l, Origin: origin, Every: time.Hour, Clock: clock.Real(), Log: zap.NewNop()}
	require.NoError(t, s.Step(t.Context()))
	leases, err := l.Leases(t.Context())
	require.NoError(t, err)
	for _, lease := range leases {
		if lease.Name == ledger.LeaseAudit {
			require.NoError(t, l.DropLease(t.Context(), lease))
		}
	}
}

// memory is a place that keeps what it is given.
type memory struct {
	mu     sync.Mutex
	leaves []int64
	texts  [][]byte
	err    error
	keeps  int // if err is set: of how many messages it keeps the first ones
}

func (m *memory) Send(_ context.Context, messages []export.Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		messages = messages[:min(m.keeps, len(messages))]
	}
	for _, one := range messages {
		m.leaves, m.texts = append(m.leaves, one.Leaf), append(m.texts, one.Text)
	}
	return m.err
}

func exporter(l Ledger, place string, s Sink) *Exporter {
	return &Exporter{Ledger: l, Origin: origin, Place: place, Format: export.JSONL, Version: "v1", Sink: s, Every: time.Millisecond, Clock: clock.Real(), Log: zap.NewNop()}
}

// requireComplete requires that the leaves up to size are there, each for the first time in its order.
func requireComplete(t *testing.T, size int64, leaves []int64, name string) {
	t.Helper()
	next := int64(0)
	for _, n := range leaves {
		require.LessOrEqual(t, n, next, "%s: %v: a leaf came before another with a lower number", name, leaves)
		next = max(next, n+1)
	}
	require.Equal(t, size, next, name)
}

func TestEveryLeafIsSentInOrder(t *testing.T) {
	l := open(t)
	place := &memory{}
	e := exporter(l, "siem", place)
	require.NoError(t, e.Step(t.Context()))
	assert.Empty(t, place.leaves)
	log(t, l, 0, leavesAtOnce+10)
	require.NoError(t, e.Step(t.Context()))
	assert.Len(t, place.leaves, leavesAtOnce+10, "all that there is, at once")
	log(t, l, leavesAtOnce+10, 10)
	require.NoError(t, e.Step(t.Context()))
	require.NoError(t, e.Step(t.Context()))
	assert.Len(t, place.leaves, leavesAtOnce+20, "each once")
	requireComplete(t, leavesAtOnce+20, place.leaves, "")
	exports, err := l.Exports(t.Context())
	require.NoError(t, err)
	require.Len(t, exports, 1)
	assert.EqualValues(t, leavesAtOnce+20, exports[0].Size)

	e.holding.Leave(t.Context())
	log(t, l, leavesAtOnce+20, 1)
	require.NoError(t, exporter(l, "siem", place).Step(t.Context()))
	assert.Len(t, place.leaves, leavesAtOnce+21, "another goes on where the last one ended")
}

// Whichever call to the ledger fails, before it was done or after, and whether the process goes on
// or another has to: no leaf is left out, and none comes before one with a lower number.
func TestAnExporterMayDieAnywhere(t *testing.T) {
	at := 1
	for ended := false; !ended; at++ {
		for _, after := range []bool{false, true} {
			for _, anotherGoesOn := range []bool{false, true} {
				name := fmt.Sprintf("call %d, after it: %v, another goes on: %v", at, after, anotherGoesOn)
				l := open(t)
				place := &memory{}
				log(t, l, 0, 3)
				f := &ledgertest.Faulty{Ledger: l, At: at, After: after}
				e := exporter(f, "siem", place)
				err := e.Step(t.Context())
				log(t, l, 3, 2)
				err = errors.Join(err, e.Step(t.Context()))
				ended = ended || err == nil && f.Calls < at
				if err == nil {
					continue
				}
				require.ErrorIs(t, err, ledgertest.ErrDied, name)
				if anotherGoesOn {
					e.holding.Leave(t.Context())
					e = exporter(l, "siem", place)
				}
				require.NoError(t, e.Step(t.Context()), name)
				requireComplete(t, 5, place.leaves, name)
			}
		}
	}
	require.Greater(t, at, 6)
}

func TestAPlaceThatTookAPartGetsTheRest(t *testing.T) {
	l := open(t)
	log(t, l, 0, 5)
	place, failed := &memory{err: errors.New("away"), keeps: 2}, 0
	e := exporter(l, "siem", place)
	e.Failed = func(string) { failed++ }
	require.ErrorContains(t, e.Step(t.Context()), "away")
	assert.Equal(t, 1, failed)
	place.err = nil
	require.NoError(t, e.Step(t.Context()))
	assert.Equal(t, []int64{0, 1, 0, 1, 2, 3, 4}, place.leaves)
}

// stubborn believes that it has the lease for ever.
type stubborn struct {
	ledger.Ledger
	lease ledger.Lease
}

func (s *stubborn) TakeLease(context.Context, string, string, time.Duration) (ledger.Lease, bool, error) {
	return s.lease, true, nil
}

// A process that believes that it holds the lease sends what another has sent, at the worst. It
// never moves the place back or on.
func TestWhoHasLostTheLeaseChangesNothing(t *testing.T) {
	l := open(t)
	log(t, l, 0, 3)
	former, _, err := l.TakeLease(t.Context(), ledger.LeaseExport("siem"), "former", time.Minute)
	require.NoError(t, err)
	require.NoError(t, l.DropLease(t.Context(), former))
	place := &memory{}
	e := exporter(l, "siem", place)
	require.NoError(t, e.Step(t.Context()))
	log(t, l, 3, 2)
	require.NoError(t, exporter(&stubborn{l, former}, "siem", place).Step(t.Context()))
	exports, err := l.Exports(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 3, exports[0].Size)
	require.NoError(t, e.Step(t.Context()))
	requireComplete(t, 5, place.leaves, "")
	other := &memory{}
	require.NoError(t, exporter(l, "siem", other).Step(t.Context()))
	assert.Empty(t, other.leaves, "whoever has not got the lease does nothing")
}

// record is a ledger with a record that has leaves, and a lease that is taken.
type record struct {
	Ledger
	audit.Source
	leaves []int64
	taken  int // how often the lease was taken or prolonged
}

func (r *record) TakeLease(_ context.Context, name, holder string, _ time.Duration) (ledger.Lease, bool, error) {
	r.taken++
	return ledger.Lease{Name: name, Fence: 1}, true, nil
}

func (r *record) Exports(context.Context) ([]ledger.Exported, error) { return nil, nil }

func (r *record) SaveExported(context.Context, ledger.Lease, ledger.Exported) error { return nil }

func (r *record) ReadRecord(_ context.Context, read func(audit.Source) error) error { return read(r) }

func (r *record) Entries(_ context.Context, after int64, limit int) (entries []audit.Entry, err error) {
	for _, n := range r.leaves {
		if n > after && len(entries) < limit {
			entries = append(entries, audit.Entry{Leaf: audit.Leaf{N: n}})
		}
	}
	return entries, nil
}

// What is missing in the log is not passed over in silence.
func TestALeafThatIsNotThere(t *testing.T) {
	r, place := &record{leaves: []int64{0, 1, 3}}, &memory{}
	require.ErrorContains(t, exporter(r, "siem", place).Step(t.Context()), "the log has no leaf 2")
	assert.Empty(t, place.leaves)
}

// slow is a place that takes its time, as long as it may.
type slow struct {
	t    *testing.T
	sent int
}

func (s *slow) Send(ctx context.Context, messages []export.Message) error {
	until, bounded := ctx.Deadline()
	require.True(s.t, bounded)
	require.LessOrEqual(s.t, time.Until(until), term/2, "the lease is held when it has ended")
	nearly, stop := context.WithDeadline(ctx, until.Add(-time.Second))
	defer stop()
	<-nearly.Done()
	s.sent += len(messages)
	return nil
}

// A place that is slow outlasts no lease: that is prolonged meanwhile, before each batch.
func TestALeaseIsProlongedWhileAPlaceIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, place := &record{}, &slow{t: t}
		for n := range int64(4*leavesAtOnce + 1) {
			r.leaves = append(r.leaves, n)
		}
		require.NoError(t, exporter(r, "siem", place).Step(t.Context()))
		assert.Equal(t, 4*leavesAtOnce+1, place.sent)
		assert.Equal(t, 5, r.taken)
	})
}

func TestAPlaceThatIsAwayHoldsUpNoOther(t *testing.T) {
	l := open(t)
	ctx, stop := context.WithCancel(t.Context())
	away, good := &memory{err: errors.New("away")}, &memory{}
	var tried atomic.Int64
	var running sync.WaitGroup
	for _, e := range []*Exporter{exporter(l, "away", away), exporter(l, "good", good)} {
		e.Failed = func(string) { tried.Add(1) }
		running.Go(func() { e.Run(ctx) })
	}
	log(t, l, 0, 5)
	require.Eventually(t, func() bool {
		exports, err := l.Exports(t.Context())
		return err == nil && tried.Load() > 0 && len(exports) == 1 && exports[0].Place == "good" && exports[0].Size == 5
	}, time.Minute, time.Millisecond)
	stop()
	running.Wait()
	leases, err := l.Leases(t.Context())
	require.NoError(t, err)
	for _, lease := range leases {
		assert.LessOrEqual(t, lease.Left, time.Duration(0), "another may go on at once")
	}
}

func TestRowsAreAppendedToAFile(t *testing.T) {
	l := open(t)
	log(t, l, 0, 20)
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	require.NoError(t, exporter(l, "file", sink.File{Path: path}).Step(t.Context()))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := slices.Collect(bytes.Lines(text))
	require.Len(t, lines, 20)
	for i, line := range lines {
		var row struct {
			ID     string
			Leaf   int
			Record struct{ Person, Action string }
		}
		require.NoError(t, json.Unmarshal(line, &row))
		assert.Equal(t, []any{i, fmt.Sprint("p", i), "updated"}, []any{row.Leaf, row.Record.Person, row.Record.Action})
	}
}
