// Package erase decides whether what is held of a person may be erased, and erases it.
package erase

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// Terms say who is erased.
type Terms struct {
	// Keep is how long what is known of somebody is kept after their employment has ended.
	// Without it, nobody is erased by themselves, and a human may erase somebody at once.
	Keep time.Duration
	// KeptAccounts lists the apps in which an account that is off, and is never deleted, does
	// not stand against it.
	KeptAccounts []string
}

// Kept returns the apps in which policy never deletes an account.
func Kept(rules *policy.Policy) (apps []string) {
	for _, name := range rules.Apps() {
		if app, ok := rules.App(name); ok && !app.Leaver.Delete {
			apps = append(apps, name)
		}
	}
	return apps
}

// Ledger is the part of a ledger that looking needs.
type Ledger interface {
	Person(ctx context.Context, personID string) (ledger.Person, error)
	StandsAgainst(ctx context.Context, e ledger.Erasure) ([]ledger.Obstacle, error)
}

// Case is a person who may be erased, or not.
type Case struct {
	Person ledger.Person
	// Ended is when their last employment ended; zero if it has not.
	Ended time.Time
	// Against lists what stands against it.
	Against []ledger.Obstacle
	// Erasure is what has to be done, but for who does it and why.
	Erasure ledger.Erasure
}

// Look finds out whether a person may be erased now.
func Look(ctx context.Context, l Ledger, t Terms, personID string, now time.Time) (Case, error) {
	p, err := l.Person(ctx, personID)
	if err != nil {
		return Case{}, err
	}
	c := Case{Person: p, Erasure: ledger.Erasure{PersonID: personID, Revision: p.Revision, At: now, KeptAccounts: t.KeptAccounts}}
	if !p.ErasedAt.IsZero() {
		return c, nil
	}
	if c.Against, err = l.StandsAgainst(ctx, c.Erasure); err != nil {
		return c, err
	}
	ends, over := Ended(p, now)
	switch {
	case !over:
		c.Against = slices.Insert(c.Against, 0, ledger.Obstacle{What: ledger.ObstacleEmployed, State: string(p.Status), Until: ends})
	case t.Keep > 0 && now.Before(ends.Add(t.Keep)):
		c.Ended = ends
		c.Against = slices.Insert(c.Against, 0, ledger.Obstacle{What: ledger.ObstacleKept, Until: ends.Add(t.Keep)})
	default:
		c.Ended = ends
	}
	return c, nil
}

// Ended returns when the last employment of somebody ends, and whether it is over. Of somebody
// who was never employed by all that HR says, that is when HR said the last of it.
func Ended(p ledger.Person, now time.Time) (ends time.Time, over bool) {
	for _, e := range p.Events {
		if e.At.After(ends) {
			ends = e.At
		}
	}
	var last hr.Period
	for i, period := range assess.TimelineOf(p).Periods {
		if period.Ends.IsZero() {
			return time.Time{}, false
		}
		if i == 0 || period.Ends.After(last.Ends) {
			last = period
		}
	}
	if !last.Ends.IsZero() {
		ends = last.Ends
	}
	return ends, !ends.After(now)
}

// tries is how often a person is looked at again who changes meanwhile.
const tries = 3

// Do erases a person, if nothing stands against it: otherwise it returns a
// *ledger.StandsAgainstError.
func Do(ctx context.Context, l ledger.Ledger, t Terms, personID, actor, reason string, now time.Time) (Case, ledger.Erased, error) {
	for try := 1; ; try++ {
		c, err := Look(ctx, l, t, personID, now)
		if err != nil {
			return c, ledger.Erased{}, err
		}
		if len(c.Against) > 0 {
			return c, ledger.Erased{}, &ledger.StandsAgainstError{Obstacles: c.Against}
		}
		c.Erasure.Operator, c.Erasure.Reason = actor, reason
		erased, err := l.Erase(ctx, c.Erasure)
		if errors.Is(err, ledger.ErrStale) && try < tries {
			continue
		}
		var stands *ledger.StandsAgainstError
		if errors.As(err, &stands) {
			c.Against = stands.Obstacles
		}
		if err != nil {
			err = fmt.Errorf("erase person %s: %w", personID, err)
		}
		return c, erased, err
	}
}

// Early reports whether somebody's time is not over yet, so that nobody has to wonder why they are
// still there.
func Early(c Case) bool {
	return slices.ContainsFunc(c.Against, func(o ledger.Obstacle) bool {
		return o.What == ledger.ObstacleKept || o.What == ledger.ObstacleEmployed
	})
}
