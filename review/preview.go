package review

import (
	"context"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// Silenced says what would be done if nobody decided anything more.
type Silenced struct {
	Items    int `json:"items"`  // undecided items that would be revoked
	People   int `json:"people"` // who would lose something
	Accesses int `json:"accesses"`
	Kept     int `json:"kept"` // undecided items that would be kept
	// Allowed is how many people may lose entitlements at once before the breaker holds all of
	// it; below zero: it does not count them.
	Allowed int `json:"allowed"`
}

// Holds reports whether the breaker would hold it.
func (s Silenced) Holds() bool { return s.Allowed >= 0 && s.People > s.Allowed }

// Preview returns what silence would do to a review from now on.
func (b *Board) Preview(ctx context.Context, r ledger.Review) (Silenced, error) {
	out := Silenced{Allowed: -1}
	terms, err := TermsOf(r)
	if err != nil {
		return out, err
	}
	people := map[string]bool{}
	for i, err := range ledger.AllReviewItems(ctx, b.Ledger, ledger.ItemFilter{Review: r.ID, Open: true}) {
		if err != nil {
			return out, err
		}
		if terms.Silent(i) != ledger.VerdictRevoke {
			out.Kept++
			continue
		}
		out.Items++
		for a, err := range ledger.AllReviewAccesses(ctx, b.Ledger, ledger.AccessFilter{Review: r.ID, Item: i.Item}) {
			if err != nil {
				return out, err
			}
			out.Accesses++
			people[a.PersonID] = true
		}
	}
	delete(people, "")
	out.People = len(people)
	if b.Limits == nil {
		return out, nil
	}
	limit, ok := b.Limits.Of[ledger.Losses]
	if !ok {
		return out, nil
	}
	employed := 0
	for s, err := range ledger.AllPeople(ctx, b.Ledger, "") {
		if err != nil {
			return out, err
		}
		if s.Status == hr.StatusActive || s.Status == hr.StatusOnLeave || s.Status == hr.StatusSuspended {
			employed++
		}
	}
	out.Allowed = limit.Allowed(employed)
	return out, nil
}

// preview puts on the record what silence would do, some time before the end.
func (l *looking) preview(ctx context.Context) error {
	if !l.is.PreviewedAt.IsZero() {
		return nil
	}
	if at := l.is.EndsAt.Add(-previewBefore); at.After(l.now) {
		l.next(at)
		return nil
	}
	silent, err := l.Preview(ctx, l.is)
	if err != nil {
		return err
	}
	l.is.PreviewedAt = l.now
	l.fact(ledger.AuditReviewPreviewed, "", "", map[string]any{
		"items": silent.Items, "people": silent.People, "accesses": silent.Accesses, "kept": silent.Kept, "held": silent.Holds(),
	})
	return nil
}
