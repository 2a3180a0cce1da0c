package relational

import (
	"context"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// counted is one row of a count.
type counted struct {
	app   string
	state ledger.LinkState
	n     int
}

// Count implements ledger.Census.
func (s *Store) Count(ctx context.Context) (ledger.Counts, error) {
	counts := ledger.Counts{Links: map[string]map[ledger.LinkState]int{}, Attention: map[string]int{}, Retention: map[string]int{}, Approvals: map[string]int{}}
	for _, c := range []struct {
		query string
		args  []any
		add   func(counted)
	}{
		{`SELECT app, state, count(*) FROM links GROUP BY app, state`, nil, func(c counted) {
			if counts.Links[c.app] == nil {
				counts.Links[c.app] = map[ledger.LinkState]int{}
			}
			counts.Links[c.app][c.state] = c.n
		}},
		{`SELECT app, '', count(*) FROM steps WHERE state = 'attention' GROUP BY app`, nil, func(c counted) { counts.Attention[c.app] = c.n }},
		{`SELECT l.app, '', count(*) FROM links l JOIN people p ON p.id = l.person_id
			WHERE l.state = 'disabled' AND p.status = ? GROUP BY l.app`, []any{string(hr.StatusEnded)}, func(c counted) { counts.Retention[c.app] = c.n }},
		{`SELECT app, '', count(*) FROM approvals WHERE state = 'asked' GROUP BY app`, nil, func(c counted) { counts.Approvals[c.app] = c.n }},
	} {
		rows, err := list(ctx, s.engine, c.query, c.args, func(c *counted) []any { return []any{&c.app, &c.state, &c.n} })
		if err != nil {
			return ledger.Counts{}, s.explain(err)
		}
		for _, row := range rows {
			c.add(row)
		}
	}
	return counts, nil
}

// Overdue implements ledger.Census.
func (s *Store) Overdue(ctx context.Context, l ledger.Lateness) (int, error) {
	type people struct{ n int }
	rows, err := list(ctx, s.engine, `SELECT count(*) FROM people p WHERE p.due_at <= ?1 AND (p.due_what <> ?3
		OR p.due_at <= ?2 AND NOT EXISTS (SELECT 1 FROM steps s WHERE s.person_id = p.id AND s.last_attempt_at > ?1)
		OR EXISTS (SELECT 1 FROM events e WHERE e.person_id = p.id AND e.at <= ?1 AND e.at > coalesce(p.assessed_at, 0)))`,
		[]any{l.Since.UnixMicro(), l.Waiting.UnixMicro(), ledger.DueWorking}, func(p *people) []any { return []any{&p.n} })
	if err != nil {
		return 0, s.explain(err)
	}
	return rows[0].n, nil
}
