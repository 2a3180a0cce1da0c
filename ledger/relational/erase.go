package relational

import (
	"context"
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
	return written(ctx, s, "", func(t *Tx) (ledger.Erased, error) { return t.erase(e, before) }) //nolint:contextcheck // a transaction has its context
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
	if err := t.putAudit(row, ledger.AuditErased, 0); err != nil {
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
				manager_id = '', turn_manager = '', waits = NULL, nudged_at = NULL, erased_at = ?2, revision = revision + 1, assessed_from = -1, assessed_rev = revision + 1
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
