package scale

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"strings"
)

// Statement is what a statement cost a PostgreSQL server that has pg_stat_statements.
type Statement struct {
	Text   string `json:"text"`
	Calls  int64  `json:"calls"`
	Blocks int64  `json:"blocks"` // that were looked at
	WAL    int64  `json:"walRecords"`
}

// statementsAreCounted is the setting with which a server can have pg_stat_statements.
const statementsAreCounted = "shared_preload_libraries=pg_stat_statements"

// meter reads pg_stat_statements.
type meter struct{ db *sql.DB }

func openMeter(ctx context.Context, server string) (*meter, error) {
	db, err := sql.Open("pgx", server)
	if err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, `CREATE EXTENSION IF NOT EXISTS pg_stat_statements`); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &meter{db}, nil
}

func (m *meter) close() error { return m.db.Close() }

// statements is what statements cost so far, by their texts.
type statements map[string]Statement

// read returns what statements have cost in these databases.
func (m *meter) read(ctx context.Context, databases ...string) (statements, error) {
	rows, err := m.db.QueryContext(ctx, `SELECT s.query, sum(s.calls)::bigint, sum(s.shared_blks_hit + s.shared_blks_read)::bigint, sum(s.wal_records)::bigint
		FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
		WHERE d.datname = ANY(string_to_array($1, ',')) AND s.query NOT LIKE '%pg_stat%' GROUP BY 1`, strings.Join(databases, ","))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	all := statements{}
	for rows.Next() {
		var s Statement
		if err := rows.Scan(&s.Text, &s.Calls, &s.Blocks, &s.WAL); err != nil {
			return nil, err
		}
		all[s.Text] = s
	}
	return all, rows.Err()
}

// since returns what was added.
func (s statements) since(before statements) statements {
	added := statements{}
	for text, now := range s {
		b := before[text]
		if now.Calls > b.Calls {
			added[text] = Statement{text, now.Calls - b.Calls, now.Blocks - b.Blocks, now.WAL - b.WAL}
		}
	}
	return added
}

// sum adds all up.
func (s statements) sum() (all Statement) {
	for _, one := range s {
		all.Calls, all.Blocks, all.WAL = all.Calls+one.Calls, all.Blocks+one.Blocks, all.WAL+one.WAL
	}
	return all
}

// Growth is a statement that looks at more blocks in a larger ledger.
type Growth struct {
	What  string  `json:"what"`
	Text  string  `json:"text"`
	Calls float64 `json:"calls"` // for one
	Small float64 `json:"small"` // blocks for each call, in the smallest ledger
	Large float64 `json:"large"` // and in the largest
	More  float64 `json:"more"`  // blocks for one
}

// grown returns the statements of which one of something looks at more blocks, the most first. Both
// are of so many.
func grown(what string, small, large statements, each int) (all []Growth) {
	for text := range maps.Keys(large) {
		a, b := small[text], large[text]
		if a.Calls == 0 {
			continue
		}
		g := Growth{
			What: what, Text: text, Calls: float64(b.Calls) / float64(each),
			Small: float64(a.Blocks) / float64(a.Calls), Large: float64(b.Blocks) / float64(b.Calls), More: float64(b.Blocks-a.Blocks) / float64(each),
		}
		if g.More >= 1 {
			all = append(all, g)
		}
	}
	slices.SortFunc(all, func(a, b Growth) int { return cmp.Or(cmp.Compare(b.More, a.More), cmp.Compare(a.Text, b.Text)) })
	return all
}
