package ledgertest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
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
}
