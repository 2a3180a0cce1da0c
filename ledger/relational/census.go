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
