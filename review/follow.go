package review

import (
	"context"
	"slices"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

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
// complete scan.
func (l *looking) endedNobodys(ctx context.Context, i ledger.ReviewItem, since time.Time) (ending, error) {
	links, err := l.Ledger.Links(ctx, ledger.LinkFilter{App: i.App, AccountID: i.AccountID})
	if err != nil {
		return ending{}, err
	}
	if len(links) > 0 {
		return l.endedOf(ctx, links[0], since)
	}
	last, err := l.Ledger.LastScans(ctx)
	if err != nil {
		return ending{}, err
	}
	n := slices.IndexFunc(last, func(s ledger.Scan) bool { return s.App == i.App })
	if n < 0 || last[n].StartedAt.Before(since) {
		return ending{}, nil
	}
	seen, ok, err := l.Ledger.Seen(ctx, i.App, i.AccountID)
	return ending{gone: !ok || !seen.Active || seen.At.Before(last[n].StartedAt)}, err
}

// ending is what became of an account that was nobody's and is to end.
type ending struct {
	gone  bool     // it is off, or gone
	given []string // the roles and grants that give it to whose it is by now, so that it stays
	needs string   // why it does not end by itself
}

// endedOf returns what became of an account that has somebody to whom it belongs by now.
func (l *looking) endedOf(ctx context.Context, link ledger.Link, since time.Time) (ending, error) {
	if link.State != ledger.LinkActive {
		return ending{gone: !link.ProvenAt.Before(since)}, nil
	}
	s, err := l.snapshot(ctx, link.PersonID, l.is.Name, nil)
	if err != nil {
		return ending{}, err
	}
	person := s.Decision.Person
	if assess.TimelineOf(person).At(l.now).Status != hr.StatusActive {
		return ending{needs: Hindered(person, link.App)}, nil
	}
	if given := s.gives(ledger.AccessPlace{PersonID: link.PersonID, App: link.App}); len(given) > 0 {
		return ending{given: given}, nil
	}
	return ending{needs: "the account is that of " + link.PersonID + " by now"}, nil
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
