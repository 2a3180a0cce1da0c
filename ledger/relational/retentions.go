package relational

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

const retentionColumns = `id, person_id, app, until_at, coalesce(for_micros, 0), set_at, operator, reason,
	ended_at, ended_by, end_reason, login, ended_login`

// retentionDest is where retentionColumns are scanned to.
func retentionDest(r *ledger.Retention) []any {
	return []any{
		&r.ID, &r.PersonID, &r.App, instant{&r.Until}, span{&r.For}, instant{&r.SetAt}, &r.Operator, &r.Reason,
		instant{&r.EndedAt}, &r.EndedBy, &r.EndReason, &r.Login, &r.EndedLogin,
	}
}

// span scans a number of microseconds.
type span struct{ to *time.Duration }

func (s span) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("span: %T", v)
	}
	*s.to = time.Duration(n) * time.Microsecond
	return nil
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
		return set, errors.New("ledger: a retention is until an instant or for a time, and says who set it and why")
	}
	err = s.write(ctx, func(t *Tx) (err error) {
		if set, err = t.setRetention(r); err != nil {
			return fmt.Errorf("set the retention of person %s: %w", r.PersonID, err)
		}
		return nil
	})
	if err != nil {
		return ledger.Retention{}, err
	}
	return set, nil
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

// retention reads what is in force.
func (t *Tx) retention(personID, app string, r *ledger.Retention) (found bool, err error) {
	return t.get(`SELECT `+retentionColumns+` FROM retentions WHERE person_id = ? AND app = ? AND ended_at IS NULL`,
		[]any{personID, app}, retentionDest(r)...)
}

// ResetRetention implements ledger.Retentions.
func (s *Store) ResetRetention(ctx context.Context, r ledger.RetentionReset) (was ledger.Retention, err error) {
	err = s.write(ctx, func(t *Tx) (err error) {
		if was, err = t.resetRetention(r); err != nil {
			return fmt.Errorf("reset the retention of person %s: %w", r.PersonID, err)
		}
		return nil
	})
	if err != nil {
		return ledger.Retention{}, err
	}
	return was, nil
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

// lapseRetention ends what was said before another employment began.
func (t *Tx) lapseRetention(personID string, id int64, at time.Time) error {
	const reason = "another employment has begun"
	var was ledger.Retention
	found, err := t.get(`UPDATE retentions SET ended_at = ?, ended_by = 'tenure', end_reason = ?
		WHERE id = ? AND person_id = ? AND ended_at IS NULL RETURNING `+retentionColumns,
		[]any{at.UnixMicro(), reason, id, personID}, retentionDest(&was)...)
	if !found || err != nil {
		return err
	}
	_, err = t.appendAudit(ledger.AuditRow{
		At: at, PersonID: personID, App: was.App, Action: "retention_lapsed", Actor: "tenure", Cause: reason,
	}, fmt.Sprintf("retention:%d", id), 0)
	return err
}
