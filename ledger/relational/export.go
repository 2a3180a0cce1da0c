package relational

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/ledger"
)

// table describes a table so that it can be moved to another database.
type table struct {
	name    string
	columns []string
	key     string // columns by which rows are ordered
	// counter is the column whose values the database counts up; empty if there is none.
	// The database never uses a value again.
	counter string
	bytes   []string // columns that hold bytes: in an export they are base64
}

// tables lists all tables of a ledger, in an order in which they can be filled. Tests of the
// engines compare them with the tables that the migrations make.
var tables = []table{
	{name: "people", key: "id", columns: words(`id username username_key given_name family_name status department job_title
		manager_id due_at due_what assessed_at last_seq revision assessed_from assessed_rev nudged_at nudged_rev nudged_what carried_to waits erased_at
		turn_seq turn_manager told_at`)},
	{name: "events", key: "seq", counter: "seq", columns: words(`seq source id person_id at topic partition offset delivered body`)},
	{name: "repetitions", key: "id", counter: "id", columns: words(`id topic partition offset event at`)},
	{name: "links", key: "person_id, app", columns: words(`person_id app account_id username state adopted entitlements attributes
		created_at disabled_at stripped_at handed_over_at deleted_at proven_at doubt_until rename_to owner_was
		creating_at creating_username creating creating_account contested changed_at gave_at unsure_state unsure_entitlements
		binned_id binned_at receiver`)},
	{name: "steps", key: "person_id, key", columns: words(`person_id key app kind state attempts code message reason
		planned_at trying_since last_attempt_at finished_at outcome acknowledged_at operation operation_call operation_at operation_look_at due_at queued`)},
	{name: "attempts", key: "id", counter: "id", columns: words(`id person_id key app at deadline gives destroys before`)},
	{name: "waivers", key: "person_id, key", columns: words(`person_id key operator reason at login`)},
	{name: "audit", key: "seq", counter: "seq", columns: words(`seq at person_id app action actor cause detail key attempt login salt`), bytes: []string{"salt"}},
	{name: "audit_leaves", key: "leaf", columns: words(`leaf seq text hash`), bytes: []string{"text", "hash"}},
	{name: "audit_tiles", key: "level, n", columns: words(`level n data`), bytes: []string{"data"}},
	{name: "checkpoints", key: "size", columns: words(`size at root note`), bytes: []string{"root"}},
	{name: "published", key: "place, size", columns: words(`place size at receipt`)},
	{name: "exported", key: "place", columns: words(`place size at`)},
	{name: "redactions", key: "seq", columns: words(`seq by`)},
	{name: "dead_letters", key: "id", counter: "id", columns: words(`id topic partition offset origin_topic origin_partition origin_offset
		digest format at reason field text person_id event_type event_source event_id urgent
		parent_topic parent_partition parent_offset state acted_at operator why ended_at sending login`)},
	{name: "app_pace", key: "app", columns: words(`app next_at`)},
	{name: "leases", key: "name", columns: words(`name holder fence ends_at`)},
	{name: "licences", key: "app, name", columns: words(`app name seats used awaited counted_at`)},
	{name: "tasks", key: "id", counter: "id", columns: words(`id person_id app key kind work assignee escalate_to second_person state
		opened_at due_at look_at reminders escalated_at done_by proof done_at account ended_by why ended_at
		done_login ended_login`)},
	{name: "cohorts", key: "id", counter: "id", columns: words(`id kind state counted allowed opened_at closed_at operator reason login`)},
	{name: "withdrawals", key: "person_id, kind, key", columns: words(`person_id kind key state cohort released source event_id voids
		apps why said_at due_at counted_at seen_at`)},
	{name: "holds", key: "id", counter: "id", columns: words(`id person_id placed_at expires_at operator reason
		released_at released_by release_reason login released_login`)},
	{name: "retentions", key: "id", counter: "id", columns: words(`id person_id app until_at for_micros set_at operator reason
		ended_at ended_by end_reason login ended_login`)},
	{name: "approvals", key: "person_id, key", columns: words(`person_id key app state asked_at look_at reminders
		approved_at operator reason login`)},
	{name: "exceptions", key: "id", counter: "id", columns: words(`id person_id kind role app entitlement duty control
		employment_source employment_id starts_at ends_at origin emergency decided_at decided_by login reason
		ended_at ended_by ended_login end_reason`)},
	{name: "requests", key: "id", counter: "id", columns: words(`id person_id role duty control starts_at for_micros reason ticket asked_by operator login
		asked_at emergency extends terms preview state stage stage_at expires_at escalated_at reminders look_at exception_id decided_at
		why proven_at revision`)},
	{name: "votes", key: "request_id, stage, voter", columns: words(`request_id stage voter asked_at reminders moot_at authority vote
		operator login shown reason at`)},
	{name: "stand_ins", key: "id", counter: "id", columns: words(`id person_id stand_in starts_at ends_at operator login reason at
		ended_at ended_by ended_login end_reason`)},
	{name: "reviews", key: "id", counter: "id", columns: words(`id name key person_id started_by login reason started_at terms state place
		digest items accesses scans opened_at ends_at closed_at done_at look_at reminders escalated_at previewed_at followed_at revision`)},
	{name: "review_items", key: "review_id, item", columns: words(`review_id item key kind person_id app account_id entitlement role duty
		exception_id because facts people accesses reviewer authority also assigned_at assigned_why decision decided_by decided_as
		decided_at operator login took reason effect_at proven_at`)},
	{name: "review_accesses", key: "review_id, person_id, app, account_id, entitlement", columns: words(`review_id person_id app
		account_id entitlement item effect effect_at proven_at needs`)},
	{name: "same_people", key: "id", counter: "id", columns: words(`id new_id old_id at operator reason carried username
		ended_at ended_by end_reason`)},
	{name: "identifiers", key: "kind, app, value, person_id", columns: words(`kind app value person_id since`)},
	{name: "reserved", key: "kind, app, digest", columns: words(`kind app digest`)},
	{name: "scans", key: "id", counter: "id", columns: words(`id app key state started_at listed_at ended_at accounts enabled reported
		token place why believed_at believed_by believe_reason login orphans orphans_off pages`)},
	{name: "observed", key: "app, account_id", columns: words(`app account_id scan at username external_id addresses employee active
		entitlements last_used_at seen baseline baseline_at first_at`)},
	{name: "findings", key: "id", counter: "id", columns: words(`id app account_id kind what person_id candidates by_kind enabled state why
		scans first_scan last_scan found_at decided_at decided_by reason login ended_at`)},
	{name: "notices", key: "id", counter: "id", columns: words(`id key kind about person_id app occasion recipient urgent made_at send_at state
		attempts message first_at tried_at why ended_at`)},
	{name: "breaker", key: "id", columns: words(`id turn`)},
}

func words(list string) []string { return strings.Fields(list) }

// Columns returns the columns of all tables, sorted. Tests of engines use it, so that nobody
// adds a column to a table and forgets to export it.
func Columns() map[string][]string {
	all := map[string][]string{}
	for _, t := range tables {
		all[t.name] = slices.Sorted(slices.Values(t.columns))
	}
	return all
}

// list returns the columns as an SQL list.
func (t table) list() string { return `"` + strings.Join(t.columns, `", "`) + `"` }

// named returns a dialect's statement with the names of the table and its counter.
func (t table) named(statement string) string {
	return strings.NewReplacer("{table}", t.name, "{column}", t.counter).Replace(statement)
}

// Export implements ledger.Mover.
func (s *Store) Export(ctx context.Context, w io.Writer, m ledger.Move, p ledger.Progress) (ledger.Export, error) {
	out := &exporter{to: bufio.NewWriter(w), sum: sha256.New(), progress: p}
	begun := false
	err := s.engine.Snapshot(ctx, func(now Reader) error {
		if begun { // the output cannot be taken back
			return errors.New("the connection broke meanwhile: export again")
		}
		begun = true
		return out.write(ctx, now, s.dialect)
	})
	done := out.export()
	if err == nil {
		err = s.engine.Write(ctx, as(ctx, func(t *Tx) error { return t.auditMove(ledger.ActionExported, m, done) }))
	}
	if err == nil {
		err = out.end()
	}
	if err != nil {
		return ledger.Export{}, s.explain(fmt.Errorf("export: %w", err))
	}
	return done, nil
}

// auditMove writes the audit row about a move of the ledger.
func (t *Tx) auditMove(action string, m ledger.Move, e ledger.Export) error {
	err := t.putAudit(ledger.AuditRow{
		At: m.At, Action: action, Actor: m.Operator,
		Detail: map[string]any{"sha256": e.SHA256, "rows": e.Total(), "schema": e.Schema},
	}, "ledger:"+e.SHA256, 0)
	return err
}

// exporter writes one export.
type exporter struct {
	to       *bufio.Writer
	sum      hash.Hash
	header   header
	trailer  trailer
	progress ledger.Progress
}

// export returns a summary of the rows written.
func (e *exporter) export() ledger.Export {
	return ledger.Export{Schema: e.header.Schema, Rows: e.header.rows(), SHA256: e.trailer.SHA256}
}

// write writes all but the last line.
func (e *exporter) write(ctx context.Context, now Reader, d Dialect) (err error) {
	if e.header, err = describe(ctx, now, d); err != nil {
		return err
	}
	if err := e.line(e.header); err != nil {
		return err
	}
	for i, t := range tables {
		before := e.trailer.Rows
		if err := e.rows(ctx, now, t); err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
		if n := e.trailer.Rows - before; n != e.header.Tables[i].Rows {
			return fmt.Errorf("table %s has %d rows, and had %d: the snapshot does not hold", t.name, n, e.header.Tables[i].Rows)
		}
	}
	e.trailer.SHA256 = hex.EncodeToString(e.sum.Sum(nil))
	return e.to.Flush()
}

// end writes the last line, without which the file is not an export.
func (e *exporter) end() error {
	if err := e.line(e.trailer); err != nil {
		return err
	}
	return e.to.Flush()
}

// describe counts the rows of every table.
func describe(ctx context.Context, now Reader, d Dialect) (header, error) {
	schema, err := number64(ctx, now, schemaQuery)
	if err != nil {
		return header{}, err
	}
	h := header{Format: exportFormat, Version: exportVersion, Schema: schema}
	for _, t := range tables {
		th := tableHeader{Name: t.name, Columns: t.columns}
		if th.Rows, err = number64(ctx, now, `SELECT count(*) FROM `+t.name); err != nil {
			return header{}, err
		}
		if t.counter != "" {
			if th.Counter, err = number64(ctx, now, t.named(d.Counter)); err != nil {
				return header{}, err
			}
		}
		h.Tables = append(h.Tables, th)
	}
	return h, nil
}

// schemaQuery reads the version of the tables, which the migrations keep.
const schemaQuery = `SELECT max(version_id) FROM goose_db_version`

func number64(ctx context.Context, now Reader, query string) (n int64, err error) {
	all, err := list(ctx, now, query, nil, func(n *int64) []any { return []any{n} })
	if err != nil {
		return 0, err
	}
	return all[0], nil
}

// rows writes a table's rows.
func (e *exporter) rows(ctx context.Context, now Reader, t table) (err error) {
	rows, err := now.QueryContext(ctx, `SELECT `+t.list()+` FROM `+t.name+` ORDER BY `+t.key)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	line, dest := make([]any, 1+len(t.columns)), make([]any, len(t.columns))
	line[0] = t.name
	for i := range dest {
		dest[i] = &line[1+i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		for i, v := range line {
			switch v := v.(type) {
			case nil, string, int64:
			case []byte:
				line[i] = base64.StdEncoding.EncodeToString(v)
			default:
				return fmt.Errorf("column %s holds a %T", t.columns[i-1], v)
			}
		}
		if err := e.line(line); err != nil {
			return err
		}
		e.trailer.Rows++
		if e.progress != nil {
			e.progress(e.trailer.Rows, e.header.total())
		}
	}
	return rows.Err()
}

func (e *exporter) line(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	b = append(b, '\n')
	_, _ = e.sum.Write(b) // never fails
	_, err = e.to.Write(b)
	return err
}

// An export consists of lines of JSON:
//
//	{"format":"tenure-ledger","version":1,"schema":8,"tables":[{"name":"people","columns":["id",...],"rows":2,"counter":0},...]}
//	["people","p1","ada",null,...]
//	...
//	{"rows":17,"sha256":"..."}
//
// Rows come table by table, in the order of the header. A value is a text, a whole number or
// null. Bytes are a text in base64. The last line has the digest of all other lines, line ends included.

const (
	exportFormat  = "tenure-ledger"
	exportVersion = 1
)

// header is the first line.
type header struct {
	Format  string        `json:"format"`
	Version int           `json:"version"`
	Schema  int64         `json:"schema"`
	Tables  []tableHeader `json:"tables"`
}

type tableHeader struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
	Rows    int64    `json:"rows"`
	Counter int64    `json:"counter"` // the highest number that was used
}

// trailer is the last line.
type trailer struct {
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

func (h header) total() (n int64) {
	for _, t := range h.Tables {
		n += t.Rows
	}
	return n
}

func (h header) rows() map[string]int64 {
	rows := map[string]int64{}
	for _, t := range h.Tables {
		rows[t.Name] = t.Rows
	}
	return rows
}
