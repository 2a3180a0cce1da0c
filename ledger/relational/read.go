package relational

import (
	"context"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// Person implements ledger.Work.
func (s *Store) Person(ctx context.Context, personID string) (ledger.Person, error) {
	p, err := s.readPerson(ctx, personID)
	if err != nil {
		return ledger.Person{}, s.explain(fmt.Errorf("read person %s: %w", personID, err))
	}
	return p, nil
}

// The queries of one read of a person.
const (
	summaryQuery = `SELECT ` + summaryColumns + ` FROM people WHERE id = ?`
	eventColumns = `seq, at, topic, partition, "offset", body`
	eventsQuery  = `SELECT ` + eventColumns + ` FROM events WHERE person_id = ? AND body <> '{}' ORDER BY seq`
	linksQuery   = `SELECT ` + linkColumns + ` FROM links WHERE person_id = ? ORDER BY app`
	stepsQuery   = `SELECT ` + stepColumns + ` FROM steps s
		WHERE person_id = ? AND state IN ('open', 'attention', 'skipped') ORDER BY app, key`
	waiversQuery = `SELECT key FROM waivers WHERE person_id = ? ORDER BY key`
	lettersQuery = `SELECT ` + letterColumns + ` FROM dead_letters
		WHERE person_id = ? AND person_id <> '' AND state IN ('open', 'redriven') ORDER BY id`
	tasksQuery       = `SELECT ` + taskColumns + ` FROM tasks WHERE person_id = ? AND ` + unfinished + ` ORDER BY id`
	withdrawalsQuery = `SELECT ` + withdrawalColumns + ` FROM withdrawals
		WHERE person_id = ? AND state NOT IN ('over', 'gone') ORDER BY kind, key`
	holdsQuery      = `SELECT ` + holdColumns + ` FROM holds WHERE person_id = ? AND released_at IS NULL ORDER BY id`
	retentionsQuery = `SELECT ` + retentionColumns + ` FROM retentions WHERE person_id = ? AND ended_at IS NULL ORDER BY app`
	approvalsQuery  = `SELECT ` + approvalColumns + ` FROM approvals WHERE person_id = ? AND state IN ('asked', 'approved') ORDER BY key`
	exceptionsQuery = `SELECT ` + exceptionColumns + ` FROM exceptions WHERE person_id = ? AND ended_at IS NULL ORDER BY id`
	carriedQuery    = `SELECT carried_to FROM people WHERE id = ?`
	// Other IDs of the same person, and what belongs to them.
	earlierIDs             = `SELECT id FROM people WHERE carried_to = ? AND carried_to <> ''`
	earlierQuery           = earlierIDs + ` ORDER BY id`
	earlierEventsQuery     = `SELECT person_id, ` + eventColumns + ` FROM events WHERE person_id IN (` + earlierIDs + `) AND body <> '{}' ORDER BY person_id, seq`
	earlierHoldsQuery      = `SELECT ` + holdColumns + ` FROM holds WHERE person_id IN (` + earlierIDs + `) AND released_at IS NULL ORDER BY person_id, id`
	earlierExceptionsQuery = `SELECT ` + exceptionColumns + ` FROM exceptions WHERE person_id IN (` + earlierIDs + `) AND ended_at IS NULL ORDER BY person_id, id`
	// The manager's accounts, under the ID that the manager has by now.
	accountsQuery = `SELECT app, account_id FROM links
		WHERE person_id = (SELECT coalesce(nullif(m.carried_to, ''), m.id) FROM people p JOIN people m ON m.id = p.manager_id WHERE p.id = ?)
			AND state IN ('active', 'disabled') AND account_id <> ''`
)

// readPerson reads all of a person, with queries none of which needs the answer to another.
func (s *Store) readPerson(ctx context.Context, id string) (p ledger.Person, err error) {
	type account struct{ app, id string }
	var (
		summaries        []ledger.Summary
		carried, earlier []string
		events           []earlierEvent
		holds            []ledger.Hold
		exceptions       []ledger.Exception
		accounts         []account
		args             = []any{id}
		text             = func(s *string) []any { return []any{s} }
	)
	err = s.together(ctx,
		all(&summaries, summaryQuery, args, summaryDest),
		all(&p.Events, eventsQuery, args, eventDest),
		all(&p.Links, linksQuery, args, linkDest),
		all(&p.Steps, stepsQuery, args, stepDest),
		all(&p.Waivers, waiversQuery, args, text),
		all(&p.Letters, lettersQuery, args, letterDest),
		all(&p.Tasks, tasksQuery, args, taskDest),
		all(&p.Withdrawals, withdrawalsQuery, args, withdrawalDest),
		all(&p.Holds, holdsQuery, args, holdDest),
		all(&p.Retentions, retentionsQuery, args, retentionDest),
		all(&p.Approvals, approvalsQuery, args, approvalDest),
		all(&p.Exceptions, exceptionsQuery, args, exceptionDest),
		all(&carried, carriedQuery, args, text),
		all(&earlier, earlierQuery, args, text),
		all(&events, earlierEventsQuery, args, func(e *earlierEvent) []any { return append([]any{&e.personID}, eventDest(&e.StoredEvent)...) }),
		all(&holds, earlierHoldsQuery, args, holdDest),
		all(&exceptions, earlierExceptionsQuery, args, exceptionDest),
		all(&accounts, accountsQuery, args, func(a *account) []any { return []any{&a.app, &a.id} }),
	)
	if err != nil {
		return ledger.Person{}, err
	}
	if len(summaries) == 0 {
		return ledger.Person{}, ledger.ErrNotFound
	}
	inUTC(p.Events)
	p.Summary, p.CarriedTo = summaries[0], carried[0]
	p.Holds, p.Exceptions = append(p.Holds, holds...), append(p.Exceptions, exceptions...)
	for _, id := range earlier {
		one := ledger.Earlier{PersonID: id}
		for _, e := range events {
			if e.personID == id {
				one.Events = append(one.Events, e.StoredEvent)
			}
		}
		inUTC(one.Events)
		p.Earlier = append(p.Earlier, one)
	}
	if p.ManagerID != "" {
		p.ManagerAccounts = make(map[string]string, len(accounts))
	}
	for _, a := range accounts {
		p.ManagerAccounts[a.app] = a.id
	}
	return p, nil
}

// earlierEvent is an event about another ID of a person.
type earlierEvent struct {
	personID string
	ledger.StoredEvent
}

func personEvents(ctx context.Context, now Reader, id string) ([]ledger.StoredEvent, error) {
	return storedEvents(ctx, now, eventsQuery, id)
}

// storedEvents reads the events of a query.
func storedEvents(ctx context.Context, now Reader, query string, args ...any) ([]ledger.StoredEvent, error) {
	events, err := list(ctx, now, query, args, eventDest)
	inUTC(events)
	return events, err
}

// eventDest lists the fields that eventColumns are scanned into.
func eventDest(e *ledger.StoredEvent) []any {
	return []any{&e.Seq, instant{&e.At}, &e.From.Topic, &e.From.Partition, &e.From.Offset, decode{&e.Event}}
}

func inUTC(events []ledger.StoredEvent) {
	for i := range events {
		e := &events[i].Event
		e.Recorded = e.Recorded.UTC()
		if e.Termination != nil {
			e.Termination.AccessEndsAt = e.Termination.AccessEndsAt.UTC()
		}
	}
}

const summaryColumns = `id, coalesce(username, ''), given_name, family_name, status, department, job_title, manager_id,
	due_at, due_what, assessed_at, last_seq, revision, waits, erased_at`

// waits is what the column people.waits holds, as JSON.
type waits struct {
	Seen int64                  `json:"seen"`
	Apps map[string]ledger.Wait `json:"apps,omitempty"`
}

// scanWaits scans waits into a summary.
type scanWaits struct{ to *ledger.Summary }

func (w scanWaits) Scan(v any) error {
	var noted waits
	err := decode{&noted}.Scan(v)
	w.to.Seen, w.to.Waits = noted.Seen, noted.Apps
	return err
}

// summaryDest lists the fields that summaryColumns are scanned into.
func summaryDest(s *ledger.Summary) []any {
	return []any{
		&s.PersonID, &s.Username, &s.GivenName, &s.FamilyName, &s.Status, &s.Department, &s.JobTitle, &s.ManagerID,
		instant{&s.DueAt}, &s.DueWhat, instant{&s.AssessedAt}, &s.LastSeq, &s.Revision, scanWaits{s}, instant{&s.ErasedAt},
	}
}

// People implements ledger.Query.
func (s *Store) People(ctx context.Context, after string, limit int) ([]ledger.Summary, error) {
	people, err := list(ctx, s.engine, `SELECT `+summaryColumns+` FROM people WHERE id > ? ORDER BY id LIMIT ?`,
		[]any{after, max(limit, 0)}, summaryDest)
	return people, s.explain(err)
}

// Events implements ledger.Query.
func (s *Store) Events(ctx context.Context, f ledger.EventFilter, after int64, limit int) ([]ledger.StoredEvent, error) {
	query, args := `SELECT `+eventColumns+` FROM events WHERE seq > ? AND body <> '{}'`, []any{after}
	and := func(condition string, value any) {
		query += ` AND ` + condition
		args = append(args, value)
	}
	if f.PersonID != "" {
		and(`person_id = ?`, f.PersonID)
	}
	if f.Source != "" {
		and(`source = ?`, f.Source)
	}
	if !f.From.IsZero() {
		and(`at >= ?`, f.From.UnixMicro())
	}
	if !f.To.IsZero() {
		and(`at < ?`, f.To.UnixMicro())
	}
	events, err := storedEvents(ctx, s.engine, query+` ORDER BY seq LIMIT ?`, append(args, max(limit, 0))...)
	return events, s.explain(err)
}

// Links implements ledger.Query.
func (s *Store) Links(ctx context.Context, f ledger.LinkFilter) ([]ledger.Link, error) {
	query, args := `SELECT `+linkColumns+` FROM links WHERE true`, []any(nil)
	for _, c := range []struct{ column, value string }{
		{"person_id", f.PersonID}, {"app", f.App}, {"state", string(f.State)}, {"account_id", f.AccountID},
	} {
		if c.value != "" {
			query += ` AND ` + c.column + ` = ?`
			args = append(args, c.value)
		}
	}
	if f.AccountID != "" {
		query += ` AND account_id <> ''` // says that the index of accounts has it
	}
	switch after := f.After; {
	case after == ledger.LinkPlace{}:
	case f.App != "": // the index of an app's links has them by person
		query, args = query+` AND person_id > ?`, append(args, after.PersonID)
	default:
		query, args = query+` AND (person_id, app) > (?, ?)`, append(args, after.PersonID, after.App)
	}
	query += ` ORDER BY person_id, app`
	if f.Limit > 0 {
		query += ` LIMIT ?`
		args = append(args, f.Limit)
	}
	links, err := list(ctx, s.engine, query, args, linkDest)
	return links, s.explain(err)
}

// The index links_granted has the entitlements of the enabled accounts of an app: the beginning of the
// column, which is JSON, since an entry of an index must not be long.
const (
	keyed      = `substr(entitlements, 1, 400)`
	keyedRunes = 400
	entitled   = `app = ?1 AND state = 'active' AND entitlements IS NOT NULL`
)

// Granted implements ledger.Query. There are many people, and few sets of entitlements: the sets are
// found first, each by a look into the index, and then the people who have one of them.
func (s *Store) Granted(ctx context.Context, app, entitlement string, limit int) (ids []string, err error) {
	text := func(s *string) []any { return []any{s} }
	if entitlement == "" {
		ids, err = list(ctx, s.engine, `SELECT person_id FROM links WHERE app = ? AND state = 'active' ORDER BY person_id LIMIT ?`, []any{app, max(limit, 0)}, text)
		return ids, s.explain(err)
	}
	sets, err := list(ctx, s.engine, `WITH RECURSIVE sets (key) AS (
			SELECT (SELECT `+keyed+` FROM links WHERE `+entitled+` AND `+keyed+` > '' ORDER BY `+keyed+` LIMIT 1)
			UNION ALL
			SELECT (SELECT `+keyed+` FROM links WHERE `+entitled+` AND `+keyed+` > key ORDER BY `+keyed+` LIMIT 1) FROM sets WHERE key IS NOT NULL)
		SELECT key FROM sets WHERE key IS NOT NULL`, []any{app}, text)
	if err != nil {
		return nil, s.explain(err)
	}
	for _, set := range sets {
		var names []string
		whole := utf8.RuneCountInString(set) < keyedRunes && (decode{&names}).Scan(set) == nil
		if whole && !slices.Contains(names, entitlement) {
			continue
		}
		query, args := `SELECT person_id, entitlements FROM links WHERE `+entitled+` AND `+keyed+` = ?2 ORDER BY person_id`, []any{app, set}
		if whole {
			query, args = query+` LIMIT ?3`, append(args, max(limit-len(ids), 0))
		}
		found, err := list(ctx, s.engine, query, args, func(l *ledger.Link) []any { return []any{&l.PersonID, decode{&l.Entitlements}} })
		if err != nil {
			return nil, s.explain(err)
		}
		for _, l := range found {
			if slices.Contains(l.Entitlements, entitlement) && len(ids) < limit {
				ids = append(ids, l.PersonID)
			}
		}
		if len(ids) >= limit {
			break
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// Due implements ledger.Work.
func (s *Store) Due(ctx context.Context, at time.Time, limit int) ([]ledger.DuePerson, error) {
	due, err := list(ctx, s.engine, `SELECT id, due_at, due_what, last_seq FROM people
		WHERE due_at <= ? ORDER BY due_at, id LIMIT ?`,
		[]any{at.UnixMicro(), max(limit, 0)}, func(d *ledger.DuePerson) []any {
			return []any{&d.PersonID, instant{&d.At}, &d.What, &d.LastSeq}
		})
	return due, s.explain(err)
}

// counted is one row of a count.
type counted struct {
	app   string
	state ledger.LinkState
	n     int
}

// Count implements ledger.Census.
func (s *Store) Count(ctx context.Context) (ledger.Counts, error) {
	counts := ledger.Counts{Links: map[string]map[ledger.LinkState]int{}, Attention: map[string]int{}, Retention: map[string]int{}, Approvals: map[string]int{}, Exceptions: map[string]int{}}
	for _, c := range []struct {
		query string
		args  []any
		add   func(counted)
	}{
		{`SELECT app, state, count(*) FROM links GROUP BY app, state`, nil, func(c counted) {
			if counts.Links[c.app] == nil {
				counts.Links[c.app] = map[ledger.LinkState]int{}
			}
			counts.Links[c.app][c.state] = c.n
		}},
		{`SELECT app, '', count(*) FROM steps WHERE state = 'attention' GROUP BY app`, nil, func(c counted) { counts.Attention[c.app] = c.n }},
		{`SELECT l.app, '', count(*) FROM links l JOIN people p ON p.id = l.person_id
			WHERE l.state = 'disabled' AND p.status = ? GROUP BY l.app`, []any{string(hr.StatusEnded)}, func(c counted) { counts.Retention[c.app] = c.n }},
		{`SELECT app, '', count(*) FROM approvals WHERE state = 'asked' GROUP BY app`, nil, func(c counted) { counts.Approvals[c.app] = c.n }},
		{`SELECT kind, '', count(*) FROM exceptions WHERE ended_at IS NULL GROUP BY kind`, nil, func(c counted) { counts.Exceptions[c.app] = c.n }},
	} {
		rows, err := list(ctx, s.engine, c.query, c.args, func(c *counted) []any { return []any{&c.app, &c.state, &c.n} })
		if err != nil {
			return ledger.Counts{}, s.explain(err)
		}
		for _, row := range rows {
			c.add(row)
		}
	}
	return counts, nil
}

// Overdue implements ledger.Census.
func (s *Store) Overdue(ctx context.Context, l ledger.Lateness) (int, error) {
	type people struct{ n int }
	rows, err := list(ctx, s.engine, `SELECT count(*) FROM people p WHERE p.due_at <= ?1 AND (p.due_what <> ?3
		OR p.due_at <= ?2 AND NOT EXISTS (SELECT 1 FROM steps s WHERE s.person_id = p.id AND s.last_attempt_at > ?1)
		OR EXISTS (SELECT 1 FROM events e WHERE e.person_id = p.id AND e.at <= ?1 AND e.at > coalesce(p.assessed_at, 0)))`,
		[]any{l.Since.UnixMicro(), l.Waiting.UnixMicro(), ledger.DueWorking}, func(p *people) []any { return []any{&p.n} })
	if err != nil {
		return 0, s.explain(err)
	}
	return rows[0].n, nil
}
