package relational

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/ledger"
)

// Conn is an engine's connection inside a transaction. It takes no context: if several
// callers share a transaction, it must not end because one of them has gone.
type Conn interface {
	Exec(query string, args ...any) (sql.Result, error)
	Query(query string, args ...any) (*sql.Rows, error)
}

// Tx is a transaction that writes. It is used by one goroutine.
type Tx struct {
	conn    Conn
	dialect Dialect
	login   string   // login of the operator who decides; empty if Tenure acts by itself
	pepper  []byte   // see Store.SetPepper
	named   []string // the names of what the call has made or found, such as "r-12": see ledger.Notice.About
}

// NewTx returns a transaction in a dialect, for engines.
func NewTx(conn Conn, dialect Dialect) *Tx { return &Tx{conn: conn, dialect: dialect} }

// exec executes a statement. A Pipe does so later.
func (t *Tx) exec(query string, args ...any) error {
	if pipe, ok := t.conn.(Pipe); ok {
		return pipe.Later(query, args, nil)
	}
	_, err := t.conn.Exec(query, args...)
	return err
}

// change executes a query and returns how many rows it changed.
func (t *Tx) change(query string, args ...any) (int64, error) {
	if _, ok := t.conn.(Pipe); ok {
		var n int64
		if err := t.changes(&n, query, args...); err != nil {
			return 0, err
		}
		err := t.flush()
		return n, err
	}
	res, err := t.conn.Exec(query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// get reads one row into dest and reports whether there is one.
func (t *Tx) get(query string, args []any, dest ...any) (found bool, err error) {
	if pipe, ok := t.conn.(Pipe); ok {
		if err := pipe.Later(query, args, first(&found, dest)); err != nil {
			return false, err
		}
		err := pipe.Flush()
		return found, err
	}
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

// person makes sure that the person has a row, and locks it, so that nobody else changes
// anything about the person until the transaction ends. Every method that changes something
// about a person begins with person or with lock.
func (t *Tx) person(id string) error {
	if id == "" {
		return errors.New("no person named")
	}
	if err := t.exec(`INSERT INTO people (id) VALUES (?) ON CONFLICT DO NOTHING`, id); err != nil {
		return err
	}
	return t.lock(id)
}

// lock locks people as person does, and does not add rows. It locks them in the order of
// their IDs, so that two transactions do not wait for each other.
func (t *Tx) lock(ids ...string) error {
	if t.dialect.Lock == "" {
		return nil
	}
	if len(ids) == 0 {
		return nil
	}
	// The IDs are separate parameters, so that the database knows how few they are. Their
	// number is padded to two, four, eight, ..., so that there are few different queries.
	args := anys(ids)
	for len(args)&(len(args)-1) != 0 {
		args = append(args, args[0])
	}
	return t.exec(`SELECT id FROM people WHERE id IN (`+marks(len(args))+`) ORDER BY id`+t.dialect.Lock, args...)
}

// lockWithReports locks a person and the people whose manager they are.
func (t *Tx) lockWithReports(id string) error {
	if t.dialect.Lock == "" {
		return nil
	}
	return t.exec(`SELECT id FROM people WHERE id = ?1 OR manager_id = ?1 AND manager_id <> '' ORDER BY id`+t.dialect.Lock, id)
}

// people adds missing rows for ids, and locks ids and others in one order.
func (t *Tx) people(ids, others []string) error {
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		if err := t.exec(`INSERT INTO people (id) VALUES (?) ON CONFLICT DO NOTHING`, id); err != nil {
			return err
		}
	}
	return t.lock(append(ids, others...)...)
}

// appendAudit writes the row, unless a repeated call wrote it before. The key identifies the
// subject of the row.
func (t *Tx) appendAudit(r ledger.AuditRow, key string) (written bool, err error) {
	args, err := t.auditArgs(r, key, 0)
	if err != nil {
		return false, err
	}
	n, err := t.change(auditInsert, args...)
	return n > 0, err
}

// putAudit is appendAudit for callers who need not know whether the row was written. The attempt
// identifies the subject too; zero if there is none.
func (t *Tx) putAudit(r ledger.AuditRow, key string, attempt int64) error {
	args, err := t.auditArgs(r, key, attempt)
	if err != nil {
		return err
	}
	return t.exec(auditInsert, args...)
}

const auditInsert = `INSERT INTO audit (at, person_id, app, action, actor, cause, detail, key, attempt, login, salt)
		SELECT ?1, ?2, ?3, ?4, ?5, ?6, nullif(?7, 'null'), ?8, ?9, ?10, ?11
		WHERE NOT EXISTS (SELECT 1 FROM audit
			WHERE person_id = ?2 AND key = ?8 AND action = ?4 AND actor = ?5 AND at = ?1 AND attempt = ?9)
		ON CONFLICT DO NOTHING`

// auditArgs returns the arguments of auditInsert.
func (t *Tx) auditArgs(r ledger.AuditRow, key string, attempt int64) ([]any, error) {
	detail, err := encoded(r.Detail)
	if err != nil {
		return nil, err
	}
	login := t.login
	if r.Actor == ledger.ActorTenure {
		login = ""
	}
	salt := make([]byte, audit.SaltSize)
	_, _ = rand.Read(salt) // never fails
	// The log is of what is stored, and every database has to be able to store it.
	for _, text := range []*string{&r.PersonID, &r.App, &r.Action, &r.Actor, &r.Cause, &key, &login} {
		*text = Storable(*text)
	}
	return []any{r.At.UnixMicro(), r.PersonID, r.App, r.Action, r.Actor, r.Cause, detail, key, attempt, login, salt}, nil
}

// AuditBefore implements ledger.Query.
func (s *Store) AuditBefore(ctx context.Context, at time.Time, limit int) ([]ledger.AuditRow, error) {
	rows, err := list(ctx, s.engine, `SELECT `+auditColumns+` FROM audit WHERE at < ? ORDER BY at DESC, seq DESC LIMIT ?`,
		[]any{at.UnixMicro(), max(limit, 0)}, auditDest)
	return rows, s.explain(err)
}

const auditColumns = `seq, at, person_id, app, action, actor, login, cause, detail`

// auditDest lists the fields that auditColumns are scanned into.
func auditDest(r *ledger.AuditRow) []any {
	return []any{&r.Seq, instant{&r.At}, &r.PersonID, &r.App, &r.Action, &r.Actor, &r.Login, &r.Cause, decode{&r.Detail}}
}

// Audit implements ledger.Query.
func (s *Store) Audit(ctx context.Context, personID string, after int64, limit int) ([]ledger.AuditRow, error) {
	query, args := `SELECT `+auditColumns+` FROM audit
		WHERE seq > ?1 ORDER BY seq LIMIT ?2`, []any{after, max(limit, 0)}
	if personID != "" {
		query, args = `SELECT `+auditColumns+` FROM audit
			WHERE seq > ?1 AND person_id = ?3 ORDER BY seq LIMIT ?2`, append(args, personID)
	}
	rows, err := list(ctx, s.engine, query, args, auditDest)
	return rows, s.explain(err)
}

// AuditSince implements ledger.Query.
func (s *Store) AuditSince(ctx context.Context, after ledger.AuditPlace, limit int) ([]ledger.AuditRow, error) {
	rows, err := list(ctx, s.engine, `SELECT `+auditColumns+` FROM audit WHERE (at, seq) > (?, ?) ORDER BY at, seq LIMIT ?`,
		[]any{after.At.UnixMicro(), after.Seq, max(limit, 0)}, auditDest)
	return rows, s.explain(err)
}

// known locks a person about whom something was recorded, or returns ErrNotFound.
func (t *Tx) known(personID string) error {
	if err := t.lock(personID); err != nil {
		return err
	}
	found, err := t.get(`SELECT 1 FROM people WHERE id = ?`, []any{personID}, new(int))
	if err == nil && !found {
		err = ledger.ErrNotFound
	}
	return err
}

// decided writes the audit row of an operator's decision about a person's deletions, and
// makes the person due so that their run looks again.
func (t *Tx) decided(row ledger.AuditRow, key string) error {
	written, err := t.appendAudit(row, key)
	if !written || err != nil {
		return err
	}
	return t.toBeTold(row.PersonID, row.At)
}

// toBeTold makes a person due because an operator decided something. It replaces any other
// reason.
func (t *Tx) toBeTold(personID string, at time.Time) error {
	if err := t.exec(`UPDATE people SET `+nudged+` WHERE id = ?3`, at.UnixMicro(), ledger.DueDecision, personID); err != nil {
		return err
	}
	return t.exec(`UPDATE people SET due_what = ? WHERE id = ?`, ledger.DueDecision, personID)
}

// nudged holds the assignments that make people due at an instant (?1) for a reason (?2)
// other than an event about them.
const nudged = `revision = revision + 1,
			nudged_at = CASE WHEN nudged_at < ?1 THEN nudged_at ELSE ?1 END, nudged_rev = revision + 1, nudged_what = ?2,
			due_what = CASE WHEN due_at < ?1 THEN due_what ELSE ?2 END,
			due_at = CASE WHEN due_at < ?1 THEN due_at ELSE ?1 END`

// nudge makes the people whose manager this person is due at once.
func (t *Tx) nudge(managerID string, at time.Time) error {
	return t.exec(`UPDATE people SET `+nudged+` WHERE manager_id = ?3 AND manager_id <> ''`, at.UnixMicro(), ledger.DueManager, managerID)
}
