package relational

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

const holdColumns = `id, person_id, placed_at, expires_at, operator, reason, released_at, released_by, release_reason,
	login, released_login`

// holdDest lists the fields that holdColumns are scanned into.
func holdDest(h *ledger.Hold) []any {
	return []any{
		&h.ID, &h.PersonID, instant{&h.PlacedAt}, instant{&h.ExpiresAt}, &h.Operator, &h.Reason,
		instant{&h.ReleasedAt}, &h.ReleasedBy, &h.ReleaseReason, &h.Login, &h.ReleasedLogin,
	}
}

// Holds implements ledger.Holds.
func (s *Store) Holds(ctx context.Context, f ledger.HoldFilter, after int64, limit int) ([]ledger.Hold, error) {
	query, args := `SELECT `+holdColumns+` FROM holds WHERE id > ?`, []any{after}
	if f.ID != 0 {
		query, args = query+` AND id = ?`, append(args, f.ID)
	}
	if f.PersonID != "" {
		query, args = query+` AND person_id = ?`, append(args, f.PersonID)
	}
	if !f.InForce.IsZero() {
		query, args = query+` AND released_at IS NULL AND expires_at > ?`, append(args, f.InForce.UnixMicro())
	}
	holds, err := list(ctx, s.engine, query+` ORDER BY id LIMIT ?`, append(args, max(limit, 0)), holdDest)
	return holds, s.explain(err)
}

// PlaceHold implements ledger.Holds.
func (s *Store) PlaceHold(ctx context.Context, h ledger.Hold) (placed ledger.PlacedHold, err error) {
	if !h.ExpiresAt.After(h.PlacedAt) || h.Reason == "" || h.Operator == "" {
		return placed, errors.New("ledger: a hold needs an end after it was placed, the operator and the reason")
	}
	return written(ctx, s, "hold person "+h.PersonID, func(t *Tx) (ledger.PlacedHold, error) { return t.placeHold(h) })
}

func (t *Tx) placeHold(h ledger.Hold) (placed ledger.PlacedHold, err error) {
	if err := t.known(h.PersonID); err != nil {
		return placed, err
	}
	found, err := t.get(`SELECT `+holdColumns+` FROM holds
		WHERE person_id = ? AND placed_at = ? AND expires_at = ? AND operator = ? AND reason = ?`,
		[]any{h.PersonID, micros(h.PlacedAt), micros(h.ExpiresAt), h.Operator, h.Reason}, holdDest(&placed.Hold)...)
	if err != nil {
		return placed, err
	}
	if placed.Deleting, err = t.deleting(h.PersonID, h.PlacedAt); found || err != nil {
		return placed, err
	}
	_, err = t.get(`INSERT INTO holds (person_id, placed_at, expires_at, operator, reason, login) VALUES (?, ?, ?, ?, ?, ?) RETURNING `+holdColumns,
		[]any{h.PersonID, micros(h.PlacedAt), micros(h.ExpiresAt), h.Operator, h.Reason, t.login}, holdDest(&placed.Hold)...)
	if err != nil {
		return placed, err
	}
	if err := t.withdrawTasksOf(h.PersonID, kindDelete, h.PlacedAt); err != nil {
		return placed, err
	}
	return placed, t.decided(ledger.AuditRow{
		At: h.PlacedAt, PersonID: h.PersonID, Action: "hold_placed", Actor: h.Operator, Cause: h.Reason,
		Detail: map[string]any{"hold": placed.Hold.Name(), "until": h.ExpiresAt.UTC().Format(time.RFC3339)},
	}, "hold:"+placed.Hold.Name())
}

// kindDelete is the kind of steps that delete: plan.Delete.
const kindDelete = "Delete"

// deleting returns the apps in which an attempt that may destroy the account is under way.
// Attempts of older versions do not have that mark, so attempts at Delete steps count too.
func (t *Tx) deleting(personID string, at time.Time) (apps []string, err error) {
	for {
		var app string
		last := ""
		if len(apps) > 0 {
			last = apps[len(apps)-1]
		}
		found, err := t.get(`SELECT a.app FROM attempts a JOIN steps s ON s.person_id = a.person_id AND s.key = a.key
			WHERE a.person_id = ? AND (a.destroys = 1 OR s.kind = ?) AND a.deadline > ? AND a.app > ? ORDER BY a.app LIMIT 1`,
			[]any{personID, kindDelete, at.UnixMicro(), last}, &app)
		if !found || err != nil {
			return apps, err
		}
		apps = append(apps, app)
	}
}

// ReleaseHold implements ledger.Holds.
func (s *Store) ReleaseHold(ctx context.Context, r ledger.HoldRelease) (ledger.Hold, error) {
	return written(ctx, s, "release hold "+ledger.HoldName(r.ID), func(t *Tx) (ledger.Hold, error) { return t.releaseHold(r) })
}

func (t *Tx) releaseHold(r ledger.HoldRelease) (h ledger.Hold, err error) {
	if _, err := t.get(`SELECT person_id FROM holds WHERE id = ?`, []any{r.ID}, &h.PersonID); err != nil {
		return h, err
	}
	if err := t.lock(h.PersonID); err != nil {
		return h, err
	}
	found, err := t.get(`SELECT `+holdColumns+` FROM holds WHERE id = ?`, []any{r.ID}, holdDest(&h)...)
	if err != nil {
		return h, err
	}
	if !found {
		return h, ledger.ErrNotFound
	}
	if !h.ReleasedAt.IsZero() {
		return h, nil
	}
	_, err = t.get(`UPDATE holds SET released_at = ?, released_by = ?, release_reason = ?, released_login = ? WHERE id = ? RETURNING `+holdColumns,
		[]any{r.At.UnixMicro(), r.Operator, r.Reason, t.login, r.ID}, holdDest(&h)...)
	if err != nil {
		return h, err
	}
	return h, t.decided(ledger.AuditRow{
		At: r.At, PersonID: h.PersonID, Action: "hold_released", Actor: r.Operator, Cause: r.Reason,
		Detail: map[string]any{"hold": h.Name()},
	}, "hold:"+h.Name())
}

const retentionColumns = `id, person_id, app, until_at, coalesce(for_micros, 0), set_at, operator, reason,
	ended_at, ended_by, end_reason, login, ended_login`

// retentionDest lists the fields that retentionColumns are scanned into.
func retentionDest(r *ledger.Retention) []any {
	return []any{
		&r.ID, &r.PersonID, &r.App, instant{&r.Until}, span{&r.For}, instant{&r.SetAt}, &r.Operator, &r.Reason,
		instant{&r.EndedAt}, &r.EndedBy, &r.EndReason, &r.Login, &r.EndedLogin,
	}
}

// Retentions implements ledger.Retentions.
func (s *Store) Retentions(ctx context.Context, personID string, after int64, limit int) ([]ledger.Retention, error) {
	query, args := `SELECT `+retentionColumns+` FROM retentions WHERE id > ?`, []any{after}
	if personID != "" {
		query, args = query+` AND person_id = ?`, append(args, personID)
	}
	found, err := list(ctx, s.engine, query+` ORDER BY id LIMIT ?`, append(args, max(limit, 0)), retentionDest)
	return found, s.explain(err)
}

// SetRetention implements ledger.Retentions.
func (s *Store) SetRetention(ctx context.Context, r ledger.Retention) (set ledger.Retention, err error) {
	if r.For < 0 || !r.Until.IsZero() && r.For != 0 || r.Operator == "" || r.Reason == "" {
		return set, errors.New("ledger: a retention is until an instant or for a time, and needs the operator and the reason")
	}
	return written(ctx, s, "set the retention of person "+r.PersonID, func(t *Tx) (ledger.Retention, error) { return t.setRetention(r) })
}

func (t *Tx) setRetention(r ledger.Retention) (set ledger.Retention, err error) {
	if err := t.known(r.PersonID); err != nil {
		return set, err
	}
	lasts := any(nil)
	detail := map[string]any{}
	if r.Until.IsZero() {
		lasts, detail["for"] = r.For.Microseconds(), r.For.String()
	} else {
		detail["until"] = r.Until.UTC().Format(time.RFC3339)
	}
	found, err := t.retention(r.PersonID, r.App, &set)
	if err != nil {
		return set, err
	}
	if found {
		same := set.SetAt.Equal(r.SetAt.Truncate(time.Microsecond)) && set.Until.Equal(r.Until.Truncate(time.Microsecond)) &&
			set.For == r.For && set.Operator == r.Operator && set.Reason == r.Reason
		if same {
			return set, nil
		}
		err = t.exec(`UPDATE retentions SET ended_at = ?, ended_by = ?, end_reason = ?, ended_login = ? WHERE id = ?`,
			r.SetAt.UnixMicro(), r.Operator, r.Reason, t.login, set.ID)
		if err != nil {
			return set, err
		}
	}
	set = ledger.Retention{}
	_, err = t.get(`INSERT INTO retentions (person_id, app, until_at, for_micros, set_at, operator, reason, login)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING `+retentionColumns,
		[]any{r.PersonID, r.App, micros(r.Until), lasts, micros(r.SetAt), r.Operator, r.Reason, t.login}, retentionDest(&set)...)
	if err != nil {
		return set, err
	}
	return set, t.decided(ledger.AuditRow{
		At: r.SetAt, PersonID: r.PersonID, App: r.App, Action: "retention_set", Actor: r.Operator, Cause: r.Reason, Detail: detail,
	}, fmt.Sprintf("retention:%d", set.ID))
}

// retention reads the retention that is in force, and reports whether there is one.
func (t *Tx) retention(personID, app string, r *ledger.Retention) (found bool, err error) {
	return t.get(`SELECT `+retentionColumns+` FROM retentions WHERE person_id = ? AND app = ? AND ended_at IS NULL`,
		[]any{personID, app}, retentionDest(r)...)
}

// ResetRetention implements ledger.Retentions.
func (s *Store) ResetRetention(ctx context.Context, r ledger.RetentionReset) (ledger.Retention, error) {
	return written(ctx, s, "reset the retention of person "+r.PersonID, func(t *Tx) (ledger.Retention, error) { return t.resetRetention(r) })
}

func (t *Tx) resetRetention(r ledger.RetentionReset) (was ledger.Retention, err error) {
	if err := t.known(r.PersonID); err != nil {
		return was, err
	}
	found, err := t.get(`UPDATE retentions SET ended_at = ?1, ended_by = ?2, end_reason = ?3, ended_login = ?6
		WHERE person_id = ?4 AND app = ?5 AND (ended_at IS NULL OR ended_at = ?1 AND ended_by = ?2) RETURNING `+retentionColumns,
		[]any{r.At.UnixMicro(), r.Operator, r.Reason, r.PersonID, r.App, t.login}, retentionDest(&was)...)
	if !found || err != nil {
		return was, err
	}
	return was, t.decided(ledger.AuditRow{
		At: r.At, PersonID: r.PersonID, App: r.App, Action: "retention_reset", Actor: r.Operator, Cause: r.Reason,
	}, fmt.Sprintf("retention:%d", was.ID))
}

// lapseRetention ends a retention that was set before another employment began.
func (t *Tx) lapseRetention(personID string, id int64, at time.Time) error {
	const reason = "another employment has begun"
	var was ledger.Retention
	found, err := t.get(`UPDATE retentions SET ended_at = ?, ended_by = 'tenure', end_reason = ?
		WHERE id = ? AND person_id = ? AND ended_at IS NULL RETURNING `+retentionColumns,
		[]any{at.UnixMicro(), reason, id, personID}, retentionDest(&was)...)
	if !found || err != nil {
		return err
	}
	err = t.putAudit(ledger.AuditRow{
		At: at, PersonID: personID, App: was.App, Action: "retention_lapsed", Actor: "tenure", Cause: reason,
	}, fmt.Sprintf("retention:%d", id), 0)
	return err
}

const approvalColumns = `person_id, app, key, state, asked_at, look_at, reminders, approved_at, operator, reason, login`

// approvalDest lists the fields that approvalColumns are scanned into.
func approvalDest(a *ledger.Approval) []any {
	return []any{
		&a.PersonID, &a.App, &a.Key, &a.State, instant{&a.AskedAt}, instant{&a.LookAt}, &a.Reminders,
		instant{&a.ApprovedAt}, &a.Operator, &a.Reason, &a.Login,
	}
}

// Approvals implements ledger.Approvals.
func (s *Store) Approvals(ctx context.Context, f ledger.ApprovalFilter, after ledger.ApprovalPlace, limit int) ([]ledger.Approval, error) {
	query, args := `SELECT `+approvalColumns+` FROM approvals WHERE (person_id > ?1 OR person_id = ?1 AND key > ?2)`, []any{after.PersonID, after.Key, max(limit, 0)}
	if f.PersonID != "" {
		args = append(args, f.PersonID)
		query += fmt.Sprintf(` AND person_id = ?%d`, len(args))
	}
	if f.State != "" {
		args = append(args, f.State)
		query += fmt.Sprintf(` AND state = ?%d`, len(args))
	}
	found, err := list(ctx, s.engine, query+` ORDER BY person_id, key LIMIT ?3`, args, approvalDest)
	return found, s.explain(err)
}

// ApproveDeletion implements ledger.Approvals.
func (s *Store) ApproveDeletion(ctx context.Context, d ledger.DeletionApproval) (a ledger.Approval, err error) {
	if d.Key == "" || d.Operator == "" || d.Reason == "" {
		return a, errors.New("ledger: an approval needs the deletion, the operator and the reason")
	}
	return written(ctx, s, fmt.Sprintf("approve %q of person %s", d.Key, d.PersonID), func(t *Tx) (ledger.Approval, error) { return t.approve(d) })
}

func (t *Tx) approve(d ledger.DeletionApproval) (a ledger.Approval, err error) {
	if err := t.known(d.PersonID); err != nil {
		return a, err
	}
	n, err := t.change(`INSERT INTO approvals (person_id, key, app, state, approved_at, operator, reason, login)
		VALUES (?, ?, ?, 'approved', ?, ?, ?, ?)
		ON CONFLICT (person_id, key) DO UPDATE SET
			state = excluded.state, approved_at = excluded.approved_at, operator = excluded.operator, reason = excluded.reason,
			login = excluded.login, look_at = NULL
		WHERE approvals.state <> 'approved'`,
		d.PersonID, d.Key, d.App, d.At.UnixMicro(), d.Operator, d.Reason, t.login)
	if err != nil {
		return a, err
	}
	if _, err = t.approval(d.PersonID, d.Key, &a); err != nil || n == 0 {
		return a, err
	}
	return a, t.decided(ledger.AuditRow{
		At: d.At, PersonID: d.PersonID, App: d.App, Action: "deletion_approved", Actor: d.Operator, Cause: d.Reason,
	}, "approval:"+d.Key)
}

func (t *Tx) approval(personID, key string, a *ledger.Approval) (found bool, err error) {
	return t.get(`SELECT `+approvalColumns+` FROM approvals WHERE person_id = ? AND key = ?`, []any{personID, key}, approvalDest(a)...)
}

// askApproval asks for an approval, or records that an operator was reminded of it.
func (t *Tx) askApproval(personID string, a ledger.Approval, at time.Time) error {
	var was ledger.Approval
	found, err := t.approval(personID, a.Key, &was)
	if err != nil || found && was.State == ledger.ApprovalApproved {
		return err
	}
	action := "approval_asked"
	switch look := a.LookAt.Truncate(time.Microsecond); {
	case !found || was.State == ledger.ApprovalOver:
		err = t.exec(`INSERT INTO approvals (person_id, key, app, state, asked_at, look_at) VALUES (?, ?, ?, 'asked', ?, ?)
			ON CONFLICT (person_id, key) DO UPDATE SET
				state = excluded.state, asked_at = excluded.asked_at, look_at = excluded.look_at,
				reminders = 0, approved_at = NULL, operator = '', reason = '', login = ''`,
			personID, a.Key, a.App, micros(at), micros(look))
	case was.LookAt.Equal(look):
		return nil
	default:
		action = "approval_reminded"
		err = t.exec(`UPDATE approvals SET look_at = ?, reminders = reminders + 1 WHERE person_id = ? AND key = ?`, micros(look), personID, a.Key)
	}
	if err != nil {
		return err
	}
	err = t.putAudit(ledger.AuditRow{At: at, PersonID: personID, App: a.App, Action: action, Actor: "tenure"}, "approval:"+a.Key, 0)
	return err
}

// lapse ends approvals whose deletions the plan no longer asks for.
func (t *Tx) lapse(personID string, keys []string) error {
	for _, key := range keys {
		if err := t.exec(`UPDATE approvals SET state = 'over', look_at = NULL WHERE person_id = ? AND key = ?`, personID, key); err != nil {
			return err
		}
	}
	return nil
}
