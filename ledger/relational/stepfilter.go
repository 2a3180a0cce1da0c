package relational

import (
	"context"
	"strings"

	"github.com/tenurehq/tenure/ledger"
)

const stepColumns = `s.person_id, s.key, s.app, s.kind, s.state, s.attempts, s.code, s.message, s.reason,
	s.planned_at, s.last_attempt_at, s.finished_at`

// stepDest is where stepColumns are scanned to.
func stepDest(s *ledger.Step) []any {
	return []any{
		&s.PersonID, &s.Key, &s.App, &s.Kind, &s.State, &s.Attempts, &s.Code, &s.Message, &s.Reason,
		instant{&s.PlannedAt}, instant{&s.LastAttemptAt}, instant{&s.FinishedAt},
	}
}

// Steps implements ledger.Steps.
func (s *Store) Steps(ctx context.Context, f ledger.StepFilter, after ledger.StepPlace, limit int) ([]ledger.Step, error) {
	query := `SELECT ` + stepColumns + ` FROM steps s JOIN people p ON p.id = s.person_id
		WHERE (s.person_id > ? OR s.person_id = ? AND s.key > ?)`
	args := []any{after.PersonID, after.PersonID, after.Key}
	where := func(condition string, values ...any) {
		query += ` AND ` + condition
		args = append(args, values...)
	}
	for _, c := range []struct{ column, value string }{
		{"s.person_id", f.PersonID}, {"s.app", f.App}, {"s.kind", f.Kind}, {"s.code", f.Code},
	} {
		if c.value != "" {
			where(c.column+` = ?`, c.value)
		}
	}
	// Written out, a lone state lets its index be used.
	if len(f.States) == 1 && f.States[0] == ledger.StepAttention {
		where(`s.state = 'attention'`)
	} else if len(f.States) > 0 {
		where(`s.state IN (`+marks(len(f.States))+`)`, anys(f.States)...)
	}
	if !f.From.IsZero() {
		where(`coalesce(s.last_attempt_at, s.planned_at) >= ?`, f.From.UnixMicro())
	}
	if !f.Until.IsZero() {
		where(`coalesce(s.last_attempt_at, s.planned_at) < ?`, f.Until.UnixMicro())
	}
	if len(f.Statuses) > 0 {
		where(`p.status IN (`+marks(len(f.Statuses))+`)`, anys(f.Statuses)...)
	}
	steps, err := list(ctx, s.engine, query+` ORDER BY s.person_id, s.key LIMIT ?`, append(args, max(limit, 0)), stepDest)
	return steps, s.explain(err)
}

// marks are n parameters of a list.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat(`?, `, n), `, `) }

func anys[T ~string](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}
