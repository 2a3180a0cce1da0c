package relational

import (
	"context"
	"database/sql"
	"errors"
)

// Pipe is a Conn to a server far away, which sends several statements in one round trip.
type Pipe interface {
	Conn
	// Later executes a statement, after all that come before it, when Flush is called or the
	// transaction is committed. Then read gets the answer; nil ignores it. Later may flush.
	Later(query string, args []any, read func(Answer) error) error
	Flush() error
}

// Answer is what the database answers to one statement.
type Answer interface {
	Next() bool // moves to the next row
	Scan(dest ...any) error
	Changed() int64 // how many rows the statement changed, or returned
}

// later reads one row into dest, and sets found if there is one: at the next statement that is
// not for later, or when the transaction is committed. Nobody looks at dest before.
func (t *Tx) later(query string, args []any, found *bool, dest ...any) (err error) {
	*found = false
	pipe, ok := t.conn.(Pipe)
	if !ok {
		*found, err = t.get(query, args, dest...)
		return err
	}
	return pipe.Later(query, args, first(found, dest))
}

// first returns a function that reads the first row of an answer into dest, if there is one.
func first(found *bool, dest []any) func(Answer) error {
	return func(a Answer) error {
		if !a.Next() {
			return nil
		}
		*found = true
		return a.Scan(dest...)
	}
}

// changes executes a statement and sets n to the number of rows that it changed. It does so when
// later does.
func (t *Tx) changes(n *int64, query string, args ...any) (err error) {
	*n = 0
	pipe, ok := t.conn.(Pipe)
	if !ok {
		*n, err = t.change(query, args...)
		return err
	}
	return pipe.Later(query, args, func(a Answer) error { *n = a.Changed(); return nil })
}

// flush executes all that was left for later.
func (t *Tx) flush() error {
	if pipe, ok := t.conn.(Pipe); ok {
		return pipe.Flush()
	}
	return nil
}

// Ask is one of several queries that see the data of one moment. Read gets its rows.
type Ask struct {
	Query string
	Args  []any
	Read  func(Answer) error
}

// Asked is an Engine that answers several queries in one round trip.
type Asked interface {
	// Together answers the queries with the data of one moment. It may do so more than once.
	Together(ctx context.Context, asks []Ask) error
}

// together answers several queries with the data of one moment.
func (s *Store) together(ctx context.Context, asks ...Ask) error {
	if far, ok := s.engine.(Asked); ok {
		return far.Together(ctx, asks)
	}
	return s.engine.Snapshot(ctx, func(now Reader) error {
		for _, ask := range asks {
			if err := answer(ctx, now, ask); err != nil {
				return err
			}
		}
		return nil
	})
}

func answer(ctx context.Context, now Reader, ask Ask) (err error) {
	rows, err := now.QueryContext(ctx, ask.Query, ask.Args...)
	if err != nil {
		return err
	}
	return ask.take(rows)
}

// take reads the rows, and closes them.
func (ask Ask) take(rows *sql.Rows) (err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	if err := ask.Read(near{rows}); err != nil {
		return err
	}
	return rows.Err()
}

// near is the answer of a database that is near.
type near struct{ rows }

type rows interface {
	Next() bool
	Scan(dest ...any) error
}

// Changed implements Answer.
func (near) Changed() int64 { return 0 }

// all asks for every row of a query. dest returns the fields into which a row is scanned.
func all[T any](into *[]T, query string, args []any, dest func(*T) []any) Ask {
	return Ask{query, args, func(a Answer) error {
		*into = nil
		for a.Next() {
			var one T
			if err := a.Scan(dest(&one)...); err != nil {
				return err
			}
			*into = append(*into, one)
		}
		return nil
	}}
}
