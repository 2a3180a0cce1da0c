package relational

import (
	"context"
	"errors"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

const exceptionColumns = `id, person_id, kind, role, app, entitlement, duty, control, employment_source, employment_id,
	starts_at, ends_at, origin, emergency, decided_at, decided_by, login, reason, ended_at, ended_by, ended_login, end_reason`

// exceptionDest lists the fields that exceptionColumns are scanned into.
func exceptionDest(x *ledger.Exception) []any {
	return []any{
		&x.ID, &x.PersonID, &x.Kind, &x.Role, &x.App, &x.Entitlement, &x.Duty, &x.Control, &x.Employment.Source, &x.Employment.ID,
		instant{&x.StartsAt}, instant{&x.EndsAt}, &x.Origin, &x.Emergency, instant{&x.DecidedAt}, &x.DecidedBy, &x.Login, &x.Reason,
		instant{&x.EndedAt}, &x.EndedBy, &x.EndedLogin, &x.EndReason,
	}
}

// Exceptions implements ledger.Exceptions.
func (s *Store) Exceptions(ctx context.Context, f ledger.ExceptionFilter, after int64, limit int) ([]ledger.Exception, error) {
	query, args := `SELECT `+exceptionColumns+` FROM exceptions WHERE id > ?`, []any{after}
	where := func(condition string, arg any) { query, args = query+` AND `+condition, append(args, arg) }
	if f.ID != 0 {
		where(`id = ?`, f.ID)
	}
	if f.PersonID != "" {
		where(`person_id = ?`, f.PersonID)
	}
	if f.Kind != "" {
		where(`kind = ?`, f.Kind)
	}
	if f.Role != "" {
		where(`role = ?`, f.Role)
	}
	if f.Open {
		query += ` AND ended_at IS NULL`
	}
	if !f.EndsBy.IsZero() {
		where(`ends_at <= ?`, f.EndsBy.UnixMicro())
	}
	found, err := list(ctx, s.engine, query+` ORDER BY id LIMIT ?`, append(args, max(limit, 0)), exceptionDest)
	return found, s.explain(err)
}

// PlaceException implements ledger.Exceptions.
func (s *Store) PlaceException(ctx context.Context, x ledger.Exception) (placed ledger.Exception, err error) {
	if x.DecidedBy == "" || x.Reason == "" || x.Origin == "" || !x.EndsAt.IsZero() && !x.EndsAt.After(x.StartsAt) {
		return placed, errors.New("ledger: an exception needs an end after its start, who decided it and why, and where it came from")
	}
	return written(ctx, s, "make an exception for person "+x.PersonID, func(t *Tx) (ledger.Exception, error) { return t.placeException(x) })
}

func (t *Tx) placeException(x ledger.Exception) (placed ledger.Exception, err error) {
	if err := t.known(x.PersonID); err != nil {
		return placed, err
	}
	found, err := t.get(`SELECT `+exceptionColumns+` FROM exceptions WHERE person_id = ? AND kind = ? AND role = ? AND app = ? AND entitlement = ?
			AND duty = ? AND origin = ? AND starts_at = ? AND coalesce(ends_at, 0) = ? AND decided_at = ? AND decided_by = ?`,
		[]any{
			x.PersonID, x.Kind, x.Role, x.App, x.Entitlement, x.Duty, x.Origin, micros(x.StartsAt), microsOrZero(x.EndsAt),
			micros(x.DecidedAt), x.DecidedBy,
		}, exceptionDest(&placed)...)
	if found || err != nil {
		return placed, err
	}
	_, err = t.get(`INSERT INTO exceptions (person_id, kind, role, app, entitlement, duty, control, employment_source, employment_id,
			starts_at, ends_at, origin, emergency, decided_at, decided_by, login, reason)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING `+exceptionColumns,
		[]any{
			x.PersonID, x.Kind, x.Role, x.App, x.Entitlement, x.Duty, x.Control, x.Employment.Source, x.Employment.ID,
			micros(x.StartsAt), micros(x.EndsAt), x.Origin, x.Emergency, micros(x.DecidedAt), x.DecidedBy, t.login, x.Reason,
		}, exceptionDest(&placed)...)
	if err != nil {
		return placed, err
	}
	return placed, t.decided(ledger.AuditRow{
		At: x.DecidedAt, PersonID: x.PersonID, App: x.App, Action: "exception_placed", Actor: x.DecidedBy, Cause: x.Reason,
		Detail: exceptionDetail(placed),
	}, "exception:"+placed.Name())
}

// exceptionDetail returns what the audit record says about an exception besides who, why and
// in which app.
func exceptionDetail(x ledger.Exception) map[string]any {
	detail := map[string]any{"exception": x.Name(), "kind": x.Kind, "origin": x.Origin, "from": x.StartsAt.UTC().Format(time.RFC3339)}
	if !x.EndsAt.IsZero() {
		detail["until"] = x.EndsAt.UTC().Format(time.RFC3339)
	}
	if x.Emergency {
		detail["emergency"] = true
	}
	for name, value := range map[string]string{"role": x.Role, "entitlement": x.Entitlement, "duty": x.Duty, "control": x.Control} {
		if value != "" {
			detail[name] = value
		}
	}
	return detail
}

// microsOrZero is micros for a comparison: a zero instant is 0.
func microsOrZero(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMicro()
}

// EndException implements ledger.Exceptions.
func (s *Store) EndException(ctx context.Context, e ledger.ExceptionEnd) (x ledger.Exception, err error) {
	if e.Operator == "" || e.Reason == "" {
		return x, errors.New("ledger: who ends an exception, and why, has to be said")
	}
	return written(ctx, s, "end exception "+ledger.ExceptionName(e.ID), func(t *Tx) (ledger.Exception, error) { return t.endException(e) })
}

func (t *Tx) endException(e ledger.ExceptionEnd) (x ledger.Exception, err error) {
	if _, err := t.get(`SELECT person_id FROM exceptions WHERE id = ?`, []any{e.ID}, &x.PersonID); err != nil {
		return x, err
	}
	if err := t.lock(x.PersonID); err != nil {
		return x, err
	}
	found, err := t.get(`SELECT `+exceptionColumns+` FROM exceptions WHERE id = ?`, []any{e.ID}, exceptionDest(&x)...)
	if err != nil {
		return x, err
	}
	if !found {
		return x, ledger.ErrNotFound
	}
	if !x.EndedAt.IsZero() { // perhaps by itself, and what prolongs it goes on
		return x, t.endExtensions(e)
	}
	_, err = t.get(`UPDATE exceptions SET ended_at = ?, ended_by = ?, end_reason = ?, ended_login = ? WHERE id = ? RETURNING `+exceptionColumns,
		[]any{e.At.UnixMicro(), e.Operator, e.Reason, t.login, e.ID}, exceptionDest(&x)...)
	if err != nil {
		return x, err
	}
	err = t.decided(ledger.AuditRow{
		At: e.At, PersonID: x.PersonID, App: x.App, Action: "exception_ended", Actor: e.Operator, Cause: e.Reason, Detail: exceptionDetail(x),
	}, "exception:"+x.Name())
	if err != nil {
		return x, err
	}
	var heir string
	if _, err := t.get(`SELECT carried_to FROM people WHERE id = ?`, []any{x.PersonID}, &heir); err != nil {
		return x, err
	}
	if heir != "" { // the exception follows the accounts
		if err := t.toBeTold(heir, e.At); err != nil {
			return x, err
		}
	}
	return x, t.endExtensions(e)
}

// endExtensions ends what prolongs an exception that somebody ends.
func (t *Tx) endExtensions(e ledger.ExceptionEnd) error {
	extensions, err := collect(t, `SELECT x.id FROM requests r JOIN exceptions x ON x.id = r.exception_id WHERE r.extends = ?`,
		[]any{e.ID}, func(id *int64) []any { return []any{id} })
	if err != nil {
		return err
	}
	for _, id := range extensions {
		e.ID = id
		if _, err := t.endException(e); err != nil {
			return err
		}
	}
	return nil
}

// lapseException ends an exception that is over by itself. It may have been made for another
// ID of the same human.
func (t *Tx) lapseException(personID string, lapsed ledger.LapsedException, at time.Time) error {
	var x ledger.Exception
	found, err := t.get(`UPDATE exceptions SET ended_at = ?, ended_by = 'tenure', end_reason = ?
		WHERE id = ? AND ended_at IS NULL
			AND (person_id = ? OR person_id IN (SELECT id FROM people WHERE carried_to = ?)) RETURNING `+exceptionColumns,
		[]any{at.UnixMicro(), lapsed.Why, lapsed.ID, personID, personID}, exceptionDest(&x)...)
	if !found || err != nil {
		return err
	}
	err = t.putAudit(ledger.AuditRow{
		At: at, PersonID: x.PersonID, App: x.App, Action: "exception_lapsed", Actor: ledger.ActorTenure, Cause: lapsed.Why, Detail: exceptionDetail(x),
	}, "exception:"+x.Name(), 0)
	return err
}
