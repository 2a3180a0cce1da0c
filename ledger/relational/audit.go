package relational

import (
	"context"

	"github.com/tenurehq/tenure/ledger"
)

// appendAudit writes the row, unless a repeated call wrote it before. Key and
// attempt say what the row is about.
func (t *Tx) appendAudit(r ledger.AuditRow, key string, attempt int64) (written bool, err error) {
	detail, err := encoded(r.Detail)
	if err != nil {
		return false, err
	}
	login := t.login
	if r.Actor == ledger.ActorTenure {
		login = ""
	}
	n, err := t.change(`INSERT INTO audit (at, person_id, app, action, actor, cause, detail, key, attempt, login)
		SELECT ?1, ?2, ?3, ?4, ?5, ?6, nullif(?7, 'null'), ?8, ?9, ?10
		WHERE NOT EXISTS (SELECT 1 FROM audit
			WHERE person_id = ?2 AND key = ?8 AND action = ?4 AND actor = ?5 AND at = ?1 AND attempt = ?9)
		ON CONFLICT DO NOTHING`,
		r.At.UnixMicro(), r.PersonID, r.App, r.Action, r.Actor, r.Cause, detail, key, attempt, login)
	return n > 0, err
}

// Audit implements ledger.Query.
func (s *Store) Audit(ctx context.Context, personID string, after int64, limit int) ([]ledger.AuditRow, error) {
	query, args := `SELECT seq, at, person_id, app, action, actor, login, cause, detail FROM audit
		WHERE seq > ?1 ORDER BY seq LIMIT ?2`, []any{after, max(limit, 0)}
	if personID != "" {
		query, args = `SELECT seq, at, person_id, app, action, actor, login, cause, detail FROM audit
			WHERE seq > ?1 AND person_id = ?3 ORDER BY seq LIMIT ?2`, append(args, personID)
	}
	rows, err := list(ctx, s.engine, query, args, func(r *ledger.AuditRow) []any {
		return []any{&r.Seq, instant{&r.At}, &r.PersonID, &r.App, &r.Action, &r.Actor, &r.Login, &r.Cause, decode{&r.Detail}}
	})
	return rows, s.explain(err)
}
