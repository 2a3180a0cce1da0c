package relational

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/ledger"
)

// Import implements ledger.Mover.
func (s *Store) Import(ctx context.Context, r io.Reader, m ledger.Move, p ledger.Progress) (ledger.Export, error) {
	in := newImporter(r)
	if err := in.readHeader(); err != nil {
		return ledger.Export{}, fmt.Errorf("import: %w", err)
	}
	var failed error
	err := s.engine.Write(ctx, as(ctx, func(t *Tx) error {
		if failed != nil { // the input cannot be read twice; without the wrapped error, so that nobody tries again for ever
			return fmt.Errorf("the connection broke meanwhile: see whether the ledger is empty, and import again if it is (%v)", failed) //nolint:errorlint // on purpose
		}
		err := t.fill(ctx, in, p)
		if err == nil {
			err = t.auditMove(ledger.ActionImported, m, in.export())
		}
		failed = err
		if err == nil {
			failed = errors.New("its commit was not answered")
		}
		return err
	}))
	if err != nil {
		return ledger.Export{}, s.explain(fmt.Errorf("import: %w", err))
	}
	return in.export(), nil
}

// fill reads an export into an empty ledger, and keeps others from writing meanwhile.
func (t *Tx) fill(ctx context.Context, in *importer, p ledger.Progress) error {
	if err := t.alone(in.header.Schema); err != nil {
		return err
	}
	var done int64
	for i, tab := range tables {
		left := in.header.Tables[i].Rows
		for left > 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			n := min(left, rowsAtOnce)
			values, err := in.readRows(tab, int(n))
			if err != nil {
				return err
			}
			if err := t.insert(tab, int(n), values); err != nil {
				return fmt.Errorf("table %s: %w", tab.name, err)
			}
			left, done = left-n, done+n
			if p != nil {
				p(done, in.header.total())
			}
		}
		if err := t.verify(tab, in.header.Tables[i]); err != nil {
			return err
		}
	}
	return in.readTrailer()
}

// rowsAtOnce is the number of rows that one statement inserts.
const rowsAtOnce = 100

// alone fails if the ledger is not empty or has other tables. It locks the tables.
func (t *Tx) alone(schema int64) error {
	names := make([]string, len(tables))
	for i, tab := range tables {
		names[i] = tab.name
	}
	if t.dialect.LockTables != "" {
		if err := t.exec(strings.ReplaceAll(t.dialect.LockTables, "{tables}", strings.Join(names, ", "))); err != nil {
			return err
		}
	}
	var ours int64
	if _, err := t.get(schemaQuery, nil, &ours); err != nil {
		return err
	}
	if ours != schema {
		return fmt.Errorf("it was made by a Tenure with schema %d, and this one has %d: import it with the version that exported it, and upgrade then", schema, ours)
	}
	for _, name := range names {
		found, err := t.get(`SELECT 1 FROM `+name+` LIMIT 1`, nil, new(int))
		if err != nil {
			return err
		}
		if found {
			return fmt.Errorf("the ledger is not empty (%s): import into a new one, to which nothing has been written", name)
		}
	}
	return nil
}

func (t *Tx) insert(tab table, rows int, values []any) error {
	row := `(` + marks(len(tab.columns)) + `)`
	return t.exec(`INSERT INTO `+tab.name+` (`+tab.list()+`) VALUES `+strings.Repeat(row+`, `, rows-1)+row, values...)
}

// verify compares the number of rows of a table, and sets its counter to the export's.
func (t *Tx) verify(tab table, h tableHeader) error {
	var n int64
	if _, err := t.get(`SELECT count(*) FROM `+tab.name, nil, &n); err != nil {
		return err
	}
	if n != h.Rows {
		return fmt.Errorf("table %s has %d rows, and %d were exported", tab.name, n, h.Rows)
	}
	if tab.counter == "" || h.Counter == 0 {
		return nil
	}
	var highest int64
	if _, err := t.get(`SELECT coalesce(max(`+tab.counter+`), 0) FROM `+tab.name, nil, &highest); err != nil {
		return err
	}
	if highest > h.Counter {
		return fmt.Errorf("table %s has the number %d, and only %d were given out", tab.name, highest, h.Counter)
	}
	if t.dialect.ForgetCounter != "" {
		if err := t.exec(tab.named(t.dialect.ForgetCounter)); err != nil {
			return err
		}
	}
	return t.exec(tab.named(t.dialect.SetCounter), h.Counter)
}

// sameTables reports whether an export's tables are those of this version.
func sameTables(theirs []tableHeader) bool {
	return slices.EqualFunc(theirs, tables, func(h tableHeader, t table) bool {
		return h.Name == t.name && slices.Equal(h.Columns, t.columns)
	})
}

var errCut = errors.New("it ends before its last line: it is a part of an export")

// importer reads an export.
type importer struct {
	from    *bufio.Reader
	sum     hash.Hash
	header  header
	trailer trailer
	read    int64 // rows
}

func newImporter(r io.Reader) *importer {
	return &importer{from: bufio.NewReaderSize(r, 1<<20), sum: sha256.New()}
}

// line reads a line. The caller adds it to the digest, unless it is the last line.
func (in *importer) line() ([]byte, error) {
	line, err := in.from.ReadBytes('\n')
	if errors.Is(err, io.EOF) {
		return nil, errCut
	}
	return line, err
}

// export returns a summary of the rows read.
func (in *importer) export() ledger.Export {
	return ledger.Export{Schema: in.header.Schema, Rows: in.header.rows(), SHA256: in.trailer.SHA256}
}

func (in *importer) readHeader() error {
	line, err := in.line()
	if err != nil && !errors.Is(err, errCut) {
		return err
	}
	if err != nil || json.Unmarshal(line, &in.header) != nil || in.header.Format != exportFormat {
		return errors.New("this is no export of a ledger: its first line is not that of one")
	}
	if in.header.Version != exportVersion {
		return fmt.Errorf("it has the format's version %d, and this Tenure reads %d: use the version that exported it", in.header.Version, exportVersion)
	}
	if !sameTables(in.header.Tables) {
		return fmt.Errorf("it has other tables or columns than this Tenure (its schema is %d): import it with the version that exported it, and upgrade then", in.header.Schema)
	}
	_, _ = in.sum.Write(line)
	return nil
}

// readRows reads the next n rows of a table, and returns their values in one list.
func (in *importer) readRows(t table, n int) ([]any, error) {
	values := make([]any, 0, n*len(t.columns))
	for range n {
		line, err := in.line()
		if err != nil {
			return nil, err
		}
		var row []any
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.UseNumber() // not all numbers fit into a float
		in.read++
		if err := decoder.Decode(&row); err != nil || len(row) != 1+len(t.columns) || row[0] != t.name {
			return nil, fmt.Errorf("line %d is no row of table %s: it was changed or damaged", in.read+1, t.name)
		}
		for i, v := range row[1:] {
			switch v := v.(type) {
			case nil:
				values = append(values, v)
			case string:
				if !slices.Contains(t.bytes, t.columns[i]) {
					values = append(values, v)
					continue
				}
				b, err := base64.StdEncoding.DecodeString(v)
				if err != nil {
					return nil, fmt.Errorf("line %d: column %s is not in base64", in.read+1, t.columns[i])
				}
				values = append(values, b)
			case json.Number:
				whole, err := v.Int64()
				if err != nil {
					return nil, fmt.Errorf("line %d: column %s is no whole number", in.read+1, t.columns[i])
				}
				values = append(values, whole)
			default:
				return nil, fmt.Errorf("line %d: column %s is neither a text nor a number", in.read+1, t.columns[i])
			}
		}
		_, _ = in.sum.Write(line)
	}
	return values, nil
}

// readTrailer reads the last line, and fails if a row is missing or the digest differs.
func (in *importer) readTrailer() error {
	line, err := in.line()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(line, &in.trailer); err != nil || in.trailer.Rows != in.read {
		return fmt.Errorf("it does not end after the %d rows that its first line tells of: it was changed or damaged", in.read)
	}
	if in.trailer.SHA256 != hex.EncodeToString(in.sum.Sum(nil)) {
		return errors.New("its checksum is wrong: it was changed or damaged")
	}
	if _, err := in.from.ReadByte(); !errors.Is(err, io.EOF) {
		return errors.New("something comes after its last line: it was changed or damaged")
	}
	return nil
}
