package relational

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

const reviewColumns = `id, name, key, person_id, started_by, login, reason, started_at, terms, state, place, digest, items, accesses, scans,
	opened_at, ends_at, closed_at, done_at, look_at, reminders, escalated_at, previewed_at, followed_at, revision`

// reviewDest lists the fields that reviewColumns are scanned into.
func reviewDest(r *ledger.Review) []any {
	return []any{
		&r.ID, &r.Name, &r.Key, &r.PersonID, &r.StartedBy, &r.Login, &r.Reason, instant{&r.StartedAt}, &r.Terms, &r.State, &r.Place, &r.Digest,
		&r.Items, &r.Accesses, decode{&r.Scans}, instant{&r.OpenedAt}, instant{&r.EndsAt}, instant{&r.ClosedAt}, instant{&r.DoneAt},
		instant{&r.LookAt}, &r.Reminders, instant{&r.EscalatedAt}, instant{&r.PreviewedAt}, instant{&r.FollowedAt}, &r.Revision,
	}
}

const itemColumns = `review_id, item, key, kind, person_id, app, account_id, entitlement, role, duty, exception_id, because, facts, people, accesses,
	reviewer, authority, also, assigned_at, assigned_why, decision, decided_by, decided_as, decided_at, operator, login, took, reason,
	effect_at, proven_at`

// itemDest lists the fields that itemColumns are scanned into.
func itemDest(i *ledger.ReviewItem) []any {
	return []any{
		&i.Review, &i.Item, &i.Key, &i.Kind, &i.PersonID, &i.App, &i.AccountID, &i.Entitlement, &i.Role, &i.Duty, &i.Exception, &i.Because,
		decode{&i.Facts}, &i.People, &i.Accesses, &i.Reviewer, &i.Authority, &i.Also, instant{&i.AssignedAt}, &i.AssignedWhy,
		&i.Decision, &i.DecidedBy, &i.DecidedAs, instant{&i.DecidedAt}, &i.Operator, &i.Login, span{&i.Took}, &i.Reason,
		instant{&i.EffectAt}, instant{&i.ProvenAt},
	}
}

const accessColumns = `review_id, item, person_id, app, account_id, entitlement, effect, effect_at, proven_at, needs`

// accessDest lists the fields that accessColumns are scanned into.
func accessDest(a *ledger.ReviewAccess) []any {
	return []any{
		&a.Review, &a.Item, &a.PersonID, &a.App, &a.AccountID, &a.Entitlement, &a.Effect, instant{&a.EffectAt}, instant{&a.ProvenAt}, &a.Needs,
	}
}

// Reviews implements ledger.ReviewReader.
func (s *Store) Reviews(ctx context.Context, f ledger.ReviewFilter, after int64, limit int) ([]ledger.Review, error) {
	query, args := `SELECT `+reviewColumns+` FROM reviews WHERE id > ?`, []any{after}
	where := func(condition string, more ...any) { query, args = query+` AND `+condition, append(args, more...) }
	if f.ID != 0 {
		where(`id = ?`, f.ID)
	}
	for _, c := range []struct{ column, value string }{{"name", f.Name}, {"person_id", f.PersonID}, {"key", f.Key}} {
		if c.value != "" {
			where(c.column+` = ?`, c.value)
		}
	}
	if len(f.States) > 0 {
		where(`state IN (`+marks(len(f.States))+`)`, anys(f.States)...)
	}
	if !f.DueBy.IsZero() {
		where(`look_at <= ?`, f.DueBy.UnixMicro())
	}
	found, err := list(ctx, s.engine, query+` ORDER BY id LIMIT ?`, append(args, max(limit, 0)), reviewDest)
	return found, s.explain(err)
}

// ReviewItems implements ledger.ReviewReader.
func (s *Store) ReviewItems(ctx context.Context, f ledger.ItemFilter, after int64, limit int) ([]ledger.ReviewItem, error) {
	query, args := `SELECT `+itemColumns+` FROM review_items WHERE review_id = ? AND item > ?`, []any{f.Review, after}
	where := func(condition string, more ...any) { query, args = query+` AND `+condition, append(args, more...) }
	if f.Item != 0 {
		where(`item = ?`, f.Item)
	}
	for _, c := range []struct{ column, value string }{{"person_id", f.PersonID}, {"key", indexable(f.Key)}, {"kind", f.Kind}, {"decision", string(f.Verdict)}} {
		if c.value != "" {
			where(c.column+` = ?`, c.value)
		}
	}
	if f.Reviewer != "" {
		where(`(reviewer = ? OR also = ?)`, f.Reviewer, f.Reviewer)
	}
	if f.Open {
		where(`decision = ''`)
	}
	if !f.Effectless.IsZero() {
		where(`effect_at IS NULL AND (decision = 'revoke' OR kind = 'withheld' AND decision = 'keep') AND (decided_by = 'nobody' OR decided_at <= ?)`,
			f.Effectless.UnixMicro())
	}
	found, err := list(ctx, s.engine, query+` ORDER BY item LIMIT ?`, append(args, max(limit, 0)), itemDest)
	return found, s.explain(err)
}

// ReviewAccesses implements ledger.ReviewReader.
func (s *Store) ReviewAccesses(ctx context.Context, f ledger.AccessFilter, after ledger.AccessPlace, limit int) ([]ledger.ReviewAccess, error) {
	query := `SELECT ` + accessColumns + ` FROM review_accesses WHERE review_id = ?1 AND (person_id > ?2 OR person_id = ?2 AND (app > ?3
		OR app = ?3 AND (account_id > ?4 OR account_id = ?4 AND entitlement > ?5)))`
	args := []any{f.Review, after.PersonID, after.App, after.AccountID, after.Entitlement}
	if after == (ledger.AccessPlace{}) { // nothing comes before a place without anything in it
		query, args = `SELECT `+accessColumns+` FROM review_accesses WHERE review_id = ?`, args[:1]
	}
	where := func(condition string, more ...any) { query, args = query+` AND `+condition, append(args, more...) }
	if f.Item != 0 {
		where(`item = ?`, f.Item)
	}
	if f.PersonID != "" {
		where(`person_id = ?`, f.PersonID)
	}
	if f.Awaited {
		where(`effect_at IS NOT NULL AND proven_at IS NULL`)
	}
	found, err := list(ctx, s.engine, query+` ORDER BY person_id, app, account_id, entitlement LIMIT ?`, append(args, max(limit, 0)), accessDest)
	return found, s.explain(err)
}

// CountItems implements ledger.ReviewReader.
func (s *Store) CountItems(ctx context.Context, reviewID int64) ([]ledger.ItemCount, error) {
	found, err := list(ctx, s.engine, `SELECT reviewer, decision, decided_by = 'nobody', count(*), CAST(coalesce(sum(accesses), 0) AS BIGINT), count(effect_at), count(proven_at)
		FROM review_items WHERE review_id = ? GROUP BY reviewer, decision, decided_by = 'nobody' ORDER BY 1, 2, 3`, []any{reviewID},
		func(c *ledger.ItemCount) []any {
			return []any{&c.Reviewer, &c.Verdict, &c.Nobody, &c.Items, &c.Accesses, &c.Effects, &c.Proven}
		})
	return found, s.explain(err)
}

// BeginReview implements ledger.Reviews.
func (s *Store) BeginReview(ctx context.Context, r ledger.Review) (begun ledger.Review, err error) {
	if r.Name == "" || r.Key == "" || r.StartedBy == "" || !r.EndsAt.After(r.StartedAt) {
		return begun, errors.New("ledger: a review needs a name and a key, who started it, and an end after its start")
	}
	return written(ctx, s, "begin review "+r.Name, func(t *Tx) (ledger.Review, error) { return t.beginReview(r) })
}

func (t *Tx) beginReview(r ledger.Review) (begun ledger.Review, err error) {
	if r.PersonID != "" {
		if err := t.known(r.PersonID); err != nil {
			return begun, err
		}
	}
	scans, err := encoded(r.Scans)
	if err != nil {
		return begun, err
	}
	fresh, err := t.get(`INSERT INTO reviews (name, key, person_id, started_by, login, reason, started_at, terms, state, place, digest, items, accesses,
			scans, ends_at, look_at, reminders, revision)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'freezing', '', '', 0, 0, nullif(?, 'null'), ?, ?, 0, 0) ON CONFLICT DO NOTHING RETURNING `+reviewColumns,
		[]any{
			r.Name, r.Key, r.PersonID, r.StartedBy, t.loginOf(r.StartedBy), r.Reason, micros(r.StartedAt), r.Terms, scans, micros(r.EndsAt), micros(r.LookAt),
		}, reviewDest(&begun)...)
	if err != nil {
		return begun, err
	}
	if !fresh {
		_, err := t.get(`SELECT `+reviewColumns+` FROM reviews WHERE key = ?`, []any{r.Key}, reviewDest(&begun)...)
		return begun, err
	}
	return begun, t.reviewFact(begun, r.StartedAt, ledger.ReviewFact{
		Action: ledger.AuditReviewStarted, PersonID: r.PersonID, Actor: r.StartedBy, Cause: r.Reason,
		Detail: map[string]any{"name": r.Name, "until": r.EndsAt.UTC().Format(time.RFC3339)},
	})
}

// reviewFact puts something about a review on the record. Everything of which reviewers, or
// those who run reviews, may want to be told comes through here, in the transaction in which it
// comes true.
func (t *Tx) reviewFact(r ledger.Review, at time.Time, f ledger.ReviewFact) error {
	detail := map[string]any{"review": r.Ref()}
	maps.Copy(detail, f.Detail)
	err := t.putAudit(ledger.AuditRow{
		At: at, PersonID: f.PersonID, Action: f.Action, Actor: f.Actor, Cause: f.Cause, Detail: detail,
	}, reviewKey(r.ID), 0)
	return err
}

// reviewKey is the key of a review's audit rows.
func reviewKey(id int64) string { return "review:" + ledger.ReviewName(id) }

// itemRow puts something about an item on the record of the person whom it is about.
func (t *Tx) itemRow(i ledger.ReviewItem, row ledger.AuditRow, detail map[string]any) error {
	row.PersonID, row.App = i.PersonID, i.App
	row.Detail = map[string]any{"item": i.Name(), "kind": i.Kind}
	for name, value := range map[string]string{"entitlement": i.Entitlement, "role": i.Role, "duty": i.Duty} {
		if value != "" {
			row.Detail[name] = value
		}
	}
	maps.Copy(row.Detail, detail)
	err := t.putAudit(row, "review:"+i.Name(), 0)
	return err
}

// review reads a review, and locks it.
func (t *Tx) review(id int64) (r ledger.Review, err error) {
	found, err := t.get(`SELECT `+reviewColumns+` FROM reviews WHERE id = ?`+t.dialect.Lock, []any{id}, reviewDest(&r)...)
	if err == nil && !found {
		err = ledger.ErrNotFound
	}
	return r, err
}

// FreezeReview implements ledger.Reviews.
func (s *Store) FreezeReview(ctx context.Context, page ledger.FrozenPage) (ledger.Review, error) {
	return written(ctx, s, "store a page of review "+ledger.ReviewName(page.Review), func(t *Tx) (ledger.Review, error) { return t.freeze(page) })
}

func (t *Tx) freeze(page ledger.FrozenPage) (ledger.Review, error) {
	r, err := t.review(page.Review)
	if err != nil || r.State != ledger.ReviewFreezing || r.Place != page.Place {
		return r, err
	}
	items, accesses := r.Items, r.Accesses
	for _, i := range page.Items {
		fresh, n, err := t.freezeItem(r.ID, int64(items)+1, i)
		if err != nil {
			return r, err
		}
		if accesses += n; fresh {
			items++
		}
	}
	_, err = t.get(`UPDATE reviews SET place = ?, digest = ?, items = ?, accesses = ? WHERE id = ? RETURNING `+reviewColumns,
		[]any{page.Next, page.Digest, items, accesses, r.ID}, reviewDest(&r)...)
	return r, err
}

// freezeItem stores an item with a number or, if there is one with its key, adds to that one.
func (t *Tx) freezeItem(review, number int64, i ledger.FrozenItem) (fresh bool, accesses int, err error) {
	i.Review, i.Item, i.Key = review, number, indexable(i.Key)
	known, err := t.get(`SELECT item FROM review_items WHERE review_id = ? AND key = ?`, []any{review, i.Key}, &i.Item)
	if err != nil {
		return false, 0, err
	}
	if !known {
		if err := t.putItem(i.ReviewItem); err != nil {
			return false, 0, err
		}
	}
	for _, a := range i.Accesses {
		n, err := t.change(`INSERT INTO review_accesses (review_id, person_id, app, account_id, entitlement, item, effect, needs)
			VALUES (?, ?, ?, ?, ?, ?, '', '') ON CONFLICT DO NOTHING`,
			review, a.PersonID, a.App, a.AccountID, indexable(a.Entitlement), i.Item)
		if err != nil {
			return false, 0, err
		}
		accesses += int(n)
	}
	return !known, accesses, nil
}

// putItem stores a new item about which nothing is decided.
func (t *Tx) putItem(i ledger.ReviewItem) error {
	if i.Facts == nil {
		i.Facts = json.RawMessage(`{}`)
	}
	return t.exec(`INSERT INTO review_items (review_id, item, key, kind, person_id, app, account_id, entitlement, role, duty, exception_id, because,
			facts, people, accesses, reviewer, authority, also, assigned_at, assigned_why, decision, decided_by, decided_as, operator, login, took, reason)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', '', '', '', 0, '')`,
		i.Review, i.Item, i.Key, i.Kind, i.PersonID, i.App, i.AccountID, i.Entitlement, i.Role, i.Duty, i.Exception, i.Because, string(i.Facts),
		i.People, i.Accesses, i.Reviewer, i.Authority, i.Also, micros(i.AssignedAt), i.AssignedWhy)
}

// countAccesses notes in items whom they are about, and what these have.
const countAccesses = `UPDATE review_items SET
	people = (SELECT count(DISTINCT a.person_id) FROM review_accesses a WHERE a.review_id = review_items.review_id AND a.item = review_items.item),
	accesses = (SELECT count(*) FROM review_accesses a WHERE a.review_id = review_items.review_id AND a.item = review_items.item)`

// OpenReview implements ledger.Reviews.
func (s *Store) OpenReview(ctx context.Context, o ledger.ReviewOpening) (ledger.Review, error) {
	return written(ctx, s, "open review "+ledger.ReviewName(o.Review), func(t *Tx) (ledger.Review, error) { return t.openReview(o) })
}

func (t *Tx) openReview(o ledger.ReviewOpening) (ledger.Review, error) {
	r, err := t.review(o.Review)
	if err != nil || r.State != ledger.ReviewFreezing {
		return r, err
	}
	if r.Place != o.Place {
		return r, ledger.ErrStale
	}
	if err := t.exec(countAccesses+`, assigned_at = ? WHERE review_id = ?`, o.At.UnixMicro(), r.ID); err != nil {
		return r, err
	}
	for item, facts := range o.Facts {
		if err := t.exec(`UPDATE review_items SET facts = ? WHERE review_id = ? AND item = ?`, string(facts), r.ID, item); err != nil {
			return r, err
		}
	}
	_, err = t.get(`UPDATE reviews SET state = 'open', opened_at = ?, followed_at = ?1, look_at = ?, revision = revision + 1 WHERE id = ? RETURNING `+reviewColumns,
		[]any{o.At.UnixMicro(), micros(o.LookAt), r.ID}, reviewDest(&r)...)
	if err != nil {
		return r, err
	}
	err = t.reviewFact(r, o.At, ledger.ReviewFact{
		Action: ledger.AuditReviewOpened, PersonID: r.PersonID, Actor: ledger.ActorTenure,
		Detail: map[string]any{"items": r.Items, "accesses": r.Accesses, "digest": r.Digest, "scans": r.Scans, "until": r.EndsAt.UTC().Format(time.RFC3339)},
	})
	if err != nil {
		return r, err
	}
	return r, t.asked(r, o.At, `assigned_at = ?`, o.At.UnixMicro())
}

// asked puts on the record who is asked about undecided items that a condition selects.
func (t *Tx) asked(r ledger.Review, at time.Time, condition string, args ...any) error {
	type reviewer struct {
		id    string
		items int
	}
	all, err := collect(t, `SELECT reviewer, count(*) FROM review_items
		WHERE review_id = ? AND decision = '' AND reviewer <> '' AND `+condition+` GROUP BY reviewer ORDER BY reviewer`,
		append([]any{r.ID}, args...), func(one *reviewer) []any { return []any{&one.id, &one.items} })
	if err != nil {
		return err
	}
	for _, one := range all {
		err := t.reviewFact(r, at, ledger.ReviewFact{
			Action: ledger.AuditReviewAsked, PersonID: one.id, Actor: ledger.ActorTenure,
			Detail: map[string]any{"items": one.items, "until": r.EndsAt.UTC().Format(time.RFC3339)},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ChangeReview implements ledger.Reviews.
func (s *Store) ChangeReview(ctx context.Context, c ledger.ReviewChange) (ledger.Review, error) {
	return written(ctx, s, "change review "+c.Review.Ref(), func(t *Tx) (ledger.Review, error) { return t.changeReview(c) })
}

func (t *Tx) changeReview(c ledger.ReviewChange) (ledger.Review, error) {
	now := c.Review
	r, err := t.review(now.ID)
	if err != nil {
		return r, err
	}
	if r.Revision != now.Revision {
		if r.Revision == now.Revision+1 && sameReview(r, now) { // by this very call, which is repeated
			return r, nil
		}
		return r, ledger.ErrStale
	}
	scans, err := encoded(now.Scans)
	if err != nil {
		return r, err
	}
	_, err = t.get(`UPDATE reviews SET state = ?, scans = nullif(?, 'null'), ends_at = ?, closed_at = ?, done_at = ?, look_at = ?, reminders = ?,
			escalated_at = ?, previewed_at = ?, followed_at = ?, revision = revision + 1 WHERE id = ? RETURNING `+reviewColumns,
		[]any{
			string(now.State), scans, micros(now.EndsAt), micros(now.ClosedAt), micros(now.DoneAt), micros(now.LookAt), now.Reminders,
			micros(now.EscalatedAt), micros(now.PreviewedAt), micros(now.FollowedAt), now.ID,
		}, reviewDest(&r)...)
	if err != nil {
		return r, err
	}
	for _, f := range c.Facts {
		if err := t.reviewFact(r, c.At, f); err != nil {
			return r, err
		}
	}
	return r, nil
}

// sameReview reports whether two states of a review are the same in what ChangeReview changes.
func sameReview(a, b ledger.Review) bool {
	same := func(a, b time.Time) bool { return microsOrZero(a) == microsOrZero(b) }
	return a.State == b.State && a.Reminders == b.Reminders && same(a.EndsAt, b.EndsAt) && same(a.ClosedAt, b.ClosedAt) && same(a.DoneAt, b.DoneAt) &&
		same(a.LookAt, b.LookAt) && same(a.EscalatedAt, b.EscalatedAt) && same(a.PreviewedAt, b.PreviewedAt) && same(a.FollowedAt, b.FollowedAt)
}
