package review

import (
	"context"
	"fmt"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// Start says how a review is started.
type Start struct {
	Terms    Terms
	By       string // who starts it
	Reason   string
	PersonID string // the only person whom it is about; empty: everybody
	Key      string // two starts with the same key are one
}

// Start starts a review: its population is frozen next.
func (s *Secretary) Start(ctx context.Context, start Start) (ledger.Review, error) {
	now := s.Clock.Now()
	terms, err := WriteTerms(start.Terms)
	if err != nil {
		return ledger.Review{}, err
	}
	scans, err := s.scans(ctx)
	if err != nil {
		return ledger.Review{}, err
	}
	return s.Keeper.BeginReview(ctx, ledger.Review{
		Name: start.Terms.Name, Key: start.Key, PersonID: start.PersonID, StartedBy: start.By, Reason: start.Reason, StartedAt: now, Terms: terms,
		Scans: scans, EndsAt: start.Terms.Ends(now, s.zone()), LookAt: now,
	})
}

func (b *Board) zone() *time.Location {
	if b.Zone == nil {
		return time.UTC
	}
	return b.Zone
}

// StartDue starts the reviews that are to begin today, or were to begin lately.
func (s *Secretary) StartDue(ctx context.Context, all []Terms) error {
	for _, terms := range all {
		day, due := terms.Due(s.Clock.Now(), s.zone())
		if !due {
			continue
		}
		key := terms.Name + "@" + day.Format(time.DateOnly)
		known, err := s.Ledger.Reviews(ctx, ledger.ReviewFilter{Key: key}, 0, 1)
		if err != nil {
			return err
		}
		if len(known) > 0 {
			continue
		}
		_, err = s.Start(ctx, Start{Terms: terms, By: ledger.ActorTenure, Reason: "it is held every year from " + day.Format("2 January"), Key: key})
		if err != nil {
			return fmt.Errorf("review %s: %w", terms.Name, err)
		}
	}
	return nil
}
