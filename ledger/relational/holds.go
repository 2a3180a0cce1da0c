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

// holdDest is where holdColumns are scanned to.
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
		return placed, errors.New("ledger: a hold says until when it lasts, who placed it and why")
	}
	err = s.write(ctx, func(t *Tx) (err error) {
		if placed, err = t.placeHold(h); err != nil {
			return fmt.Errorf("hold person %s: %w", h.PersonID, err)
		}
		return nil
	})
	if err != nil {
		return ledger.PlacedHold{}, err
	}
	return placed, nil
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

// kindDelete is the kind of the steps that delete: plan.Delete.
const kindDelete = "Delete"

// deleting names the apps in which an attempt that may destroy the account is under
// way. Versions that did not note which do so began some to delete all the same.
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

// known locks somebody of whom something was recorded, or returns ErrNotFound.
func (t *Tx) known(personID string) error {
	if err := t.lock(personID); err != nil {
		return err
	}
	found, err := t.get(`SELECT 1 FROM people WHERE id = ?`, []any{personID}, new(int))
	if err == nil && !found {
		err = ledger.ErrNotFound
	}
	return err
}

// decided puts on the record what an operator decided about a person's deletions, and
// has their run be told, whatever else they are due for.
func (t *Tx) decided(row ledger.AuditRow, key string) error {
	written, err := t.appendAudit(row, key, 0)
	if !written || err != nil {
		return err
	}
	return t.toBeTold(row.PersonID, row.At)
}

// toBeTold has a person's run be told that an operator decided something, whatever else
// they are due for.
func (t *Tx) toBeTold(personID string, at time.Time) error {
	if err := t.exec(`UPDATE people SET `+nudged+` WHERE id = ?3`, at.UnixMicro(), ledger.DueDecision, personID); err != nil {
		return err
	}
	return t.exec(`UPDATE people SET due_what = ? WHERE id = ?`, ledger.DueDecision, personID)
}

// ReleaseHold implements ledger.Holds.
func (s *Store) ReleaseHold(ctx context.Context, r ledger.HoldRelease) (h ledger.Hold, err error) {
	err = s.write(ctx, func(t *Tx) (err error) {
		if h, err = t.releaseHold(r); err != nil {
			return fmt.Errorf("release hold %s: %w", ledger.HoldName(r.ID), err)
		}
		return nil
	})
	if err != nil {
		return ledger.Hold{}, err
	}
	return h, nil
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
