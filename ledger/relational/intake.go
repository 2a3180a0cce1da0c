package relational

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/privacy"
)

// Record implements ledger.Intake.
func (s *Store) Record(ctx context.Context, events []ledger.Received) ([]ledger.Receipt, error) {
	bodies := make([]string, len(events))
	for i, r := range events {
		if r.Event.PersonID == "" {
			return nil, fmt.Errorf("%w: event %s of %s names no person", ledger.ErrRefused, r.Event.ID, r.Event.Source)
		}
		var err error
		if bodies[i], err = encoded(r.Event); err != nil {
			return nil, fmt.Errorf("%w: event %s of %s: %w", ledger.ErrRefused, r.Event.ID, r.Event.Source, err)
		}
	}
	receipts := make([]ledger.Receipt, len(events))
	err := s.write(ctx, func(t *Tx) error {
		if err := t.lockConcerned(events); err != nil {
			return err
		}
		for i, r := range events {
			var err error
			if receipts[i], err = t.record(r, bodies[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return receipts, nil
}

// lockConcerned locks everybody whom the events concern, or the dead letters from which they
// were sent again.
func (t *Tx) lockConcerned(events []ledger.Received) error {
	if t.dialect.Lock == "" {
		return nil
	}
	var fresh, known []string
	for _, r := range events {
		if r.RedriveOf.Topic != "" {
			l, _, err := t.letterAt(r.RedriveOf)
			if err != nil {
				return err
			}
			known = append(known, l.PersonID)
		}
		found, err := t.get(`SELECT 1 FROM events WHERE source = ? AND id = ?`, []any{r.Event.Source, r.Event.ID}, new(int))
		switch {
		case err != nil:
			return err
		case found:
			known = append(known, r.Event.PersonID)
		default:
			fresh = append(fresh, r.Event.PersonID)
		}
		to, err := t.successor(r.Event.PersonID)
		if err != nil {
			return err
		}
		if to != "" {
			known = append(known, to)
		}
	}
	return t.people(fresh, known)
}

func (t *Tx) record(r ledger.Received, body string) (ledger.Receipt, error) {
	old, found, err := t.there(r)
	if err != nil || old.Conflict {
		return old, err
	}
	if old.Duplicate {
		err = t.repetition(r, old.Seq)
	}
	if err == nil {
		err = t.applied(r)
	}
	if err != nil || found {
		return old, err
	}
	if err := t.person(r.Event.PersonID); err != nil {
		return ledger.Receipt{}, err
	}
	receipt, delivered := ledger.Receipt{Waits: r.Waits}, 0
	if r.WaitsIfNew && !r.Waits {
		if receipt.Waits, err = t.waitsAsNew(r.Event.PersonID); err != nil {
			return ledger.Receipt{}, err
		}
	}
	if receipt.Waits {
		delivered = 1 // the line sees to it
	}
	_, err = t.get(`INSERT INTO events (source, id, person_id, at, topic, partition, "offset", delivered, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq`,
		[]any{r.Event.Source, r.Event.ID, r.Event.PersonID, r.At.UnixMicro(), r.Topic, r.Partition, r.Offset, delivered, body},
		&receipt.Seq)
	if err != nil {
		return ledger.Receipt{}, err
	}
	if err := t.notice(r); err != nil {
		return ledger.Receipt{}, err
	}
	if err := t.tellSuccessor(r.Event.PersonID, r.At); err != nil {
		return ledger.Receipt{}, err
	}
	if receipt.Waits {
		err = t.exec(queued, receipt.Seq, r.Event.PersonID, managerOf(r.Event))
	} else {
		err = t.exec(told, receipt.Seq, r.At.UnixMicro(), r.Event.PersonID)
	}
	if err != nil || r.Audit == nil {
		return receipt, err
	}
	return receipt, t.saidByOperator(r)
}

// repetition notes a record that says again what the record of an event has said.
func (t *Tx) repetition(r ledger.Received, seq int64) error {
	if r.Topic == "" {
		return nil
	}
	return t.exec(`INSERT INTO repetitions (topic, partition, "offset", event, at)
		SELECT ?1, CAST(?2 AS BIGINT), CAST(?3 AS BIGINT), CAST(?4 AS BIGINT), CAST(?5 AS BIGINT)
		WHERE NOT EXISTS (SELECT 1 FROM events WHERE seq = ?4 AND topic = ?1 AND partition = ?2 AND "offset" = ?3)
		ON CONFLICT DO NOTHING`, r.Topic, r.Partition, r.Offset, seq, r.At.UnixMicro())
}

// Repetitions implements ledger.Query.
func (s *Store) Repetitions(ctx context.Context, from, until time.Time, after int64, limit int) ([]ledger.Repetition, error) {
	all, err := list(ctx, s.engine, `SELECT id, topic, partition, "offset", event, at FROM repetitions WHERE id > ? AND at >= ? AND at < ? ORDER BY id LIMIT ?`,
		[]any{after, from.UnixMicro(), until.UnixMicro(), max(limit, 0)},
		func(r *ledger.Repetition) []any {
			return []any{&r.ID, &r.At.Topic, &r.At.Partition, &r.At.Offset, &r.Event, instant{&r.Received}}
		})
	return all, s.explain(err)
}

// there returns the receipt for an event whose key is in the ledger already, and reports
// whether it is.
func (t *Tx) there(r ledger.Received) (receipt ledger.Receipt, found bool, err error) {
	var place ledger.Position
	var first hr.Event
	var of string
	found, err = t.get(`SELECT seq, delivered, topic, partition, "offset", person_id, body FROM events WHERE source = ? AND id = ?`,
		[]any{r.Event.Source, r.Event.ID}, &receipt.Seq, &receipt.Delivered, &place.Topic, &place.Partition, &place.Offset, &of, decode{&first})
	if !found || err != nil {
		return receipt, found, err
	}
	erased := first.PersonID == "" // only its key is left
	if erased && of == r.Event.PersonID || !erased && sameEvent(first, place, r) {
		receipt.Duplicate = true
	} else {
		receipt = ledger.Receipt{Seq: receipt.Seq, Conflict: true}
	}
	return receipt, true, nil
}

// sameEvent reports whether an event is the one that was recorded with its key before. The
// same Kafka record always counts as the same event: a new version of Tenure may read more
// of it than the old one.
func sameEvent(first hr.Event, place ledger.Position, r ledger.Received) bool {
	if first.PersonID != r.Event.PersonID {
		return false
	}
	again := place.Topic != "" && place == ledger.Position{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}
	// What it said of somebody who was erased since cannot be compared any more.
	text, _ := encoded(first) // it was JSON
	lost := first.Type == r.Event.Type && strings.Contains(text, privacy.Erased)
	return again || lost || r.Snapshot && first.Type == r.Event.Type || hr.SameContent(first, r.Event)
}

// tellSuccessor makes the person due who has this one's accounts now.
func (t *Tx) tellSuccessor(personID string, at time.Time) error {
	to, err := t.successor(personID)
	if to == "" || err != nil {
		return err
	}
	return t.exec(`UPDATE people SET `+nudged+` WHERE id = ?3`, at.UnixMicro(), ledger.DueSamePerson, to)
}

// successor returns the ID that has a person's accounts now, or "" if it is their own.
func (t *Tx) successor(personID string) (to string, err error) {
	_, err = t.get(carriedQuery, []any{personID}, &to)
	return to, err
}

// saidByOperator writes the audit row of an operator's event, and makes the person due so
// that their run is told.
func (t *Tx) saidByOperator(r ledger.Received) error {
	row := *r.Audit
	row.PersonID, row.At = r.Event.PersonID, cmp.Or(row.At, r.At)
	if err := t.putAudit(row, "event:"+r.Event.Source+"/"+r.Event.ID, 0); err != nil {
		return err
	}
	err := t.exec(`UPDATE people SET `+nudged+` WHERE id = ?3`, r.At.UnixMicro(), ledger.DueOperator, r.Event.PersonID)
	if err != nil {
		return err
	}
	// This replaces any other reason, because an open run has to be told.
	return t.exec(`UPDATE people SET due_what = ? WHERE id = ?`, ledger.DueOperator, r.Event.PersonID)
}

// MarkDelivered implements ledger.Intake.
func (s *Store) MarkDelivered(ctx context.Context, seqs []int64) error {
	seqs = slices.Sorted(slices.Values(seqs)) // in one order, so that two callers do not wait for each other
	return s.write(ctx, func(t *Tx) error {
		for _, seq := range seqs {
			if err := t.exec(`UPDATE events SET delivered = 1 WHERE seq = ?`, seq); err != nil {
				return err
			}
		}
		return nil
	})
}

// knownQuery returns the query that looks up many IDs of one source (?2) at once, given as a
// JSON array (?1). One query for each would cost three times as much. The join begins with
// the array, since there may be millions of events.
func knownQuery(d Dialect) string {
	return `SELECT wanted.key, e.seq, e.delivered, e.topic, e.partition, e."offset"
		FROM ` + d.Array + ` AS wanted CROSS JOIN events AS e WHERE e.source = ?2 AND e.id = wanted.value`
}

// Known implements ledger.Intake. It reads, so it waits for no writer.
func (s *Store) Known(ctx context.Context, keys []hr.EventKey) ([]ledger.Known, error) {
	known := make([]ledger.Known, len(keys))
	ids, places := map[string][]string{}, map[string][]int{} // by source; places are in keys
	for i, k := range keys {
		ids[k.Source] = append(ids[k.Source], k.ID)
		places[k.Source] = append(places[k.Source], i)
	}
	for source := range ids {
		if err := s.knownOf(ctx, source, ids[source], places[source], known); err != nil {
			return nil, s.explain(fmt.Errorf("look up %d events: %w", len(keys), err))
		}
	}
	return known, nil
}

// knownOf fills in what is known about one source's events.
func (s *Store) knownOf(ctx context.Context, source string, ids []string, places []int, known []ledger.Known) error {
	wanted, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	rows, err := s.engine.QueryContext(ctx, s.known, string(wanted), source)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // its error is the one of Err
	for rows.Next() {
		var place int
		var k ledger.Known
		if err := rows.Scan(&place, &k.Seq, &k.Delivered, &k.Topic, &k.Partition, &k.Offset); err != nil {
			return err
		}
		known[places[place]] = k
	}
	return rows.Err()
}
