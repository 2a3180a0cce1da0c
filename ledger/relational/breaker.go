package relational

import (
	"context"
	"fmt"
	"math"
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
	var a ledger.Admission
	err := s.write(ctx, func(t *Tx) (err error) {
		a, err = t.admit(r)
		return err
	})
	if err != nil {
		return ledger.Admission{}, err
	}
	return a, nil
}

func (t *Tx) admit(r ledger.AdmissionRequest) (a ledger.Admission, err error) {
	// The turn comes first: whoever has it may change others, and must not wait for
	// somebody who holds one of them and waits for the turn.
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

// breakerTurn waits until nobody else counts.
func (t *Tx) breakerTurn() error {
	return t.exec(`INSERT INTO breaker (id, turn) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET turn = breaker.turn + 1`)
}

// endWithdrawal notes that nobody asks for it any more. That a leaver was
// admitted holds for good.
func (t *Tx) endWithdrawal(personID string, w ledger.Withdrawal, at time.Time) error {
	n, err := t.change(`UPDATE withdrawals SET state = CASE WHEN state = 'admitted' THEN 'over' ELSE 'gone' END
		WHERE person_id = ? AND kind = ? AND key = ? AND state NOT IN ('over', 'gone')
			AND NOT (kind = 'leavers' AND state = 'admitted')`,
		personID, w.Kind, w.Key)
	if n == 0 || err != nil {
		return err
	}
	return t.exec(`UPDATE cohorts SET state = 'ended', closed_at = ? WHERE state = 'open' AND kind = ?
		AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.cohort = cohorts.id AND w.state = 'held')`,
		at.UnixMicro(), w.Kind)
}

func (t *Tx) admitOne(r ledger.AdmissionRequest, ask ledger.Ask) (w ledger.Withdrawal, settles time.Time, opened *ledger.Cohort, err error) {
	since := r.At.Add(-r.Limits.Window)
	if err = t.putAsk(r, ask, since); err != nil {
		return w, settles, nil, err
	}
	if w, err = t.withdrawal(r.PersonID, ask); err != nil {
		return w, settles, nil, err
	}
	if w.State != ledger.WithdrawalWaiting && w.State != ledger.WithdrawalAnnounced {
		return w, settles, nil, nil
	}
	cohort, err := t.openCohort(ask.Kind)
	if err != nil {
		return w, settles, nil, err
	}
	if cohort == 0 {
		if opened, err = t.trip(r, ask.Kind, since); err != nil {
			return w, settles, nil, err
		}
		if opened != nil {
			cohort = opened.ID
		}
	}
	settle := r.Limits.Settle
	if ask.Immediate {
		settle = r.Limits.SettleImmediate
	}
	switch until := w.SaidAt.Add(settle); {
	case cohort != 0:
		w.State, w.Cohort = ledger.WithdrawalHeld, cohort
	case w.State == ledger.WithdrawalAnnounced:
		return w, settles, nil, nil
	case ask.Kind == ledger.Leavers && until.After(r.At):
		return w, until, nil, nil
	default:
		w.State = ledger.WithdrawalAdmitted
	}
	err = t.exec(`UPDATE withdrawals SET state = ?, cohort = ? WHERE person_id = ? AND kind = ? AND key = ?`,
		w.State, nullable(w.Cohort), r.PersonID, ask.Kind, ask.Key)
	return w, settles, opened, err
}

// nullable is NULL for zero.
func nullable(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

// putAsk notes what is asked for. What is new, or was over, is counted now; so is
// what falls due, and what was noticed longer ago than the window.
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
	if said.IsZero() {
		said = r.At
	}
	return t.exec(`INSERT INTO withdrawals (person_id, kind, key, state, source, event_id, voids, apps, why, said_at, due_at, counted_at, seen_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12)
		ON CONFLICT (person_id, kind, key) DO UPDATE SET
			source = excluded.source, event_id = excluded.event_id, voids = excluded.voids,
			apps = excluded.apps, why = excluded.why, due_at = excluded.due_at, seen_at = excluded.seen_at,
			said_at = CASE WHEN withdrawals.state IN ('over', 'gone') THEN excluded.said_at ELSE withdrawals.said_at END,
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

func (t *Tx) withdrawal(personID string, ask ledger.Ask) (w ledger.Withdrawal, err error) {
	_, err = t.get(`SELECT `+withdrawalColumns+` FROM withdrawals WHERE person_id = ? AND kind = ? AND key = ?`,
		[]any{personID, ask.Kind, ask.Key}, withdrawalDest(&w)...)
	return w, err
}

// openCohort is the number of the open cohort of a kind; zero if there is none.
func (t *Tx) openCohort(kind ledger.WithdrawalKind) (id int64, err error) {
	_, err = t.get(`SELECT id FROM cohorts WHERE kind = ? AND state = 'open'`, []any{kind}, &id)
	return id, err
}

// trip opens a cohort if more people are counted than may be, and puts all into it
// that wait like them.
func (t *Tx) trip(r ledger.AdmissionRequest, kind ledger.WithdrawalKind, since time.Time) (*ledger.Cohort, error) {
	limit, ok := r.Limits.Of[kind]
	if !ok {
		return nil, nil //nolint:nilnil // there is no limit, and nothing was opened
	}
	counted, from, err := t.count(kind, since)
	if err != nil || counted <= limit.Allowed(0) {
		return nil, err
	}
	employed, err := t.employed(kind, from)
	allowed := limit.Allowed(employed)
	if err != nil || counted <= allowed {
		return nil, err
	}
	c := &ledger.Cohort{Kind: kind, State: ledger.CohortOpen, Counted: counted, Allowed: allowed, OpenedAt: r.At}
	_, err = t.get(`INSERT INTO cohorts (kind, counted, allowed, opened_at) VALUES (?, ?, ?, ?) RETURNING id`,
		[]any{kind, counted, allowed, r.At.UnixMicro()}, &c.ID)
	if err != nil {
		return nil, err
	}
	err = t.exec(`UPDATE withdrawals SET state = 'held', cohort = ?
		WHERE kind = ? AND counted_at > ? AND state IN ('noticed', 'announced', 'waiting')`,
		c.ID, kind, from)
	if err != nil {
		return nil, err
	}
	_, err = t.appendAudit(ledger.AuditRow{
		At: r.At, Action: "held", Actor: "tenure", Cause: fmt.Sprintf("%d %s, %d allowed", counted, kind, allowed),
		Detail: map[string]any{"cohort": c.Name(), "kind": string(kind)},
	}, "cohort:"+c.Name(), 0)
	if err != nil {
		return nil, err
	}
	// The one who asks learns it from the answer.
	return c, t.exec(`UPDATE people SET `+nudged+`
		WHERE id IN (SELECT person_id FROM withdrawals WHERE cohort = ?3) AND id <> ?4`,
		r.At.UnixMicro(), ledger.DueBreaker, c.ID, r.PersonID)
}

// counts is the condition of a withdrawal that counts.
const counts = `kind = ? AND counted_at > ? AND released = 0
	AND state IN ('noticed', 'announced', 'waiting', 'held', 'admitted', 'over')`

// count is how many people count, and since when they are counted.
func (t *Tx) count(kind ledger.WithdrawalKind, since time.Time) (people int, from int64, err error) {
	_, err = t.get(`SELECT coalesce(max(closed_at), ?) FROM cohorts WHERE kind = ? AND state = 'released'`,
		[]any{int64(math.MinInt64), kind}, &from)
	if err != nil {
		return 0, 0, err
	}
	from = max(from, since.UnixMicro())
	_, err = t.get(`SELECT count(DISTINCT person_id) FROM withdrawals WHERE `+counts, []any{kind, from}, &people)
	return people, from, err
}

// employed is of how many people they are: those who are employed, and those who
// are counted because that has ended.
func (t *Tx) employed(kind ledger.WithdrawalKind, from int64) (people int, err error) {
	_, err = t.get(`SELECT count(*) FROM people WHERE status IN (?, ?, ?)
			OR id IN (SELECT person_id FROM withdrawals WHERE `+counts+`)`,
		[]any{hr.StatusActive, hr.StatusOnLeave, hr.StatusSuspended, kind, from}, &people)
	return people, err
}

// notice notes that HR ends somebody's employment, as soon as that is recorded: so
// a flood is counted before the first of them is assessed. Of somebody who has no
// account nothing can be taken. Whose first termination is held, the second one is
// held with it: a system may repeat its mistakes.
func (t *Tx) notice(r ledger.Received) error {
	if r.Event.Type != hr.EventTerminated {
		return nil
	}
	return t.exec(`INSERT INTO withdrawals (person_id, kind, key, state, cohort, source, event_id, voids, said_at, counted_at)
		SELECT ?1, 'leavers', ?2, CASE WHEN h.cohort IS NULL THEN 'noticed' ELSE 'held' END, h.cohort, ?3, ?4, 1, ?5, ?5
		FROM (SELECT max(cohort) AS cohort FROM withdrawals WHERE person_id = ?1 AND kind = 'leavers' AND state = 'held') h
		WHERE EXISTS (SELECT 1 FROM links WHERE person_id = ?1 AND state IN ('planned', 'active'))
			OR EXISTS (SELECT 1 FROM people WHERE id = ?1 AND status = 'suspended')
		ON CONFLICT DO NOTHING`,
		r.Event.PersonID, ledger.EventWithdrawal(r.Event.EventKey), r.Event.Source, r.Event.ID, r.At.UnixMicro())
}
