package relational

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

const approvalColumns = `person_id, app, key, state, asked_at, look_at, reminders, approved_at, operator, reason, login`

// approvalDest is where approvalColumns are scanned to.
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
		return a, errors.New("ledger: an approval says of what, by whom and why")
	}
	err = s.write(ctx, func(t *Tx) (err error) {
		if a, err = t.approve(d); err != nil {
			return fmt.Errorf("approve %q of person %s: %w", d.Key, d.PersonID, err)
		}
		return nil
	})
	if err != nil {
		return ledger.Approval{}, err
	}
	return a, nil
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

// askApproval asks for an approval, or notes that somebody was reminded of it.
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
	_, err = t.appendAudit(ledger.AuditRow{At: at, PersonID: personID, App: a.App, Action: action, Actor: "tenure"}, "approval:"+a.Key, 0)
	return err
}

// lapse ends approvals whose deletions are not asked for any more.
func (t *Tx) lapse(personID string, keys []string) error {
	for _, key := range keys {
		if err := t.exec(`UPDATE approvals SET state = 'over', look_at = NULL WHERE person_id = ? AND key = ?`, personID, key); err != nil {
			return err
		}
	}
	return nil
}
