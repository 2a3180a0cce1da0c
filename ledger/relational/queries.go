package relational

import (
	"context"
	"errors"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// list reads every row of a query; dest says where the columns of one go.
func list[T any](ctx context.Context, q Reader, query string, args []any, dest func(*T) []any) (all []T, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var one T
		if err := rows.Scan(dest(&one)...); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

const summaryColumns = `id, coalesce(username, ''), given_name, family_name, status, department, job_title, manager_id,
	due_at, due_what, assessed_at, last_seq, revision`

// summaryDest is where summaryColumns are scanned to.
func summaryDest(s *ledger.Summary) []any {
	return []any{
		&s.PersonID, &s.Username, &s.GivenName, &s.FamilyName, &s.Status, &s.Department, &s.JobTitle, &s.ManagerID,
		instant{&s.DueAt}, &s.DueWhat, instant{&s.AssessedAt}, &s.LastSeq, &s.Revision,
	}
}

// People implements ledger.Query.
func (s *Store) People(ctx context.Context, after string, limit int) ([]ledger.Summary, error) {
	people, err := list(ctx, s.engine, `SELECT `+summaryColumns+` FROM people WHERE id > ? ORDER BY id LIMIT ?`,
		[]any{after, max(limit, 0)}, summaryDest)
	return people, s.explain(err)
}

// Events implements ledger.Query.
func (s *Store) Events(ctx context.Context, f ledger.EventFilter, after int64, limit int) ([]ledger.StoredEvent, error) {
	query, args := `SELECT seq, at, body FROM events WHERE seq > ?`, []any{after}
	and := func(condition string, value any) {
		query += ` AND ` + condition
		args = append(args, value)
	}
	if f.PersonID != "" {
		and(`person_id = ?`, f.PersonID)
	}
	if f.Source != "" {
		and(`source = ?`, f.Source)
	}
	if !f.From.IsZero() {
		and(`at >= ?`, f.From.UnixMicro())
	}
	if !f.To.IsZero() {
		and(`at < ?`, f.To.UnixMicro())
	}
	events, err := storedEvents(ctx, s.engine, query+` ORDER BY seq LIMIT ?`, append(args, max(limit, 0))...)
	return events, s.explain(err)
}

// Links implements ledger.Query.
func (s *Store) Links(ctx context.Context, f ledger.LinkFilter) ([]ledger.Link, error) {
	query, args := `SELECT `+linkColumns+` FROM links WHERE true`, []any(nil)
	for _, c := range []struct{ column, value string }{
		{"person_id", f.PersonID}, {"app", f.App}, {"state", string(f.State)}, {"account_id", f.AccountID},
	} {
		if c.value != "" {
			query += ` AND ` + c.column + ` = ?`
			args = append(args, c.value)
		}
	}
	links, err := list(ctx, s.engine, query+` ORDER BY person_id, app`, args, linkDest)
	return links, s.explain(err)
}

// Due implements ledger.Work.
func (s *Store) Due(ctx context.Context, at time.Time, limit int) ([]ledger.DuePerson, error) {
	due, err := list(ctx, s.engine, `SELECT id, due_at, due_what, last_seq FROM people
		WHERE due_at <= ? ORDER BY due_at, id LIMIT ?`,
		[]any{at.UnixMicro(), max(limit, 0)}, func(d *ledger.DuePerson) []any {
			return []any{&d.PersonID, instant{&d.At}, &d.What, &d.LastSeq}
		})
	return due, s.explain(err)
}
