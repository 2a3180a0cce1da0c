package sqlite

import (
	"database/sql"
	"errors"
)

// statements is the writing connection as the writer and relational.Tx see it,
// with statements compiled once. It is used by one goroutine, and knows no
// context: a transaction that several callers share does not end because one of
// them went away.
type statements struct {
	prepare  func(query string) (*sql.Stmt, error)
	compiled map[string]*sql.Stmt
}

func (s *statements) stmt(query string) (*sql.Stmt, error) {
	if compiled, ok := s.compiled[query]; ok {
		return compiled, nil
	}
	compiled, err := s.prepare(query)
	if err != nil {
		return nil, err
	}
	s.compiled[query] = compiled
	return compiled, nil
}

// Exec implements relational.Conn.
func (s *statements) Exec(query string, args ...any) (sql.Result, error) {
	stmt, err := s.stmt(query) //nolint:sqlclosecheck // kept for the next time: close closes it
	if err != nil {
		return nil, err
	}
	return stmt.Exec(args...)
}

// Query implements relational.Conn.
func (s *statements) Query(query string, args ...any) (*sql.Rows, error) {
	stmt, err := s.stmt(query) //nolint:sqlclosecheck // kept for the next time: close closes it
	if err != nil {
		return nil, err
	}
	return stmt.Query(args...)
}

func (s *statements) exec(query string) error {
	_, err := s.Exec(query)
	return err
}

// rollback ends the transaction. After a grave error SQLite has done so itself,
// and says that there is none: that is no failure.
func (s *statements) rollback() { _ = s.exec(`ROLLBACK`) }

func (s *statements) close() error {
	errs := make([]error, 0, len(s.compiled))
	for _, stmt := range s.compiled {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(errs...)
}
