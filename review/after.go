package review

import (
	"context"
	"fmt"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// After says what happens to a person after which a review of this one person is held.
type After struct {
	Moved    bool          `json:"moved,omitempty"`    // a move: see Turns
	Returned time.Duration `json:"returned,omitempty"` // a leave of at least so long; zero: none
	Wait     time.Duration `json:"wait,omitempty"`     // how long after it the review begins
}

// Turn is something that has happened to a person, after which a review may be held.
type Turn struct {
	At   time.Time
	What string // "moved" or "returned"
}

// Turns lists what happened to somebody between two instants (from < at <= to) after which a review
// is to be held, in order: moves to another department, job, company or kind of work within an
// employment, and ends of long leaves. It depends on nothing but its arguments.
func (a After) Turns(t hr.Timeline, from, to time.Time) []Turn {
	within := func(at time.Time) bool { return at.After(from) && !at.After(to) }
	var all []Turn
	for _, p := range t.Periods {
		for i := 1; i < len(p.Profiles) && a.Moved; i++ {
			was, is := p.Profiles[i-1].Profile, p.Profiles[i]
			if within(is.From) && is.From.After(p.Starts) && jobOf(was) != jobOf(is.Profile) {
				all = append(all, Turn{At: is.From, What: "moved"})
			}
		}
	}
	for _, away := range t.Absences {
		if a.Returned > 0 && !away.To.IsZero() && within(away.To) && away.To.Sub(away.From) >= a.Returned {
			all = append(all, Turn{At: away.To, What: "returned"})
		}
	}
	return all
}

// jobOf returns what somebody does, and where: who changes it has moved.
func jobOf(p hr.Profile) [4]string {
	return [4]string{p.Department, p.JobTitle, p.Company, string(p.Type)}
}

// StartAfter starts reviews of single people to whom something has happened that their terms name,
// if they have something that none of their roles gives: what they brought along. As long as a
// review of that name of everybody is open, nobody is asked twice.
func (s *Secretary) StartAfter(ctx context.Context, all []Terms) error {
	now := s.Clock.Now()
	for _, terms := range all {
		if !terms.After.Moved && terms.After.Returned == 0 {
			continue
		}
		to := now.Add(-terms.After.Wait)
		open, err := s.open(ctx, terms.Name)
		if err != nil {
			return err
		}
		if open {
			continue
		}
		for one, err := range ledger.AllPeople(ctx, s.Ledger, "") {
			if err != nil {
				return err
			}
			if one.Status != hr.StatusActive && one.Status != hr.StatusOnLeave {
				continue
			}
			s.alive()
			if err := s.startAfter(ctx, terms, one.PersonID, to); err != nil {
				return err
			}
		}
	}
	return nil
}

// open reports whether a review of everybody has that name and is not closed.
func (s *Secretary) open(ctx context.Context, name string) (bool, error) {
	for r, err := range ledger.AllReviews(ctx, s.Ledger, ledger.ReviewFilter{
		Name: name, States: []ledger.ReviewState{ledger.ReviewFreezing, ledger.ReviewOpen, ledger.ReviewClosing},
	}, 0) {
		if err != nil || r.PersonID == "" {
			return err == nil, err
		}
	}
	return false, nil
}

func (s *Secretary) startAfter(ctx context.Context, terms Terms, id string, to time.Time) error {
	person, err := s.Ledger.Person(ctx, id)
	if err != nil || person.CarriedTo != "" {
		return err
	}
	turns := terms.After.Turns(assess.TimelineOf(person), to.Add(-startsWithin), to)
	if len(turns) == 0 {
		return nil
	}
	turn := turns[len(turns)-1]
	key := fmt.Sprintf("%s@%s:%s:%s", terms.Name, turn.What, id, turn.At.UTC().Format(time.RFC3339))
	known, err := s.Ledger.Reviews(ctx, ledger.ReviewFilter{Key: key}, 0, 1)
	if err != nil || len(known) > 0 {
		return err
	}
	have, err := s.snapshot(ctx, id, terms.Name, nil)
	if err != nil {
		return err
	}
	if CreepOf(have).Unexplained == 0 {
		return nil
	}
	_, err = s.Start(ctx, Start{
		Terms: terms, PersonID: id, By: ledger.ActorTenure, Reason: "the person has " + turn.What + ", and has more than roles give", Key: key,
	})
	return err
}
