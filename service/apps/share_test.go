package apps

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/pace"
)

// turns reserves one call after the other, and saves none.
type turns struct {
	ledger.Pacer
	mu   sync.Mutex
	next time.Time
}

func (s *turns) ReserveCalls(_ context.Context, r ledger.CallReservation) (ledger.CallTurn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.next.Before(now) {
		s.next = now
	}
	turn := ledger.CallTurn{At: s.next, Now: now}
	s.next = s.next.Add(time.Duration(r.Calls) * r.Every)
	return turn, nil
}

// However slow or busy an app is, a scan makes no more calls than its share of the rate, and
// steps get the rest.
func TestAScanUsesItsShareOfTheRateAtMost(t *testing.T) {
	const minutes = 10
	for name, c := range map[string]struct {
		rate  pace.Rate
		share float64
		steps int // loops that call as often as they may
	}{
		"half, and nobody else calls": {pace.Rate{Calls: 10, Per: time.Second}, 0.5, 0},
		"half of a busy app":          {pace.Rate{Calls: 10, Per: time.Second}, 0.5, 4},
		"a fifth of a slow app":       {pace.Rate{Calls: 30, Per: time.Minute}, 0.2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), minutes*time.Minute)
				defer cancel()
				pacer := pace.New(ctx, "wiki", c.rate, &turns{}, pace.NewMetrics(prometheus.NewRegistry()))
				var all sync.WaitGroup
				counts := make([]int, 1+c.steps)
				for i := range counts {
					wait := pacer.Wait
					if i == 0 {
						wait = slower(c.rate, c.share, pacer.Wait)
					}
					all.Go(func() {
						for wait(ctx) == nil {
							counts[i]++
						}
					})
				}
				all.Wait()
				sum := 0
				for _, n := range counts {
					sum += n
				}
				most := float64(c.rate.Calls) * (minutes * time.Minute).Seconds() / c.rate.Per.Seconds()
				t.Logf("%d calls by the scan, %d in all, %.0f allowed", counts[0], sum, most)
				assert.LessOrEqual(t, float64(counts[0]), c.share*most+1)
				assert.Positive(t, counts[0])
				if c.steps == 0 {
					assert.Greater(t, float64(counts[0]), 0.95*c.share*most, "it uses its share")
				} else {
					assert.Greater(t, float64(sum-counts[0]), (1-c.share)*most*0.85, "steps get the rest, but for a tenth")
				}
			})
		})
	}
}
