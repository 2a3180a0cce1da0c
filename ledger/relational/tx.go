package relational

import (
	"database/sql"
	"errors"
	"slices"
)

// Conn is an engine's connection inside a transaction. It knows no context:
// where several callers share a transaction, it does not end because one of them
// went away.
type Conn interface {
	Exec(query string, args ...any) (sql.Result, error)
	Query(query string, args ...any) (*sql.Rows, error)
}

// Tx is a transaction that writes. It is used by one goroutine.
type Tx struct {
	conn    Conn
	dialect Dialect
	login   string // of the operator who decides; empty if it is Tenure
}

// NewTx is for engines.
func NewTx(conn Conn, dialect Dialect) *Tx { return &Tx{conn: conn, dialect: dialect} }

func (t *Tx) exec(query string, args ...any) error {
	_, err := t.conn.Exec(query, args...)
	return err
}

// change is exec that says how many rows it touched.
func (t *Tx) change(query string, args ...any) (int64, error) {
	res, err := t.conn.Exec(query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// get reads one row into dest and reports whether there is one.
func (t *Tx) get(query string, args []any, dest ...any) (found bool, err error) {
	rows, err := t.conn.Query(query, args...)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if !rows.Next() {
		return false, rows.Err()
	}
	if err := rows.Scan(dest...); err != nil {
		return false, err
	}
	return true, nil
}

// person makes sure that there is a row to refer to, and that nobody else
// changes what concerns this person until the transaction ends. Every method
// that changes something of a person's begins with it or with lock.
func (t *Tx) person(id string) error {
	if id == "" {
		return errors.New("no person named")
	}
	if err := t.exec(`INSERT INTO people (id) VALUES (?) ON CONFLICT DO NOTHING`, id); err != nil {
		return err
	}
	return t.lock(id)
}

// lock is person for people who may be unknown, and stay so. It locks several
// in the order of their IDs: two transactions do not wait for each other.
func (t *Tx) lock(ids ...string) error {
	if t.dialect.Lock == "" {
		return nil
	}
	if len(ids) == 0 {
		return nil
	}
	// Written out, so that the database sees how few they are; and as two, four,
	// eight, ... of them, so that there are few such texts.
	args := anys(ids)
	for len(args)&(len(args)-1) != 0 {
		args = append(args, args[0])
	}
	return t.exec(`SELECT id FROM people WHERE id IN (`+marks(len(args))+`) ORDER BY id`+t.dialect.Lock, args...)
}

// lockWithReports locks a person and those whose manager they are.
func (t *Tx) lockWithReports(id string) error {
	if t.dialect.Lock == "" {
		return nil
	}
	return t.exec(`SELECT id FROM people WHERE id = ?1 OR manager_id = ?1 AND manager_id <> '' ORDER BY id`+t.dialect.Lock, id)
}

// people is person for several at once: those who have to be there, and others.
func (t *Tx) people(ids, others []string) error {
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		if err := t.exec(`INSERT INTO people (id) VALUES (?) ON CONFLICT DO NOTHING`, id); err != nil {
			return err
		}
	}
	return t.lock(append(ids, others...)...)
}
