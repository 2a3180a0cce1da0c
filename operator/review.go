package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tenurehq/tenure/internal/nearest"
	"github.com/tenurehq/tenure/internal/visible"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/review"
)

// Reviews says how reviews are held.
type Reviews struct {
	Terms  []review.Terms
	Fresh  time.Duration  // see review.Board
	Zone   *time.Location // in which their days begin and end; nil: UTC
	Limits *ledger.Limits // the breaker's; nil: it is turned off
}

// board returns what knows what reviews are about.
func (v *Viewer) board(ctx context.Context) (*review.Board, error) {
	rules, err := v.Apps.Rules(ctx)
	return &review.Board{Ledger: v.Ledger, Rules: rules, Clock: v.Clock, Fresh: v.Reviews.Fresh, Zone: v.Reviews.Zone, Limits: v.Reviews.Limits}, err
}

// ReviewTerms returns how the reviews of a name are held, and refuses a name that is not there.
func (v *Viewer) ReviewTerms(name string) (review.Terms, error) {
	var known []string
	for _, terms := range v.Reviews.Terms {
		if terms.Name == name {
			return terms, nil
		}
		known = append(known, terms.Name)
	}
	return review.Terms{}, refuse(fmt.Sprintf("the configuration has no review %q%s", name, nearest.Hint(name, known)), "")
}

// StartedReview describes a review that was, or would be, started.
type StartedReview struct {
	Review   ledger.Review // without an ID if it was not started
	Forecast review.Forecast
	Applied  bool
}

// StartReview starts a review of everybody or, if one is named, of one person. With apply it does
// so; otherwise it returns what it would be about.
func (o *Operator) StartReview(ctx context.Context, r Request, name, personID string, apply bool) (StartedReview, error) {
	if err := StartReview.Check(r); err != nil {
		return StartedReview{}, err
	}
	terms, err := o.ReviewTerms(name)
	if err != nil {
		return StartedReview{}, err
	}
	if personID != "" {
		if _, err := o.Person(ctx, personID); err != nil {
			return StartedReview{}, err
		}
	}
	for open, err := range ledger.AllReviews(ctx, o.Ledger, ledger.ReviewFilter{
		Name: name, States: []ledger.ReviewState{ledger.ReviewFreezing, ledger.ReviewOpen, ledger.ReviewClosing},
	}, 0) {
		if err != nil {
			return StartedReview{}, err
		}
		if open.PersonID == personID {
			return StartedReview{}, refuse(fmt.Sprintf("%s is such a review, and is %s", open.Ref(), open.State), "review show %s", open.Ref())
		}
	}
	board, err := o.board(ctx)
	if err != nil {
		return StartedReview{}, err
	}
	out := StartedReview{Review: ledger.Review{Name: name, PersonID: personID, EndsAt: terms.Ends(o.Clock.Now(), o.zone())}}
	if !apply {
		out.Forecast, err = board.Forecast(ctx, terms, personID)
		return out, err
	}
	secretary := &review.Secretary{Board: board, Keeper: o.ledger}
	out.Review, err = secretary.Start(ctx, review.Start{Terms: terms, By: r.Actor, Reason: r.Reason, PersonID: personID, Key: uuid.NewString()})
	if err != nil {
		return StartedReview{}, err
	}
	out.Applied = true
	return out, o.tellReview(ctx, out.Review, "it was started")
}

func (v *Viewer) zone() *time.Location {
	if v.Reviews.Zone == nil {
		return time.UTC
	}
	return v.Reviews.Zone
}

// tellReview tells the run of a review.
func (o *Operator) tellReview(ctx context.Context, r ledger.Review, why string) error {
	if err := o.runs.ResumeReview(ctx, r.ID, why); err != nil {
		return &UntoldError{People: []string{r.Ref()}, Err: err}
	}
	return nil
}

// Review finds a review by its name (v-3), and refuses a name that is not there.
func (v *Viewer) Review(ctx context.Context, name string) (ledger.Review, error) {
	if id, ok := ledger.ReviewID(name); ok {
		found, err := v.Ledger.Reviews(ctx, ledger.ReviewFilter{ID: id}, 0, 1)
		if err != nil || len(found) == 1 {
			return append(found, ledger.Review{})[0], err
		}
	}
	return ledger.Review{}, refuse("there is no review "+visible.Line(name), "review list --all")
}

// ShownReview describes a review as it stands.
type ShownReview struct {
	Review  ledger.Review
	Summary review.Summary
	Counts  []ledger.ItemCount
	Quality review.Quality
	// Silence says what would be done if nobody decided anything more; only while it is open.
	Silence *review.Silenced
}

// ShowReview describes a review as it stands.
func (v *Viewer) ShowReview(ctx context.Context, name string) (ShownReview, error) {
	r, err := v.Review(ctx, name)
	if err != nil {
		return ShownReview{}, err
	}
	out := ShownReview{Review: r}
	if out.Counts, err = v.Ledger.CountItems(ctx, r.ID); err != nil {
		return out, err
	}
	out.Summary = review.Outcome(out.Counts)
	if out.Quality, err = review.QualityOf(ctx, v.Ledger, r); err != nil {
		return out, err
	}
	if r.State != ledger.ReviewOpen {
		return out, nil
	}
	board, err := v.board(ctx)
	if err != nil {
		return out, err
	}
	silent, err := board.Preview(ctx, r)
	out.Silence = &silent
	return out, err
}

// ReviewQuality says how people have decided in a review.
func (v *Viewer) ReviewQuality(ctx context.Context, name string) (ledger.Review, review.Quality, error) {
	r, err := v.Review(ctx, name)
	if err != nil {
		return r, review.Quality{}, err
	}
	q, err := review.QualityOf(ctx, v.Ledger, r)
	return r, q, err
}

// Creep yields how much of what people have no role explains: of everybody who is employed or, if
// one is named, of that person.
func (v *Viewer) Creep(ctx context.Context, personID string) iter.Seq2[review.PersonCreep, error] {
	return func(yield func(review.PersonCreep, error) bool) {
		board, err := v.board(ctx)
		if err != nil {
			yield(review.PersonCreep{}, err)
			return
		}
		board.Creep(ctx, personID)(yield)
	}
}

// ReviewDecision says what somebody who is asked thinks of items of a review.
type ReviewDecision struct {
	Review  string // v-3
	Items   []int64
	As      string // the person who decides
	Verdict ledger.ItemVerdict
	// People narrows a decision about a role to some of those who have it.
	People []string
}

// DecidedItem describes an item about which something was, or would be, decided.
type DecidedItem struct {
	Item ledger.ReviewItem
	// Own means that the access of whoever decides becomes an item of its own, about which
	// somebody else decides.
	Own bool
	// Steps lists what has to be done if it takes effect now, in the state that the accounts are
	// in, for a few of the people whom it is about; More counts the other people.
	Steps []plan.Step
	More  int
}

// DecidedItems describes what was, or would be, decided.
type DecidedItems struct {
	Review  ledger.Review
	Items   []DecidedItem
	Applied bool
}

// DecideItems stores what somebody says about items of a review. With apply it does so; otherwise
// it returns what would come of it. It refuses somebody who may not decide, as of now. A decision
// can be changed until it takes effect.
func (o *Operator) DecideItems(ctx context.Context, r Request, d ReviewDecision, apply bool) (DecidedItems, error) {
	if err := DecideItem.Check(r); err != nil {
		return DecidedItems{}, err
	}
	found, terms, panel, err := o.deciding(ctx, d)
	if err != nil {
		return DecidedItems{}, err
	}
	out := DecidedItems{Review: found}
	var decisions []ledger.ItemDecision
	for _, number := range d.Items {
		i, err := o.reviewItem(ctx, found, number)
		if err != nil {
			return DecidedItems{}, err
		}
		if err := reasoned(terms, i, d.Verdict, r); err != nil {
			return DecidedItems{}, err
		}
		decision, err := o.itemDecision(ctx, panel, i, d)
		if err != nil {
			return DecidedItems{}, err
		}
		decision.Operator, decision.Reason, decision.At = r.Actor, r.Reason, o.Clock.Now()
		one := DecidedItem{Item: i, Own: slices.ContainsFunc(decision.Apart, func(a ledger.ApartItem) bool { return a.Verdict == "" })}
		if d.Verdict == ledger.VerdictRevoke {
			if one.Steps, one.More, err = o.ifRevoked(ctx, i, d.People); err != nil {
				return DecidedItems{}, err
			}
		}
		out.Items, decisions = append(out.Items, one), append(decisions, decision)
	}
	if !apply {
		return out, nil
	}
	for n, decision := range decisions {
		var refused *ledger.DecisionError
		out.Items[n].Item, err = o.ledger.DecideItem(ctx, decision)
		if errors.As(err, &refused) {
			text := ledger.ItemOrigin(found.ID, decision.Item) + ": " + refused.Text
			if n > 0 {
				text += fmt.Sprintf(" (what was said about the %d before it counts, and what comes after it was not stored)", n)
			}
			return out, refuse(text, "review show %s", found.Ref())
		}
		if err != nil {
			return out, err
		}
	}
	out.Applied = true
	if d.Verdict == ledger.VerdictRevoke {
		return out, o.tellReview(ctx, found, "something is to be revoked")
	}
	return out, nil
}

// deciding finds out about a review about which somebody decides.
func (o *Operator) deciding(ctx context.Context, d ReviewDecision) (ledger.Review, review.Terms, *review.Panel, error) {
	found, err := o.Review(ctx, d.Review)
	if err != nil {
		return found, review.Terms{}, nil, err
	}
	switch {
	case found.State != ledger.ReviewOpen:
		return found, review.Terms{}, nil, refuse(fmt.Sprintf("%s is %s: nobody can decide about it now", found.Ref(), found.State), "review show %s", found.Ref())
	case !found.PreviewedAt.IsZero() && !found.EndsAt.After(o.Clock.Now()): // what silence does was shown, and counts from then on
		return found, review.Terms{}, nil, refuse(fmt.Sprintf("%s was to be decided by %s: let it end later, or start another one",
			found.Ref(), found.EndsAt.UTC().Format(time.RFC3339)), "review extend %s --help", found.Ref())
	case len(d.Items) == 0:
		return found, review.Terms{}, nil, refuse("say about which items", "review show %s", found.Ref())
	case d.As == "":
		return found, review.Terms{}, nil, refuse("say who decides, by their ID", "")
	case d.Verdict != ledger.VerdictKeep && d.Verdict != ledger.VerdictRevoke:
		return found, review.Terms{}, nil, refuse(fmt.Sprintf("a decision is keep or revoke, not %q", d.Verdict), "")
	}
	terms, err := review.TermsOf(found)
	if err != nil {
		return found, terms, nil, err
	}
	board, err := o.board(ctx)
	if err != nil {
		return found, terms, nil, err
	}
	panel, err := board.Panel(ctx, terms)
	return found, terms, panel, err
}

// reviewItem finds an item of a review, and refuses a number that is not there.
func (v *Viewer) reviewItem(ctx context.Context, r ledger.Review, number int64) (ledger.ReviewItem, error) {
	found, err := v.Ledger.ReviewItems(ctx, ledger.ItemFilter{Review: r.ID, Item: number}, 0, 1)
	if err != nil || len(found) == 1 {
		return append(found, ledger.ReviewItem{})[0], err
	}
	return ledger.ReviewItem{}, refuse(fmt.Sprintf("%s has no item %d", r.Ref(), number), "review show %s", r.Ref())
}

// reasoned returns an error if a decision needs a reason and has none.
func reasoned(terms review.Terms, i ledger.ReviewItem, verdict ledger.ItemVerdict, r Request) error {
	rule := cmp.Or(terms.KeepReason, review.ReasonUnexplained)
	if verdict == ledger.VerdictRevoke {
		rule = cmp.Or(terms.RevokeReason, review.ReasonAlways)
	}
	if rule.Needed(review.Kind(i.Kind)) && strings.TrimSpace(r.Reason) == "" {
		return fmt.Errorf("%s: %w", i.Name(), ErrNoReason)
	}
	return nil
}

// itemDecision returns what comes of somebody's word about an item. It refuses who may not decide
// now, and says who may.
func (o *Operator) itemDecision(ctx context.Context, panel *review.Panel, i ledger.ReviewItem, d ReviewDecision) (ledger.ItemDecision, error) {
	c, err := panel.Colleague(ctx, d.As)
	if err != nil {
		return ledger.ItemDecision{}, err
	}
	selves, err := panel.Selves(ctx, d.As)
	if err != nil {
		return ledger.ItemDecision{}, err
	}
	decider, may, err := panel.May(ctx, i, c.ID)
	if err != nil {
		return ledger.ItemDecision{}, err
	}
	if !may {
		why := "they are not asked about it"
		if slices.Contains(selves, i.PersonID) {
			why = "nobody decides about what they have themself"
		}
		return ledger.ItemDecision{}, refuse(fmt.Sprintf("%s, person %s: %s. Asked is %s", i.Name(), visible.Line(d.As), why, visible.Line(orNobody(i.Reviewer))), "review show %s", ledger.ReviewName(i.Review))
	}
	out := ledger.ItemDecision{Review: i.Review, Item: i.Item, Verdict: d.Verdict, By: c.ID, Authority: decider.Authority}
	for _, id := range d.People {
		if slices.Contains(selves, id) {
			return out, refuse("nobody decides about what they have themself", "")
		}
		out.Apart, out.Only, out.Verdict = append(out.Apart, ledger.ApartItem{
			PersonID: id, Reviewer: i.Reviewer, Authority: i.Authority, Why: "decided apart from the others", Verdict: d.Verdict,
		}), true, ""
	}
	if i.PersonID != "" || len(d.People) > 0 {
		return out, nil
	}
	for _, id := range selves {
		own, err := o.Ledger.ReviewAccesses(ctx, ledger.AccessFilter{Review: i.Review, Item: i.Item, PersonID: id}, ledger.AccessPlace{}, 1)
		if err != nil {
			return out, err
		}
		if len(own) == 0 {
			continue
		}
		apart := i
		apart.PersonID = id
		other, err := panel.Assign(ctx, apart)
		if err != nil {
			return out, err
		}
		out.Apart = append(out.Apart, ledger.ApartItem{
			PersonID: id, Reviewer: other.PersonID, Authority: other.Authority, Why: "nobody decides about what they have themself",
		})
	}
	return out, nil
}

func orNobody(id string) string {
	if id == "" {
		return "nobody"
	}
	return id
}

// shownPeople is for how many people it is shown what a decision about a role would do.
const shownPeople = 20

// ifRevoked lists what has to be done if an item is revoked now, for a few people, and how many
// others there are.
func (v *Viewer) ifRevoked(ctx context.Context, i ledger.ReviewItem, only []string) (steps []plan.Step, others int, err error) {
	board, err := v.board(ctx)
	if err != nil {
		return nil, 0, err
	}
	people := map[string]bool{}
	for a, err := range ledger.AllReviewAccesses(ctx, v.Ledger, ledger.AccessFilter{Review: i.Review, Item: i.Item}) {
		if err != nil {
			return nil, 0, err
		}
		if a.PersonID == "" || people[a.PersonID] || len(only) > 0 && !slices.Contains(only, a.PersonID) {
			continue
		}
		if people[a.PersonID] = true; len(people) > shownPeople {
			others++
			continue
		}
		before, after, err := board.IfRevoked(ctx, i, a.PersonID)
		if err != nil {
			return nil, 0, err
		}
		does, err := v.consequences(ctx, before, after, v.Clock.Now())
		if err != nil {
			return nil, 0, err
		}
		steps = append(steps, does...)
	}
	return steps, others, nil
}

// MovedItems describes items that somebody else is, or would be, asked about.
type MovedItems struct {
	Review  ledger.Review
	Items   []ledger.ReviewItem
	To      string
	Applied bool
}

// MoveItems has somebody else decide about items of a review, from now on. With apply it does so;
// otherwise it returns which. It refuses somebody who has what an item is about, or is not at
// work.
func (o *Operator) MoveItems(ctx context.Context, r Request, name string, numbers []int64, to string, apply bool) (MovedItems, error) {
	if err := MoveItems.Check(r); err != nil {
		return MovedItems{}, err
	}
	found, _, panel, err := o.deciding(ctx, ReviewDecision{Review: name, Items: numbers, As: to, Verdict: ledger.VerdictKeep})
	if err != nil {
		return MovedItems{}, err
	}
	c, err := panel.Colleague(ctx, to)
	if err != nil {
		return MovedItems{}, err
	}
	selves, err := panel.Selves(ctx, to)
	if err != nil {
		return MovedItems{}, err
	}
	if here, err := panel.AtWork(ctx, to); err != nil || !here {
		return MovedItems{}, errors.Join(err, refuse(fmt.Sprintf("person %s is not at work, and cannot decide anything", visible.Line(to)), "person show %s", to))
	}
	out := MovedItems{Review: found, To: c.ID}
	var moves []ledger.ItemMove
	for _, number := range numbers {
		i, err := o.reviewItem(ctx, found, number)
		if err != nil {
			return MovedItems{}, err
		}
		switch {
		case i.Decision != "":
			return MovedItems{}, refuse(fmt.Sprintf("%s is decided: %s", i.Name(), i.Decision), "review show %s", found.Ref())
		case slices.Contains(selves, i.PersonID):
			return MovedItems{}, refuse(fmt.Sprintf("%s is about what person %s has themself", i.Name(), visible.Line(to)), "review show %s", found.Ref())
		}
		out.Items = append(out.Items, i)
		moves = append(moves, ledger.ItemMove{
			Item: number, Reviewer: c.ID, Authority: "asked by an operator", Why: r.Reason, At: o.Clock.Now(), Actor: r.Actor,
		})
	}
	if !apply {
		return out, nil
	}
	out.Applied = true
	return out, o.ledger.AssignItems(ctx, found.ID, moves)
}

// ExtendReview lets a review end later than it was to. Reminders and the preview of silence come
// before the new end. With apply it does so; otherwise it returns the review as it would be.
func (o *Operator) ExtendReview(ctx context.Context, r Request, name string, until time.Time, apply bool) (ShownReview, error) {
	if err := ExtendReview.Check(r); err != nil {
		return ShownReview{}, err
	}
	out, err := o.ShowReview(ctx, name)
	if err != nil {
		return ShownReview{}, err
	}
	now, is := o.Clock.Now(), out.Review
	switch {
	case is.State != ledger.ReviewOpen:
		return ShownReview{}, refuse(fmt.Sprintf("%s is %s", is.Ref(), is.State), "review show %s", is.Ref())
	case until.Equal(is.EndsAt):
		return out, nil
	case until.Before(is.EndsAt):
		return ShownReview{}, refuse(fmt.Sprintf("%s ends at %s: name a later time, or close it", is.Ref(), is.EndsAt.UTC().Format(time.RFC3339)), "review close %s", is.Ref())
	}
	terms, err := review.TermsOf(is)
	if err != nil {
		return ShownReview{}, err
	}
	fact := ledger.ReviewFact{
		Action: ledger.AuditReviewExtended, PersonID: is.PersonID, Actor: r.Actor, Cause: r.Reason,
		Detail: map[string]any{"ended": is.EndsAt.UTC().Format(time.RFC3339), "ends": until.UTC().Format(time.RFC3339)},
	}
	is.EndsAt, is.LookAt, is.PreviewedAt = until, now, time.Time{}
	is.Reminders = terms.RemindersBefore(now, until)
	if out.Review = is; !apply {
		return out, nil
	}
	return o.changeReview(ctx, out, fact, "it ends later")
}

// CloseReview closes a review before its end: what nobody has decided is decided by silence. With
// apply it does so; otherwise it returns what silence would do.
func (o *Operator) CloseReview(ctx context.Context, r Request, name string, apply bool) (ShownReview, error) {
	if err := CloseReview.Check(r); err != nil {
		return ShownReview{}, err
	}
	out, err := o.ShowReview(ctx, name)
	if err != nil {
		return out, err
	}
	if out.Review.State != ledger.ReviewOpen {
		return ShownReview{}, refuse(fmt.Sprintf("%s is %s", out.Review.Ref(), out.Review.State), "review show %s", name)
	}
	if !apply {
		return out, nil
	}
	now := o.Clock.Now()
	out.Review.State, out.Review.EndsAt, out.Review.LookAt = ledger.ReviewClosing, now, now
	return o.changeReview(ctx, out, ledger.ReviewFact{
		Action: ledger.AuditReviewEnded, PersonID: out.Review.PersonID, Actor: r.Actor, Cause: r.Reason,
	}, "it is closed before its end")
}

// changeReview changes a review that was read, puts a fact on the record, and tells its run.
func (o *Operator) changeReview(ctx context.Context, out ShownReview, fact ledger.ReviewFact, why string) (ShownReview, error) {
	is, err := o.ledger.ChangeReview(ctx, ledger.ReviewChange{Review: out.Review, At: o.Clock.Now(), Facts: []ledger.ReviewFact{fact}})
	if errors.Is(err, ledger.ErrStale) {
		return ShownReview{}, refuse("something else has changed "+out.Review.Ref()+" at this moment: look again", "review show %s", out.Review.Ref())
	}
	if err != nil {
		return ShownReview{}, err
	}
	out.Review = is
	return out, o.tellReview(ctx, is, why)
}
