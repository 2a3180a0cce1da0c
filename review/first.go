package review

import (
	"context"
	"slices"
	"time"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/request"
)

const (
	// scanWithin is how long a review waits for scans before its population is frozen.
	scanWithin = 2 * time.Hour
	// longestScanWait is the longest time after which it is looked whether these have ended.
	longestScanWait = 10 * time.Minute
)

// scanFirst has each app scanned whose last complete scan is too old, before anything is frozen. It
// returns false as long as one of these scans has not ended, but for scanWithin at most: what is
// still too old then is called so by the review.
func (s *Secretary) scanFirst(ctx context.Context, r ledger.Review) (ledger.Review, Progress, bool, error) {
	now := s.Clock.Now()
	scans, err := s.scans(ctx)
	if err != nil {
		return r, Progress{}, false, err
	}
	awaited := ""
	for _, one := range scans {
		if !one.Stale || s.Scan == nil || !s.Scannable(one.App) || !now.Before(r.StartedAt.Add(scanWithin)) {
			continue
		}
		s.alive()
		last, err := s.Ledger.Scans(ctx, one.App, 1)
		if err != nil {
			return r, Progress{}, false, err
		}
		begun := len(last) > 0 && (last[0].State.Unfinished() || !last[0].StartedAt.Before(r.StartedAt))
		if !begun {
			if err := s.Scan(ctx, one.App); err != nil {
				return r, Progress{}, false, err
			}
		}
		if !begun || last[0].State.Unfinished() {
			awaited = one.App
		}
	}
	if awaited == "" && slices.Equal(scans, r.Scans) {
		return r, Progress{}, true, nil
	}
	r.Scans, r.LookAt = scans, now
	p := Progress{State: request.State{Phase: request.Waiting, Next: "scan " + awaited, Due: r.StartedAt.Add(scanWithin)}}
	if awaited != "" {
		r.LookAt = now.Add(min(max(s.Clock.Span(firstWait), now.Sub(r.StartedAt)/2), longestScanWait))
		p.Wait = s.Clock.Wait(r.LookAt.Sub(now))
	}
	r, err = s.Keeper.ChangeReview(ctx, ledger.ReviewChange{Review: r, At: now})
	return r, p, awaited == "", err
}
