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

	"github.com/tenurehq/tenure/ledger"
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
			WHERE person_id = ?1 AND (state = 'held' OR state IN ('noticed', 'announced', 'waiting') AND EXISTS (SELECT 1 FROM people WHERE id = ?1 AND (due_at IS NOT NULL OR turn_seq IS NOT NULL)))
			ORDER BY kind, key`, []any{e.PersonID}}, // a breaker that is off never asks again for what it noticed
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
		{ledger.ObstacleDue, plain, `SELECT '', '', CASE WHEN due_at IS NULL THEN '` + ledger.DueEvent + `' ELSE due_what END, due_at FROM people WHERE id = ?1 AND (due_at IS NOT NULL OR turn_seq IS NOT NULL)`, []any{e.PersonID}},
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

// Holdings lists the tables that hold anything of people.
func Holdings() []string {
	out := make([]string, len(holdings))
	for i, h := range holdings {
		out[i] = h.table
	}
	return out
}
