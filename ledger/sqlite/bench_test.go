package sqlite

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/ledgertest"
)

// BenchmarkSteps measures durable writes, half of them BeginStep and half
// FinishStep, by how many callers there are at once: with every call in a
// transaction of its own, and with those that wait sharing one.
func BenchmarkSteps(b *testing.B) {
	for _, mode := range []struct {
		name  string
		batch int
	}{{"alone", 1}, {"shared", maxBatch}} {
		for _, callers := range []int{1, 10, 100} {
			b.Run(fmt.Sprintf("%s/callers=%d", mode.name, callers), func(b *testing.B) {
				s, err := openBatching(b.Context(), newPath(b), mode.batch)
				require.NoError(b, err)
				defer func() { require.NoError(b, s.Close()) }()
				inParallel(b, callers, func(caller, i int) error { return ledgertest.OneStep(b.Context(), s, caller, i) })
				b.ReportMetric(2*float64(b.N)/b.Elapsed().Seconds(), "writes/s")
			})
		}
	}
}

// BenchmarkPerson measures the read that every assessment begins with.
func BenchmarkPerson(b *testing.B) {
	s, err := Open(b.Context(), newPath(b))
	require.NoError(b, err)
	defer func() { require.NoError(b, s.Close()) }()
	for i := range 10 {
		_, err := s.Record(b.Context(), []ledger.Received{{At: time.Now(), Event: hr.Event{
			EventKey: hr.EventKey{Source: "hr", ID: fmt.Sprint(i)}, PersonID: "p0",
		}}})
		require.NoError(b, err)
		require.NoError(b, ledgertest.OneStep(b.Context(), s, 0, i))
	}
	inParallel(b, 10, func(int, int) error {
		_, err := s.Person(b.Context(), "p0")
		return err
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reads/s")
}

// inParallel runs f b.N times, by so many callers.
func inParallel(b *testing.B, callers int, f func(caller, i int) error) {
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for caller := range callers {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				if err := f(caller, int(i)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
}
