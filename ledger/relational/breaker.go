package relational

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// Admit implements ledger.Breaker.
func (s *Store) Admit(ctx context.Context, r ledger.AdmissionRequest) (ledger.Admission, error) {
	for _, ask := range r.Asks {
		if ask.Key == "" || ask.Kind == "" {
			return ledger.Admission{}, fmt.Errorf("ledger: a withdrawal of person %s says not what or why: %+v", r.PersonID, ask)
		}
	}
	if len(r.Asks) == 0 {
		held, err := written(ctx, s, "", func(t *Tx) (bool, error) { return t.endFree(r) })
		if err != nil || !held {
			return ledger.Admission{}, err
		}
	}
	return written(ctx, s, "", func(t *Tx) (ledger.Admission, error) { return t.admit(r) })
}

// endFree records that nobody asks for some withdrawals any more, without the turn, and so leaves
// those that a cohort holds. It reports whether the person has any of these.
//
// Nothing is counted here, so that others may count at the same time. They do so as if all of this
// was before or after. Whoever opens a cohort first makes its people due and so waits for a person
// whose lock is here; then a withdrawal that is over is not held.
func (t *Tx) endFree(r ledger.AdmissionRequest) (held bool, err error) {
	if err := t.person(r.PersonID); err != nil {
		return false, err
	}
	for _, gone := range r.Gone {
		if err := t.exec(gonePart+` AND state <> 'held'`, r.PersonID, gone.Kind, gone.Key); err != nil {
			return false, err
		}
	}
	err = t.later(`SELECT 1 FROM withdrawals WHERE person_id = ? AND state = 'held' LIMIT 1`, []any{r.PersonID}, &held, new(int))
	if err != nil {
		return false, err
	}
	err = t.flush()
	return held, err
}

// gonePart ends a withdrawal of a person. An admitted leaver stays admitted for good.
const gonePart = `UPDATE withdrawals SET state = CASE WHEN state = 'admitted' THEN 'over' ELSE 'gone' END
		WHERE person_id = ? AND kind = ? AND key = ? AND state NOT IN ('over', 'gone')
			AND NOT (kind = 'leavers' AND state = 'admitted')`

func (t *Tx) admit(r ledger.AdmissionRequest) (a ledger.Admission, err error) {
	// The turn comes first. A transaction that has it may change other people, and must not
	// wait for one that has locked such a person and waits for the turn.
	if err := t.breakerTurn(); err != nil {
		return a, err
	}
	if err := t.person(r.PersonID); err != nil {
		return a, err
	}
	for _, gone := range r.Gone {
		if err := t.endWithdrawal(r.PersonID, gone, r.At); err != nil {
			return a, err
		}
	}
	asked, err := t.askAll(r)
	if err != nil {
		return a, err
	}
	if asked.allPass(r) {
		return t.passAll(r, asked)
	}
	for _, ask := range r.Asks {
		w, settles, opened, err := t.admitOne(r, ask)
		if err != nil {
			return a, fmt.Errorf("admit %s of person %s: %w", ask.Kind, r.PersonID, err)
		}
		a.Withdrawals, a.SettlesAt = append(a.Withdrawals, w), append(a.SettlesAt, settles)
		if opened != nil {
			a.Opened = append(a.Opened, *opened)
		}
	}
	return a, nil
}

// breakerTurn waits until no other transaction counts, and keeps others from counting.
func (t *Tx) breakerTurn() error {
	return t.exec(`INSERT INTO breaker (id, turn) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET turn = breaker.turn + 1`)
}

// endWithdrawal records that nobody asks for a withdrawal any more.
func (t *Tx) endWithdrawal(personID string, w ledger.Withdrawal, at time.Time) error {
	n, err := t.change(gonePart, personID, w.Kind, w.Key)
	if n == 0 || err != nil {
		return err
	}
	return t.exec(`UPDATE cohorts SET state = 'ended', closed_at = ? WHERE state = 'open' AND kind = ?
		AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.cohort = cohorts.id AND w.state = 'held')`,
		at.UnixMicro(), w.Kind)
}

func (t *Tx) admitOne(r ledger.AdmissionRequest, ask ledger.Ask) (w ledger.Withdrawal, settles time.Time, opened *ledger.Cohort, err error) {
	since := r.At.Add(-r.Limits.WindowOf(ask.Kind))
	if w, err = t.withdrawal(r.PersonID, ask); err != nil {
		return w, settles, nil, err
	}
	if w.State != ledger.WithdrawalWaiting && w.State != ledger.WithdrawalAnnounced {
		return w, settles, nil, nil
	}
	cohort, opened, err := t.joins(r, ask, since)
	if err != nil {
		return w, settles, nil, err
	}
	switch until := w.SaidAt.Add(settle(r, ask)); {
	case cohort != 0:
		w.State, w.Cohort = ledger.WithdrawalHeld, cohort
	case w.State == ledger.WithdrawalAnnounced:
		return w, settles, nil, nil
	case ask.Kind.Settles() && until.After(r.At):
		return w, until, nil, nil
	default:
		w.State = ledger.WithdrawalAdmitted
	}
	return w, settles, opened, t.setWithdrawal(r.PersonID, w)
}

// settle returns how long a withdrawal waits after it was said.
func settle(r ledger.AdmissionRequest, ask ledger.Ask) time.Duration {
	if ask.Immediate {
		return r.Limits.SettleImmediate
	}
	return r.Limits.Settle
}

func (t *Tx) setWithdrawal(personID string, w ledger.Withdrawal) error {
	return t.exec(`UPDATE withdrawals SET state = ?, cohort = ? WHERE person_id = ? AND kind = ? AND key = ?`,
		w.State, nullable(w.Cohort), personID, w.Kind, w.Key)
}

// joins returns the cohort that has to hold the withdrawal asked for, zero if none has to;
// and the same cohort as opened, if joins has just opened it.
func (t *Tx) joins(r ledger.AdmissionRequest, ask ledger.Ask, since time.Time) (cohort int64, opened *ledger.Cohort, err error) {
	if cohort, err = t.openCohort(ask.Kind); err != nil {
		return 0, nil, err
	}
	if cohort != 0 && ask.Kind != ledger.Suspensions {
		return cohort, nil, nil // an open cohort takes in every new withdrawal
	}
	f, err := t.flood(r, ask, since)
	if err == nil && !f.tooMany() && ask.DueAt.After(r.At) {
		f, err = t.dueTogether(r, ask)
	}
	switch {
	case err != nil || !f.tooMany():
		return 0, nil, err
	case cohort != 0:
		return cohort, nil, t.hold(r, f, cohort)
	}
	opened, err = t.open(r, f)
	if err != nil {
		return 0, nil, err
	}
	return opened.ID, opened, nil
}

// nullable returns NULL for zero, else the ID.
func nullable(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

// putAsk stores the withdrawal asked for. It counts as of now if it is new or was over, if
// it falls due now, or if it was noticed longer ago than the window.
func (t *Tx) putAsk(r ledger.AdmissionRequest, ask ledger.Ask, since time.Time) error {
	apps, err := encoded(sorted(ask.Apps))
	if err != nil {
		return err
	}
	state := ledger.WithdrawalWaiting
	if ask.DueAt.After(r.At) {
		state = ledger.WithdrawalAnnounced
	}
	said := ask.SaidAt
	if said.IsZero() || said.After(r.At) { // the clock of the process that received it is ahead
		said = r.At
	}
	return t.exec(`INSERT INTO withdrawals (person_id, kind, key, state, source, event_id, voids, apps, why, said_at, due_at, counted_at, seen_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12)
		ON CONFLICT (person_id, kind, key) DO UPDATE SET
			source = excluded.source, event_id = excluded.event_id, voids = excluded.voids,
			apps = excluded.apps, why = excluded.why, due_at = excluded.due_at, seen_at = excluded.seen_at,
			said_at = CASE WHEN withdrawals.state IN ('over', 'gone') OR withdrawals.said_at > ?12 THEN excluded.said_at ELSE withdrawals.said_at END,
			counted_at = CASE
				WHEN withdrawals.state IN ('over', 'gone') THEN excluded.counted_at
				WHEN withdrawals.state = 'announced' AND excluded.state = 'waiting' THEN excluded.counted_at
				WHEN withdrawals.state = 'noticed' AND withdrawals.counted_at <= ?13 THEN excluded.counted_at
				ELSE withdrawals.counted_at END,
			cohort = CASE WHEN withdrawals.state IN ('over', 'gone') THEN NULL ELSE withdrawals.cohort END,
			released = CASE WHEN withdrawals.state IN ('over', 'gone') THEN 0 ELSE withdrawals.released END,
			state = CASE
				WHEN withdrawals.state IN ('noticed', 'over', 'gone') THEN excluded.state
				WHEN withdrawals.state IN ('announced', 'waiting') THEN excluded.state
				ELSE withdrawals.state END`,
		r.PersonID, ask.Kind, ask.Key, state, ask.Event.Source, ask.Event.ID, ask.Voids, apps, ask.Why,
		micros(said), micros(ask.DueAt), r.At.UnixMicro(), since.UnixMicro())
}

const withdrawalQuery = `SELECT ` + withdrawalColumns + ` FROM withdrawals WHERE person_id = ? AND kind = ? AND key = ?`

func (t *Tx) withdrawal(personID string, ask ledger.Ask) (w ledger.Withdrawal, err error) {
	_, err = t.get(withdrawalQuery, []any{personID, ask.Kind, ask.Key}, withdrawalDest(&w)...)
	return w, err
}

const openCohortQuery = `SELECT id FROM cohorts WHERE kind = ? AND state = 'open'`

// openCohort returns the number of the open cohort of a kind; zero if there is none.
func (t *Tx) openCohort(kind ledger.WithdrawalKind) (id int64, err error) {
	_, err = t.get(openCohortQuery, []any{kind}, &id)
	return id, err
}

// flood holds the withdrawals that are counted together with the one asked for.
type flood struct {
	kind             ledger.WithdrawalKind
	source           string   // for suspensions, their source; empty for any source
	from             int64    // only those counted after this instant
	due              *between // if set: those announced for an instant within it, whenever they were counted
	counted, allowed int
}

// between is the span from one instant to another, in microseconds.
type between struct{ from, to int64 }

func (f flood) tooMany() bool { return f.counted > f.allowed }

// all returns the condition that selects the withdrawals of the flood, and its arguments.
func (f flood) all() (condition string, args []any) {
	if f.due != nil {
		return `kind = ? AND state = 'announced' AND due_at > ? AND due_at <= ?`, []any{f.kind, f.due.from, f.due.to}
	}
	condition, args = `kind = ? AND counted_at > ?`, []any{f.kind, f.from}
	if f.source != "" {
		condition, args = condition+` AND source = ?`, append(args, f.source)
	}
	return condition, args
}

// releasedQuery looks when the last cohort of a kind was released: the count began anew then.
const releasedQuery = `SELECT coalesce(max(closed_at), ?) FROM cohorts WHERE kind = ? AND state = 'released'`

// flood counts the withdrawals in the window that are counted together with the one asked
// for.
func (t *Tx) flood(r ledger.AdmissionRequest, ask ledger.Ask, since time.Time) (f flood, err error) {
	f.kind = ask.Kind
	if ask.Kind == ledger.Suspensions {
		f.source = ask.Event.Source
	}
	_, err = t.get(releasedQuery, []any{int64(math.MinInt64), f.kind}, &f.from)
	if err != nil {
		return f, err
	}
	f.from = max(f.from, since.UnixMicro())
	return t.count(r, f)
}

// dueTogether counts the withdrawals that are announced for about the same time as the one
// asked for, within one window. So many withdrawals for one day are noticed before that day,
// even if they were announced a few at a time.
func (t *Tx) dueTogether(r ledger.AdmissionRequest, ask ledger.Ask) (flood, error) {
	half := r.Limits.WindowOf(ask.Kind) / 2
	return t.count(r, flood{kind: ask.Kind, due: &between{ask.DueAt.Add(-half).UnixMicro(), ask.DueAt.Add(half).UnixMicro()}})
}

// count counts the people of a flood, and how many are allowed.
func (t *Tx) count(r ledger.AdmissionRequest, f flood) (_ flood, err error) {
	limit, ok := r.Limits.Of[f.kind]
	if !ok {
		return f, nil // the kind has no limit
	}
	condition, args := f.all()
	condition += ` AND ` + counts
	if _, err = t.get(countQuery+condition, args, &f.counted); err != nil {
		return f, err
	}
	if f.allowed = limit.Allowed(0); !f.tooMany() {
		return f, nil
	}
	if enough, ok := limit.Employed(f.counted); ok { // so many employed people would do: nobody counts all of a large company
		var employed int
		if _, err = t.get(employedQuery, []any{enough}, &employed); err != nil {
			return f, err
		}
		if f.allowed = limit.Allowed(employed); !f.tooMany() {
			return f, nil
		}
	}
	var employed int
	_, err = t.get(`SELECT count(*) FROM people WHERE status IN (?, ?, ?)
			OR `+noOrphan("id")+` AND id IN (SELECT person_id FROM withdrawals WHERE `+condition+`)`,
		append([]any{hr.StatusActive, hr.StatusOnLeave, hr.StatusSuspended}, args...), &employed)
	f.allowed = limit.Allowed(employed)
	return f, err
}

// countQuery counts the people of a flood; its condition follows.
const countQuery = `SELECT count(DISTINCT person_id) FROM withdrawals WHERE `

// employedQuery counts the people employed, but no more than needed. The states are not arguments,
// since otherwise the index of the employed would not do.
const employedQuery = `SELECT count(*) FROM (SELECT 1 FROM people WHERE ` + employed + ` ORDER BY status LIMIT ?) AS few`

// employed is the condition for people who are employed, as the index of them has it.
const employed = `status IN ('active', 'on_leave', 'suspended')`

// counts is the condition for withdrawals that count.
const counts = `released = 0 AND state IN ('noticed', 'announced', 'waiting', 'held', 'admitted', 'over')`

// open opens a cohort, and puts all waiting withdrawals of the flood into it.
func (t *Tx) open(r ledger.AdmissionRequest, f flood) (*ledger.Cohort, error) {
	c := &ledger.Cohort{Kind: f.kind, State: ledger.CohortOpen, Counted: f.counted, Allowed: f.allowed, OpenedAt: r.At}
	_, err := t.get(`INSERT INTO cohorts (kind, counted, allowed, opened_at) VALUES (?, ?, ?, ?) RETURNING id`,
		[]any{f.kind, f.counted, f.allowed, r.At.UnixMicro()}, &c.ID)
	if err != nil {
		return nil, err
	}
	err = t.putAudit(ledger.AuditRow{
		At: r.At, Action: "held", Actor: ledger.ActorTenure, Cause: fmt.Sprintf("%d %s, %d allowed", f.counted, f.kind, f.allowed),
		Detail: map[string]any{"cohort": c.Name(), "kind": string(f.kind)},
	}, "cohort:"+c.Name(), 0)
	if err != nil {
		return nil, err
	}
	t.named = append(t.named, c.Name())
	return c, t.hold(r, f, c.ID)
}

// hold puts all waiting withdrawals of a flood into a cohort, and makes their people due.
func (t *Tx) hold(r ledger.AdmissionRequest, f flood, cohort int64) error {
	condition, args := f.all()
	condition += ` AND state IN ('noticed', 'announced', 'waiting')`
	// The person of the request is left out: the answer tells their run.
	err := t.exec(`UPDATE people SET `+nudged+`
		WHERE id <> ?3 AND id IN (SELECT person_id FROM withdrawals WHERE `+condition+`)`,
		append([]any{r.At.UnixMicro(), ledger.DueBreaker, r.PersonID}, args...)...)
	if err != nil {
		return err
	}
	return t.exec(`UPDATE withdrawals SET state = 'held', cohort = ? WHERE `+condition, append([]any{cohort}, args...)...)
}

// notice counts terminations by HR and suspensions by a security system as soon as they are
// recorded, so that a flood is counted before the first of them is assessed. It ignores
// somebody who leaves and has no account, since they lose nothing. It counts a suspension
// even before the person has an account, since it keeps them from getting one. If somebody's
// termination is held, a second one is held with it, as is a second suspension by the same
// source, because a system may repeat its mistakes.
func (t *Tx) notice(r ledger.Received) error {
	kind, ok := noticed[r.Event.Type]
	if !ok || strings.HasPrefix(r.Event.Source, hr.TenureSources) {
		return nil
	}
	if r.Event.Type == hr.EventTerminated && r.Event.PositionID != "" {
		if leaves, err := t.leavesBy(r); !leaves || err != nil {
			return err
		}
	}
	return t.exec(`INSERT INTO withdrawals (person_id, kind, key, state, cohort, source, event_id, voids, said_at, counted_at)
		SELECT ?1, ?6, ?2, CASE WHEN h.cohort IS NULL THEN 'noticed' ELSE 'held' END, h.cohort, ?3, ?4, 1, ?5, ?5
		FROM (SELECT max(cohort) AS cohort FROM withdrawals WHERE person_id = ?1 AND kind = ?6 AND state = 'held'
			AND (kind = 'leavers' OR source = ?3)) h
		WHERE EXISTS (SELECT 1 FROM links WHERE person_id = ?1 AND state IN ('planned', 'active'))
			OR EXISTS (SELECT 1 FROM people WHERE id = ?1
				AND (?6 = 'leavers' AND status = 'suspended' OR ?6 = 'suspensions' AND status <> 'ended'))
		ON CONFLICT DO NOTHING`,
		r.Event.PersonID, ledger.EventWithdrawal(r.Event.EventKey), r.Event.Source, r.Event.ID, r.At.UnixMicro(), kind)
}

// leavesBy reports whether somebody leaves because of the end of a position that was just
// recorded, together with the ends of other positions, as an assessment would see it. It
// ignores a termination of the whole person that nobody has decided about: if that one is
// cancelled, the end of the position still holds.
func (t *Tx) leavesBy(r ledger.Received) (bool, error) {
	type said struct {
		hr.Event
		undecided bool
	}
	all, err := collect(t, `SELECT at, body, EXISTS (SELECT 1 FROM withdrawals w
			WHERE w.person_id = ?1 AND w.kind = 'leavers' AND w.state IN ('noticed', 'announced', 'waiting', 'held')
				AND w.source = events.source AND w.event_id = events.id)
		FROM events WHERE person_id = ?1 ORDER BY seq`,
		[]any{r.Event.PersonID}, func(s *said) []any { return []any{instant{&s.Received}, decode{&s.Event}, &s.undecided} })
	if err != nil {
		return false, err
	}
	var events []hr.Event
	for _, s := range all {
		if !s.undecided || s.Type != hr.EventTerminated || s.PositionID != "" {
			events = append(events, s.Event)
		}
	}
	return hr.Merge(r.Event.PersonID, events).Leaves(r.At), nil
}

// noticed maps the types of events that count as soon as they are recorded to the kind of
// withdrawal. Events of operators do not count, since operators know whom they mean.
var noticed = map[hr.EventType]ledger.WithdrawalKind{
	hr.EventTerminated: ledger.Leavers,
	hr.EventSuspended:  ledger.Suspensions,
}
