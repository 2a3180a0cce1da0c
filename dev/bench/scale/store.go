package scale

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver

	"github.com/tenurehq/tenure/dev/bench/hrevents"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/open"
)

// The kinds of store.
const (
	sqlite     = "SQLite"
	postgreSQL = "PostgreSQL"
)

// store is a ledger, and the database under it.
type store struct {
	kind string
	url  string
	file string // of SQLite
	db   *sql.DB
	made func() error // removes it

	name  string // of PostgreSQL's database
	meter *meter // nil if its server does not count statements
}

// newStore makes an empty ledger: a file in dir, or a database of the server at address.
func newStore(ctx context.Context, dir, server string, people int) (_ *store, err error) {
	if server == "" {
		file := fmt.Sprintf("%s/ledger-%d.db", dir, people)
		s := &store{kind: sqlite, url: "sqlite:" + file, file: file, made: func() error { return nil }}
		if err := s.with(ctx, func(ledger.Ledger) error { return nil }); err != nil {
			return nil, err
		}
		s.db, err = sql.Open("sqlite", "file:"+file+"?_synchronous=OFF&_pragma=journal_mode(wal)")
		return s, err
	}
	admin, err := sql.Open("pgx", server)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("tenure_scale_%d", people)
	drop := func() error {
		_, err := admin.ExecContext(context.WithoutCancel(ctx), `DROP DATABASE IF EXISTS `+name+` WITH (FORCE)`)
		return err
	}
	if err := drop(); err != nil {
		return nil, errors.Join(err, admin.Close())
	}
	if _, err := admin.ExecContext(ctx, `CREATE DATABASE `+name); err != nil {
		return nil, errors.Join(err, admin.Close())
	}
	s := &store{kind: postgreSQL, name: name, url: databaseURL(server, name), made: func() error { return errors.Join(drop(), admin.Close()) }}
	if err := s.with(ctx, func(ledger.Ledger) error { return nil }); err != nil {
		return nil, err
	}
	s.db, err = sql.Open("pgx", s.url)
	return s, err
}

// databaseURL is the URL of another database of the same server.
func databaseURL(server, name string) string {
	base, query, _ := strings.Cut(server, "?")
	scheme, rest, _ := strings.Cut(base, "://")
	authority, _, _ := strings.Cut(rest, "/")
	url := scheme + "://" + authority + "/" + name
	if query != "" {
		url += "?" + query
	}
	return url
}

// with opens the ledger for f. When it returns, all sessions have ended.
func (s *store) with(ctx context.Context, f func(ledger.Ledger) error) error {
	l, err := open.Peppered(ctx, s.url, []byte("scale"))
	if err != nil {
		return err
	}
	return errors.Join(f(l), l.Close())
}

func (s *store) close() (err error) {
	if s.meter != nil {
		err = s.meter.close()
	}
	return errors.Join(err, s.db.Close(), s.made())
}

// counted reports whether the server counts statements.
func (s *store) counted(ctx context.Context) (yes bool) {
	if s.kind != postgreSQL {
		return false
	}
	err := s.db.QueryRowContext(ctx, `SELECT current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%'`).Scan(&yes)
	return err == nil && yes
}

// statements returns what statements have cost so far; nil if nobody counts.
func (s *store) statements(ctx context.Context) (statements, error) {
	if s.meter == nil {
		return nil, nil
	}
	return s.meter.read(ctx, s.name)
}

// indexes returns the indexes of the ledger; nil if nobody counts.
func (s *store) indexes(ctx context.Context) (indexes, error) {
	if s.meter == nil {
		return nil, nil
	}
	return readIndexes(ctx, s.db)
}

// copied lists the tables whose rows about the first family are copied, in the order in which
// they refer to each other, each with the column by which the database numbers its rows.
var copied = []struct{ table, number string }{
	{"people", ""}, {"events", ""}, {"links", ""}, {"steps", ""}, {"identifiers", ""}, {"audit", "seq"},
}

// multiply makes copies of those of the first family whose IDs begin with mark. The copies of
// their events have numbers of their own, and the copies of people have seen those: otherwise an
// assessment would find events that the one before did not see, and make the person due.
func (s *store) multiply(ctx context.Context, mark string, copies int) error {
	var lowest, highest, last int64
	err := s.db.QueryRowContext(ctx, fmt.Sprintf(`SELECT min(seq), max(seq), (SELECT max(seq) FROM events) FROM events WHERE person_id LIKE '%s%%'`, mark)).
		Scan(&lowest, &highest, &last)
	if err != nil {
		return fmt.Errorf("numbering events: %w", err)
	}
	// renumbered is the number that a copy of an event has.
	renumbered := func(seq string) string {
		return fmt.Sprintf(`(%d + (i - 1) * %d + %s - %d)`, last+1, highest-lowest+1, seq, lowest)
	}
	for _, c := range copied {
		columns, err := s.columns(ctx, c.table)
		if err != nil {
			return err
		}
		var names, values []string
		for _, column := range columns {
			if column.name == c.number {
				continue
			}
			quoted, value := `"`+column.name+`"`, `t."`+column.name+`"`
			names = append(names, quoted)
			if column.text {
				value = `replace(replace(` + value + `, '` + workerMark + `', 'w' || m), '` + leaverMark + `', 'l' || m)`
			}
			switch c.table + "." + column.name {
			case "links.account_id":
				value += ` || '-' || m`
			case "events.seq", "people.last_seq":
				value = renumbered(value)
			case "people.waits":
				value = `replace(` + value + `, '"seen":' || t.last_seq, '"seen":' || ` + renumbered("t.last_seq") + `)`
			}
			values = append(values, value)
		}
		key := "person_id"
		if c.table == "people" {
			key = "id"
		}
		_, err = s.db.ExecContext(ctx, fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d),
			marks (i, m) AS (SELECT i, substr(CAST(1000000 + i AS TEXT), 2) FROM n)
			INSERT INTO %s (%s) SELECT %s FROM marks, %s t WHERE t.%s LIKE '%s%%'`,
			copies, c.table, strings.Join(names, ", "), strings.Join(values, ", "), c.table, key, mark))
		if err != nil {
			return fmt.Errorf("copying %s: %w", c.table, err)
		}
	}
	if s.kind == postgreSQL { // SQLite has seen the numbers
		_, err = s.db.ExecContext(ctx, `SELECT setval(pg_get_serial_sequence('events', 'seq'), max(seq)) FROM events`)
	}
	return err
}

// afflict adds a dead letter for each family, and a mass change that was cancelled, of which each
// family has one.
func (s *store) afflict(ctx context.Context) error {
	for _, statement := range []string{
		`INSERT INTO cohorts (kind, state, counted, allowed, opened_at, closed_at, operator, reason)
			SELECT 'leavers', 'cancelled', count(*), 5, 1, 2, 'scale', 'a mistake' FROM people WHERE id LIKE 'w%-3'`,
		`INSERT INTO withdrawals (person_id, kind, key, state, cohort, source, event_id, why, said_at, due_at, counted_at)
			SELECT id, 'leavers', 'e', 'over', 1, '` + hrevents.Source + `', id, 'access ended', 1, 1, 1 FROM people WHERE id LIKE 'w%-3'`,
		`INSERT INTO dead_letters (topic, partition, "offset", origin_topic, origin_partition, origin_offset, digest, format, at, reason, field, text,
				person_id, event_type, event_source, event_id, urgent, parent_topic, parent_partition, parent_offset)
			SELECT 'hr.events.dlq', 0, row_number() OVER (ORDER BY id), 'hr.events', 0, row_number() OVER (ORDER BY id), 'd', 'cloudevents', 1, 'schema', 'data', 'must be an object',
				'', '', '', '', 0, '', 0, 0 FROM people WHERE id LIKE 'w%-4'`,
	} {
		if _, err := s.db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("adding letters and a cohort: %w", err)
		}
	}
	return nil
}

type column struct {
	name string
	text bool
}

func (s *store) columns(ctx context.Context, table string) (all []column, err error) {
	query := `SELECT name, type = 'TEXT' FROM pragma_table_info($1)`
	if s.kind == postgreSQL {
		query = `SELECT column_name::text, data_type = 'text' FROM information_schema.columns WHERE table_name = $1 AND table_schema = 'public' ORDER BY ordinal_position`
	}
	rows, err := s.db.QueryContext(ctx, query, table)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var c column
		if err := rows.Scan(&c.name, &c.text); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

// settled does what the database does by itself in time: statistics, and the write-ahead log.
func (s *store) settled(ctx context.Context) error {
	if s.kind == sqlite {
		_, err := s.db.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
		return err
	}
	for _, statement := range []string{`VACUUM ANALYZE`, `CHECKPOINT`} {
		if _, err := s.db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// size is the number of bytes that the ledger takes.
func (s *store) size(ctx context.Context) (n int64, err error) {
	if err := s.settled(ctx); err != nil {
		return 0, err
	}
	if s.kind == sqlite {
		info, err := os.Stat(s.file)
		if err != nil {
			return 0, err
		}
		return info.Size(), nil
	}
	err = s.db.QueryRowContext(ctx, `SELECT pg_database_size(current_database())`).Scan(&n)
	return n, err
}

// rows is the number of rows of a table.
func (s *store) rows(ctx context.Context, table string) (n int64, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT count(*) FROM `+table).Scan(&n)
	return n, err
}
