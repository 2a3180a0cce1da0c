package notice

import (
	"context"
	"fmt"

	"github.com/tenurehq/tenure/ledger"
)

// The names of the kinds about reviews.
const (
	ReviewAsked     = "review.asked"
	ReviewReminded  = "review.reminded"
	ReviewEscalated = "review.escalated"
	ReviewPreviewed = "review.previewed"
	ReviewClosed    = "review.closed"
)

// reviewKinds maps facts about reviews to the kinds of notices that tell of them.
var reviewKinds = map[string]string{
	ledger.AuditReviewReminded:  ReviewReminded,
	ledger.AuditReviewEscalated: ReviewEscalated,
	ledger.AuditReviewPreviewed: ReviewPreviewed,
	ledger.AuditReviewClosed:    ReviewClosed,
}

// OpenReview implements ledger.Reviews. Who is told is who has items that are undecided.
func (t Teller) OpenReview(ctx context.Context, o ledger.ReviewOpening) (ledger.Review, error) {
	counts, err := t.CountItems(ctx, o.Review)
	if err != nil {
		return ledger.Review{}, err
	}
	var asked []string
	for _, c := range counts {
		if c.Verdict == "" && c.Items > 0 {
			asked = append(asked, c.Reviewer)
		}
	}
	n := ledger.Notice{Kind: ReviewAsked, About: ledger.ReviewName(o.Review), MadeAt: o.At}
	return t.Ledger.OpenReview(t.with(ctx, news{n, people(asked)}), o)
}

// AssignItems implements ledger.Reviews. Somebody who was asked about others is not told again.
func (t Teller) AssignItems(ctx context.Context, reviewID int64, moves []ledger.ItemMove) error {
	var all []news
	for _, m := range moves {
		if m.Moot == "" && m.Also == "" {
			all = append(all, news{ledger.Notice{Kind: ReviewAsked, About: ledger.ReviewName(reviewID), MadeAt: m.At}, people([]string{m.Reviewer})})
		}
	}
	return t.Ledger.AssignItems(t.with(ctx, all...), reviewID, moves)
}

// ChangeReview implements ledger.Reviews.
func (t Teller) ChangeReview(ctx context.Context, c ledger.ReviewChange) (ledger.Review, error) {
	var all []news
	for _, f := range c.Facts {
		kind, ok := reviewKinds[f.Action]
		if !ok {
			continue
		}
		n := ledger.Notice{Kind: kind, About: c.Review.Ref(), MadeAt: c.At}
		to := people([]string{f.PersonID})
		switch kind {
		case ReviewReminded:
			n.Occasion = fmt.Sprintf("reminder %d", c.Review.Reminders)
		case ReviewClosed:
			to = t.Book.runners() // the fact names whom the review is about
		case ReviewPreviewed:
			if f.PersonID == "" {
				to = t.Book.runners()
			}
		}
		all = append(all, news{n, to})
	}
	return t.Ledger.ChangeReview(t.with(ctx, all...), c)
}

// review reads the review that the notice is about.
func (l look) review(ctx context.Context) (ledger.Review, error) {
	id, ok := ledger.ReviewID(l.About)
	if !ok {
		return ledger.Review{}, ledger.ErrNotFound
	}
	found, err := l.in.Reviews(ctx, ledger.ReviewFilter{ID: id}, 0, 1)
	if err == nil && len(found) == 0 {
		err = ledger.ErrNotFound
	}
	if err != nil {
		return ledger.Review{}, err
	}
	return found[0], nil
}

// lookReview looks at a review in which somebody has items that are undecided.
func lookReview(ctx context.Context, l look) (Finding, error) {
	r, err := l.review(ctx)
	if err != nil {
		return Finding{}, err
	}
	if r.State != ledger.ReviewOpen {
		return moot("the review is over")
	}
	data := ofReview(r)
	for _, err := range ledger.AllReviewItems(ctx, l.in, ledger.ItemFilter{Review: r.ID, Reviewer: l.recipient, Open: true}) {
		if err != nil {
			return Finding{}, err
		}
		data.Count++
	}
	if l.recipient != "" && data.Count == 0 {
		return moot("they have nothing to decide")
	}
	data.Commands = append(data.Commands, command("tenure review show %s --as %s", r.Ref(), l.recipient))
	return Finding{Data: data}, nil
}

// lookReviewed looks at a review whatever has become of it.
func lookReviewed(ctx context.Context, l look) (Finding, error) {
	r, err := l.review(ctx)
	if err != nil {
		return Finding{}, err
	}
	data := ofReview(r)
	counts, err := l.in.CountItems(ctx, r.ID)
	byVerdict := map[string]int{}
	for _, c := range counts {
		verdict := string(c.Verdict)
		switch {
		case verdict == "":
			verdict = "undecided"
		case c.Nobody:
			verdict += ", by silence"
		}
		byVerdict[verdict] += c.Items
		data.Count += c.Items
	}
	data.Counts = tally(byVerdict)
	return Finding{Data: data}, err
}

func ofReview(r ledger.Review) Private {
	return Private{Public: Public{State: string(r.State), At: r.OpenedAt, Until: r.EndsAt, Commands: []string{"tenure review show " + r.Ref()}}}
}
