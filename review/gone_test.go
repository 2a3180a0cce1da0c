package review_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/review"
)

// Something counts as gone only if the app was read after the decision took effect, and did not show it.
func TestNothingIsGoneUntilItWasReadAgain(t *testing.T) {
	place := ledger.AccessPlace{PersonID: "10004", App: "wiki", Entitlement: "b"}
	account := ledger.AccessPlace{PersonID: "10004", App: "wiki"}
	link := ledger.Link{App: "wiki", AccountID: "7", State: ledger.LinkActive, Entitlements: []string{"a"}, ProvenAt: now}
	with := func(change func(*ledger.Link)) ledger.Link {
		l := link
		change(&l)
		return l
	}
	later, earlier := now.Add(time.Minute), now.Add(-time.Minute)
	for name, tc := range map[string]struct {
		link  ledger.Link
		place ledger.AccessPlace
		since time.Time
		seen  ledger.Observed
		want  bool
	}{
		"read before it took effect":  {link, place, later, ledger.Observed{}, false},
		"read again":                  {link, place, earlier, ledger.Observed{}, true},
		"read at that instant":        {link, place, now, ledger.Observed{}, true},
		"it is there":                 {with(func(l *ledger.Link) { l.Entitlements = []string{"a", "b"} }), place, earlier, ledger.Observed{}, false},
		"a later scan has seen it":    {link, place, earlier, ledger.Observed{At: later, Entitlements: []string{"b"}}, false},
		"an earlier scan has seen it": {link, place, earlier, ledger.Observed{At: earlier, Entitlements: []string{"b"}}, true},
		"the account is on":           {link, account, earlier, ledger.Observed{}, false},
		"off, read before":            {with(func(l *ledger.Link) { l.State = ledger.LinkDisabled }), account, later, ledger.Observed{}, false},
		"off, read again":             {with(func(l *ledger.Link) { l.State = ledger.LinkDisabled }), account, earlier, ledger.Observed{}, true},
		"deleted before":              {with(func(l *ledger.Link) { l.State, l.DeletedAt = ledger.LinkDeleted, now }), account, later, ledger.Observed{}, false},
		"deleted since":               {with(func(l *ledger.Link) { l.State, l.DeletedAt = ledger.LinkDeleted, later }), account, later, ledger.Observed{}, true},
		"is it gone at all":           {link, place, time.Time{}, ledger.Observed{}, true},
	} {
		s := review.Snapshot{Seen: map[string]ledger.Observed{}}
		s.Decision.Person.Links = []ledger.Link{tc.link}
		if !tc.seen.At.IsZero() {
			s.Seen["wiki"] = tc.seen
		}
		assert.Equal(t, tc.want, review.Gone(s, ledger.ReviewItem{Kind: string(review.Stray)}, tc.place, tc.since), name)
	}
}
