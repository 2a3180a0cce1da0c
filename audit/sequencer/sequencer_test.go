package sequencer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tenurehq/tenure/audit"
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

// write writes audit rows.
func write(t testing.TB, l ledger.Ledger, from, n int) {
	t.Helper()
	for i := range n {
		require.NoError(t, ledgertest.WriteRound(t.Context(), l, fmt.Sprint("p", from+i), 0))
	}
}

// memory is a place that keeps what it is given.
type memory struct {
	name  string
	mu    sync.Mutex
	notes []string
	err   error
}

func (m *memory) Name() string { return m.name }

func (m *memory) Publish(_ context.Context, h Head) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return "", m.err
	}
	m.notes = append(m.notes, h.Note)
	return "kept", nil
}

func (m *memory) Newest(context.Context) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.notes) == 0 {
		return "", m.err
	}
	return m.notes[len(m.notes)-1], m.err
}

func signerOf(t testing.TB) (note.Signer, note.Verifiers) {
	t.Helper()
	signs, verifies, err := audit.NewKey(origin)
	require.NoError(t, err)
	signer, err := note.NewSigner(signs)
	require.NoError(t, err)
	verifier, err := note.NewVerifier(verifies)
	require.NoError(t, err)
	return signer, note.VerifierList(verifier)
}

func sequencer(l Log, signer note.Signer, places ...Place) *Sequencer {
	return &Sequencer{Ledger: l, Origin: origin, Signer: signer, Places: places, Every: time.Hour, Clock: clock.Real(), Log: zap.NewNop()}
}

func verify(t testing.TB, l ledger.LogReader, verifiers note.Verifiers, kept ...string) *audit.Report {
	t.Helper()
	var report *audit.Report
	require.NoError(t, l.ReadRecord(t.Context(), func(s audit.Source) (err error) {
		report, err = audit.Verify(t.Context(), s, audit.Options{Kept: kept, Verifiers: verifiers, Origin: origin})
		return err
	}))
	return report
}

func TestEveryRowIsSequencedSignedAndPublished(t *testing.T) {
	l := open(t)
	signer, verifiers := signerOf(t)
	place := &memory{name: "memory"}
	s := sequencer(l, signer, place)
	require.NoError(t, s.Step(t.Context()))
	assert.Empty(t, place.notes, "there is nothing to tell of")
	for round := range 3 {
		write(t, l, 300*round, 300)
		require.NoError(t, s.Step(t.Context()))
		require.NoError(t, s.Step(t.Context()))
	}
	require.Len(t, place.notes, 3, "each once")
	r := verify(t, l, verifiers, place.notes...)
	assert.Empty(t, r.Findings)
	assert.Equal(t, []int64{900, 900, 3, 3, 3, 0}, []int64{r.Leaves, r.Covered, r.Checkpoints, r.Signed, r.Kept, r.Waiting})
	published, err := l.Published(t.Context())
	require.NoError(t, err)
	require.Len(t, published, 1)
	assert.Equal(t, ledger.Published{Place: "memory", Size: 900, At: published[0].At, Receipt: "kept"}, published[0])

	s.Checkpoint = time.Hour
	write(t, l, 900, 1)
	require.NoError(t, s.Step(t.Context()))
	r = verify(t, l, verifiers)
	assert.Equal(t, []int64{901, 900}, []int64{r.Leaves, r.Covered}, "not before its time")
}

// Whichever call to the ledger fails, before it was done or after, and whether the process goes on
// or another has to: no row has two leaves, and none has none.
// Who is given a file of checkpoints verifies all of it with one key and one name. What was made
// before there was a key, or under another name, is not put there.
func TestWhatWasMadeBeforeThereWasAKeyIsNotPublished(t *testing.T) {
	l := open(t)
	write(t, l, 0, 3)
	s := sequencer(l, nil)
	s.Origin = "another.example/log"
	require.NoError(t, s.Step(t.Context()))
	signer, verifiers := signerOf(t)
	kept := &memory{name: "kept"}
	s.Origin, s.Signer, s.Places = origin, signer, []Place{kept}
	require.NoError(t, s.Step(t.Context()))
	assert.Empty(t, kept.notes)
	write(t, l, 3, 1)
	require.NoError(t, s.Step(t.Context()))
	require.Len(t, kept.notes, 1)
	_, signature, err := audit.Open(kept.notes[0], verifiers)
	require.NoError(t, err)
	assert.Equal(t, audit.Signed, signature)
}

func TestASequencerMayDieAnywhere(t *testing.T) {
	signer, verifiers := signerOf(t)
	at, ended := 1, false
	for ; !ended; at++ {
		for _, after := range []bool{false, true} {
			for _, anotherGoesOn := range []bool{false, true} {
				name := fmt.Sprintf("call %d, after it: %v, another goes on: %v", at, after, anotherGoesOn)
				l := open(t)
				place := &memory{name: "memory"}
				write(t, l, 0, 3)
				f := &ledgertest.Faulty{Ledger: l, At: at, After: after}
				s := sequencer(f, signer, place)
				err := s.Step(t.Context())
				write(t, l, 3, 2)
				err = errors.Join(err, s.Step(t.Context()))
				ended = ended || err == nil && f.Calls < at
				if err == nil {
					continue
				}
				require.ErrorIs(t, err, ledgertest.ErrDied, name)
				write(t, l, 5, 2)
				if anotherGoesOn {
					leases, err := l.Leases(t.Context())
					require.NoError(t, err)
					for _, lease := range leases { // as when its time is over
						require.NoError(t, l.DropLease(t.Context(), lease))
					}
					s = sequencer(l, signer, place)
				}
				require.NoError(t, s.Step(t.Context()), name)
				r := verify(t, l, verifiers, place.notes...)
				require.Empty(t, r.Findings, name)
				require.Equal(t, []int64{7, 7, 0}, []int64{r.Leaves, r.Covered, r.Waiting}, name)
				last, _, err := audit.Open(place.notes[len(place.notes)-1], verifiers)
				require.NoError(t, err)
				require.EqualValues(t, 7, last.Size, name)
			}
		}
	}
	t.Logf("%d calls", at-1)
	require.Greater(t, at, 15)
}

// stubborn believes that it has the lease for ever.
type stubborn struct {
	ledger.Ledger
	lease ledger.Lease
}

func (s *stubborn) TakeLease(context.Context, string, string, time.Duration) (ledger.Lease, bool, error) {
	return s.lease, true, nil
}

func TestTwoAtOnce(t *testing.T) {
	l := open(t)
	signer, verifiers := signerOf(t)
	former, _, err := l.TakeLease(t.Context(), ledger.LeaseAudit, "former", time.Minute)
	require.NoError(t, err)
	require.NoError(t, l.DropLease(t.Context(), former))
	place := &memory{name: "memory"}
	one, two, stale := sequencer(l, signer, place), sequencer(l, signer, place), sequencer(&stubborn{l, former}, signer, place)
	var stop atomic.Bool
	var all, writers sync.WaitGroup
	for _, s := range []*Sequencer{one, two, stale} {
		all.Go(func() {
			for !stop.Load() {
				err := s.Step(t.Context())
				if s == stale {
					assert.True(t, err == nil || errors.Is(err, ledger.ErrLeaseLost) || errors.Is(err, ledger.ErrLogMoved), "%v", err)
					continue
				}
				assert.True(t, err == nil || errors.Is(err, ledger.ErrLeaseLost) || errors.Is(err, ledger.ErrLogMoved), "%v", err)
			}
		})
	}
	all.Go(func() { // time passes for them
		for !stop.Load() {
			leases, err := l.Leases(t.Context())
			assert.NoError(t, err)
			for _, lease := range leases {
				assert.NoError(t, l.DropLease(t.Context(), lease))
			}
		}
	})
	for w := range 4 {
		writers.Go(func() { write(t, l, 1000*w, 100) })
	}
	writers.Wait()
	stop.Store(true)
	all.Wait()
	leases, err := l.Leases(t.Context())
	require.NoError(t, err)
	require.NoError(t, l.DropLease(t.Context(), leases[0]))
	require.NoError(t, sequencer(l, signer, place).Step(t.Context()))
	r := verify(t, l, verifiers, place.notes...)
	assert.Empty(t, r.Findings)
	assert.Equal(t, []int64{400, 400, 0}, []int64{r.Leaves, r.Covered, r.Waiting})
	assert.Greater(t, leases[0].Fence, int64(2), "the lease went from hand to hand")
}

// late is a ledger whose rows come to light later than others with higher numbers, as on
// PostgreSQL.
type late struct {
	ledger.Ledger
	hidden  []int64
	writers []string
}

func (l *late) Unsequenced(ctx context.Context, after int64, limit int) ([]audit.Row, error) {
	rows, err := l.Ledger.Unsequenced(ctx, after, limit+len(l.hidden))
	rows = slices.DeleteFunc(rows, func(r audit.Row) bool { return slices.Contains(l.hidden, r.Seq) })
	return rows[:min(limit, len(rows))], err
}

func (l *late) LogHorizon(ctx context.Context, before ledger.LogHorizon) (ledger.LogHorizon, bool, error) {
	now, _, err := l.Ledger.LogHorizon(ctx, ledger.LogHorizon{})
	now.Writers = slices.Clone(l.writers)
	return now, !slices.ContainsFunc(before.Writers, func(w string) bool { return slices.Contains(l.writers, w) }), err
}

func TestRowsThatComeToLightLateAreNotSkipped(t *testing.T) {
	store := open(t)
	write(t, store, 0, 5)
	rows, err := store.Unsequenced(t.Context(), 0, 10)
	require.NoError(t, err)
	l := &late{Ledger: store, hidden: []int64{rows[1].Seq, rows[2].Seq}, writers: []string{"a", "b"}}
	s := sequencer(l, nil)
	step := func() int64 {
		require.NoError(t, s.Step(t.Context()))
		r := verify(t, store, nil)
		require.Empty(t, r.Findings)
		return r.Leaves
	}
	assert.EqualValues(t, 3, step())
	assert.EqualValues(t, 3, step())
	assert.EqualValues(t, 3, step())
	l.hidden, l.writers = l.hidden[:1], []string{"b"}
	assert.EqualValues(t, 4, step(), "one of two is there")
	for round := range 5 { // the other one is still under way, and so are new ones
		l.writers = []string{"b", fmt.Sprint("c", round)}
		write(t, store, 10+round, 1)
		assert.EqualValues(t, 5+round, step())
	}
	l.hidden, l.writers = nil, []string{"d"}
	assert.EqualValues(t, 10, step())
	l.writers = nil
	step()
	assert.Equal(t, rows[4].Seq+5, s.turn.low, "nobody is left who could write one before")
	require.NoError(t, store.ReadRecord(t.Context(), func(source audit.Source) error {
		entries, err := source.Entries(t.Context(), -1, 100)
		require.NoError(t, err)
		var order []int64
		for _, e := range entries {
			order = append(order, e.Seq-rows[0].Seq)
		}
		assert.Equal(t, []int64{0, 3, 4, 2, 5, 6, 7, 8, 9, 1}, order)
		return nil
	}))
}

// ending is a ledger whose writers have all ended when it is asked again.
type ending struct {
	late
	asked  int
	ends   bool
	looked []int64 // from where on rows were looked for
}

func (l *ending) LogHorizon(ctx context.Context, before ledger.LogHorizon) (ledger.LogHorizon, bool, error) {
	if l.asked++; l.asked == 2 && l.ends {
		l.writers, l.hidden = []string{"new"}, nil
	}
	return l.late.LogHorizon(ctx, before)
}

func (l *ending) Unsequenced(ctx context.Context, after int64, limit int) ([]audit.Row, error) {
	l.looked = append(l.looked, after)
	return l.late.Unsequenced(ctx, after, limit)
}

// Rows are not looked at again in the next turn if whoever could still write one before them has
// ended before this one does, and not skipped if one of them came to light meanwhile.
func TestWritersWhoEndDuringATurn(t *testing.T) {
	const n = 2*rowsAtOnce + 8
	for _, ends := range []bool{true, false} {
		store := open(t)
		write(t, store, 0, n)
		rows, err := store.Unsequenced(t.Context(), 0, n)
		require.NoError(t, err)
		seq := func(i int) int64 { return rows[i].Seq }
		l := &ending{late: late{Ledger: store, hidden: []int64{seq(5)}, writers: []string{"a"}}, ends: ends}
		s := sequencer(l, nil)
		require.NoError(t, s.Step(t.Context()))
		r := verify(t, store, nil)
		require.Empty(t, r.Findings)
		if !ends {
			assert.Equal(t, []int64{n - 1, 1, 0}, []int64{r.Leaves, r.Waiting, s.turn.low})
			assert.Equal(t, []int64{0, seq(rowsAtOnce), seq(2 * rowsAtOnce)}, l.looked)
			continue
		}
		assert.Equal(t, []int64{n, 0, seq(n - 1)}, []int64{r.Leaves, r.Waiting, s.turn.low})
		assert.Equal(t, []int64{0, 0, seq(2*rowsAtOnce - 1)}, l.looked)
		l.looked = nil
		require.NoError(t, s.Step(t.Context()))
		assert.Equal(t, []int64{seq(n - 1)}, l.looked)
	}
}

// Should a row come to light after all, it is found by the daily look.
func TestTheDailyLookFindsWhatCameToLightTooLate(t *testing.T) {
	store := open(t)
	write(t, store, 0, 3)
	rows, err := store.Unsequenced(t.Context(), 0, 10)
	require.NoError(t, err)
	l := &late{Ledger: store, hidden: []int64{rows[1].Seq}} // and nobody seems to be under way
	s := sequencer(l, nil)
	for range 3 {
		require.NoError(t, s.Step(t.Context()))
	}
	l.hidden = nil
	require.NoError(t, s.Step(t.Context()))
	assert.EqualValues(t, 1, verify(t, store, nil).Waiting)
	s.turn.anew = time.Now().Add(-anewEvery - time.Second)
	require.NoError(t, s.Step(t.Context()))
	assert.Zero(t, verify(t, store, nil).Waiting)
}

func TestAPlaceThatFailsIsTriedAgain(t *testing.T) {
	l := open(t)
	good, bad := &memory{name: "good"}, &memory{name: "bad", err: errors.New("full")}
	s := sequencer(l, nil, bad, good)
	var failed []string
	s.Failed = func(place string) { failed = append(failed, place) }
	write(t, l, 0, 3)
	for range 2 {
		require.ErrorContains(t, s.Step(t.Context()), "a checkpoint could not be published to bad: full")
	}
	assert.Len(t, good.notes, 1)
	assert.Equal(t, []string{"bad", "bad"}, failed)
	write(t, l, 3, 3)
	bad.err = nil
	require.NoError(t, s.Step(t.Context()))
	require.Len(t, bad.notes, 1)
	assert.Equal(t, good.notes[1:], bad.notes, "the newest one")
	_ = verify(t, l, nil, bad.notes...)
}

// A restored ledger makes no checkpoint that contradicts one that is outside already, until
// somebody says on the record that it was restored.
func TestARestoredLedgerIsNoticed(t *testing.T) {
	signer, verifiers := signerOf(t)
	place := &memory{name: "memory"}
	lost := open(t)
	write(t, lost, 0, 6)
	require.NoError(t, sequencer(lost, signer, place).Step(t.Context()))
	known, _, err := audit.Open(place.notes[0], verifiers)
	require.NoError(t, err)
	for name, rows := range map[string]int{"it has fewer leaves": 4, "it has others": 8} {
		t.Run(name, func(t *testing.T) {
			l := open(t)
			write(t, l, 0, rows) // with other salts
			place := &memory{name: "memory", notes: slices.Clone(place.notes)}
			s := sequencer(l, signer, place)
			for range 2 {
				require.ErrorIs(t, s.Step(t.Context()), ErrAhead)
			}
			r := verify(t, l, verifiers)
			assert.Equal(t, []int64{int64(rows), 0}, []int64{r.Leaves, r.Checkpoints}, "rows are sequenced, and nothing is signed")
			_, err := l.RestartLog(t.Context(), ledger.LogRestart{Operator: "ops", Reason: "restored", At: time.Now(), Known: &known})
			require.NoError(t, err)
			write(t, l, rows, 2)
			require.NoError(t, s.Step(t.Context()))
			require.Len(t, place.notes, 2)
			assert.True(t, strings.HasPrefix(place.notes[1], origin+"/2\n"))
			r = verify(t, l, verifiers, place.notes...)
			if rows > 6 {
				assert.NotEmpty(t, r.Findings, "a checkpoint of the part that the restart says was kept")
				return
			}
			assert.Empty(t, r.Findings)
			assert.EqualValues(t, 1, r.Restored)
		})
	}
}

// Heads prove to a witness that they go on from any older one.
func TestHeadsProveConsistency(t *testing.T) {
	l := open(t)
	var heads []Head
	s := sequencer(l, nil, placeFunc(func(_ context.Context, h Head) { heads = append(heads, h) }))
	for round := range 3 {
		write(t, l, 200*round, 200)
		require.NoError(t, s.Step(t.Context()))
	}
	require.Len(t, heads, 3)
	for _, old := range heads[:2] {
		proof, err := heads[2].Consistency(t.Context(), old.Size)
		require.NoError(t, err)
		assert.NoError(t, tlog.CheckTree(proof, heads[2].Size, heads[2].Root, old.Size, old.Root))
	}
}

type placeFunc func(ctx context.Context, h Head)

func (placeFunc) Name() string { return "func" }

func (f placeFunc) Publish(ctx context.Context, h Head) (string, error) {
	f(ctx, h)
	return "", nil
}

func TestRunGoesOnUntilItIsTold(t *testing.T) {
	l := open(t)
	place := &memory{name: "memory"}
	s := sequencer(l, nil, place)
	s.Every = time.Millisecond
	ctx, stop := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() { s.Run(ctx) })
	write(t, l, 0, 2)
	require.Eventually(t, func() bool { newest, _ := place.Newest(t.Context()); return strings.HasPrefix(newest, origin+"\n2\n") }, time.Minute, time.Millisecond)
	stop()
	run.Wait()
	other := sequencer(l, nil, place)
	write(t, l, 2, 1)
	require.NoError(t, other.Step(t.Context()))
	assert.NotEmpty(t, other.holding.Lease().Name, "the lease was given back")
}
