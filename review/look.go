package review

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
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

// follow follows what has become of people: items about what is gone are moot, and items whose
// reviewer cannot decide any more are with others.
func (l *looking) follow(ctx context.Context) error {
	err := l.move(ctx, func(i ledger.ReviewItem) (*ledger.ItemMove, error) {
		why, err := l.moot(ctx, i)
		if err != nil || why != "" {
			return &ledger.ItemMove{Moot: why}, err
		}
		return l.reassigned(ctx, i)
	})
	l.is.FollowedAt = l.now
	l.next(l.now.Add(followEvery))
	return err
}

// moot returns why there is nothing to decide about an item any more; empty if there is.
func (l *looking) moot(ctx context.Context, i ledger.ReviewItem) (string, error) {
	if i.PersonID == "" {
		if i.Role != "" {
			if _, ok := l.Rules.Policy.Facts(i.Role); !ok {
				return "the role has left the configuration", nil
			}
			return "", nil
		}
		return l.nobodysMoot(ctx, i)
	}
	h, err := l.holders(ctx, i.PersonID, l.is.Name)
	if err != nil {
		return "", err
	}
	s := h.now()
	switch Kind(i.Kind) {
	case Withheld:
		if !slices.ContainsFunc(s.Withheld, func(x ledger.Exception) bool { return x.ID == i.Exception }) {
			return "it is not withheld any more", nil
		}
		return "", nil
	case Duty:
		if h.gone(i, ledger.AccessPlace{}, time.Time{}) {
			return "the person is in conflict with the rule no more", nil
		}
		return "", nil
	default:
	}
	for a, err := range ledger.AllReviewAccesses(ctx, l.Ledger, ledger.AccessFilter{Review: i.Review, Item: i.Item}) {
		if err != nil || !h.gone(i, a.AccessPlace, time.Time{}) {
			return "", err
		}
	}
	if !s.belongs() {
		return "the person has left", nil
	}
	return "the person has it no more", nil
}

// nobodysMoot returns why there is nothing to decide about an account that was nobody's; empty if
// there is.
func (b *Board) nobodysMoot(ctx context.Context, i ledger.ReviewItem) (string, error) {
	found, err := b.Ledger.Findings(ctx, ledger.FindingFilter{App: i.App, AccountID: i.AccountID}, 0, page)
	switch {
	case err != nil:
		return "", err
	case slices.ContainsFunc(found, ends):
		return "the account is being ended", nil
	case !slices.ContainsFunc(found, there):
		return "the account is somebody's by now, or is gone", nil
	}
	return "", nil
}

// there reports whether a finding is about an account that is nobody's, and on.
func there(f ledger.Finding) bool { return f.Enabled && nobodys(f) }

// nobodys reports whether a finding is about an account that is nobody's.
func nobodys(f ledger.Finding) bool {
	return f.Kind == ledger.FindingOrphan || f.Kind == ledger.FindingUnlinked || f.Kind == ledger.FindingDisputed
}

// ends reports whether a finding is about an account that is nobody's and is being ended.
func ends(f ledger.Finding) bool {
	return f.Kind == ledger.FindingOrphan && f.State == ledger.FindingRepairing
}

// nobodys reads what is known of an account that is nobody's, and of the one person whom it matches,
// if there is one.
func (l *looking) nobodys(ctx context.Context, i ledger.ReviewItem) (holders, []ledger.Finding, error) {
	s := Snapshot{Policy: l.Rules.Policy}
	findings, err := ledger.Collect(ledger.AllFindings(ctx, l.Ledger, ledger.FindingFilter{App: i.App, AccountID: i.AccountID}))
	if err != nil {
		return nil, nil, err
	}
	for _, f := range findings {
		if f.Kind != ledger.FindingOrphan || len(f.Candidates) != 1 {
			continue
		}
		if s, err = l.snapshot(ctx, f.Candidates[0], l.is.Name, nil); err != nil {
			return nil, nil, err
		}
	}
	seen, _, err := l.Ledger.Seen(ctx, i.App, i.AccountID)
	s.Seen = map[string]ledger.Observed{i.App: seen}
	return holders{s}, findings, err
}

// endedNobodys reports whether an account that was nobody's is off or gone, as the app has shown it
// since an instant: to whom it was given so that it ends or, as long as it is nobody's, to the last
// complete scan. Needs says why it will not be.
func (l *looking) endedNobodys(ctx context.Context, i ledger.ReviewItem, since time.Time) (ended bool, needs string, err error) {
	links, err := l.Ledger.Links(ctx, ledger.LinkFilter{App: i.App, AccountID: i.AccountID})
	if err != nil {
		return false, "", err
	}
	if len(links) > 0 {
		link := links[0]
		if link.State != ledger.LinkActive {
			return !link.ProvenAt.Before(since), "", nil
		}
		person, err := l.Ledger.Person(ctx, link.PersonID)
		if err != nil {
			return false, "", err
		}
		if assess.TimelineOf(person).At(l.now).Status == hr.StatusActive {
			return false, "the account is that of " + link.PersonID + " by now", nil
		}
		return false, Hindered(person, i.App), nil
	}
	last, err := l.Ledger.LastScans(ctx)
	if err != nil {
		return false, "", err
	}
	n := slices.IndexFunc(last, func(s ledger.Scan) bool { return s.App == i.App })
	if n < 0 || last[n].StartedAt.Before(since) {
		return false, "", nil
	}
	seen, ok, err := l.Ledger.Seen(ctx, i.App, i.AccountID)
	return !ok || !seen.Active || seen.At.Before(last[n].StartedAt), "", err
}

// reassigned returns who is to decide about an item instead; nil if it stays where it is. What
// somebody has moved stays there as long as that person is at work.
func (l *looking) reassigned(ctx context.Context, i ledger.ReviewItem) (*ledger.ItemMove, error) {
	why := "somebody can decide about it now"
	if i.Reviewer != "" {
		c, err := l.panel.Colleague(ctx, i.Reviewer)
		if err != nil {
			return nil, err
		}
		if c.ID != i.Reviewer {
			return &ledger.ItemMove{Reviewer: c.ID, Authority: i.Authority, Also: i.Also, Why: i.Reviewer + " has another ID now"}, nil
		}
		here, err := l.panel.AtWork(ctx, i.Reviewer)
		if err != nil {
			return nil, err
		}
		_, may, err := l.panel.May(ctx, i, i.Reviewer)
		if err != nil {
			return nil, err
		}
		switch {
		case !here:
			why = i.Reviewer + " is no longer here"
		case !may: // on leave, for example: stand-ins decide, and they will be back
			return nil, nil
		case i.AssignedWhy != "":
			return nil, nil
		default:
			why = "others decide now"
		}
	}
	d, err := l.panel.Assign(ctx, i)
	if err != nil || d.PersonID == i.Reviewer || d.PersonID == "" && i.Reviewer == "" {
		return nil, err
	}
	return &ledger.ItemMove{Reviewer: d.PersonID, Authority: d.Authority, Why: why}, nil
}

// settled lets decisions take effect that have settled.
func (l *looking) settled(ctx context.Context) error {
	by := l.now.Add(-l.terms.Settle)
	if l.is.State == ledger.ReviewOpen || l.terms.Settle > 0 {
		if err := l.unsettled(ctx, by); err != nil {
			return err
		}
	}
	for i, err := range ledger.AllReviewItems(ctx, l.Ledger, ledger.ItemFilter{Review: l.is.ID, Effectless: by}) {
		if err != nil {
			return err
		}
		if i.Kind == string(Withheld) && l.is.State == ledger.ReviewOpen {
			continue // it lasts until the review closes
		}
		if err := l.revoke(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// unsettled has decisions looked at again when they have settled.
func (l *looking) unsettled(ctx context.Context, by time.Time) error {
	for i, err := range ledger.AllReviewItems(ctx, l.Ledger, ledger.ItemFilter{Review: l.is.ID, Effectless: farAway}) {
		if err != nil {
			return err
		}
		if i.DecidedAt.After(by) && i.DecidedBy != ledger.ReviewNobody {
			l.next(i.DecidedAt.Add(l.terms.Settle))
		}
	}
	return nil
}

// revoke lets a decision about an item take effect, person by person. A look that was cut off goes
// on with those for whom it has not taken effect.
func (l *looking) revoke(ctx context.Context, i ledger.ReviewItem) error {
	var people []string
	accesses, left := map[string][]ledger.AccessPlace{}, map[string]bool{}
	for a, err := range ledger.AllReviewAccesses(ctx, l.Ledger, ledger.AccessFilter{Review: i.Review, Item: i.Item}) {
		if err != nil {
			return err
		}
		if len(people) == 0 || people[len(people)-1] != a.PersonID {
			people = append(people, a.PersonID)
		}
		accesses[a.PersonID] = append(accesses[a.PersonID], a.AccessPlace)
		left[a.PersonID] = left[a.PersonID] || a.EffectAt.IsZero()
	}
	if len(people) == 0 {
		people = []string{i.PersonID}
	} else { // the last one ends it
		last := people[len(people)-1]
		people = slices.DeleteFunc(people, func(id string) bool { return !left[id] && id != last })
	}
	var told []string
	for _, id := range people {
		l.alive()
		changed, err := l.revokeFrom(ctx, i, id, accesses[id])
		if err != nil {
			return err
		}
		if told = append(told, changed...); len(told) >= page && l.Told != nil {
			l.Told(ctx, told)
			told = nil
		}
	}
	if len(told) > 0 && l.Told != nil {
		l.Told(ctx, told)
	}
	return nil
}

// goneAlready reports whether something is gone before anything was done about it.
func (l *looking) goneAlready(ctx context.Context, h holders, i ledger.ReviewItem, a ledger.AccessPlace) (gone bool, err error) {
	if a.PersonID == "" {
		gone, _, err = l.endedNobodys(ctx, i, time.Time{})
		return gone, err
	}
	return h.gone(i, a, time.Time{}), nil
}

// revokeFrom lets a decision about an item take effect for one person, and returns whose access
// that changes. What is gone already is noted as such.
func (l *looking) revokeFrom(ctx context.Context, i ledger.ReviewItem, id string, all []ledger.AccessPlace) (changed []string, err error) {
	var gone []ledger.RevokedAccess
	left := slices.Clone(all)
	var h holders
	var findings []ledger.Finding
	if id == "" {
		h, findings, err = l.nobodys(ctx, i)
	} else if h, err = l.holders(ctx, id, l.is.Name); err == nil {
		findings, err = ledger.Collect(ledger.AllFindings(ctx, l.Ledger, ledger.FindingFilter{PersonID: h.now().Decision.Person.PersonID}))
	}
	if err != nil {
		return nil, err
	}
	s := h.now()
	if Kind(i.Kind) != Withheld && Kind(i.Kind) != Duty {
		for n := len(left) - 1; n >= 0; n-- {
			a := left[n]
			is, err := l.goneAlready(ctx, h, i, a)
			if err != nil {
				return nil, err
			}
			if is {
				gone = append(gone, ledger.RevokedAccess{Item: i.Item, AccessPlace: a, Gone: true})
				left = slices.Delete(left, n, n+1)
			}
		}
	}
	if err := l.Keeper.NoteRevoked(ctx, i.Review, l.now, gone); err != nil {
		return nil, err
	}
	effects := Effects(i, s, left, findings)
	actor, reason := i.Operator, i.Reason
	if i.DecidedBy == ledger.ReviewNobody {
		actor = ledger.ActorTenure
	}
	if reason == "" {
		reason = fmt.Sprintf("%s was decided", i.Name())
	}
	for n := range effects {
		if x := effects[n].Withhold; x != nil {
			x.DecidedAt, x.DecidedBy, x.Reason = l.now, actor, reason
		}
		if id == "" && effects[n].Repair {
			changed = append(changed, cmp.Or(effects[n].Adopt, ledger.OrphanID(effects[n].Finding)))
		}
	}
	if id != "" {
		if id = s.Decision.Person.PersonID; len(effects) > 0 {
			changed = append(changed, id)
		}
	}
	return changed, l.Keeper.Revoke(ctx, ledger.Revocation{
		Review: i.Review, Item: i.Item, PersonID: id, At: l.now, Actor: actor, Reason: reason, Effects: effects,
	})
}

// awaited looks for what is to be gone, and returns how much of it is not.
func (l *looking) awaited(ctx context.Context) (left int, err error) {
	items := map[int64]ledger.ReviewItem{}
	var noted []ledger.RevokedAccess
	var h holders
	var of string
	for a, err := range ledger.AllReviewAccesses(ctx, l.Ledger, ledger.AccessFilter{Review: l.is.ID, Awaited: true}) {
		if err != nil {
			return left, err
		}
		l.alive()
		i, ok := items[a.Item]
		if !ok {
			found, err := l.Ledger.ReviewItems(ctx, ledger.ItemFilter{Review: l.is.ID, Item: a.Item}, 0, 1)
			if err != nil || len(found) == 0 {
				return left, err
			}
			i = found[0]
			items[a.Item] = i
		}
		if a.PersonID != "" && of != a.PersonID {
			if h, err = l.holders(ctx, a.PersonID, l.is.Name); err != nil {
				return left, err
			}
			of = a.PersonID
		}
		note := ledger.RevokedAccess{Item: a.Item, AccessPlace: a.AccessPlace}
		if a.PersonID == "" {
			if note.Gone, note.Needs, err = l.endedNobodys(ctx, i, a.EffectAt); note.Needs == "" && a.Effect == "" {
				note.Needs = a.Needs
			}
		} else if note.Gone = h.gone(i, a.AccessPlace, a.EffectAt); !note.Gone {
			if note.Needs = Hindered(h.now().Decision.Person, a.App); note.Needs == "" && a.Effect == "" {
				note.Needs = a.Needs // it never went by itself
			}
		}
		if err != nil {
			return left, err
		}
		if note.Gone || note.Needs != a.Needs {
			noted = append(noted, note)
		}
		if note.Gone {
			continue
		}
		left++
		if note.Needs != "" {
			l.state.Phase = request.Attention
		}
		l.next(l.now.Add(min(max(l.Clock.Span(firstWait), l.now.Sub(a.EffectAt)/2), atMost)))
	}
	for part := range slices.Chunk(noted, page) {
		if err := l.Keeper.NoteRevoked(ctx, l.is.ID, l.now, part); err != nil {
			return left, err
		}
	}
	return left, nil
}
