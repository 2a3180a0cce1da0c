package relational

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/privacy"
)

// holding says what a table holds of a person, and what an erasure does about it.
type holding struct {
	table string
	about string // which rows are about the person ?1
	// empty holds the assignments that empty those rows. Without it, they are removed.
	empty string
}

// Which requests are about somebody, and in which they voted.
const theirRequests = `person_id = ?1 OR asked_by = ?1`

// holdings lists what is held of people. The tables that are missing hold nothing of anybody. The
// rows of people, links, identifiers and audit are emptied in other ways, and the order matters:
// what is seen of accounts is found by the links.
var holdings = []holding{
	{table: "people", about: `id = ?1`},
	{table: "events", about: `person_id = ?1`, empty: `body = '{}'`},
	{table: "observed", about: `account_id <> '' AND EXISTS (SELECT 1 FROM links l WHERE l.person_id = ?1 AND l.app = observed.app AND l.account_id = observed.account_id)`},
	{table: "links", about: `person_id = ?1`},
	{table: "identifiers", about: `person_id = ?1`},
	{table: "steps", about: `person_id = ?1`, empty: `message = '', reason = '', outcome = NULL, operation = ''`},
	{table: "attempts", about: `person_id = ?1`},
	{table: "waivers", about: `person_id = ?1`, empty: `reason = ''`},
	{table: "withdrawals", about: `person_id = ?1`, empty: `why = ''`},
	{table: "tasks", about: `person_id = ?1`, empty: `work = '{}', proof = '', why = '', account = ''`},
	{table: "approvals", about: `person_id = ?1`, empty: `reason = ''`},
	{table: "holds", about: `person_id = ?1`, empty: `reason = '', release_reason = ''`},
	{table: "retentions", about: `person_id = ?1`, empty: `reason = '', end_reason = ''`},
	{table: "exceptions", about: `person_id = ?1`, empty: `reason = '', end_reason = '', control = ''`},
	{table: "requests", about: theirRequests, empty: `reason = '', ticket = '', why = '', control = ''`},
	{table: "votes", about: `voter = ?1 OR request_id IN (SELECT id FROM requests WHERE ` + theirRequests + `)`, empty: `reason = ''`},
	{table: "stand_ins", about: `person_id = ?1 OR stand_in = ?1`, empty: `reason = '', end_reason = ''`},
	{table: "reviews", about: `person_id = ?1`, empty: `reason = ''`},
	{table: "review_items", about: `person_id = ?1 OR reviewer = ?1 OR decided_by = ?1`, empty: `reason = '', facts = CASE WHEN person_id = ?1 THEN '{}' ELSE facts END`},
	{table: "review_accesses", about: `person_id = ?1`, empty: `needs = ''`},
	{table: "findings", about: `person_id = ?1`, empty: `reason = '', why = ''`},
	{table: "same_people", about: `new_id = ?1 OR old_id = ?1`, empty: `reason = '', end_reason = '', username = ''`},
	{table: "dead_letters", about: `person_id = ?1`, empty: `text = '', why = ''`},
	{table: "notices", about: `person_id = ?1 OR about = 'person:' || ?1 OR recipient = 'person:' || ?1`,
		empty: `why = '', state = CASE WHEN state = 'waiting' THEN 'moot' ELSE state END, ended_at = CASE WHEN state = 'waiting' THEN ?2 ELSE ended_at END`},
	{table: "audit", about: `person_id = ?1`},
}

// The ways in which a column may name somebody.
const (
	byHuman = "human" // humans typed it
	byText  = "text"  // Tenure or an app wrote it
	byJSON  = "json"  // likewise, in JSON
	byID    = "id"    // an app made it, and it may be part of a key
	byPlace = "place" // where something goes on; without it, from the beginning
)

// mentions lists the columns in which somebody may be named, in their own rows and in other
// people's. Names of apps, roles, entitlements and operators are none of them: they are what the
// configuration, an app or an operator calls itself.
var mentions = []struct {
	table   string
	columns map[string]string
}{
	{"events", map[string]string{"body": byJSON}},
	{"links", map[string]string{"receiver": byJSON}},
	{"steps", map[string]string{"message": byText, "reason": byHuman}},
	{"waivers", map[string]string{"reason": byHuman}},
	{"dead_letters", map[string]string{"reason": byText, "text": byText, "why": byHuman}},
	{"tasks", map[string]string{"work": byJSON, "proof": byHuman, "why": byHuman}},
	{"cohorts", map[string]string{"reason": byHuman}},
	{"withdrawals", map[string]string{"why": byText}},
	{"holds", map[string]string{"reason": byHuman, "release_reason": byHuman}},
	{"retentions", map[string]string{"reason": byHuman, "end_reason": byHuman}},
	{"approvals", map[string]string{"reason": byHuman}},
	{"exceptions", map[string]string{"control": byHuman, "reason": byHuman, "end_reason": byHuman}},
	{"requests", map[string]string{"reason": byHuman, "ticket": byHuman, "why": byHuman, "control": byHuman}},
	{"votes", map[string]string{"authority": byText, "reason": byHuman}},
	{"stand_ins", map[string]string{"reason": byHuman, "end_reason": byHuman}},
	{"reviews", map[string]string{"reason": byHuman}},
	{"review_items", map[string]string{"key": byID, "account_id": byID, "authority": byText, "because": byText, "facts": byJSON, "assigned_why": byHuman, "reason": byHuman}},
	{"review_accesses", map[string]string{"account_id": byID, "needs": byText}},
	{"same_people", map[string]string{"reason": byHuman, "end_reason": byHuman}},
	{"scans", map[string]string{"place": byPlace, "token": byPlace, "why": byText, "believe_reason": byHuman}},
	{"findings", map[string]string{"account_id": byID, "what": byID, "why": byText, "reason": byHuman}},
	{"notices", map[string]string{"recipient": byText, "why": byText}},
}

// whose lists the keys of JSON that say who somebody else is, or what Tenure goes by. What is
// there is theirs, even if somebody else is called so too.
var whose = words(`id source personId givenName familyName preferredName workEmail personalEmail phone employeeNumber
	managerId previousPersonId rescinds rescindsSource positionId type grant revoke toPerson could`)

// SetPepper sets the key of the digests by which names of erased people are reserved. It must be
// called before the ledger is used.
func (s *Store) SetPepper(pepper []byte) { s.pepper = slices.Clone(pepper) }

// reserve returns the digest by which an identifier is reserved.
func reserve(pepper []byte, kind, app, value string) string {
	mac := hmac.New(sha256.New, pepper)
	_, _ = fmt.Fprintf(mac, "%s\x00%s\x00%s", kind, app, value) // never fails
	return hex.EncodeToString(mac.Sum(nil))
}

// kindKey is the kind of the row that tells which key the digests were made with.
const kindKey = "key"

// querier is a transaction as a Reader.
type querier func(query string, args ...any) (*sql.Rows, error)

func (q querier) QueryContext(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	return q(query, args...)
}

// reading returns the transaction as a Reader.
func (t *Tx) reading() Reader { return querier(t.conn.Query) }

// reserves returns a function that reports whether an identifier is reserved. It fails with
// ErrPepper if that cannot be known.
func reserves(ctx context.Context, now Reader, pepper []byte) (func(kind, app, value string) (bool, error), error) {
	text := func(s *string) []any { return []any{s} }
	key, err := list(ctx, now, `SELECT digest FROM reserved WHERE kind = ?`, []any{kindKey}, text)
	if err != nil {
		return nil, err
	}
	if len(key) == 0 {
		return func(string, string, string) (bool, error) { return false, nil }, nil
	}
	if len(pepper) == 0 || key[0] != reserve(pepper, kindKey, "", "") {
		return nil, ledger.ErrPepper
	}
	return func(kind, app, value string) (bool, error) {
		found, err := list(ctx, now, `SELECT digest FROM reserved WHERE kind = ? AND app = ? AND digest = ?`,
			[]any{kind, app, reserve(pepper, kind, app, value)}, text)
		return len(found) > 0, err
	}, nil
}

// Reserved implements ledger.PrivacyReader.
func (s *Store) Reserved(ctx context.Context, kind ledger.IdentifierKind, app, value string) (reserved bool, err error) {
	err = s.engine.Snapshot(ctx, func(now Reader) error {
		is, err := reserves(ctx, now, s.pepper)
		if err != nil {
			return err
		}
		reserved, err = is(string(kind), app, identifierKey(kind, value))
		return err
	})
	return reserved, s.explain(err)
}

// Data implements ledger.PrivacyReader.
func (s *Store) Data(ctx context.Context, personID string) (data []ledger.TableData, err error) {
	err = s.engine.Snapshot(ctx, func(now Reader) error {
		data = nil
		if found, err := list(ctx, now, `SELECT 1 FROM people WHERE id = ?`, []any{personID}, one); err != nil || len(found) == 0 {
			return errors.Join(err, ledger.ErrNotFound)
		}
		for _, h := range holdings {
			rows, err := dataOf(ctx, now, h, personID)
			if err != nil {
				return fmt.Errorf("table %s: %w", h.table, err)
			}
			if len(rows) > 0 {
				data = append(data, ledger.TableData{Table: h.table, Rows: rows})
			}
		}
		return nil
	})
	return data, s.explain(err)
}

func dataOf(ctx context.Context, now Reader, h holding, personID string) (out []map[string]any, err error) {
	tab := tables[slices.IndexFunc(tables, func(t table) bool { return t.name == h.table })]
	rows, err := now.QueryContext(ctx, `SELECT `+tab.list()+` FROM `+h.table+` WHERE `+h.about+` ORDER BY `+tab.key, personID)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		values := make([]any, len(tab.columns))
		dest := make([]any, len(values))
		for i := range values {
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		row := map[string]any{}
		for i, column := range tab.columns {
			if v := shown(column, values[i]); v != nil {
				row[column] = v
			}
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

// shown returns a column's value as people read it, and nil if it is empty.
func shown(column string, v any) any {
	switch v := v.(type) {
	case int64:
		if column == "at" || column == "since" || column == "deadline" || column == "doubt_until" || strings.HasSuffix(column, "_at") {
			return time.UnixMicro(v).UTC()
		}
		return v
	case string:
		if strings.HasPrefix(v, "{") || strings.HasPrefix(v, "[") {
			if json.Valid([]byte(v)) {
				return json.RawMessage(v)
			}
		}
		if v != "" {
			return v
		}
	}
	return nil // nothing, or bytes that say nothing
}

// StandsAgainst implements ledger.PrivacyReader.
func (s *Store) StandsAgainst(ctx context.Context, e ledger.Erasure) (all []ledger.Obstacle, err error) {
	err = s.engine.Snapshot(ctx, func(now Reader) (err error) {
		if found, err := list(ctx, now, `SELECT 1 FROM people WHERE id = ?`, []any{e.PersonID}, one); err != nil || len(found) == 0 {
			return errors.Join(err, ledger.ErrNotFound)
		}
		all, err = obstacles(ctx, now, e)
		return err
	})
	return all, s.explain(err)
}

// obstacles lists what stands against an erasure.
func obstacles(ctx context.Context, now Reader, e ledger.Erasure) ([]ledger.Obstacle, error) {
	at := e.At.UnixMicro()
	kept := marks(len(e.KeptAccounts))
	if kept == "" {
		kept = `NULL`
	}
	number := func(prefix string) func(string) string { return func(n string) string { return prefix + n } }
	plain := func(n string) string { return n }
	var all []ledger.Obstacle
	for _, look := range []struct {
		what  ledger.ObstacleKind
		name  func(string) string
		query string // name, app, state, until
		args  []any
	}{
		{ledger.ObstacleHold, number("h-"), `SELECT CAST(id AS TEXT), '', '', expires_at FROM holds WHERE person_id = ?1 AND released_at IS NULL AND expires_at > ?2 ORDER BY id`, []any{e.PersonID, at}},
		{ledger.ObstacleHuman, plain, `SELECT s.id, '', '', NULL FROM people p JOIN people s ON s.id = p.carried_to WHERE p.id = ?1 AND s.erased_at IS NULL`, []any{e.PersonID}},
		{ledger.ObstacleAccount, plain, `SELECT '', app, state, NULL FROM links WHERE person_id = ?1 AND state <> 'deleted' AND NOT (state = 'disabled' AND coalesce(app IN (` + kept + `), false))
			AND NOT (state = 'planned' AND account_id = '' AND creating = '') ORDER BY app`, append([]any{e.PersonID}, anys(e.KeptAccounts)...)},
		{ledger.ObstacleCall, plain, `SELECT '', app, '', deadline FROM attempts WHERE person_id = ?1 AND deadline > ?2 ORDER BY app, id`, []any{e.PersonID, at}},
		{ledger.ObstacleStep, plain, `SELECT key, app, state, NULL FROM steps WHERE person_id = ?1 AND state IN ('open', 'attention') ORDER BY app, key`, []any{e.PersonID}},
		{ledger.ObstacleBreaker, plain, `SELECT CASE WHEN cohort IS NULL THEN '' ELSE 'c-' || CAST(cohort AS TEXT) END, '', kind, NULL FROM withdrawals
			WHERE person_id = ?1 AND state IN ('noticed', 'announced', 'waiting', 'held') ORDER BY kind, key`, []any{e.PersonID}},
		{ledger.ObstacleTask, number("t-"), `SELECT CAST(id AS TEXT), app, state, NULL FROM tasks WHERE person_id = ?1 AND ` + unfinished + ` ORDER BY id`, []any{e.PersonID}},
		{ledger.ObstacleRequest, number("r-"), `SELECT CAST(r.id AS TEXT), '', r.state, r.expires_at FROM requests r
			WHERE (r.person_id = ?1 OR r.asked_by = ?1) AND (r.state IN ('asked', 'confirming') OR r.look_at IS NOT NULL)
				OR r.state IN ('asked', 'confirming') AND EXISTS (SELECT 1 FROM votes v WHERE v.request_id = r.id AND v.voter = ?1 AND v.vote = '' AND v.moot_at IS NULL)
			ORDER BY r.id`, []any{e.PersonID}},
		{ledger.ObstacleReview, number("v-"), `SELECT CAST(r.id AS TEXT), '', r.state, r.ends_at FROM reviews r WHERE r.state <> 'closed'
			AND (r.person_id = ?1 OR EXISTS (SELECT 1 FROM review_items i WHERE i.review_id = r.id AND (i.person_id = ?1 OR i.reviewer = ?1 AND i.decision = '')))
			ORDER BY r.id`, []any{e.PersonID}},
		{ledger.ObstacleFinding, number("f-"), `SELECT CAST(id AS TEXT), app, kind, NULL FROM findings WHERE person_id = ?1 AND ended_at IS NULL ORDER BY id`, []any{e.PersonID}},
		{ledger.ObstacleException, number("x-"), `SELECT CAST(id AS TEXT), app, kind, ends_at FROM exceptions WHERE person_id = ?1 AND ended_at IS NULL ORDER BY id`, []any{e.PersonID}},
		{ledger.ObstacleLetter, plain, `SELECT CAST(id AS TEXT), topic, state, NULL FROM dead_letters WHERE person_id = ?1 AND state IN ('open', 'redriven') ORDER BY id`, []any{e.PersonID}},
		{ledger.ObstacleDue, plain, `SELECT '', '', due_what, due_at FROM people WHERE id = ?1 AND due_at IS NOT NULL`, []any{e.PersonID}},
		{ledger.ObstacleRecord, plain, `SELECT CAST(a.seq AS TEXT), '', a.action, NULL FROM audit a WHERE a.person_id = ?1 AND ` + typed + `
			AND NOT EXISTS (SELECT 1 FROM audit_leaves l WHERE l.seq = a.seq) ORDER BY a.seq`, []any{e.PersonID}},
	} {
		found, err := list(ctx, now, look.query, look.args, func(o *ledger.Obstacle) []any {
			return []any{&o.Name, &o.App, &o.State, instant{&o.Until}}
		})
		if err != nil {
			return nil, fmt.Errorf("look for what stands against it (%s): %w", look.what, err)
		}
		for _, o := range found {
			o.What, o.Name = look.what, look.name(o.Name)
			all = append(all, o)
		}
	}
	return all, nil
}

// typed selects the rows of the record in which a human typed something that is still there. What
// tells of the record itself keeps its text: see redact.
const typed = `a.actor <> 'tenure' AND (a.cause <> '' OR a.detail IS NOT NULL) AND ` + redactable

const redactable = `a.action NOT IN ('` + audit.ActionRedacted + `', '` + audit.ActionRestarted + `', '` + ledger.AuditErased + `')`

// Erase implements ledger.Privacy.
func (s *Store) Erase(ctx context.Context, e ledger.Erasure) (erased ledger.Erased, err error) {
	if e.Operator == "" || e.Reason == "" {
		return erased, errors.New("ledger: an erasure needs the operator and the reason")
	}
	var before hints
	err = s.engine.Snapshot(ctx, func(now Reader) (err error) {
		before, err = hintsOf(ctx, now, e.PersonID)
		return err
	})
	if err != nil {
		return erased, s.explain(err)
	}
	err = s.write(ctx, func(t *Tx) (err error) { //nolint:contextcheck // a transaction has its context
		erased, err = t.erase(e, before)
		return err
	})
	if err != nil {
		return ledger.Erased{}, err
	}
	return erased, nil
}

func (t *Tx) erase(e ledger.Erasure, before hints) (out ledger.Erased, err error) {
	if err := t.known(e.PersonID); err != nil {
		return out, err
	}
	var revision int64
	var erasedAt time.Time
	if _, err := t.get(`SELECT revision, erased_at FROM people WHERE id = ?`, []any{e.PersonID}, &revision, instant{&erasedAt}); err != nil {
		return out, err
	}
	if !erasedAt.IsZero() {
		out.Again, out.At = true, erasedAt
		_, err := t.get(`SELECT max(seq) FROM audit WHERE person_id = ? AND action = ?`, []any{e.PersonID, ledger.AuditErased}, &out.Seq)
		return out, err
	}
	if revision != e.Revision {
		return out, fmt.Errorf("erase person %s: %w", e.PersonID, ledger.ErrStale)
	}
	against, err := obstacles(context.Background(), t.reading(), e)
	if err != nil {
		return out, err
	}
	if len(against) > 0 {
		return out, &ledger.StandsAgainstError{Obstacles: against}
	}
	x := eraser{Tx: t, Erasure: e, hints: before, rows: map[string]int64{}}
	if _, named := x.own.Erase(x.Reason); named && x.Operator != ledger.ActorTenure {
		return out, fmt.Errorf("%w: the reason names the person, and it would stay: say it without their name", ledger.ErrRefused)
	}
	for _, step := range []func() error{x.reserve, x.empty, x.forget, x.redact} {
		if err := step(); err != nil {
			return out, err
		}
	}
	out = ledger.Erased{At: e.At, Rows: x.rows, Redacted: x.redacted, Elsewhere: x.elsewhere}
	row := ledger.AuditRow{
		At: e.At, PersonID: e.PersonID, Action: ledger.AuditErased, Actor: e.Operator, Cause: e.Reason,
		Detail: map[string]any{"rows": x.rows, "redacted": x.redacted, "elsewhere": x.elsewhere},
	}
	if _, err := t.appendAudit(row, ledger.AuditErased, 0); err != nil {
		return out, err
	}
	_, err = t.get(`SELECT max(seq) FROM audit WHERE person_id = ? AND action = ?`, []any{e.PersonID, ledger.AuditErased}, &out.Seq)
	return out, err
}

// names are the words by which texts tell who a person is.
type names struct {
	own       privacy.Finder // in their own rows
	text      privacy.Finder // in any text
	typed     privacy.Finder // in what humans typed
	addresses []string       // and usernames, in lower case
}

// namesOf finds out by which words texts tell who a person is.
func namesOf(ctx context.Context, now Reader, personID string) (n names, err error) {
	stored, err := personEvents(ctx, now, personID)
	if err != nil {
		return n, err
	}
	events := make([]hr.Event, len(stored))
	for i := range stored {
		events[i] = stored[i].Event
	}
	text := func(s *string) []any { return []any{s} }
	usernames, err := list(ctx, now, `SELECT username FROM people WHERE id = ?1 AND username IS NOT NULL
		UNION SELECT username FROM links WHERE person_id = ?1 UNION SELECT creating_username FROM links WHERE person_id = ?1
		UNION SELECT value FROM identifiers WHERE person_id = ?1 AND kind = 'username'`, []any{personID}, text)
	if err != nil {
		return n, err
	}
	addresses, err := list(ctx, now, `SELECT value FROM identifiers WHERE person_id = ? AND kind = 'email'`, []any{personID}, text)
	if err != nil {
		return n, err
	}
	accounts, err := list(ctx, now, `SELECT account_id FROM links WHERE person_id = ?1 UNION SELECT value FROM identifiers WHERE person_id = ?1 AND kind = 'account'`, []any{personID}, text)
	if err != nil {
		return n, err
	}
	for _, id := range slices.Concat(usernames, addresses) {
		n.addresses = append(n.addresses, strings.ToLower(id))
	}
	w := privacy.WordsOf(events, usernames, addresses, accounts)
	// The summary may be older than HR's events.
	summaries, err := list(ctx, now, summaryQuery, []any{personID}, summaryDest)
	if err != nil || len(summaries) == 0 {
		return n, errors.Join(err, ledger.ErrNotFound)
	}
	w = w.Called(summaries[0].GivenName, summaries[0].FamilyName)
	n.own = privacy.NewFinder(slices.Concat(w.Sure, w.Bare))
	var failed error
	w = w.Without(func(word string) bool {
		others, err := namesOthers(ctx, now, personID, word)
		failed = errors.Join(failed, err)
		return others
	})
	n.text, n.typed = privacy.NewFinder(w.Sure), privacy.NewFinder(slices.Concat(w.Sure, w.Bare))
	return n, failed
}

// namesOthers reports whether a word is somebody else's too: what names a namesake, or is the
// address of two, does not name the person, and is not theirs to take away.
func namesOthers(ctx context.Context, now Reader, personID, word string) (bool, error) {
	spaced := strings.Join(strings.FieldsFunc(word, func(r rune) bool { return strings.ContainsRune(" ,.", r) }), " ")
	found, err := list(ctx, now, `SELECT 1 WHERE EXISTS (SELECT 1 FROM people WHERE id <> ?1 AND erased_at IS NULL
			AND (lower(?2) IN (lower(given_name), lower(family_name), lower(given_name || ' ' || family_name), lower(family_name || ' ' || given_name))
				OR username_key = ?3))
		OR EXISTS (SELECT 1 FROM identifiers i JOIN people p ON p.id = i.person_id WHERE i.person_id <> ?1 AND p.erased_at IS NULL
			AND i.kind IN ('email', 'username') AND i.app = '' AND i.value = ?3)`,
		[]any{personID, spaced, strings.ToLower(word)}, one)
	return len(found) > 0, err
}

// hints say by what a person is named, and where in the large tables, as far as they had been
// written when that was looked for: before the transaction, which goes on only if nothing was
// recorded of the person since. Searching takes seconds in a large ledger, for which nobody who
// writes should have to wait.
type hints struct {
	names
	audit  []int64 // rows of the record of others that may name the person ...
	events []int64 // likewise, events
	// ... up to these.
	auditTo, eventsTo int64
}

// lateRows is how many numbers a row may be behind that becomes visible last. What is newer is
// looked for again in the transaction.
const lateRows = 10_000

func hintsOf(ctx context.Context, now Reader, personID string) (h hints, err error) {
	if h.names, err = namesOf(ctx, now, personID); err != nil {
		return h, err
	}
	inBody, body := likes("body", h.text)
	inCause, cause := likes("cause", h.typed)
	inDetail, detail := likes("detail", h.typed)
	for _, look := range []struct {
		table, condition string
		args             []any
		to               *int64
		found            *[]int64
	}{
		{"events", inBody, body, &h.eventsTo, &h.events},
		{"audit", inCause + ` OR ` + inDetail, slices.Concat(cause, detail), &h.auditTo, &h.audit},
	} {
		newest, err := list(ctx, now, `SELECT coalesce(max(seq), 0) FROM `+look.table, nil, one)
		if err != nil {
			return h, err
		}
		*look.to = max(newest[0]-lateRows, 0)
		if len(look.args) == 0 { // there is no name to look for
			continue
		}
		if *look.found, err = list(ctx, now, `SELECT seq FROM `+look.table+` WHERE (`+look.condition+`) AND seq <= ? AND person_id <> ? ORDER BY seq`,
			append(look.args, *look.to, personID), one); err != nil {
			return h, err
		}
	}
	return h, nil
}

// eraser erases one person inside a transaction.
type eraser struct {
	*Tx
	ledger.Erasure
	hints
	rows      map[string]int64
	redacted  int64
	elsewhere int64
}

// reserve keeps what the person was called from being given to anybody else.
func (x *eraser) reserve() error {
	ids, err := collect(x.Tx, `SELECT kind, app, value FROM identifiers WHERE person_id = ? AND kind <> 'person' ORDER BY kind, app, value`, []any{x.PersonID},
		func(i *ledger.Identifier) []any { return []any{&i.Kind, &i.App, &i.Value} })
	if err != nil {
		return err
	}
	if _, err := reserves(context.Background(), x.reading(), x.pepper); err != nil {
		return err
	}
	if len(x.pepper) == 0 {
		return ledger.ErrPepper
	}
	const add = `INSERT INTO reserved (kind, app, digest) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`
	if err := x.exec(add, kindKey, "", reserve(x.pepper, kindKey, "", "")); err != nil {
		return err
	}
	for _, id := range ids {
		if err := x.exec(add, string(id.Kind), id.App, reserve(x.pepper, string(id.Kind), id.App, id.Value)); err != nil {
			return err
		}
	}
	return nil
}

// empty empties the person's rows.
func (x *eraser) empty() error {
	for _, h := range holdings {
		var n int64
		var err error
		args := []any{x.PersonID}
		switch h.table {
		case "people":
			n, err = x.change(`UPDATE people SET username = NULL, username_key = NULL, given_name = '', family_name = '', department = '', job_title = '',
				manager_id = '', waits = NULL, nudged_at = NULL, erased_at = ?2, revision = revision + 1, assessed_from = -1, assessed_rev = revision + 1
				WHERE id = ?1`, x.PersonID, x.At.UnixMicro())
		case "links": // an account that is kept has to stay theirs, or else it would be nobody's
			if n, err = x.change(`DELETE FROM links WHERE person_id = ? AND state <> 'disabled'`, x.PersonID); err == nil {
				var kept int64
				kept, err = x.change(`UPDATE links SET username = '', attributes = '', creating_username = '', rename_to = '', owner_was = '',
					binned_id = '', receiver = NULL WHERE person_id = ?`, x.PersonID)
				n += kept
			}
		case "identifiers":
			n, err = x.change(`DELETE FROM identifiers WHERE person_id = ? AND kind <> 'person'`, x.PersonID)
		case "audit":
			continue // see redact
		default:
			statement := `DELETE FROM ` + h.table + ` WHERE ` + h.about
			if h.empty != "" {
				statement = `UPDATE ` + h.table + ` SET ` + h.empty + ` WHERE ` + h.about
			}
			if strings.Contains(statement, `?2`) {
				args = append(args, x.At.UnixMicro())
			}
			n, err = x.change(statement, args...)
		}
		if err != nil {
			return fmt.Errorf("empty table %s: %w", h.table, err)
		}
		if n > 0 {
			x.rows[h.table] = n
		}
	}
	return x.forgetSightings()
}

// forgetSightings removes what scans saw of accounts that carry the person's ID, username or
// address. If an app still has one, its next scan shows it again, as the app's.
func (x *eraser) forgetSightings() error {
	names := append([]string{}, x.addresses...)
	n, err := x.change(`DELETE FROM observed WHERE external_id = ? AND NOT EXISTS (SELECT 1 FROM links l WHERE l.app = observed.app AND l.account_id = observed.account_id)`, x.PersonID)
	if err != nil {
		return err
	}
	for _, name := range names {
		if name == "" {
			continue
		}
		gone, err := x.change(`DELETE FROM observed WHERE (lower(username) = ?1 OR lower(addresses) LIKE ?2)
			AND NOT EXISTS (SELECT 1 FROM links l WHERE l.app = observed.app AND l.account_id = observed.account_id AND l.person_id <> ?3)`,
			name, `%"`+name+`"%`, x.PersonID)
		if err != nil {
			return err
		}
		n += gone
	}
	if n > 0 {
		x.rows["observed"] += n
	}
	return nil
}

// likes returns a condition that holds for every text in which the finder would find something.
func likes(column string, f privacy.Finder) (condition string, args []any) {
	parts := make([]string, len(f.Likes()))
	for i, pattern := range f.Likes() {
		parts[i] = `lower(` + column + `) LIKE ?`
		args = append(args, pattern)
	}
	return `(` + strings.Join(parts, ` OR `) + `)`, args
}

// forget takes the words that name the person out of other people's rows.
func (x *eraser) forget() error {
	for _, m := range mentions {
		for _, column := range sorted(keys(m.columns)) {
			how := m.columns[column]
			own := slices.IndexFunc(holdings, func(h holding) bool { return h.table == m.table })
			finder := x.text
			if how == byHuman {
				finder = x.typed
			}
			before := x.elsewhere
			if own >= 0 {
				if err := x.forgetIn(m.table, column, how, x.own, holdings[own].about); err != nil {
					return fmt.Errorf("look for the person in their rows of %s.%s: %w", m.table, column, err)
				}
				x.elsewhere = before // these are theirs
			}
			if err := x.forgetIn(m.table, column, how, finder, ""); err != nil {
				return fmt.Errorf("look for the person in %s.%s: %w", m.table, column, err)
			}
		}
	}
	return nil
}

func keys(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}

// forgetIn takes what the finder finds out of a column, of all rows or of those for which a
// condition about the person (?1) holds.
func (x *eraser) forgetIn(name, column, how string, finder privacy.Finder, about string) error {
	if len(finder.Likes()) == 0 {
		return nil
	}
	tab := tables[slices.IndexFunc(tables, func(t table) bool { return t.name == name })]
	by := strings.Split(tab.key, ", ")
	condition, args := likes(column, finder)
	ranges := []within{{}}
	if about != "" {
		condition, args = `(`+about+`) AND `+condition, append([]any{x.PersonID}, args...)
	} else if name == "events" {
		ranges = newerOr("seq", x.eventsTo, x.events)
	}
	type found struct{ values []any }
	var rows []found
	for _, r := range ranges {
		some, err := collect(x.Tx, `SELECT `+tab.key+`, `+column+` FROM `+name+` WHERE `+column+` <> '' AND `+condition+r.condition+` ORDER BY `+tab.key,
			slices.Concat(args, r.args), func(f *found) []any {
				f.values = make([]any, len(by)+1)
				dest := make([]any, len(f.values))
				for i := range dest {
					dest[i] = &f.values[i]
				}
				return dest
			})
		if err != nil {
			return err
		}
		rows = append(rows, some...)
	}
	for _, row := range rows {
		text, ok := row.values[len(by)].(string)
		if !ok {
			continue
		}
		changed, named := finder.Erase(text)
		if how == byJSON {
			changed, named = finder.EraseJSON(text, func(key string) bool { return slices.Contains(whose, key) })
		}
		if !named {
			continue
		}
		switch how {
		case byID: // of which two must not become the same
			changed += "~" + reserve(x.pepper, byID, name, text)[:8]
		case byPlace:
			changed = ""
		}
		where := strings.Join(by, ` = ? AND `) + ` = ?`
		if err := x.exec(`UPDATE `+name+` SET `+column+` = ? WHERE `+where, append([]any{changed}, row.values[:len(by)]...)...); err != nil {
			return err
		}
		x.elsewhere++
	}
	return nil
}

// redact erases the texts of the record in which humans wrote about the person, and those that
// name them.
func (x *eraser) redact() error {
	seqs, err := collect(x.Tx, `SELECT a.seq FROM audit a WHERE a.person_id = ? AND `+typed, []any{x.PersonID}, one)
	if err != nil {
		return err
	}
	for _, look := range []struct {
		finder privacy.Finder
		whose  string
		others bool
	}{
		{x.own, `true`, false},
		{x.typed, `a.actor <> 'tenure'`, true},
		{x.text, `a.actor = 'tenure'`, true},
	} {
		more, err := x.named(look.finder, look.whose, look.others)
		if err != nil {
			return err
		}
		seqs = append(seqs, more...)
	}
	slices.Sort(seqs)
	seqs = slices.Compact(seqs)
	if x.redacted = int64(len(seqs)); x.redacted == 0 {
		return nil
	}
	err = x.Tx.redact(ledger.Redaction{Seqs: seqs, Operator: x.Operator, Reason: "person " + x.PersonID + " was erased", At: x.At})
	if errors.Is(err, ledger.ErrUnsequenced) {
		return &ledger.StandsAgainstError{Obstacles: []ledger.Obstacle{{What: ledger.ObstacleRecord}}}
	}
	return err
}

// named returns those rows of the record, of the person's or of others', in which the finder
// finds something.
func (x *eraser) named(finder privacy.Finder, whose string, others bool) ([]int64, error) {
	if len(finder.Likes()) == 0 {
		return nil, nil
	}
	cause, inCause := likes("a.cause", finder)
	detail, inDetail := likes("a.detail", finder)
	type row struct {
		seq    int64
		cause  string
		detail *string
	}
	is := `=`
	ranges := []within{{}}
	if others {
		is, ranges = `<>`, newerOr("a.seq", x.auditTo, x.audit)
	}
	var seqs []int64
	for _, r := range ranges {
		rows, err := collect(x.Tx, `SELECT a.seq, a.cause, a.detail FROM audit a WHERE `+whose+` AND a.person_id `+is+` ? AND (`+cause+` OR `+detail+`)
			AND `+redactable+r.condition+` ORDER BY a.seq`,
			slices.Concat([]any{x.PersonID}, inCause, inDetail, r.args), func(r *row) []any { return []any{&r.seq, &r.cause, &r.detail} })
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			_, named := finder.Erase(r.cause)
			if !named && r.detail != nil {
				_, named = finder.EraseJSON(*r.detail, nil)
			}
			if named {
				seqs = append(seqs, r.seq)
			}
		}
	}
	return seqs, nil
}

// within restricts a search.
type within struct {
	condition string
	args      []any
}

// newerOr restricts a search to what is newer than a number, and to some that are not.
func newerOr(column string, to int64, some []int64) []within {
	all := []within{{` AND ` + column + ` > ?`, []any{to}}}
	for _, seq := range some {
		all = append(all, within{` AND ` + column + ` = ?`, []any{seq}})
	}
	return all
}

// Holdings lists the tables that hold anything of people.
func Holdings() []string {
	out := make([]string, len(holdings))
	for i, h := range holdings {
		out[i] = h.table
	}
	return out
}
