package relational

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/tenurehq/tenure/ledger"
)

// Export implements ledger.Mover.
func (s *Store) Export(ctx context.Context, w io.Writer, m ledger.Move, p ledger.Progress) (ledger.Export, error) {
	out := &exporter{to: bufio.NewWriter(w), sum: sha256.New(), progress: p}
	begun := false
	err := s.engine.Snapshot(ctx, func(now Reader) error {
		if begun { // what was written cannot be taken back
			return errors.New("the connection broke meanwhile: export again")
		}
		begun = true
		return out.write(ctx, now, s.dialect)
	})
	done := out.export()
	if err == nil {
		err = s.engine.Write(ctx, as(ctx, func(t *Tx) error { return t.auditMove(ledger.ActionExported, m, done) }))
	}
	if err == nil {
		err = out.end()
	}
	if err != nil {
		return ledger.Export{}, s.explain(fmt.Errorf("export: %w", err))
	}
	return done, nil
}

// auditMove puts on the record who moved the ledger.
func (t *Tx) auditMove(action string, m ledger.Move, e ledger.Export) error {
	_, err := t.appendAudit(ledger.AuditRow{
		At: m.At, Action: action, Actor: m.Operator,
		Detail: map[string]any{"sha256": e.SHA256, "rows": e.Total(), "schema": e.Schema},
	}, "ledger:"+e.SHA256, 0)
	return err
}

// exporter writes one export.
type exporter struct {
	to       *bufio.Writer
	sum      hash.Hash
	header   header
	trailer  trailer
	progress ledger.Progress
}

// export summarizes what was written.
func (e *exporter) export() ledger.Export {
	return ledger.Export{Schema: e.header.Schema, Rows: e.header.rows(), SHA256: e.trailer.SHA256}
}

// write writes all but the last line.
func (e *exporter) write(ctx context.Context, now Reader, d Dialect) (err error) {
	if e.header, err = describe(ctx, now, d); err != nil {
		return err
	}
	if err := e.line(e.header); err != nil {
		return err
	}
	for i, t := range tables {
		before := e.trailer.Rows
		if err := e.rows(ctx, now, t); err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
		if n := e.trailer.Rows - before; n != e.header.Tables[i].Rows {
			return fmt.Errorf("table %s has %d rows, and had %d: the snapshot does not hold", t.name, n, e.header.Tables[i].Rows)
		}
	}
	e.trailer.SHA256 = hex.EncodeToString(e.sum.Sum(nil))
	return e.to.Flush()
}

// end writes the last line, which makes it an export.
func (e *exporter) end() error {
	if err := e.line(e.trailer); err != nil {
		return err
	}
	return e.to.Flush()
}

// describe counts what there is.
func describe(ctx context.Context, now Reader, d Dialect) (header, error) {
	schema, err := number64(ctx, now, schemaQuery)
	if err != nil {
		return header{}, err
	}
	h := header{Format: exportFormat, Version: exportVersion, Schema: schema}
	for _, t := range tables {
		th := tableHeader{Name: t.name, Columns: t.columns}
		if th.Rows, err = number64(ctx, now, `SELECT count(*) FROM `+t.name); err != nil {
			return header{}, err
		}
		if t.counter != "" {
			if th.Counter, err = number64(ctx, now, t.named(d.Counter)); err != nil {
				return header{}, err
			}
		}
		h.Tables = append(h.Tables, th)
	}
	return h, nil
}

// schemaQuery reads the version of the tables, which the migrations keep.
const schemaQuery = `SELECT max(version_id) FROM goose_db_version`

func number64(ctx context.Context, now Reader, query string) (n int64, err error) {
	all, err := list(ctx, now, query, nil, func(n *int64) []any { return []any{n} })
	if err != nil {
		return 0, err
	}
	return all[0], nil
}

// rows writes a table's rows.
func (e *exporter) rows(ctx context.Context, now Reader, t table) (err error) {
	rows, err := now.QueryContext(ctx, `SELECT `+t.list()+` FROM `+t.name+` ORDER BY `+t.key)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	line, dest := make([]any, 1+len(t.columns)), make([]any, len(t.columns))
	line[0] = t.name
	for i := range dest {
		dest[i] = &line[1+i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		for i, v := range line {
			switch v.(type) {
			case nil, string, int64:
			default:
				return fmt.Errorf("column %s holds a %T", t.columns[i-1], v)
			}
		}
		if err := e.line(line); err != nil {
			return err
		}
		e.trailer.Rows++
		if e.progress != nil {
			e.progress(e.trailer.Rows, e.header.total())
		}
	}
	return rows.Err()
}

func (e *exporter) line(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	b = append(b, '\n')
	_, _ = e.sum.Write(b) // never fails
	_, err = e.to.Write(b)
	return err
}
