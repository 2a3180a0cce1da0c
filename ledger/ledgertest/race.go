package ledgertest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

var raceTests = tests{
	"ClaimsOfOneNameAllDiffer": func(t *testing.T, l ledger.Ledger) {
		const people, tries = 60, 2
		names := make([][tries]string, people)
		race(people*tries, func(i int) {
			name, err := l.ClaimUsername(t.Context(), fmt.Sprint("p", i%people), []string{"ada", "Ada"}[i%2], 0)
			assert.NoError(t, err)
			names[i%people][i/people] = name
		})
		got := map[string]bool{}
		for i, n := range names {
			assert.Equal(t, n[0], n[1], "one person, one name")
			assert.Equal(t, n[0], read(t, l, fmt.Sprint("p", i)).Username)
			got[strings.ToLower(n[0])] = true
		}
		assert.Len(t, got, people, "none twice")
		assert.Contains(t, got, "ada")
		for i := 2; i <= people; i++ {
			assert.Contains(t, got, fmt.Sprint("ada", i), "none left out")
		}
	},
	"OfEqualEventsOneIsFirst": func(t *testing.T, l ledger.Ledger) {
		const events, callers = 20, 4
		var first atomic.Int64
		seqs := make([][callers]int64, events)
		race(events*callers, func(i int) {
			receipts, err := l.Record(t.Context(), []ledger.Received{received("p1", fmt.Sprint("e", i%events), i)})
			if !assert.NoError(t, err) {
				return
			}
			if !receipts[0].Duplicate {
				first.Add(1)
			}
			seqs[i%events][i/events] = receipts[0].Seq
		})
		assert.EqualValues(t, events, first.Load())
		for _, s := range seqs {
			assert.Len(t, slices.Compact(s[:]), 1, "all are told the same number")
		}
		p := read(t, l, "p1")
		assert.Len(t, p.Events, events)
		assert.Equal(t, p.Events[events-1].Seq, p.LastSeq)
	},
	"ReadsAreConsistent": func(t *testing.T, l ledger.Ledger) {
		pair := func(i int) []ledger.Received {
			return []ledger.Received{received("p1", fmt.Sprint("e", i), i), received("p1", fmt.Sprint("f", i), i)}
		}
		record(t, l, pair(0)...)
		var reads atomic.Int64
		done := make(chan struct{})
		var readers sync.WaitGroup
		for range 3 {
			readers.Go(func() {
				for {
					p, err := l.Person(t.Context(), "p1")
					if !assert.NoError(t, err) {
						return
					}
					assert.Zero(t, len(p.Events)%2, "half a batch")
					assert.Equal(t, p.LastSeq, p.Events[len(p.Events)-1].Seq)
					reads.Add(1)
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		for i := 1; i < 50 || reads.Load() < 50; i++ {
			record(t, l, pair(i)...)
		}
		close(done)
		readers.Wait()
	},
	"ErrorsOfOneCallerAreNotTheOthers": func(t *testing.T, l ledger.Ledger) {
		var failed atomic.Int64
		race(80, func(i int) {
			o := outcome(fmt.Sprint("p", i), "wiki", "a", 1, ledger.StepDone)
			o.Link, o.Audit = &ledger.Link{State: ledger.LinkActive}, &ledger.AuditRow{Action: "created"}
			if i%4 == 0 {
				o.Link.State = "no such state"
			}
			if err := l.FinishStep(t.Context(), o); err != nil {
				failed.Add(1)
			}
		})
		assert.EqualValues(t, 20, failed.Load())
		links, err := l.Links(t.Context(), ledger.LinkFilter{State: ledger.LinkActive})
		require.NoError(t, err)
		assert.Len(t, links, 60)
		assert.Len(t, audit(t, l, ""), 60)
	},
	"NoAttemptIsMiscounted": func(t *testing.T, l ledger.Ledger) {
		ids := make([]int64, 60)
		race(len(ids), func(i int) {
			begun, err := l.BeginStep(t.Context(), attempt("p1", "wiki", "a", i))
			assert.NoError(t, err)
			ids[i] = begun.Attempt
		})
		assert.Equal(t, len(ids), steps(t, l, "p1")["a"].Attempts)
		slices.Sort(ids)
		assert.Len(t, slices.Compact(ids), 60)
	},
	"EndsWhileOthersCountLetNobodyElsePass": func(t *testing.T, l ledger.Ledger) {
		const people, rounds, allowed = 40, 4, 5
		var admitted [people]atomic.Bool
		race(people, func(i int) {
			id := fmt.Sprint("p", i)
			for round := range rounds {
				a := suspension(id, "urn:siem", 10)
				a.Key = fmt.Sprint(round)
				got, err := l.Admit(t.Context(), ledger.AdmissionRequest{PersonID: id, At: at(20 + round), Asks: []ledger.Ask{a.Ask}, Limits: atMost(allowed)})
				if !assert.NoError(t, err) {
					return
				}
				if got.Withdrawals[0].State == ledger.WithdrawalAdmitted {
					admitted[i].Store(true)
				}
				gone := ledger.AdmissionRequest{PersonID: id, At: at(20 + round), Gone: []ledger.Withdrawal{{Kind: a.Kind, Key: a.Key}}}
				for range 2 { // its answer may be lost
					_, err = l.Admit(t.Context(), gone)
					assert.NoError(t, err)
				}
			}
		})
		passed := 0
		for i := range admitted {
			if admitted[i].Load() {
				passed++
			}
		}
		assert.Equal(t, allowed, passed, "whoever was let through counts, also when it is over")
		for _, c := range cohorts(t, l, ledger.CohortFilter{}) {
			assert.Equal(t, ledger.CohortEnded, c.State, "an open cohort holds somebody")
			assert.Zero(t, c.Held)
		}
	},
	"NoEventIsOverlooked": func(t *testing.T, l ledger.Ledger) {
		far := t0.AddDate(20, 0, 0)
		record(t, l, received("p1", "first", 0))
		var seen atomic.Int64 // the last event that a saved assessment saw
		race(60, func(i int) {
			if i%2 == 0 {
				_, err := l.Record(t.Context(), []ledger.Received{received("p1", fmt.Sprint(i), i)})
				assert.NoError(t, err)
				return
			}
			p, err := l.Person(t.Context(), "p1")
			assert.NoError(t, err)
			a := ledger.Assessment{Summary: p.Summary}
			a.Summary.AssessedAt, a.Summary.DueAt, a.Summary.DueWhat = at(i), far, "end"
			if err := l.SaveAssessment(t.Context(), a); err != nil {
				assert.ErrorIs(t, err, ledger.ErrStale)
				return
			}
			for old := seen.Load(); p.LastSeq > old && !seen.CompareAndSwap(old, p.LastSeq); {
				old = seen.Load()
			}
		})
		require.NotZero(t, seen.Load())
		p := read(t, l, "p1")
		if p.LastSeq > seen.Load() {
			assert.Equal(t, "event", p.DueWhat)
		} else {
			assert.Equal(t, far, p.DueAt)
		}
	},
}

// race calls f(0) to f(n-1), all at once, and waits.
func race(n int, f func(i int)) {
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

// leaversEach is the number of people who leave in each process. leaversAllowed is the limit
// for all processes together.
const leaversEach, leaversAllowed = 40, 25

// leave does one process's part of CountTogether.
func leave(ctx context.Context, l ledger.Ledger, name string) error {
	admitted := 0
	limits := ledger.Limits{Window: time.Hour, Of: map[ledger.WithdrawalKind]ledger.Limit{ledger.Leavers: {Count: leaversAllowed}}}
	for i := range leaversEach {
		a, err := l.Admit(ctx, ledger.AdmissionRequest{
			PersonID: fmt.Sprint(name, " ", i), At: time.Now(), Limits: limits,
			Asks: []ledger.Ask{{Kind: ledger.Leavers, Key: "x", Immediate: true}},
		})
		if err != nil {
			return err
		}
		if a.Withdrawals[0].State == ledger.WithdrawalAdmitted {
			admitted++
		}
	}
	fmt.Println(admitted)
	return nil
}

// CountTogether asks for the withdrawals of many leavers in several processes, and requires
// that all processes together admit no more than allowed. The ledger is new, and at is its
// address.
func CountTogether(t *testing.T, l ledger.Ledger, at string) {
	t.Helper()
	const processes = 4
	var children []*Child
	for i := range processes {
		children = append(children, Start(t, Leave, at, fmt.Sprint("p", i)))
	}
	for _, c := range children { // all children wait for the end of their input
		require.NoError(t, c.In.Close())
	}
	total := 0
	for _, c := range children {
		require.True(t, c.Out.Scan(), c.Said(t))
		n, err := strconv.Atoi(c.Out.Text())
		require.NoError(t, err)
		total += n
		require.NoError(t, c.Cmd.Wait(), c.Said(t))
	}
	assert.Equal(t, leaversAllowed, total)
	cohorts, err := l.Cohorts(t.Context(), ledger.CohortFilter{})
	require.NoError(t, err)
	require.Len(t, cohorts, 1)
	assert.Equal(t, processes*leaversEach-leaversAllowed, cohorts[0].Held)
}

// InBackground starts n calls and returns a function that waits for them.
func InBackground(n int, f func(i int) error) (wait func() []error) {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = f(i) })
	}
	return func() []error {
		wg.Wait()
		return errs
	}
}
