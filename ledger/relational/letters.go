package relational

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

const letterColumns = `id, topic, partition, "offset", origin_topic, origin_partition, origin_offset, digest, format, at,
	reason, field, text, person_id, event_type, event_source, event_id, urgent,
	parent_topic, parent_partition, parent_offset, state, acted_at, operator, login, why, ended_at`

// letterDest lists the fields that letterColumns are scanned into.
func letterDest(l *ledger.DeadLetter) []any {
	return []any{
		&l.ID, &l.At.Topic, &l.At.Partition, &l.At.Offset, &l.Origin.Topic, &l.Origin.Partition, &l.Origin.Offset,
		&l.Digest, &l.Format, instant{&l.ReceivedAt},
		&l.Reason, &l.Field, &l.Text, &l.PersonID, &l.EventType, &l.EventSource, &l.EventID, &l.Urgent,
		&l.RedriveOf.Topic, &l.RedriveOf.Partition, &l.RedriveOf.Offset,
		&l.State, instant{&l.ActedAt}, &l.Operator, &l.Login, &l.Why, instant{&l.EndedAt},
	}
}

// DeadLetters implements ledger.Query.
func (s *Store) DeadLetters(ctx context.Context, f ledger.LetterFilter, after int64, limit int) ([]ledger.DeadLetter, error) {
	query, args := `SELECT `+letterColumns+` FROM dead_letters WHERE id > ?`, []any{after}
	for _, c := range []struct {
		given bool
		where string
		value any
	}{
		{f.ID != 0, `id = ?`, f.ID},
		{f.PersonID != "", `person_id = ?`, f.PersonID},
		{f.Reason != "", `reason = ?`, f.Reason},
		{f.Topic != "", `origin_topic = ?`, f.Topic},
		{!f.From.IsZero(), `at >= ?`, micros(f.From)},
		{!f.Until.IsZero(), `at < ?`, micros(f.Until)},
		{f.Urgent, `urgent = ?`, true},
	} {
		if c.given {
			query += ` AND ` + c.where
			args = append(args, c.value)
		}
	}
	if len(f.States) > 0 {
		query += ` AND state IN (?` + strings.Repeat(`, ?`, len(f.States)-1) + `)`
		for _, state := range f.States {
			args = append(args, string(state))
		}
	}
	letters, err := list(ctx, s.engine, query+` ORDER BY id LIMIT ?`, append(args, max(limit, 0)), letterDest)
	return letters, s.explain(err)
}

// RecordDeadLetter implements ledger.Intake.
func (s *Store) RecordDeadLetter(ctx context.Context, l ledger.DeadLetter) (receipt ledger.LetterReceipt, err error) {
	if l.At.Topic == "" || l.Origin.Topic == "" || l.Digest == "" {
		return receipt, fmt.Errorf("%w: a dead letter of %+v at %+v does not say where from, where or what", ledger.ErrRefused, l.Origin, l.At)
	}
	return written(ctx, s, "", func(t *Tx) (ledger.LetterReceipt, error) { return t.recordLetter(l) })
}

func (t *Tx) recordLetter(l ledger.DeadLetter) (r ledger.LetterReceipt, err error) {
	if err := t.lock(l.PersonID); err != nil {
		return r, err
	}
	if err := t.fail(&l); err != nil {
		return r, err
	}
	n, err := t.change(`INSERT INTO dead_letters (topic, partition, "offset", origin_topic, origin_partition, origin_offset,
			digest, format, at, reason, field, text, person_id, event_type, event_source, event_id, urgent,
			parent_topic, parent_partition, parent_offset)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		l.At.Topic, l.At.Partition, l.At.Offset, l.Origin.Topic, l.Origin.Partition, l.Origin.Offset,
		l.Digest, l.Format, l.ReceivedAt.UnixMicro(), l.Reason, l.Field, l.Text,
		l.PersonID, l.EventType, l.EventSource, l.EventID, l.Urgent,
		l.RedriveOf.Topic, l.RedriveOf.Partition, l.RedriveOf.Offset)
	if err != nil {
		return r, err
	}
	r.Duplicate = n == 0
	_, err = t.get(`SELECT id, state IN ('open', 'redriven'), urgent, coalesce((SELECT p.id FROM people p WHERE p.id = l.person_id), '')
		FROM dead_letters l WHERE origin_topic = ? AND origin_partition = ? AND origin_offset = ? AND digest = ?`,
		[]any{l.Origin.Topic, l.Origin.Partition, l.Origin.Offset, l.Digest},
		&r.ID, &r.Pending, &r.Urgent, &r.PersonID)
	if err != nil || r.Duplicate || !r.Urgent {
		return r, err
	}
	return r, t.letterNews(r.PersonID, l.ReceivedAt)
}

// announced finds the letter at p, from which a record claims to have been sent again, if an
// operator announced a record with the digest.
func (t *Tx) announced(p ledger.Position, digest string) (l ledger.DeadLetter, found bool, err error) {
	if p.Topic == "" || digest == "" {
		return l, false, nil
	}
	l, found, err = t.letterAt(p)
	if !found || err != nil {
		return l, found, err
	}
	found, err = t.get(`SELECT 1 FROM dead_letters WHERE id = ? AND sending = ?`, []any{l.ID, digest}, new(int))
	return l, found, err
}

// fail closes the letter from which l's record was sent again, and passes its urgency and,
// if l has none, its person to l.
func (t *Tx) fail(l *ledger.DeadLetter) error {
	parent, found, err := t.announced(l.RedriveOf, l.RedriveDigest)
	if !found || err != nil {
		l.RedriveOf = ledger.Position{}
		return err
	}
	l.Urgent = l.Urgent || parent.Urgent
	if l.PersonID == "" {
		l.PersonID = parent.PersonID
		if err := t.lock(l.PersonID); err != nil {
			return err
		}
	}
	return t.exec(`UPDATE dead_letters SET state = 'failed', ended_at = ? WHERE id = ? AND state NOT IN ('applied', 'failed')`,
		l.ReceivedAt.UnixMicro(), parent.ID)
}

// letterAt finds the letter at a position. If topics were created again, there may be
// several, and it returns the last one.
func (t *Tx) letterAt(p ledger.Position) (l ledger.DeadLetter, found bool, err error) {
	found, err = t.get(`SELECT `+letterColumns+` FROM dead_letters
		WHERE topic = ? AND partition = ? AND "offset" = ? ORDER BY id DESC LIMIT 1`,
		[]any{p.Topic, p.Partition, p.Offset}, letterDest(&l)...)
	return l, found, err
}

// applied closes the letter from which a recorded event was sent again.
func (t *Tx) applied(r ledger.Received) error {
	l, found, err := t.announced(r.RedriveOf, r.RedriveDigest)
	if !found || err != nil || l.State == ledger.LetterApplied {
		return err
	}
	err = t.exec(`UPDATE dead_letters SET state = 'applied', ended_at = ? WHERE id = ?`, r.At.UnixMicro(), l.ID)
	if err != nil || !l.Urgent {
		return err
	}
	return t.letterNews(l.PersonID, r.At)
}

// letterNews makes a person due because of an urgent letter. A person whom the ledger does
// not know stays unknown.
func (t *Tx) letterNews(personID string, at time.Time) error {
	return t.exec(`UPDATE people SET `+nudged+` WHERE id = ?3`, at.UnixMicro(), ledger.DueLetter, personID)
}

// ActOnLetter implements ledger.Work.
func (s *Store) ActOnLetter(ctx context.Context, a ledger.LetterAction) error {
	if a.Verb != ledger.VerbAnnounce && a.Verb != ledger.VerbRedrive && a.Verb != ledger.VerbDiscard {
		return fmt.Errorf("ledger: %q is not an operator's verb for a dead letter", a.Verb)
	}
	return s.write(ctx, func(t *Tx) error {
		if err := t.actOnLetter(a); err != nil {
			return fmt.Errorf("%s dead letter %d: %w", a.Verb, a.ID, err)
		}
		return nil
	})
}

func (t *Tx) actOnLetter(a ledger.LetterAction) error {
	var l ledger.DeadLetter
	found, err := t.get(`SELECT person_id FROM dead_letters WHERE id = ?`, []any{a.ID}, &l.PersonID)
	if err != nil {
		return err
	}
	if err := t.lock(l.PersonID); err != nil {
		return err
	}
	if found {
		_, err = t.get(`SELECT `+letterColumns+` FROM dead_letters WHERE id = ?`, []any{a.ID}, letterDest(&l)...)
	}
	if err != nil {
		return err
	}
	if !found {
		return ledger.ErrNotFound
	}
	if a.Verb == ledger.VerbAnnounce {
		return t.exec(`UPDATE dead_letters SET sending = ? WHERE id = ?`, a.Sending, a.ID)
	}
	detail := map[string]any{"deadLetter": a.ID}
	maps.Copy(detail, a.Detail)
	written, err := t.appendAudit(ledger.AuditRow{
		At: a.At, PersonID: l.PersonID, Action: string(a.Verb), Actor: a.Operator, Cause: a.Reason, Detail: detail,
	}, fmt.Sprintf("letter:%d", a.ID))
	if !written || err != nil {
		return err
	}
	if a.Verb == ledger.VerbRedrive {
		return t.exec(`UPDATE dead_letters SET acted_at = ?1, operator = ?2, why = ?3, login = ?5,
				ended_at = CASE WHEN state = 'discarded' THEN NULL ELSE ended_at END,
				state    = CASE WHEN state IN ('open', 'discarded') THEN 'redriven' ELSE state END
			WHERE id = ?4`,
			a.At.UnixMicro(), a.Operator, a.Reason, a.ID, t.login)
	}
	n, err := t.change(`UPDATE dead_letters SET state = 'discarded', acted_at = ?1, operator = ?2, why = ?3, login = ?5, ended_at = ?1
		WHERE id = ?4 AND state IN ('open', 'redriven')`,
		a.At.UnixMicro(), a.Operator, a.Reason, a.ID, t.login)
	if err != nil || n == 0 || !l.Urgent {
		return err
	}
	return t.letterNews(l.PersonID, a.At)
}
