package relational

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

const requestColumns = `id, person_id, role, duty, control, starts_at, for_micros, reason, ticket, asked_by, operator, login, asked_at, emergency, extends,
	terms, preview, state, stage, stage_at, expires_at, escalated_at, reminders, look_at, exception_id, decided_at, why, proven_at, revision`

// requestDest lists the fields that requestColumns are scanned into.
func requestDest(r *ledger.Request) []any {
	return []any{
		&r.ID, &r.PersonID, &r.Role, &r.Duty, &r.Control, instant{&r.StartsAt}, span{&r.For}, &r.Reason, &r.Ticket, &r.AskedBy, &r.Operator, &r.Login,
		instant{&r.AskedAt}, &r.Emergency, &r.Extends, &r.Terms, &r.Preview, &r.State, &r.Stage, instant{&r.StageAt}, instant{&r.ExpiresAt},
		instant{&r.EscalatedAt}, &r.Reminders, instant{&r.LookAt}, &r.Exception, instant{&r.DecidedAt}, &r.Why, instant{&r.ProvenAt}, &r.Revision,
	}
}

const voteColumns = `request_id, stage, voter, asked_at, reminders, moot_at, authority, vote, operator, login, shown, reason, at`

// voteDest lists the fields that voteColumns are scanned into.
func voteDest(v *ledger.Vote) []any {
	return []any{
		&v.RequestID, &v.Stage, &v.Voter, instant{&v.AskedAt}, &v.Reminders, instant{&v.MootAt}, &v.Authority,
		&v.Vote, &v.Operator, &v.Login, &v.Shown, &v.Reason, instant{&v.At},
	}
}

// Requests implements ledger.RequestReader.
func (s *Store) Requests(ctx context.Context, f ledger.RequestFilter, after int64, limit int) ([]ledger.Request, error) {
	query, args := `SELECT `+requestColumns+` FROM requests WHERE id > ?`, []any{after}
	where := func(condition string, more ...any) { query, args = query+` AND `+condition, append(args, more...) }
	if f.ID != 0 {
		where(`id = ?`, f.ID)
	}
	if f.PersonID != "" {
		where(`person_id = ?`, f.PersonID)
	}
	if f.Role != "" {
		where(`role = ?`, f.Role)
	}
	if len(f.States) > 0 {
		where(`state IN (`+marks(len(f.States))+`)`, anys(f.States)...)
	}
	if f.Voter != "" {
		where(`state IN ('asked', 'confirming') AND EXISTS (SELECT 1 FROM votes
			WHERE request_id = requests.id AND votes.stage = requests.stage AND voter = ? AND vote = '' AND moot_at IS NULL)`, f.Voter)
	}
	if !f.DueBy.IsZero() {
		where(`look_at <= ?`, f.DueBy.UnixMicro())
	}
	found, err := list(ctx, s.engine, query+` ORDER BY id LIMIT ?`, append(args, max(limit, 0)), requestDest)
	return found, s.explain(err)
}

// Votes implements ledger.RequestReader.
func (s *Store) Votes(ctx context.Context, requestID int64) ([]ledger.Vote, error) {
	found, err := list(ctx, s.engine, `SELECT `+voteColumns+` FROM votes WHERE request_id = ? ORDER BY stage, voter`, []any{requestID}, voteDest)
	return found, s.explain(err)
}

// AskFor implements ledger.Requests.
func (s *Store) AskFor(ctx context.Context, a ledger.Asking) (r ledger.Request, err error) {
	if r := a.Request; r.Operator == "" || r.AskedBy == "" || r.Reason == "" || r.For <= 0 {
		return ledger.Request{}, errors.New("ledger: a request needs who asks and why, and for how long")
	}
	return written(ctx, s, "make a request for person "+a.Request.PersonID, func(t *Tx) (ledger.Request, error) { return t.askFor(a) })
}

func (t *Tx) askFor(a ledger.Asking) (r ledger.Request, err error) {
	r = a.Request
	if err := t.known(r.PersonID); err != nil {
		return r, err
	}
	found, err := t.get(`SELECT `+requestColumns+` FROM requests
		WHERE person_id = ? AND role = ? AND duty = ? AND asked_at = ? AND asked_by = ? AND operator = ? AND for_micros = ? AND emergency = ?`,
		[]any{r.PersonID, r.Role, r.Duty, micros(r.AskedAt), r.AskedBy, r.Operator, r.For.Microseconds(), r.Emergency}, requestDest(&r)...)
	if found || err != nil {
		t.named = append(t.named, r.Name())
		return r, err
	}
	_, err = t.get(`INSERT INTO requests (person_id, role, duty, control, starts_at, for_micros, reason, ticket, asked_by, operator, login, asked_at, emergency,
			extends, terms, preview, state, stage, stage_at, expires_at, look_at, exception_id, decided_at, why, revision)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, 0) RETURNING `+requestColumns,
		[]any{
			r.PersonID, r.Role, r.Duty, r.Control, micros(r.StartsAt), r.For.Microseconds(), r.Reason, r.Ticket, r.AskedBy, r.Operator, t.login, micros(r.AskedAt),
			r.Emergency, r.Extends, r.Terms, r.Preview, string(r.State), r.Stage, micros(r.StageAt), micros(r.ExpiresAt), micros(r.LookAt),
			micros(r.DecidedAt), r.Why,
		}, requestDest(&r)...)
	if err != nil {
		return r, err
	}
	t.named = append(t.named, r.Name())
	if err := t.ask(r, a.Asked, r.AskedAt); err != nil {
		return r, err
	}
	if err := t.grantRequest(&r, a.Grant); err != nil {
		return r, err
	}
	action, detail := "request_made", requestDetail(r)
	if r.Emergency {
		action = "emergency_granted"
	}
	detail["asked"] = voters(a.Asked)
	if a.SignIn != "" {
		detail["sign_in"] = a.SignIn
	}
	err = t.putAudit(ledger.AuditRow{
		At: r.AskedAt, PersonID: r.PersonID, Action: action, Actor: r.Operator, Cause: r.Reason, Detail: detail,
	}, requestKey(r), 0)
	return r, err
}

// requestKey is the key of a request's audit rows.
func requestKey(r ledger.Request) string { return "request:" + r.Name() }

// requestDetail returns what the audit record says about a new request besides who and why.
func requestDetail(r ledger.Request) map[string]any {
	detail := requested(r)
	detail["askedBy"], detail["for"] = r.AskedBy, r.For.String()
	if r.Control != "" {
		detail["control"] = r.Control
	}
	if !r.StartsAt.IsZero() {
		detail["from"] = r.StartsAt.UTC().Format(time.RFC3339)
	}
	if r.Ticket != "" {
		detail["ticket"] = r.Ticket
	}
	if r.Exception != 0 {
		detail["exception"] = ledger.ExceptionName(r.Exception)
	}
	if r.Extends != 0 {
		detail["extends"] = ledger.ExceptionName(r.Extends)
	}
	return detail
}

// requested returns what a request is for, for the audit record.
func requested(r ledger.Request) map[string]any {
	if r.Duty != "" {
		return map[string]any{"request": r.Name(), "duty": r.Duty}
	}
	return map[string]any{"request": r.Name(), "role": r.Role}
}

// voters returns who is asked, and why, for the audit record.
func voters(asked []ledger.Vote) map[string]any {
	all := map[string]any{}
	for _, v := range asked {
		all[v.Voter] = v.Authority
	}
	return all
}

// ask stores who is asked in the present stage of a request. Somebody who was asked before, and
// then no longer, is asked again.
func (t *Tx) ask(r ledger.Request, asked []ledger.Vote, at time.Time) error {
	for _, v := range asked {
		err := t.exec(`INSERT INTO votes (request_id, stage, voter, asked_at, reminders, authority, vote, operator, login, shown, reason)
			VALUES (?1, ?2, ?3, ?4, 0, ?5, '', '', '', '', '')
			ON CONFLICT (request_id, stage, voter) DO UPDATE SET moot_at = NULL, authority = ?5 WHERE votes.vote = ''`,
			r.ID, r.Stage, v.Voter, at.UnixMicro(), v.Authority)
		if err != nil {
			return err
		}
	}
	return nil
}

// grantRequest places the grant of a request, if there is one, and notes it there. It returns ErrStale
// if what the request prolongs was ended before its time.
func (t *Tx) grantRequest(r *ledger.Request, x *ledger.Exception) error {
	if x == nil {
		return nil
	}
	ended, err := t.get(`SELECT 1 FROM exceptions WHERE id = ? AND ended_at < ends_at`, []any{r.Extends}, new(int))
	if err != nil {
		return err
	}
	if ended {
		return ledger.ErrStale
	}
	grant := *x
	grant.Origin = r.Name()
	placed, err := t.placeException(grant)
	if err != nil {
		return err
	}
	r.Exception = placed.ID
	return t.exec(`UPDATE requests SET exception_id = ? WHERE id = ?`, placed.ID, r.ID)
}

// ChangeRequest implements ledger.Requests.
func (s *Store) ChangeRequest(ctx context.Context, c ledger.RequestChange) (r ledger.Request, err error) {
	if c.Action == "" || c.Actor == "" {
		return r, errors.New("ledger: what becomes of a request, and by whom, has to be said")
	}
	return written(ctx, s, "change request "+c.Request.Name(), func(t *Tx) (ledger.Request, error) { return t.changeRequest(c) })
}

func (t *Tx) changeRequest(c ledger.RequestChange) (r ledger.Request, err error) {
	now := c.Request
	if err := t.lock(now.PersonID); err != nil {
		return r, err
	}
	found, err := t.get(`SELECT `+requestColumns+` FROM requests WHERE id = ? AND person_id = ?`, []any{now.ID, now.PersonID}, requestDest(&r)...)
	switch {
	case err != nil:
		return r, err
	case !found:
		return r, ledger.ErrNotFound
	case r.Revision == now.Revision+1: // perhaps by this very call, which is repeated
		repeated, err := t.get(`SELECT 1 FROM audit WHERE person_id = ? AND key = ? AND action = ? AND actor = ? AND at = ? AND attempt = ?`,
			[]any{r.PersonID, requestKey(r), c.Action, c.Actor, c.At.UnixMicro(), r.Revision}, new(int))
		if repeated || err != nil {
			return r, err
		}
		return r, ledger.ErrStale
	case r.Revision != now.Revision:
		return r, ledger.ErrStale
	}
	_, err = t.get(`UPDATE requests SET state = ?, stage = ?, stage_at = ?, expires_at = ?, escalated_at = ?, reminders = ?, look_at = ?,
			decided_at = ?, why = ?, proven_at = ?, revision = revision + 1 WHERE id = ? RETURNING `+requestColumns,
		[]any{
			string(now.State), now.Stage, micros(now.StageAt), micros(now.ExpiresAt), micros(now.EscalatedAt), now.Reminders, micros(now.LookAt),
			micros(now.DecidedAt), now.Why, micros(now.ProvenAt), now.ID,
		}, requestDest(&r)...)
	if err != nil {
		return r, err
	}
	if err := t.vote(r, c); err != nil {
		return r, err
	}
	if err := t.grantRequest(&r, c.Grant); err != nil {
		return r, err
	}
	if c.End != "" {
		if _, err := t.endException(ledger.ExceptionEnd{ID: r.Exception, Operator: c.Actor, Reason: c.End, At: c.At}); err != nil {
			return r, err
		}
	}
	detail := requested(r)
	if len(c.Asked) > 0 {
		detail["asked"] = voters(c.Asked)
	}
	if c.Grant != nil {
		detail["exception"] = ledger.ExceptionName(r.Exception)
	}
	maps.Copy(detail, c.Detail)
	err = t.putAudit(ledger.AuditRow{
		At: c.At, PersonID: r.PersonID, Action: c.Action, Actor: c.Actor, Cause: c.Cause, Detail: detail,
	}, requestKey(r), r.Revision)
	return r, err
}

// vote stores what a change says about those who are asked.
func (t *Tx) vote(r ledger.Request, c ledger.RequestChange) error {
	if v := c.Vote; v != nil {
		n, err := t.change(`INSERT INTO votes (request_id, stage, voter, asked_at, reminders, authority, vote, operator, login, shown, reason, at)
			VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?7, ?8, ?9, ?10, ?4)
			ON CONFLICT (request_id, stage, voter) DO UPDATE
				SET authority = ?5, vote = ?6, operator = ?7, login = ?8, shown = ?9, reason = ?10, at = ?4, moot_at = NULL
				WHERE votes.vote = ''`,
			r.ID, v.Stage, v.Voter, c.At.UnixMicro(), v.Authority, string(v.Vote), v.Operator, t.login, v.Shown, v.Reason)
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("person %s has said something in this stage before, and that stays", v.Voter)
		}
	}
	if err := t.ask(r, c.Asked, c.At); err != nil {
		return err
	}
	for _, voter := range c.Moot {
		err := t.exec(`UPDATE votes SET moot_at = ? WHERE request_id = ? AND stage = ? AND voter = ? AND vote = '' AND moot_at IS NULL`,
			c.At.UnixMicro(), r.ID, r.Stage, voter)
		if err != nil {
			return err
		}
	}
	if !c.Remind {
		return nil
	}
	return t.exec(`UPDATE votes SET reminders = reminders + 1 WHERE request_id = ? AND stage = ? AND vote = '' AND moot_at IS NULL`, r.ID, r.Stage)
}

// LookAgainAt implements ledger.Requests.
func (s *Store) LookAgainAt(ctx context.Context, requestID, revision int64, at time.Time) error {
	return s.write(ctx, func(t *Tx) error {
		n, err := t.change(`UPDATE requests SET look_at = ? WHERE id = ? AND revision = ?`, micros(at), requestID, revision)
		if err == nil && n == 0 {
			err = ledger.ErrStale
		}
		if err != nil {
			return fmt.Errorf("look at request %s again: %w", ledger.RequestName(requestID), err)
		}
		return nil
	})
}

const standInColumns = `id, person_id, stand_in, starts_at, ends_at, operator, login, reason, at, ended_at, ended_by, ended_login, end_reason`

// standInDest lists the fields that standInColumns are scanned into.
func standInDest(s *ledger.StandIn) []any {
	return []any{
		&s.ID, &s.PersonID, &s.StandIn, instant{&s.StartsAt}, instant{&s.EndsAt}, &s.Operator, &s.Login, &s.Reason, instant{&s.At},
		instant{&s.EndedAt}, &s.EndedBy, &s.EndedLogin, &s.EndReason,
	}
}

// StandIns implements ledger.RequestReader.
func (s *Store) StandIns(ctx context.Context, f ledger.StandInFilter, after int64, limit int) ([]ledger.StandIn, error) {
	query, args := `SELECT `+standInColumns+` FROM stand_ins WHERE id > ?`, []any{after}
	where := func(condition string, more ...any) { query, args = query+` AND `+condition, append(args, more...) }
	if f.ID != 0 {
		where(`id = ?`, f.ID)
	}
	if f.PersonID != "" {
		where(`person_id = ?`, f.PersonID)
	}
	if !f.At.IsZero() {
		where(`ended_at IS NULL AND starts_at <= ? AND ends_at > ?`, f.At.UnixMicro(), f.At.UnixMicro())
	}
	found, err := list(ctx, s.engine, query+` ORDER BY id LIMIT ?`, append(args, max(limit, 0)), standInDest)
	return found, s.explain(err)
}

// SetStandIn implements ledger.Requests.
func (s *Store) SetStandIn(ctx context.Context, in ledger.StandIn) (set ledger.StandIn, err error) {
	if in.Operator == "" || in.Reason == "" || in.PersonID == in.StandIn || !in.EndsAt.After(in.StartsAt) {
		return set, errors.New("ledger: a stand-in needs somebody else, an end after its start, and who decided it and why")
	}
	return written(ctx, s, "set a stand-in for person "+in.PersonID, func(t *Tx) (ledger.StandIn, error) { return t.setStandIn(in) })
}

func (t *Tx) setStandIn(in ledger.StandIn) (set ledger.StandIn, err error) {
	if err := t.known(in.PersonID); err != nil {
		return set, err
	}
	if found, err := t.get(`SELECT 1 FROM people WHERE id = ?`, []any{in.StandIn}, new(int)); err != nil || !found {
		return set, errors.Join(err, ledger.ErrNotFound)
	}
	found, err := t.get(`SELECT `+standInColumns+` FROM stand_ins WHERE person_id = ? AND stand_in = ? AND starts_at = ? AND ends_at = ? AND at = ?`,
		[]any{in.PersonID, in.StandIn, micros(in.StartsAt), micros(in.EndsAt), micros(in.At)}, standInDest(&set)...)
	if found || err != nil {
		return set, err
	}
	_, err = t.get(`INSERT INTO stand_ins (person_id, stand_in, starts_at, ends_at, operator, login, reason, at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING `+standInColumns,
		[]any{in.PersonID, in.StandIn, micros(in.StartsAt), micros(in.EndsAt), in.Operator, t.login, in.Reason, micros(in.At)}, standInDest(&set)...)
	if err != nil {
		return set, err
	}
	err = t.putAudit(ledger.AuditRow{
		At: in.At, PersonID: in.PersonID, Action: "stand_in_set", Actor: in.Operator, Cause: in.Reason, Detail: standInDetail(set),
	}, "stand-in:"+set.Name(), 0)
	return set, err
}

// standInDetail returns what the audit record says about a stand-in besides who decided it and
// why.
func standInDetail(s ledger.StandIn) map[string]any {
	return map[string]any{
		"standIn": s.StandIn, "name": s.Name(), "from": s.StartsAt.UTC().Format(time.RFC3339), "until": s.EndsAt.UTC().Format(time.RFC3339),
	}
}

// EndStandIn implements ledger.Requests.
func (s *Store) EndStandIn(ctx context.Context, e ledger.StandInEnd) (ended ledger.StandIn, err error) {
	if e.Operator == "" || e.Reason == "" {
		return ended, errors.New("ledger: who ends a stand-in, and why, has to be said")
	}
	err = s.write(ctx, func(t *Tx) (err error) {
		if ended, err = t.endStandIn(e); err != nil {
			return fmt.Errorf("end a stand-in: %w", err)
		}
		return nil
	})
	if err != nil {
		return ledger.StandIn{}, err
	}
	return ended, nil
}

func (t *Tx) endStandIn(e ledger.StandInEnd) (s ledger.StandIn, err error) {
	if _, err := t.get(`SELECT person_id FROM stand_ins WHERE id = ?`, []any{e.ID}, &s.PersonID); err != nil {
		return s, err
	}
	if err := t.lock(s.PersonID); err != nil {
		return s, err
	}
	found, err := t.get(`SELECT `+standInColumns+` FROM stand_ins WHERE id = ?`, []any{e.ID}, standInDest(&s)...)
	switch {
	case err != nil:
		return s, err
	case !found:
		return s, ledger.ErrNotFound
	case !s.EndedAt.IsZero():
		return s, nil
	}
	_, err = t.get(`UPDATE stand_ins SET ended_at = ?, ended_by = ?, ended_login = ?, end_reason = ? WHERE id = ? RETURNING `+standInColumns,
		[]any{e.At.UnixMicro(), e.Operator, t.login, e.Reason, e.ID}, standInDest(&s)...)
	if err != nil {
		return s, err
	}
	err = t.putAudit(ledger.AuditRow{
		At: e.At, PersonID: s.PersonID, Action: "stand_in_ended", Actor: e.Operator, Cause: e.Reason, Detail: standInDetail(s),
	}, "stand-in:"+s.Name(), 0)
	return s, err
}
