package review

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/request"
)

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
		is, err := l.endedNobodys(ctx, i, time.Time{})
		return is.gone, err
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
			is, err := l.endedNobodys(ctx, i, a.EffectAt)
			if err != nil {
				return left, err
			}
			if note.Gone, note.Given, note.Needs = is.gone, is.given, is.needs; note.Needs == "" && a.Effect == "" {
				note.Needs = a.Needs
			}
		} else if note.Gone = h.gone(i, a.AccessPlace, a.EffectAt); !note.Gone {
			if note.Needs = Hindered(h.now().Decision.Person, a.App); note.Needs == "" && a.Effect == "" {
				note.Needs = a.Needs // it never went by itself
			}
			if a.Effect != "" {
				note.Given = h.now().gives(a.AccessPlace)
			}
		}
		over := note.Gone || len(note.Given) > 0
		if over || note.Needs != a.Needs {
			noted = append(noted, note)
		}
		if over {
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
