package review

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/request"
)

// Progress says where a review stands, and when to look at it again. It is written into workflow
// histories, and holds no personal data.
type Progress struct {
	request.State
	More bool `json:"more,omitempty"` // there is more to do at once
}

const (
	// atMost is the time after which a review is looked at again, whatever it waits for.
	atMost = 6 * time.Hour
	// leastWait is the shortest time (real time) after which a review is looked at again.
	leastWait = time.Second
	// followEvery is how often a review is compared with who is there.
	followEvery = 24 * time.Hour
	// previewBefore is how long before the end it is shown what silence would do.
	previewBefore = 48 * time.Hour
	// page is how many items, or people, are written about at once.
	page = 200
	// firstWait is how long (real time) what was revoked has to go before it is looked for. Then
	// it is looked for after half of the time that it is late.
	firstWait = 2 * time.Second
	// tries is how often a review is read again because it was changed meanwhile.
	tries = 10
)

// Keeper is the part of the ledger by which a review is kept up to date.
type Keeper interface {
	ledger.Reviews
}

// Secretary keeps reviews up to date.
type Secretary struct {
	*Board
	Keeper Keeper
	// Alive is called often while there is work, and Told with people whose access has changed.
	// Both may be nil.
	Alive func()
	Told  func(ctx context.Context, people []string)
	// Scan has an app scanned, unless that is under way, and Scannable reports whether it can be.
	// Scan may be nil: then a review takes the scans that there are.
	Scan      func(ctx context.Context, app string) error
	Scannable func(app string) bool
}

func (s *Secretary) alive() {
	if s.Alive != nil {
		s.Alive()
	}
}

// Look finds out what has become of a review, does what is due, and stores it. It is told the
// time by the Board's clock only, and all that it does may be repeated, so that it does not matter
// when, or how often, it is called, or if it is cut off.
func (s *Secretary) Look(ctx context.Context, id int64) (Progress, error) {
	for range tries {
		p, err := s.look(ctx, id)
		if !errors.Is(err, ledger.ErrStale) {
			return p, err
		}
	}
	return Progress{}, ledger.ErrStale
}

func (s *Secretary) look(ctx context.Context, id int64) (Progress, error) {
	r, err := s.review(ctx, id)
	if err != nil {
		return Progress{}, err
	}
	if r.ID == 0 || r.LookAt.IsZero() {
		return Progress{State: request.State{Over: true}}, nil
	}
	if r.State == ledger.ReviewFreezing {
		return s.freezes(ctx, r)
	}
	l := &looking{Secretary: s, now: s.Clock.Now(), was: r, is: r}
	if l.terms, err = TermsOf(r); err != nil {
		return Progress{}, err
	}
	if l.panel, err = s.Panel(ctx, l.terms); err != nil {
		return Progress{}, err
	}
	l.is.LookAt = time.Time{}
	do := map[ledger.ReviewState]func(context.Context) error{
		ledger.ReviewOpen: l.open, ledger.ReviewClosing: l.closing, ledger.ReviewClosed: l.closed,
	}[r.State]
	if err := do(ctx); err != nil {
		return Progress{}, err
	}
	return l.save(ctx)
}

// freezes freezes the population of a review for a while, and opens it when that is done.
func (s *Secretary) freezes(ctx context.Context, r ledger.Review) (Progress, error) {
	if r.Place == "" {
		fresh, p, ok, err := s.scanFirst(ctx, r)
		if !ok || err != nil {
			return p, err
		}
		r = fresh
	}
	f, err := s.freeze(ctx, r)
	if err != nil {
		return Progress{}, err
	}
	began := time.Now()
	for time.Since(began) < freezeFor {
		s.alive()
		next, more, err := f.page(ctx)
		if err != nil {
			return Progress{}, err
		}
		if !more {
			now := s.Clock.Now()
			facts, err := f.memberships(ctx, s.alive)
			if err != nil {
				return Progress{}, err
			}
			_, err = s.Keeper.OpenReview(ctx, ledger.ReviewOpening{Review: r.ID, At: now, Place: placeEnd, LookAt: now, Facts: facts})
			return s.more("freeze", r), err
		}
		if f.review, err = s.Keeper.FreezeReview(ctx, next); err != nil {
			return Progress{}, err
		}
	}
	return s.more("freeze", r), nil
}

// more says that there is more to do at once.
func (s *Secretary) more(what string, r ledger.Review) Progress {
	return Progress{State: request.State{Phase: request.Applying, Next: what + " " + r.Ref()}, More: true}
}

// looking holds the state of one look at a review.
type looking struct {
	*Secretary
	now   time.Time
	terms Terms
	panel *Panel
	was   ledger.Review
	is    ledger.Review
	facts []ledger.ReviewFact
	state request.State
	again bool // there is more to do at once
}

// next sets the next look to an instant, unless there is an earlier one.
func (l *looking) next(at time.Time) {
	if least := l.now.Add(l.Clock.Span(leastWait)); at.Before(least) {
		at = least
	}
	if l.is.LookAt.IsZero() || at.Before(l.is.LookAt) {
		l.is.LookAt = at
	}
}

// fact notes something that goes on the record.
func (l *looking) fact(action, personID, cause string, detail map[string]any) {
	l.facts = append(l.facts, ledger.ReviewFact{Action: action, PersonID: personID, Actor: ledger.ActorTenure, Cause: cause, Detail: detail})
}

// open looks at a review in which people decide.
func (l *looking) open(ctx context.Context) error {
	if !l.is.EndsAt.After(l.now) {
		if !l.is.PreviewedAt.IsZero() {
			l.ends("its time is over", ledger.ActorTenure)
			return nil
		}
		l.postpone()
	}
	l.state = request.State{Phase: request.Waiting, Next: "close " + l.is.Ref(), Due: l.is.EndsAt}
	l.next(l.is.EndsAt)
	l.next(l.now.Add(atMost))
	if at := l.is.FollowedAt.Add(followEvery); at.After(l.now) {
		l.next(at)
	} else if err := l.follow(ctx); err != nil {
		return err
	}
	if err := l.settled(ctx); err != nil {
		return err
	}
	if err := l.remind(ctx); err != nil {
		return err
	}
	if err := l.escalate(ctx); err != nil {
		return err
	}
	if err := l.preview(ctx); err != nil {
		return err
	}
	_, err := l.awaited(ctx)
	return err
}

// postpone has a review end later whose time is over although nobody was shown what silence would do:
// it was opened too late, or nothing of Tenure ran. Silence counts only after that was shown.
func (l *looking) postpone() {
	ended := l.is.EndsAt
	l.is.EndsAt = l.now.Add(previewBefore)
	l.fact(ledger.AuditReviewExtended, "", "nobody was shown in time what silence would do", map[string]any{
		"ended": ended.UTC().Format(time.RFC3339), "ends": l.is.EndsAt.UTC().Format(time.RFC3339),
	})
}

// ends begins the end of a review.
func (l *looking) ends(why, actor string) {
	l.is.State, l.again = ledger.ReviewClosing, true
	l.fact(ledger.AuditReviewEnded, "", why, nil)
	l.facts[len(l.facts)-1].Actor = actor
	l.next(l.now)
}

// closing decides what nobody has decided.
func (l *looking) closing(ctx context.Context) error {
	l.state = request.State{Phase: request.Applying, Next: "close " + l.is.Ref()}
	for {
		l.alive()
		n, err := l.Keeper.DecideRest(ctx, ledger.RestDecision{
			Review: l.is.ID, At: l.now, Verdict: l.terms.Silent, Reason: "nobody decided by the end of the review",
		}, page)
		if err != nil {
			return err
		}
		if n < page {
			break
		}
	}
	counts, err := l.Ledger.CountItems(ctx, l.is.ID)
	if err != nil {
		return err
	}
	l.is.State, l.is.ClosedAt, l.again = ledger.ReviewClosed, l.now, true
	o := Outcome(counts)
	l.fact(ledger.AuditReviewClosed, l.is.PersonID, "", map[string]any{
		"items": o.Items, "moot": o.Moot, "human": o.Human, "silence": o.Silence, "kept": o.Kept, "revoked": o.Revoked,
	})
	l.next(l.now)
	return nil
}

// closed lets decisions take effect, and waits until what was revoked is gone.
func (l *looking) closed(ctx context.Context) error {
	l.state = request.State{Phase: request.Applying, Next: "prove " + l.is.Ref()}
	if err := l.settled(ctx); err != nil {
		return err
	}
	left, err := l.awaited(ctx)
	if err != nil || left > 0 {
		return err
	}
	unsettled, err := l.Ledger.ReviewItems(ctx, ledger.ItemFilter{Review: l.is.ID, Effectless: farAway}, 0, 1)
	if err != nil {
		return err
	}
	if len(unsettled) > 0 {
		if settles := unsettled[0].DecidedAt.Add(l.terms.Settle); settles.After(l.now) && unsettled[0].DecidedBy != ledger.ReviewNobody {
			l.state.Phase, l.state.Due = request.Scheduled, settles
			return nil // settled has set when to look again
		}
		l.state.Phase = request.Attention // the ledger knows something newer, or a scan has to come first
		l.next(l.now.Add(min(max(l.Clock.Span(firstWait), l.now.Sub(l.is.ClosedAt)/2), atMost)))
		return nil
	}
	l.is.DoneAt, l.is.LookAt = l.now, time.Time{}
	l.fact(ledger.AuditReviewDone, l.is.PersonID, "", nil)
	return nil
}

// farAway is later than any decision.
var farAway = time.Date(9999, time.January, 1, 0, 0, 0, 0, time.UTC)

// save stores what has changed.
func (l *looking) save(ctx context.Context) (Progress, error) {
	_, err := l.Keeper.ChangeReview(ctx, ledger.ReviewChange{Review: l.is, At: l.now, Facts: l.facts})
	if err != nil {
		return Progress{}, err
	}
	p := Progress{State: l.state, More: l.again}
	p.Over = l.is.LookAt.IsZero()
	if !p.Over && !p.More {
		p.Wait = l.Clock.Wait(l.is.LookAt.Sub(l.now))
	}
	return p, nil
}

// undecided returns how many items each reviewer has not decided, by reviewer.
func (l *looking) undecided(ctx context.Context) ([]ledger.ItemCount, error) {
	counts, err := l.Ledger.CountItems(ctx, l.is.ID)
	return slices.DeleteFunc(counts, func(c ledger.ItemCount) bool { return c.Verdict != "" || c.Reviewer == "" }), err
}

// remind reminds those who have something to decide.
func (l *looking) remind(ctx context.Context) error {
	times := slices.SortedFunc(slices.Values(l.terms.Remind), func(a, b time.Duration) int { return int(b - a) })
	due := false
	for n := l.is.Reminders; n < len(times); n++ {
		at := l.is.EndsAt.Add(-times[n])
		if at.After(l.now) {
			l.next(at)
			break
		}
		due = due || at.After(l.is.OpenedAt) // one that was over before it was opened is not given
		l.is.Reminders++
	}
	if !due {
		return nil
	}
	open, err := l.undecided(ctx)
	for _, c := range open {
		l.fact(ledger.AuditReviewReminded, c.Reviewer, "", map[string]any{"items": c.Items, "until": l.is.EndsAt.UTC().Format(time.RFC3339)})
	}
	return err
}

// escalate asks the next ones up as well.
func (l *looking) escalate(ctx context.Context) error {
	if l.terms.Escalate <= 0 || !l.is.EscalatedAt.IsZero() {
		return nil
	}
	if at := l.is.OpenedAt.Add(l.terms.Escalate); at.After(l.now) {
		l.next(at)
		return nil
	}
	also := map[string]int{}
	err := l.move(ctx, func(i ledger.ReviewItem) (*ledger.ItemMove, error) {
		if i.Also != "" { // a look that did not end has asked them
			also[i.Also]++
			return nil, nil
		}
		if i.Reviewer == "" {
			return nil, nil
		}
		d, ok, err := l.panel.Above(ctx, i)
		if !ok || err != nil {
			return nil, err
		}
		also[d.PersonID]++
		return &ledger.ItemMove{Reviewer: i.Reviewer, Authority: i.Authority, Also: d.PersonID}, nil
	})
	if err != nil {
		return err
	}
	l.is.EscalatedAt = l.now
	for _, id := range slices.Sorted(maps.Keys(also)) {
		l.fact(ledger.AuditReviewEscalated, id, "others have not decided", map[string]any{"items": also[id], "until": l.is.EndsAt.UTC().Format(time.RFC3339)})
	}
	return nil
}

// move goes through the undecided items, and has others decide about them as what is asked for
// each says; nil: it stays as it is.
func (l *looking) move(ctx context.Context, what func(ledger.ReviewItem) (*ledger.ItemMove, error)) error {
	var moves []ledger.ItemMove
	flush := func() error {
		err := l.Keeper.AssignItems(ctx, l.is.ID, moves)
		moves = nil
		return err
	}
	for i, err := range ledger.AllReviewItems(ctx, l.Ledger, ledger.ItemFilter{Review: l.is.ID, Open: true}) {
		if err != nil {
			return err
		}
		l.alive()
		m, err := what(i)
		if err != nil {
			return err
		}
		if m == nil {
			continue
		}
		m.Item, m.At, m.Actor = i.Item, l.now, ledger.ActorTenure
		if moves = append(moves, *m); len(moves) >= page {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}
