package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/erase"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/provision"
)

// NameErase and NameScrub are the names of the activity types that erase people whose time is
// over, and that make sure that nothing of it is left in the ledger's files.
const (
	NameErase = "Erase"
	NameScrub = "Scrub"
)

// EraseRequest asks for one page. It is written into workflow histories.
type EraseRequest struct {
	After string `json:"after,omitempty"` // the last person of the page before
}

// ErasePage says what one page did.
type ErasePage struct {
	After  string `json:"after,omitempty"` // the last person of the page
	More   bool   `json:"more,omitempty"`
	Erased int    `json:"erased,omitempty"`
	// Waiting counts the people who are kept longer than privacy.keep, because something
	// stands against it.
	Waiting int `json:"waiting,omitempty"`
	// Scrub is set if people were erased by an attempt at this page that did not come to its end:
	// they are not counted, and what is left of them in the ledger's files has to go.
	Scrub bool `json:"scrub,omitempty"`
}

// What becomes of an erasure.
const (
	ErasureDone    = "erased"
	ErasureRefused = "refused" // the ledger would not, whatever time it is: privacy.pepper is missing or another one
	ErasureFailed  = "failed"  // it is tried again
)

// erasure notes what became of an erasure.
func (a *Activities) erasure(outcome string) {
	if a.Erased != nil {
		a.Erased(outcome)
	}
}

// eraseSkew is how far the clocks of a worker and of Temporal may be apart.
const eraseSkew = time.Hour

// erasePage is how many people a page looks at.
const erasePage = 200

// EraseReason is why Tenure erases somebody by itself, for the record.
const EraseReason = "kept for as long as privacy.keep says"

// Erase erases the people of one page whose time is over, and against whom nothing stands. Each is
// a transaction of its own, so that a page may be done again from its beginning.
func (a *Activities) Erase(ctx context.Context, req EraseRequest) (ErasePage, error) {
	page := ErasePage{After: req.After}
	if a.Privacy.Keep == 0 {
		return page, nil
	}
	people, err := a.Ledger.People(ctx, req.After, erasePage)
	if err != nil {
		return page, temporalError(provision.LedgerError(err))
	}
	page.More = len(people) == erasePage
	asked := a.Clock.Now()
	if activity.IsActivity(ctx) {
		asked = activity.GetInfo(ctx).ScheduledTime // before the first attempt
	}
	for _, p := range people {
		page.After = p.PersonID
		if p.ErasedAt.After(asked.Add(-eraseSkew)) {
			page.Scrub = true
		}
		if !p.ErasedAt.IsZero() || p.Status != hr.StatusEnded && p.Status != hr.StatusUnknown || ledger.IsOrphan(p.PersonID) {
			continue
		}
		alive(ctx)
		c, erased, err := erase.Do(ctx, a.Ledger, a.Privacy, p.PersonID, ledger.ActorTenure, EraseReason, a.Clock.Now())
		var stands *ledger.StandsAgainstError
		switch {
		case err == nil && !erased.Again:
			page.Erased++
			a.erasure(ErasureDone)
			a.Log.Info("erased a person", zap.String("person", p.PersonID), zap.Int64("row", erased.Seq))
		case errors.As(err, &stands):
			if !erase.Early(c) {
				page.Waiting++
			}
		case errors.Is(err, ledger.ErrStale), errors.Is(err, ledger.ErrNotFound): // tomorrow
		case errors.Is(err, ledger.ErrRefused):
			page.Waiting++
			a.erasure(ErasureRefused)
			a.Log.Warn("a person could not be erased", zap.String("person", p.PersonID), zap.Error(err))
		case errors.Is(err, ledger.ErrPepper): // so would everybody's be
			a.erasure(ErasureRefused)
			return page, temporalError(provision.LedgerError(err))
		case err != nil:
			a.erasure(ErasureFailed)
			return page, temporalError(provision.LedgerError(err))
		}
	}
	return page, nil
}

// Scrub makes sure that nothing of what was erased is left in the ledger's files.
func (a *Activities) Scrub(ctx context.Context) error {
	stop := beats(ctx)
	defer stop()
	err := a.Ledger.Scrub(ctx)
	if err != nil {
		a.erasure(ErasureFailed)
	}
	return temporalError(provision.LedgerError(err))
}
