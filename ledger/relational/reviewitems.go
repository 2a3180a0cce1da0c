package relational

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// item reads an item of a review; ErrNotFound if there is none.
func (t *Tx) item(review, number int64) (i ledger.ReviewItem, err error) {
	found, err := t.get(`SELECT `+itemColumns+` FROM review_items WHERE review_id = ? AND item = ?`, []any{review, number}, itemDest(&i)...)
	if err == nil && !found {
		err = ledger.ErrNotFound
	}
	return i, err
}

// DecideItem implements ledger.Reviews.
func (s *Store) DecideItem(ctx context.Context, d ledger.ItemDecision) (i ledger.ReviewItem, err error) {
	if d.By == "" || d.Operator == "" || d.Only == (d.Verdict != "") {
		return i, errors.New("ledger: a decision about an item needs who decided what, and who wrote it down")
	}
	return written(ctx, s, "decide "+ledger.ItemOrigin(d.Review, d.Item), func(t *Tx) (ledger.ReviewItem, error) { return t.decideItem(d) })
}

func (t *Tx) decideItem(d ledger.ItemDecision) (i ledger.ReviewItem, err error) {
	if i, err = t.item(d.Review, d.Item); err != nil {
		return i, err
	}
	people := []string{i.PersonID}
	for _, a := range d.Apart {
		people = append(people, a.PersonID)
	}
	people = slices.DeleteFunc(sorted(people), func(id string) bool { return id == "" })
	if err := t.lock(people...); err != nil {
		return i, err
	}
	r, err := t.review(d.Review)
	if err != nil {
		return i, err
	}
	if i, err = t.item(d.Review, d.Item); err != nil { // as it is now that nobody else can change it
		return i, err
	}
	switch repeated := i.DecidedBy == d.By && i.Decision == d.Verdict && i.DecidedAt.Equal(d.At.Truncate(time.Microsecond)); {
	case repeated && !d.Only:
		return i, nil
	case r.State != ledger.ReviewOpen:
		return i, &ledger.DecisionError{Text: "the review is " + string(r.State) + ": nobody can decide about it now"}
	case i.Decision == ledger.VerdictMoot:
		return i, &ledger.DecisionError{Text: "there is nothing to decide any more: " + i.Reason}
	case !i.EffectAt.IsZero():
		return i, &ledger.DecisionError{Text: "the decision has taken effect, and stays"}
	}
	for _, a := range d.Apart {
		if err := t.setApart(r, i, d, a); err != nil {
			return i, err
		}
	}
	if len(d.Apart) > 0 {
		if err := t.exec(countAccesses+` WHERE review_id = ? AND item = ?`, r.ID, i.Item); err != nil {
			return i, err
		}
	}
	if d.Only {
		return t.item(d.Review, d.Item)
	}
	return t.decide(i, d)
}

// decide stores what somebody says about an item.
func (t *Tx) decide(i ledger.ReviewItem, d ledger.ItemDecision) (ledger.ReviewItem, error) {
	var since time.Time
	_, err := t.get(`SELECT max(decided_at) FROM review_items WHERE review_id = ? AND decided_by = ?`, []any{i.Review, d.By}, instant{&since})
	if err != nil {
		return i, err
	}
	if since.Before(i.AssignedAt) {
		since = i.AssignedAt
	}
	was := i.Decision
	_, err = t.get(`UPDATE review_items SET decision = ?, decided_by = ?, decided_as = ?, decided_at = ?, operator = ?, login = ?, took = ?, reason = ?
		WHERE review_id = ? AND item = ? RETURNING `+itemColumns,
		[]any{
			string(d.Verdict), d.By, d.Authority, d.At.UnixMicro(), d.Operator, t.login, max(d.At.Sub(since), 0).Microseconds(), d.Reason,
			i.Review, i.Item,
		}, itemDest(&i)...)
	if err != nil {
		return i, err
	}
	detail := map[string]any{"decision": string(d.Verdict), "as": d.By, "authority": d.Authority}
	if was != "" {
		detail["was"] = string(was)
	}
	return i, t.itemRow(i, ledger.AuditRow{At: d.At, Action: ledger.AuditReviewDecided, Actor: d.Operator, Cause: d.Reason}, detail)
}

// setApart makes an item of its own of what one of the people has whom an item is about.
func (t *Tx) setApart(r ledger.Review, of ledger.ReviewItem, d ledger.ItemDecision, a ledger.ApartItem) error {
	var apart ledger.ReviewItem
	i := of
	i.PersonID, i.Key = a.PersonID, indexable(of.Key+":"+a.PersonID)
	i.Reviewer, i.Authority, i.Also, i.AssignedAt, i.AssignedWhy = a.Reviewer, a.Authority, "", d.At, a.Why
	own, err := t.get(`SELECT `+itemColumns+` FROM review_items WHERE review_id = ? AND key = ?`, []any{r.ID, i.Key}, itemDest(&apart)...)
	switch repeated := apart.DecidedBy == d.By && apart.Decision == a.Verdict && apart.DecidedAt.Equal(d.At.Truncate(time.Microsecond)); {
	case err != nil:
		return err
	case own && a.Verdict != "" && !repeated:
		return &ledger.DecisionError{Text: fmt.Sprintf("what person %s has is an item of its own: %d", a.PersonID, apart.Item)}
	case own:
		return nil
	}
	if _, err := t.get(`UPDATE reviews SET items = items + 1 WHERE id = ? RETURNING items`, []any{r.ID}, &i.Item); err != nil {
		return err
	}
	n, err := t.change(`UPDATE review_accesses SET item = ? WHERE review_id = ? AND item = ? AND person_id = ?`, i.Item, r.ID, of.Item, a.PersonID)
	if err != nil {
		return err
	}
	if n == 0 {
		return &ledger.DecisionError{Text: "the item is not about person " + a.PersonID}
	}
	i.People, i.Accesses = 1, int(n)
	if err := t.putItem(i); err != nil {
		return err
	}
	if a.Verdict != "" {
		own := d
		own.Item, own.Verdict = i.Item, a.Verdict
		_, err := t.decide(i, own)
		return err
	}
	if err := t.itemRow(i, ledger.AuditRow{At: d.At, Action: ledger.AuditReviewMoved, Actor: d.Operator, Cause: a.Why},
		map[string]any{"to": a.Reviewer, "authority": a.Authority}); err != nil {
		return err
	}
	return t.asked(r, d.At, `item = ?`, i.Item)
}

// DecideRest implements ledger.Reviews.
func (s *Store) DecideRest(ctx context.Context, rest ledger.RestDecision, limit int) (n int, err error) {
	open, err := s.ReviewItems(ctx, ledger.ItemFilter{Review: rest.Review, Open: true}, 0, limit)
	if err != nil || len(open) == 0 {
		return 0, err
	}
	err = s.write(ctx, func(t *Tx) error {
		var people []string
		for _, i := range open {
			if i.PersonID != "" {
				people = append(people, i.PersonID)
			}
		}
		if err := t.lock(sorted(people)...); err != nil {
			return err
		}
		if _, err := t.review(rest.Review); err != nil {
			return err
		}
		for _, i := range open {
			if err := t.decideByNobody(i, rest); err != nil {
				return fmt.Errorf("decide the rest of review %s: %w", ledger.ReviewName(rest.Review), err)
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(open), nil
}

// decideByNobody decides about an item that nobody has decided.
func (t *Tx) decideByNobody(i ledger.ReviewItem, rest ledger.RestDecision) error {
	verdict := rest.Verdict(i)
	n, err := t.change(`UPDATE review_items SET decision = ?, decided_by = 'nobody', decided_at = ?, reason = ? WHERE review_id = ? AND item = ? AND decision = ''`,
		string(verdict), rest.At.UnixMicro(), rest.Reason, i.Review, i.Item)
	if err != nil || n == 0 {
		return err
	}
	return t.itemRow(i, ledger.AuditRow{At: rest.At, Action: ledger.AuditReviewDecided, Actor: ledger.ActorTenure, Cause: rest.Reason},
		map[string]any{"decision": string(verdict), "as": ledger.ReviewNobody})
}

// AssignItems implements ledger.Reviews.
func (s *Store) AssignItems(ctx context.Context, reviewID int64, moves []ledger.ItemMove) error {
	if len(moves) == 0 {
		return nil
	}
	return s.write(ctx, func(t *Tx) error {
		if err := t.assignItems(reviewID, moves); err != nil {
			return fmt.Errorf("assign items of review %s: %w", ledger.ReviewName(reviewID), err)
		}
		return nil
	})
}

func (t *Tx) assignItems(reviewID int64, moves []ledger.ItemMove) error {
	var people []string
	for _, m := range moves {
		i, err := t.item(reviewID, m.Item)
		if err != nil {
			return err
		}
		if i.PersonID != "" {
			people = append(people, i.PersonID)
		}
	}
	if err := t.lock(sorted(people)...); err != nil {
		return err
	}
	r, err := t.review(reviewID)
	if err != nil {
		return err
	}
	for _, m := range moves {
		i, err := t.item(reviewID, m.Item)
		if err != nil {
			return err
		}
		same := m.Moot == "" && i.Reviewer == m.Reviewer && i.Also == m.Also && i.Authority == m.Authority
		if i.Decision != "" || same || r.State != ledger.ReviewOpen {
			continue
		}
		if err := t.assignItem(i, m); err != nil {
			return err
		}
	}
	at := moves[0].At
	if err := t.asked(r, at, `assigned_at = ? AND assigned_why <> ''`, at.UnixMicro()); err != nil {
		return err
	}
	return nil
}

// assignItem has somebody else decide about an item, or nobody.
func (t *Tx) assignItem(i ledger.ReviewItem, m ledger.ItemMove) error {
	row := ledger.AuditRow{At: m.At, Action: ledger.AuditReviewMoved, Actor: m.Actor, Cause: m.Why}
	switch {
	case m.Moot != "":
		row.Action, row.Cause = ledger.AuditReviewDecided, m.Moot
		if err := t.exec(`UPDATE review_items SET decision = 'moot', decided_at = ?, reason = ? WHERE review_id = ? AND item = ?`,
			m.At.UnixMicro(), m.Moot, i.Review, i.Item); err != nil {
			return err
		}
		return t.itemRow(i, row, map[string]any{"decision": string(ledger.VerdictMoot)})
	case m.Reviewer == i.Reviewer && m.Also != i.Also: // asked as well: the review says to whom
		return t.exec(`UPDATE review_items SET also = ? WHERE review_id = ? AND item = ?`, m.Also, i.Review, i.Item)
	}
	if err := t.exec(`UPDATE review_items SET reviewer = ?, authority = ?, also = ?, assigned_at = ?, assigned_why = ? WHERE review_id = ? AND item = ?`,
		m.Reviewer, m.Authority, m.Also, m.At.UnixMicro(), m.Why, i.Review, i.Item); err != nil {
		return err
	}
	detail := map[string]any{"from": i.Reviewer, "to": m.Reviewer, "authority": m.Authority}
	maps.Copy(detail, m.Detail)
	return t.itemRow(i, row, detail)
}

// Revoke implements ledger.Reviews.
func (s *Store) Revoke(ctx context.Context, r ledger.Revocation) error {
	return s.write(ctx, func(t *Tx) error {
		if err := t.revoke(r); err != nil {
			return fmt.Errorf("revoke by %s: %w", ledger.ItemOrigin(r.Review, r.Item), err)
		}
		return nil
	})
}

func (t *Tx) revoke(r ledger.Revocation) error {
	people := []string{r.PersonID}
	for _, e := range r.Effects {
		people = append(people, e.Adopt)
	}
	people = slices.DeleteFunc(sorted(people), func(id string) bool { return id == "" })
	if err := t.lock(people...); err != nil {
		return err
	}
	if _, err := t.review(r.Review); err != nil {
		return err
	}
	i, err := t.item(r.Review, r.Item)
	if err != nil {
		return err
	}
	switch kept := i.Decision == ledger.VerdictKeep; {
	case kept && i.Kind != "withheld": // it was revoked when it was read
		return ledger.ErrStale
	case !kept && i.Decision != ledger.VerdictRevoke:
		return &ledger.DecisionError{Text: "the item is not decided"}
	}
	var made []string
	for _, e := range r.Effects {
		effect, err := t.takeEffect(i, r, e)
		if err != nil {
			return err
		}
		if effect != "" {
			made = append(made, effect)
		}
	}
	if len(made) > 0 {
		subject := i
		subject.PersonID = r.PersonID
		err := t.itemRow(subject, ledger.AuditRow{At: r.At, Action: ledger.AuditReviewRevoked, Actor: r.Actor, Cause: r.Reason},
			map[string]any{"effect": sorted(made)})
		if err != nil {
			return err
		}
	}
	err = t.exec(`UPDATE review_items SET effect_at = ?1 WHERE review_id = ?2 AND item = ?3 AND effect_at IS NULL
		AND NOT EXISTS (SELECT 1 FROM review_accesses WHERE review_id = ?2 AND item = ?3 AND effect_at IS NULL)`,
		r.At.UnixMicro(), i.Review, i.Item)
	if err != nil {
		return err
	}
	return t.itemProven(i, r.At)
}

// takeEffect makes what takes one access, and returns its name; empty if that was made before, or
// if the access was set apart since it was read.
func (t *Tx) takeEffect(i ledger.ReviewItem, r ledger.Revocation, e ledger.RevocationEffect) (effect string, err error) {
	e.Entitlement = indexable(e.Entitlement)
	var of int64
	var before bool
	known, err := t.get(`SELECT item, effect_at IS NOT NULL FROM review_accesses
		WHERE review_id = ? AND person_id = ? AND app = ? AND account_id = ? AND entitlement = ?`,
		[]any{i.Review, e.PersonID, e.App, e.AccountID, e.Entitlement}, &of, &before)
	if apart := known && of != i.Item; before || apart || err != nil {
		return "", err
	}
	var refused *ledger.DecisionError
	switch {
	case e.Withhold != nil:
		x := *e.Withhold
		x.Origin = i.Name()
		placed, err := t.placeException(x)
		if err != nil {
			return "", err
		}
		effect = placed.Name()
	case e.End != 0:
		for _, id := range append([]int64{e.End}, e.Also...) {
			if _, err := t.endException(ledger.ExceptionEnd{ID: id, Operator: r.Actor, Reason: r.Reason, At: r.At}); err != nil {
				return "", err
			}
		}
		effect = ledger.ExceptionName(e.End)
	}
	if e.Repair {
		finding, err := t.condemn(r, e)
		if errors.As(err, &refused) { // it is tried again
			return "", t.exec(`UPDATE review_accesses SET needs = ? WHERE review_id = ? AND person_id = ? AND app = ? AND account_id = ? AND entitlement = ?`,
				refused.Text, i.Review, e.PersonID, e.App, e.AccountID, e.Entitlement)
		}
		if err != nil {
			return "", err
		}
		effect = fmt.Sprintf("f-%d", finding)
	}
	var proven any
	if e.Stays {
		proven = r.At.UnixMicro()
		effect = cmp.Or(effect, "stays")
	}
	return effect, t.exec(`INSERT INTO review_accesses (review_id, person_id, app, account_id, entitlement, item, effect, effect_at, proven_at, needs)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
		ON CONFLICT (review_id, person_id, app, account_id, entitlement) DO UPDATE SET effect = ?7, effect_at = ?8, proven_at = ?9, needs = ?10`,
		i.Review, e.PersonID, e.App, e.AccountID, e.Entitlement, i.Item, effect, r.At.UnixMicro(), proven, e.Needs)
}

// condemn sets a link to what the last scan saw, so that planning takes what nothing gives. If
// there is no finding about it, because it was accepted, it makes one.
func (t *Tx) condemn(r ledger.Revocation, e ledger.RevocationEffect) (int64, error) {
	var f ledger.Finding
	found, err := t.get(`SELECT `+findingColumns+` FROM findings WHERE id = ? AND ended_at IS NULL`, []any{e.Finding}, findingDest(&f)...)
	if err != nil {
		return 0, err
	}
	if !found {
		var scan ledger.Scan
		known, err := t.get(`SELECT `+scanColumns+` FROM scans WHERE app = ? AND state = 'done' ORDER BY id DESC LIMIT 1`, []any{e.App}, scanDest(&scan)...)
		if err != nil {
			return 0, err
		}
		if !known || r.PersonID == "" {
			return 0, &ledger.DecisionError{Text: "no scan shows it any more"}
		}
		f = ledger.Finding{
			App: e.App, AccountID: e.AccountID, Kind: ledger.FindingStray, What: e.Entitlement, PersonID: r.PersonID, Enabled: true, State: ledger.FindingOpen,
		}
		if f.ID, err = t.saveFinding(scan, ledger.Compared{At: r.At}, f); err != nil {
			return 0, err
		}
	}
	if f.State == ledger.FindingRepairing {
		return f.ID, nil
	}
	if f.Kind == ledger.FindingOrphan {
		f.PersonID = e.Adopt // empty: it ends as nobody's
	}
	if err := t.repair(&f, ledger.AuditRow{At: r.At, Actor: r.Actor, Cause: r.Reason}); err != nil {
		return 0, err
	}
	return f.ID, nil
}

// NoteRevoked implements ledger.Reviews.
func (s *Store) NoteRevoked(ctx context.Context, reviewID int64, at time.Time, what []ledger.RevokedAccess) error {
	if len(what) == 0 {
		return nil
	}
	return s.write(ctx, func(t *Tx) error {
		var people []string
		for _, w := range what {
			if w.PersonID != "" {
				people = append(people, w.PersonID)
			}
		}
		if err := t.lock(sorted(people)...); err != nil {
			return err
		}
		if _, err := t.review(reviewID); err != nil {
			return err
		}
		for _, w := range what {
			if err := t.noteRevoked(reviewID, at, w); err != nil {
				return fmt.Errorf("note what was revoked by %s: %w", ledger.ItemOrigin(reviewID, w.Item), err)
			}
		}
		return nil
	})
}

func (t *Tx) noteRevoked(reviewID int64, at time.Time, w ledger.RevokedAccess) error {
	place := []any{reviewID, w.PersonID, w.App, w.AccountID, w.Entitlement}
	const here = ` WHERE review_id = ? AND person_id = ? AND app = ? AND account_id = ? AND entitlement = ? AND proven_at IS NULL`
	action, detail := ledger.AuditReviewProven, map[string]any{"entitlement": w.Entitlement}
	switch {
	case len(w.Given) > 0:
		action, detail["by"] = ledger.AuditReviewGiven, w.Given
	case !w.Gone:
		return t.exec(`UPDATE review_accesses SET needs = ?`+here, append([]any{w.Needs}, place...)...)
	}
	n, err := t.change(`UPDATE review_accesses SET needs = '', proven_at = ?, effect_at = coalesce(effect_at, ?1)`+here, append([]any{at.UnixMicro()}, place...)...)
	if err != nil || n == 0 {
		return err
	}
	i, err := t.item(reviewID, w.Item)
	if err != nil {
		return err
	}
	subject := i
	subject.PersonID, subject.App = w.PersonID, w.App
	if err := t.itemRow(subject, ledger.AuditRow{At: at, Action: action, Actor: ledger.ActorTenure}, detail); err != nil {
		return err
	}
	return t.itemProven(i, at)
}

// itemProven notes that all that an item is about is gone, if it is.
func (t *Tx) itemProven(i ledger.ReviewItem, at time.Time) error {
	return t.exec(`UPDATE review_items SET proven_at = ?1, effect_at = coalesce(effect_at, ?1) WHERE review_id = ?2 AND item = ?3 AND proven_at IS NULL
		AND NOT EXISTS (SELECT 1 FROM review_accesses WHERE review_id = ?2 AND item = ?3 AND proven_at IS NULL)`, at.UnixMicro(), i.Review, i.Item)
}
