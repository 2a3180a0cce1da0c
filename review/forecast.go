package review

import (
	"context"

	"github.com/tenurehq/tenure/ledger"
)

// Forecast says what a review would be about if it were started now.
type Forecast struct {
	Items     int            `json:"items"`
	Accesses  int            `json:"accesses"`
	Kinds     map[Kind]int   `json:"kinds"`     // items of each kind
	Reviewers map[string]int `json:"reviewers"` // items of each reviewer, by ID; "": nobody can be asked
	Digest    string         `json:"digest"`    // of the population
}

// Forecast returns what a review of one person (empty: of everybody) would be about, and changes
// nothing.
func (b *Board) Forecast(ctx context.Context, terms Terms, personID string) (Forecast, error) {
	out := Forecast{Kinds: map[Kind]int{}, Reviewers: map[string]int{}}
	text, err := WriteTerms(terms)
	if err != nil {
		return out, err
	}
	last := int64(1) << 62 // later than every review that there is
	f, err := b.freeze(ctx, ledger.Review{ID: last, Name: terms.Name, Terms: text, PersonID: personID})
	if err != nil {
		return out, err
	}
	known := map[string]bool{}
	for {
		next, more, err := f.page(ctx)
		if err != nil || !more {
			return out, err
		}
		for _, i := range next.Items {
			if out.Accesses += len(i.Accesses); known[i.Key] {
				continue
			}
			known[i.Key] = true
			out.Items++
			out.Kinds[Kind(i.Kind)]++
			out.Reviewers[i.Reviewer]++
		}
		f.review.Place, f.review.Digest, out.Digest = next.Next, next.Digest, next.Digest
	}
}
