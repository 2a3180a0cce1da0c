package postgres

import (
	"context"
	"database/sql"
	"reflect"
	"strings"

	"github.com/tenurehq/tenure/ledger/relational"
)

// querier is a database, a connection or a transaction.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// reader is a querier that understands package relational's queries.
type reader struct{ q querier }

// QueryContext implements relational.Reader.
func (r reader) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return r.q.QueryContext(ctx, relational.Numbered(query), plain(args)...)
}

// conn is a connection in a transaction, for one call.
type conn struct {
	ctx context.Context //nolint:containedctx // of the call, and lives no longer
	q   querier
}

// Exec implements relational.Conn.
func (c conn) Exec(query string, args ...any) (sql.Result, error) {
	return c.q.ExecContext(c.ctx, relational.Numbered(query), plain(args)...)
}

// Query implements relational.Conn.
func (c conn) Query(query string, args ...any) (*sql.Rows, error) {
	return reader{c.q}.QueryContext(c.ctx, query, args...)
}

// plain makes arguments what the columns are: texts and whole numbers.
func plain(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		switch v := a.(type) {
		case bool:
			out[i] = int64(0)
			if v {
				out[i] = int64(1)
			}
		case string:
			out[i] = storable(v)
		default:
			out[i] = a
			if r := reflect.ValueOf(a); r.Kind() == reflect.String {
				out[i] = storable(r.String())
			}
		}
	}
	return out
}

// storable is a text as PostgreSQL can hold it: without NUL, and in UTF-8. HR's own
// words are stored as JSON, which has another way to write NUL.
func storable(s string) string {
	const replacement = "\uFFFD"
	return strings.ReplaceAll(strings.ToValidUTF8(s, replacement), "\x00", replacement)
}
