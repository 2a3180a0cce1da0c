package ledgertest

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/relational"
)

// OneStep begins a step and finishes it.
func OneStep(ctx context.Context, l ledger.Ledger, caller, i int) error {
	person, key := fmt.Sprint("p", caller), fmt.Sprint("step ", i)
	now := time.Now()
	begun, err := l.BeginStep(ctx, ledger.Attempt{
		PersonID: person, App: "wiki", Key: key, Kind: "Provision", At: now, Deadline: now.Add(time.Minute), Gives: true,
	})
	if err != nil {
		return err
	}
	return l.FinishStep(ctx, ledger.Outcome{
		PersonID: person, App: "wiki", Key: key, Kind: "Provision", Attempt: begun.Attempt, At: now, State: ledger.StepDone,
		Link:  &ledger.Link{AccountID: key, State: ledger.LinkActive, Entitlements: []string{"staff"}, CreatedAt: now},
		Audit: &ledger.AuditRow{Action: "created", Actor: "tenure", Cause: "everyone"},
	})
}

// FinishSteps measures steps by ten callers in two ledgers, in turns: of the second one, the record
// is put into its log meanwhile, by a sequencer's Step, many times as often as by default. It reports
// by how much the second is slower: in all, and the median of the turns, of which others on the
// machine disturb some.
func FinishSteps(b *testing.B, without, with ledger.Ledger, sequence func(ctx context.Context) error) {
	b.Helper()
	const callers, turn, every = 10, 3000, time.Second
	done := 0
	steps := func(l ledger.Ledger) time.Duration {
		start := time.Now()
		var all sync.WaitGroup
		for caller := range callers {
			all.Go(func() {
				for n := range turn / callers {
					if err := OneStep(b.Context(), l, caller, done+caller*turn/callers+n); err != nil {
						b.Error(err)
					}
				}
			})
		}
		all.Wait()
		return time.Since(start)
	}
	sequenced := func() time.Duration {
		ctx, stop := context.WithCancel(b.Context())
		var beside sync.WaitGroup
		beside.Go(func() {
			for tick := time.Tick(every); ; {
				select {
				case <-ctx.Done():
					return
				case <-tick:
					if err := sequence(context.WithoutCancel(ctx)); err != nil {
						b.Error(err)
					}
				}
			}
		})
		defer beside.Wait()
		defer stop()
		return steps(with)
	}
	var total [2]time.Duration
	var slower []float64
	for b.Loop() {
		var spent [2]time.Duration
		if len(slower)%2 == 0 { // whoever is first has no advantage
			spent[0], spent[1] = steps(without), sequenced()
		} else {
			spent[1], spent[0] = sequenced(), steps(without)
		}
		total[0], total[1] = total[0]+spent[0], total[1]+spent[1]
		slower = append(slower, 100*(spent[1].Seconds()/spent[0].Seconds()-1))
		done += turn
	}
	state, err := with.LogState(b.Context())
	require.NoError(b, err)
	slices.Sort(slower)
	b.ReportMetric(float64(done)/total[0].Seconds(), "steps/s-without")
	b.ReportMetric(float64(done)/total[1].Seconds(), "steps/s-with")
	b.ReportMetric(100*(total[1].Seconds()/total[0].Seconds()-1), "%-slower")
	b.ReportMetric(slower[len(slower)/2], "%-slower-median")
	b.ReportMetric(100*float64(state.Size)/float64(done), "%-sequenced")
	require.NoError(b, sequence(b.Context())) // of the last rows
	report := Verify(b, with)
	require.Empty(b, report.Findings)
	require.Zero(b, report.Waiting)
}

// rowsOfATurn is how many rows Sequencing and TurnCosts put into the log at once.
const rowsOfATurn = 3000

// Sequencing measures what it costs to put rows into the log of the record, which fill writes:
// time, allocations, and bytes that the database writes, of which written tells the sum so far.
func Sequencing(b *testing.B, l ledger.Log, fill func(n int), written func() int64, sequence func(ctx context.Context) error) {
	b.Helper()
	fill(rowsOfATurn)
	require.NoError(b, sequence(b.Context())) // which takes the lease, and reads the edge of the log
	var rows, bytes int64
	var allocated uint64
	for b.Loop() {
		b.StopTimer()
		fill(rowsOfATurn)
		from := written()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		b.StartTimer()
		require.NoError(b, sequence(b.Context()))
		b.StopTimer()
		runtime.ReadMemStats(&after)
		allocated += after.Mallocs - before.Mallocs
		bytes += written() - from
		rows += rowsOfATurn
		b.StartTimer()
	}
	state, err := l.LogState(b.Context())
	require.NoError(b, err)
	require.Equal(b, rows+rowsOfATurn, state.Size)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/leaf")
	b.ReportMetric(float64(allocated)/float64(rows), "allocs/leaf")
	b.ReportMetric(float64(bytes)/float64(rows), "bytes-written/leaf")
}

// TurnCosts returns what it costs to put 3,000 rows into the log of the record, which fill writes.
func TurnCosts(t *testing.T, l Metered, fill func(n int), sequence func(ctx context.Context) error) relational.Spent {
	t.Helper()
	fill(1)
	require.NoError(t, sequence(t.Context())) // which takes the lease, and reads the edge of the log
	fill(rowsOfATurn)
	before := l.Spent()
	require.NoError(t, sequence(t.Context()))
	spent := l.Spent().Minus(before)
	state, err := l.LogState(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, rowsOfATurn+1, state.Size)
	return spent
}
