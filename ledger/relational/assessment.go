package relational

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// SaveAssessment implements ledger.Work.
func (s *Store) SaveAssessment(ctx context.Context, a ledger.Assessment) error {
	return s.write(ctx, func(t *Tx) error { return t.saveAssessment(a) })
}

func (t *Tx) saveAssessment(a ledger.Assessment) error {
	id := a.Summary.PersonID
	if err := t.person(id); err != nil {
		return err
	}
	repeated, err := t.saveSummary(a.Summary, a.AtWork)
	if repeated || err != nil {
		return err
	}
	called := slices.Clone(a.Identifiers)
	for i := range called {
		called[i].PersonID, called[i].App = id, ""
	}
	if err := t.noteIdentifiers(a.Summary.AssessedAt, called...); err != nil {
		return fmt.Errorf("note what person %s is called: %w", id, err)
	}
	for _, l := range a.Planned {
		if err := t.planLink(id, l.App, l.Username); err != nil {
			return fmt.Errorf("plan a link of person %s in app %q: %w", id, l.App, err)
		}
	}
	if err := t.lapseSkips(id, a.LapsedSkips, a.Summary.AssessedAt); err != nil {
		return fmt.Errorf("end what was skipped of person %s: %w", id, err)
	}
	keys := make([]string, len(a.Steps))
	for i, step := range a.Steps {
		keys[i] = step.Key
		if err := t.planStep(id, step, cmp.Or(step.PlannedAt, a.Summary.AssessedAt)); err != nil {
			return fmt.Errorf("plan step %q of person %s: %w", step.Key, id, err)
		}
	}
	for _, row := range a.Audit {
		row.PersonID, row.At = id, cmp.Or(row.At, a.Summary.AssessedAt)
		if err := t.putAudit(row, "assessment:"+row.App, a.Summary.Revision); err != nil {
			return err
		}
	}
	for _, approval := range a.Approvals {
		if err := t.askApproval(id, approval, a.Summary.AssessedAt); err != nil {
			return fmt.Errorf("ask for an approval of %q of person %s: %w", approval.Key, id, err)
		}
	}
	if err := t.lapse(id, a.Lapsed); err != nil {
		return err
	}
	for _, retention := range a.LapsedRetentions {
		if err := t.lapseRetention(id, retention, a.Summary.AssessedAt); err != nil {
			return fmt.Errorf("end retention %d of person %s: %w", retention, id, err)
		}
	}
	for _, lapsed := range a.LapsedExceptions {
		if err := t.lapseException(id, lapsed, a.Summary.AssessedAt); err != nil {
			return fmt.Errorf("end exception %s of person %s: %w", ledger.ExceptionName(lapsed.ID), id, err)
		}
	}
	if err := t.withdrawTasks(id, keys, a.Summary.AssessedAt); err != nil {
		return err
	}
	return t.supersede(id, keys, a.Summary.AssessedAt)
}

// arrivals holds when a person was last assessed, and what came in since.
type arrivals struct {
	assessedFrom, assessedRev int64
	assessedAt                time.Time
	eventAt                   time.Time // receipt of the first event that the assessment did not see and that does not wait
	nudgedAt                  time.Time // when anything but an event, which it did not see, made the person due
	nudgedWhat                string    // the reason of that
}

// saveSummary stores the summary. It reports whether the same assessment was stored before.
func (t *Tx) saveSummary(s ledger.Summary, atWork bool) (repeated bool, err error) {
	var arr arrivals
	_, err = t.get(`SELECT assessed_from, assessed_rev, assessed_at,
			(SELECT min(at) FROM events WHERE person_id = p.id AND seq > ?1 AND (p.turn_seq IS NULL OR seq < p.turn_seq)),
			CASE WHEN nudged_rev > ?2 THEN nudged_at END, nudged_what
		FROM people p WHERE id = ?3`,
		[]any{s.LastSeq, s.Revision, s.PersonID},
		&arr.assessedFrom, &arr.assessedRev, instant{&arr.assessedAt}, instant{&arr.eventAt}, instant{&arr.nudgedAt}, &arr.nudgedWhat)
	if err != nil {
		return false, err
	}
	if s.Revision == arr.assessedFrom && micros(s.AssessedAt) == micros(arr.assessedAt) {
		return true, nil
	}
	if s.Revision < arr.assessedRev {
		return false, fmt.Errorf("save an assessment of person %s: %w", s.PersonID, ledger.ErrStale)
	}
	due, what := s.DueAt, s.DueWhat
	due, what = earlier(due, what, arr.nudgedAt, arr.nudgedWhat)
	due, what = earlier(due, what, arr.eventAt, ledger.DueEvent)
	waiting, err := encoded(waits{s.LastSeq, s.Waits})
	if err != nil {
		return false, err
	}
	told := 0 // whether the run has something to do at once
	if atWork || !arr.eventAt.IsZero() {
		told = 1
	}
	return false, t.exec(`UPDATE people SET
			given_name = ?2, family_name = ?3, status = ?4, department = ?5, job_title = ?6, manager_id = ?7,
			due_at = ?8, due_what = ?9, assessed_at = ?10, revision = revision + 1,
			assessed_from = ?11, assessed_rev = revision + 1, waits = ?12,
			nudged_at = NULL, -- it is in due_at, or was seen
			turn_seq = CASE WHEN last_seq > ?13 THEN turn_seq END,
			-- whoever was assessed before the line was told that they have their turn is at work too
			told_at = CASE WHEN ?14 = 1 THEN coalesce(told_at, CASE WHEN turn_seq IS NOT NULL AND last_seq <= ?13 THEN CAST(?10 AS BIGINT) END) END
		WHERE id = ?1`,
		s.PersonID, indexable(s.GivenName), indexable(s.FamilyName), s.Status, s.Department, s.JobTitle, s.ManagerID,
		micros(due), what, micros(s.AssessedAt), s.Revision, waiting,
		s.LastSeq, told)
}

// earlier returns the earlier of two due times, with its reason. A zero instant means none.
// If both are equal, it returns the second one.
func earlier(at time.Time, what string, otherAt time.Time, otherWhat string) (time.Time, string) {
	switch {
	case at.IsZero() && otherAt.IsZero():
		return time.Time{}, ""
	case at.IsZero(), !otherAt.IsZero() && !at.Before(otherAt):
		return otherAt, otherWhat
	default:
		return at, what
	}
}

// planStep makes the step open with no attempts, or in attention if that is its state. It
// does not change a step that is open, in attention or skipped already. The exception is a
// question that an operator has retried: it is open, and needs attention again if the plan
// still asks it.
func (t *Tx) planStep(personID string, step ledger.Step, at time.Time) error {
	if step.State != ledger.StepAttention {
		step.State, step.Code, step.Message = ledger.StepOpen, "", ""
	}
	return t.exec(`INSERT INTO steps (person_id, key, app, kind, state, code, message, planned_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (person_id, key) DO UPDATE SET
			app = excluded.app, kind = excluded.kind, state = excluded.state, planned_at = excluded.planned_at,
			code = excluded.code, message = excluded.message,
			attempts = 0, reason = '', trying_since = NULL, due_at = NULL, queued = 0, last_attempt_at = NULL, finished_at = NULL, outcome = NULL,
			acknowledged_at = NULL, operation = '', operation_call = '', operation_at = NULL, operation_look_at = NULL
		WHERE steps.state IN ('done', 'superseded') OR steps.state = 'open' AND excluded.state = 'attention'`,
		personID, step.Key, step.App, step.Kind, step.State, step.Code, step.Message, micros(at))
}

// lapseSkips closes skipped steps that no plan asks for any more.
func (t *Tx) lapseSkips(personID string, keys []string, at time.Time) error {
	for _, key := range keys {
		if err := t.exec(`UPDATE steps SET state = 'superseded', finished_at = ?
			WHERE person_id = ? AND key = ? AND state = 'skipped'`, micros(at), personID, key); err != nil {
			return err
		}
	}
	return nil
}

// supersede closes the unfinished steps that are not among keys. Attempts at them stay in
// doubt until their deadlines.
func (t *Tx) supersede(personID string, keys []string, at time.Time) error {
	list, err := encoded(append([]string{}, keys...))
	if err != nil {
		return err
	}
	return t.exec(`UPDATE steps SET state = 'superseded', finished_at = ?2
		WHERE person_id = ?3 AND state IN ('open', 'attention') AND key NOT IN (SELECT value FROM `+t.dialect.Array+` AS wanted)`,
		list, micros(at), personID)
}
