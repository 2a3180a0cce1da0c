package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/tenurehq/tenure/ledger/relational"
)

// mostQueued bounds how many statements are sent at once.
const mostQueued = 64

// pipe is a connection that sends several statements in one round trip.
type pipe struct {
	conn
	c      *sql.Conn
	meter  *relational.Meter
	queued []queued
	sent   bool // something was sent, so that there is a transaction
}

// queued is a statement that was not sent yet.
type queued struct {
	query string
	args  []any
	read  func(relational.Answer) error // nil: nobody wants the answer
}

func (e *engine) pipe(ctx context.Context, c *sql.Conn) *pipe {
	return &pipe{conn: conn{ctx, c}, c: c, meter: &e.meter}
}

// Later implements relational.Pipe.
func (p *pipe) Later(query string, args []any, read func(relational.Answer) error) error {
	p.queued = append(p.queued, queued{query, args, read})
	if len(p.queued) < mostQueued {
		return nil
	}
	return p.Flush()
}

// Flush implements relational.Pipe.
func (p *pipe) Flush() error { return p.send(p.ctx) }

// Exec implements relational.Conn.
func (p *pipe) Exec(query string, args ...any) (sql.Result, error) {
	if err := p.Flush(); err != nil {
		return nil, err
	}
	p.meter.RoundTrips.Add(1)
	p.meter.Statements.Add(1)
	return p.conn.Exec(query, args...)
}

// Query implements relational.Conn.
func (p *pipe) Query(query string, args ...any) (*sql.Rows, error) {
	if err := p.Flush(); err != nil {
		return nil, err
	}
	p.meter.RoundTrips.Add(1)
	p.meter.Statements.Add(1)
	return p.conn.Query(query, args...)
}

// send sends what is queued, and reads the answers. The server executes nothing after a
// statement that fails.
func (p *pipe) send(ctx context.Context) error {
	if len(p.queued) == 0 {
		return nil
	}
	sending := p.queued
	p.queued, p.sent = nil, true
	p.meter.RoundTrips.Add(1)
	p.meter.Statements.Add(int64(len(sending)))
	return p.c.Raw(func(driver any) (err error) {
		batch := &pgx.Batch{}
		for _, q := range sending {
			batch.Queue(relational.Numbered(q.query), plain(q.args)...)
		}
		results := driver.(*stdlib.Conn).Conn().SendBatch(ctx, batch)
		defer func() { err = errors.Join(err, results.Close()) }()
		for _, q := range sending {
			if err := q.answer(results); err != nil {
				return err
			}
		}
		return nil
	})
}

// commit sends what is queued, and then commits, in the same round trip.
func (p *pipe) commit(ctx context.Context) error {
	var tag string
	p.queued = append(p.queued, queued{query: `COMMIT`, read: func(a relational.Answer) error {
		tag = a.(*answer).tag
		return nil
	}})
	err := p.send(ctx)
	if err == nil && tag != "COMMIT" {
		err = errors.New("the transaction was rolled back")
	}
	return err
}

// rollback ends a transaction of which nothing is to stay. If it fails, the connection is broken,
// which ends the transaction too.
func (p *pipe) rollback(ctx context.Context) {
	p.queued = nil
	if !p.sent {
		return
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_, _ = p.c.ExecContext(end, `ROLLBACK`)
}

// answer reads the next answer.
func (q queued) answer(results pgx.BatchResults) error {
	if q.read == nil {
		_, err := results.Exec()
		return err
	}
	rows, err := results.Query()
	if err != nil {
		return err
	}
	a := &answer{}
	for rows.Next() {
		row, err := values(rows)
		if err != nil {
			rows.Close()
			return err
		}
		a.rows = append(a.rows, row)
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return err
	}
	a.tag, a.changed = rows.CommandTag().String(), rows.CommandTag().RowsAffected()
	return q.read(a)
}

// answer is what the server has answered to one statement.
type answer struct {
	rows    [][]any // numbers as int64 or float64, texts, bytes, truth values, and nil
	next    int
	changed int64
	tag     string
}

// Next implements relational.Answer.
func (a *answer) Next() bool {
	a.next++
	return a.next <= len(a.rows)
}

// Changed implements relational.Answer.
func (a *answer) Changed() int64 { return a.changed }

// Scan implements relational.Answer.
func (a *answer) Scan(dest ...any) error {
	row := a.rows[a.next-1]
	if len(row) != len(dest) {
		return fmt.Errorf("%d columns for %d fields", len(row), len(dest))
	}
	for i, d := range dest {
		if err := assign(d, row[i]); err != nil {
			return fmt.Errorf("column %d: %w", i+1, err)
		}
	}
	return nil
}

// values returns the values of the columns of a row, as the driver of database/sql does.
func values(rows pgx.Rows) ([]any, error) {
	fields := rows.FieldDescriptions()
	dest := make([]any, len(fields))
	for i, f := range fields {
		switch f.DataTypeOID {
		case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID:
			dest[i] = new(*int64)
		case pgtype.Float4OID, pgtype.Float8OID:
			dest[i] = new(*float64)
		case pgtype.BoolOID:
			dest[i] = new(*bool)
		case pgtype.ByteaOID:
			dest[i] = new([]byte)
		default:
			dest[i] = new(*string)
		}
	}
	if err := rows.Scan(dest...); err != nil {
		return nil, err
	}
	for i, d := range dest {
		v := reflect.ValueOf(d).Elem()
		switch {
		case v.IsNil():
			dest[i] = nil
		case v.Kind() == reflect.Pointer:
			dest[i] = v.Elem().Interface()
		default:
			dest[i] = v.Interface()
		}
	}
	return dest, nil
}

// assign puts a value into a field, as database/sql does.
func assign(dest, value any) error {
	switch d := dest.(type) {
	case sql.Scanner:
		return d.Scan(value)
	case *[]byte:
		switch v := value.(type) {
		case []byte:
			*d = v
			return nil
		case string:
			*d = []byte(v)
			return nil
		}
	}
	field := reflect.ValueOf(dest).Elem()
	switch field.Kind() {
	case reflect.Interface, reflect.Pointer:
		if value == nil {
			field.SetZero()
			return nil
		}
		if field.Kind() == reflect.Interface {
			field.Set(reflect.ValueOf(value))
			return nil
		}
		field.Set(reflect.New(field.Type().Elem()))
		return assign(field.Interface(), value)
	default:
	}
	switch v := value.(type) {
	case string:
		switch {
		case field.Kind() == reflect.String:
			field.SetString(v)
			return nil
		case field.CanInt(): // a sum is of the type numeric
			n, err := strconv.ParseInt(v, 10, 64)
			field.SetInt(n)
			return err
		}
	case int64:
		switch {
		case field.CanInt() && !field.OverflowInt(v):
			field.SetInt(v)
			return nil
		case field.Kind() == reflect.Bool && (v == 0 || v == 1):
			field.SetBool(v == 1)
			return nil
		}
	case float64:
		if field.CanFloat() {
			field.SetFloat(v)
			return nil
		}
	case bool:
		if field.Kind() == reflect.Bool {
			field.SetBool(v)
			return nil
		}
	}
	return fmt.Errorf("the type %T does not fit into %T", value, dest)
}
