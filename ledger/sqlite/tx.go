package sqlite

import (
	"database/sql"
	"errors"
)

// tx is the writing connection as jobs see it: inside a transaction, with
// statements compiled once. It is used by one goroutine, and knows no context:
// a transaction that several callers share does not end because one of them
// went away.
type tx struct {
	prepare func(query string) (*sql.Stmt, error)
	stmts   map[string]*sql.Stmt
}

func (t *tx) stmt(query string) (*sql.Stmt, error) {
	if s, ok := t.stmts[query]; ok {
		return s, nil
	}
	s, err := t.prepare(query)
	if err != nil {
		return nil, err
	}
	t.stmts[query] = s
	return s, nil
}

func (t *tx) exec(query string, args ...any) error {
	_, err := t.change(query, args...)
	return err
}

// change is exec that says how many rows it touched.
func (t *tx) change(query string, args ...any) (int64, error) {
	s, err := t.stmt(query) //nolint:sqlclosecheck // kept for the next time: close closes it
	if err != nil {
		return 0, err
	}
	res, err := s.Exec(args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// get reads one row into dest and says whether there is one.
func (t *tx) get(query string, args []any, dest ...any) (bool, error) {
	s, err := t.stmt(query) //nolint:sqlclosecheck // kept for the next time: close closes it
	if err != nil {
		return false, err
	}
	err = s.QueryRow(args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// rollback ends the transaction. After a grave error SQLite has done so itself,
// and says that there is none: that is no failure.
func (t *tx) rollback() { _ = t.exec(`ROLLBACK`) }

func (t *tx) close() error {
	errs := make([]error, 0, len(t.stmts))
	for _, s := range t.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
