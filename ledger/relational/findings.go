package relational

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/ledger"
)

const findingColumns = `id, app, account_id, kind, what, person_id, candidates, by_kind, enabled, state, why, scans,
	first_scan, last_scan, found_at, decided_at, decided_by, reason, login, ended_at`

// findingDest lists the fields that findingColumns are scanned into.
func findingDest(f *ledger.Finding) []any {
	return []any{
		&f.ID, &f.App, &f.AccountID, &f.Kind, &f.What, &f.PersonID, decode{&f.Candidates}, &f.By, &f.Enabled, &f.State, &f.Why, &f.Scans,
		&f.FirstScan, &f.LastScan, instant{&f.FoundAt}, instant{&f.DecidedAt}, &f.DecidedBy, &f.Reason, &f.Login, instant{&f.EndedAt},
	}
}

// SaveVerdicts implements ledger.Scans.
func (s *Store) SaveVerdicts(ctx context.Context, page ledger.Compared) (due []string, err error) {
	err = s.write(ctx, func(t *Tx) (err error) {
		due, err = t.saveVerdicts(page)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store a page of the comparison of scan %d: %w", page.Scan, err)
	}
	return due, nil
}

func (t *Tx) saveVerdicts(page ledger.Compared) ([]string, error) {
	// People are locked before the scan, as everywhere else.
	var people []string
	for _, v := range page.Verdicts {
		for _, f := range v.Findings {
			if f.State == ledger.FindingRepairing && f.PersonID != "" {
				people = append(people, f.PersonID)
			}
		}
	}
	if err := t.lock(sorted(people)...); err != nil {
		return nil, err
	}
	scan, comparing, err := t.scan(page.Scan, ledger.ScanComparing)
	if err != nil || !comparing || scan.Place != page.After || len(page.Verdicts) == 0 {
		return nil, err
	}
	var due []string
	for _, v := range page.Verdicts {
		drifted, err := t.saveVerdict(scan, page, v)
		if err != nil {
			return nil, err
		}
		due = append(due, drifted...)
	}
	return sorted(due), t.exec(`UPDATE scans SET place = ? WHERE id = ?`, page.Verdicts[len(page.Verdicts)-1].AccountID, scan.ID)
}

// saveVerdict stores what was found of one account, and returns the people whom it made due.
func (t *Tx) saveVerdict(scan ledger.Scan, page ledger.Compared, v ledger.Verdict) (due []string, err error) {
	if v.Read != nil {
		o := *v.Read
		o.App, o.AccountID, o.Scan = scan.App, v.AccountID, scan.ID
		if err := t.storeObserved(o); err != nil {
			return nil, err
		}
	}
	if v.Unjudged {
		return nil, nil
	}
	if v.Baseline {
		err := t.exec(`UPDATE observed SET baseline = seen, baseline_at = at WHERE app = ? AND account_id = ?`, scan.App, v.AccountID)
		if err != nil {
			return nil, err
		}
	}
	known, err := collect(t, `SELECT `+findingColumns+` FROM findings WHERE app = ? AND account_id = ? AND ended_at IS NULL ORDER BY id`,
		[]any{scan.App, v.AccountID}, findingDest)
	if err != nil {
		return nil, err
	}
	known = slices.DeleteFunc(known, func(k ledger.Finding) bool {
		if !slices.Contains(v.Proven, k.ID) || k.State != ledger.FindingRepairing || err != nil {
			return false
		}
		err = t.endFinding(k, page.At)
		return true
	})
	if err != nil {
		return nil, err
	}
	shown := slices.Clone(v.Keep)
	for _, f := range v.Findings {
		f.App, f.AccountID, f.What = scan.App, v.AccountID, indexable(f.What)
		i := slices.IndexFunc(known, func(k ledger.Finding) bool { return k.Kind == f.Kind && k.What == f.What })
		if i >= 0 {
			shown = append(shown, known[i].ID)
			if known[i].State == ledger.FindingRepairing {
				f.State = ledger.FindingRepairing
			}
		}
		id, err := t.saveFinding(scan, page, f)
		if err != nil {
			return nil, err
		}
		shown = append(shown, id)
		if f.State != ledger.FindingRepairing || i >= 0 && known[i].State == ledger.FindingRepairing && known[i].LastScan == scan.ID {
			continue
		}
		f.ID = id
		drifted, err := t.reactTo(f, page)
		if err != nil {
			return nil, err
		}
		if drifted != "" {
			due = append(due, drifted)
		}
	}
	for _, k := range known {
		if slices.Contains(shown, k.ID) {
			continue
		}
		if err := t.endFinding(k, page.At); err != nil {
			return nil, err
		}
	}
	return due, nil
}

// endFinding ends a finding, by itself or because it was repaired.
func (t *Tx) endFinding(f ledger.Finding, at time.Time) error {
	state := ledger.FindingGone
	if f.State == ledger.FindingRepairing {
		state = ledger.FindingRepaired
	}
	return t.exec(`UPDATE findings SET state = ?, ended_at = ? WHERE id = ?`, string(state), at.UnixMicro(), f.ID)
}

// saveFinding stores a finding that this scan has shown. One that is to be repaired is open
// until it is.
func (t *Tx) saveFinding(scan ledger.Scan, page ledger.Compared, f ledger.Finding) (id int64, err error) {
	candidates, err := encoded(sorted(f.Candidates))
	if err != nil {
		return 0, err
	}
	state := f.State
	if state == ledger.FindingRepairing {
		state = ledger.FindingOpen
	}
	_, err = t.get(`INSERT INTO findings (app, account_id, kind, what, person_id, candidates, by_kind, enabled, state, why, scans, first_scan, last_scan, found_at)
		VALUES (?, ?, ?, ?, ?, nullif(?, 'null'), ?, ?, ?, ?, 1, ?11, ?11, ?12)
		ON CONFLICT (app, account_id, kind, what) WHERE ended_at IS NULL DO UPDATE SET
			person_id = excluded.person_id, candidates = excluded.candidates, by_kind = excluded.by_kind, enabled = excluded.enabled,
			state = CASE WHEN findings.state = 'repairing' THEN findings.state ELSE excluded.state END,
			why = CASE WHEN findings.state = 'repairing' THEN findings.why ELSE excluded.why END,
			scans = findings.scans + CASE WHEN findings.last_scan = excluded.last_scan THEN 0 ELSE 1 END, last_scan = excluded.last_scan
		RETURNING id`,
		[]any{
			f.App, f.AccountID, string(f.Kind), f.What, f.PersonID, candidates, f.By, f.Enabled, string(state), f.Why,
			scan.ID, page.At.UnixMicro(),
		}, &id)
	return id, err
}

// reactTo repairs a finding, unless it was repaired too often. It returns whom it made due;
// empty if nobody.
func (t *Tx) reactTo(f ledger.Finding, page ledger.Compared) (personID string, err error) {
	var repairs int
	_, err = t.get(`SELECT count(*) FROM findings WHERE app = ? AND account_id = ? AND kind = ? AND what = ? AND state = 'repaired' AND ended_at > ?`,
		[]any{f.App, f.AccountID, string(f.Kind), f.What, page.FlapsSince.UnixMicro()}, &repairs)
	if err != nil {
		return "", err
	}
	state, why := ledger.FindingOpen, "flapping"
	if page.Flapping == 0 || repairs < page.Flapping {
		refused := t.repair(&f, ledger.AuditRow{At: page.At, Actor: ledger.ActorTenure, Cause: fmt.Sprintf("scan %d", page.Scan)})
		var decision *ledger.DecisionError
		if refused == nil {
			return f.PersonID, nil
		}
		if !errors.As(refused, &decision) {
			return "", refused
		}
		state, why = ledger.FindingPending, "newer"
	}
	return "", t.exec(`UPDATE findings SET state = ?, why = ? WHERE id = ? AND state <> 'repairing'`, string(state), why, f.ID)
}

// repair sets a link to what a scan saw, and makes the person due: for an orphan of nobody's,
// the person that stands for it. It returns a *ledger.DecisionError if the ledger knows
// something newer.
func (t *Tx) repair(f *ledger.Finding, row ledger.AuditRow) error {
	if f.PersonID == "" && f.Kind == ledger.FindingOrphan {
		f.PersonID = ledger.OrphanID(f.ID)
		if err := t.person(f.PersonID); err != nil {
			return err
		}
	}
	link, err := t.link(f.PersonID, f.App)
	if err != nil {
		return err
	}
	var seen ledger.Observed
	found, err := t.get(`SELECT `+observedColumns+` FROM observed WHERE app = ? AND account_id = ?`, []any{f.App, f.AccountID}, observedDest(&seen)...)
	if err != nil {
		return err
	}
	if f.Kind == ledger.FindingMissing {
		seen.At = row.At // the app was asked for this account
	} else if !found {
		return &ledger.DecisionError{Text: "no scan has seen the account"}
	}
	busy, err := t.get(`SELECT 1 FROM attempts WHERE person_id = ? AND app = ? AND deadline > ? LIMIT 1`,
		[]any{f.PersonID, f.App, row.At.UnixMicro()}, new(int))
	if err != nil {
		return err
	}
	if busy || !seen.At.After(link.ProvenAt) || !seen.At.After(link.ChangedAt) || !link.DoubtUntil.IsZero() || link.Unsure.State {
		return &ledger.DecisionError{Text: "the account was changed or proven since it was seen, or a step of it is under way: it is looked at again by the next scan"}
	}
	was := link
	if err := correct(&link, *f, seen); err != nil {
		return err
	}
	if was.AccountID != link.AccountID && link.AccountID != "" {
		var taken *ledger.TakenError
		if err := t.unowned(link); errors.As(err, &taken) {
			return &ledger.DecisionError{Text: "the account is linked to another person meanwhile"}
		} else if err != nil {
			return err
		}
	}
	if err := t.putLink(link); err != nil {
		return err
	}
	if err := t.noteAccount(link, row.At); err != nil {
		return err
	}
	n, err := t.change(`UPDATE findings SET state = 'repairing', why = '', person_id = ?, decided_at = ?, decided_by = ?, reason = ?, login = ? WHERE id = ? AND ended_at IS NULL`,
		f.PersonID, row.At.UnixMicro(), row.Actor, row.Cause, t.loginOf(row.Actor), f.ID)
	if err != nil || n == 0 {
		return err
	}
	row.PersonID, row.App, row.Action = f.PersonID, f.App, ledger.AuditDriftSeen
	row.Detail = map[string]any{"finding": f.ID, "kind": string(f.Kind), "was": string(was.State), "is": string(link.State)}
	if f.What != "" {
		row.Detail["what"] = f.What
	}
	written, err := t.appendAudit(row, fmt.Sprintf("finding:%d", f.ID))
	if !written || err != nil {
		return err
	}
	if err := t.exec(`UPDATE people SET `+nudged+` WHERE id = ?3`, row.At.UnixMicro(), ledger.DueDrift, f.PersonID); err != nil {
		return err
	}
	return t.exec(`UPDATE people SET due_what = ? WHERE id = ?`, ledger.DueDrift, f.PersonID)
}

// loginOf returns the login under which an operator decides; empty for Tenure.
func (t *Tx) loginOf(actor string) string {
	if actor == ledger.ActorTenure {
		return ""
	}
	return t.login
}

// correct sets the link to what the app shows.
func correct(link *ledger.Link, f ledger.Finding, seen ledger.Observed) error {
	switch f.Kind {
	case ledger.FindingState:
		if link.State != ledger.LinkDisabled && link.State != ledger.LinkDeleted || !seen.Active {
			break
		}
		turnedOn(link, seen)
		return nil
	case ledger.FindingOff:
		if link.State != ledger.LinkActive || seen.Active {
			break
		}
		link.State, link.DisabledAt, link.ProvenAt = ledger.LinkDisabled, seen.At, seen.At
		link.StrippedAt, link.HandedOverAt, link.Receiver = time.Time{}, time.Time{}, ledger.Receiver{}
		return nil
	case ledger.FindingMissing:
		if !link.State.HasAccount() {
			break
		}
		*link = ledger.Link{
			PersonID: link.PersonID, App: link.App, Username: link.Username, State: ledger.LinkDeleted, Adopted: link.Adopted,
			CreatedAt: link.CreatedAt, DisabledAt: link.DisabledAt, StrippedAt: link.StrippedAt, HandedOverAt: link.HandedOverAt,
			DeletedAt: seen.At, ProvenAt: seen.At, ChangedAt: link.ChangedAt, GaveAt: link.GaveAt, Receiver: link.Receiver,
			Binned: ledger.Binned{AccountID: link.AccountID, At: seen.At},
		}
		return nil
	case ledger.FindingAttributes:
		if !link.State.HasAccount() || link.JustAdopted() {
			break
		}
		link.Attributes = ledger.AttributesUnknown
		return nil
	case ledger.FindingLacking:
		if !slices.Contains(link.Entitlements, f.What) || slices.Contains(seen.Entitlements, f.What) {
			break
		}
		link.Entitlements = set.Minus(link.Entitlements, []string{f.What})
		return nil
	case ledger.FindingStray:
		if !link.State.HasAccount() || slices.Contains(link.Entitlements, f.What) || !slices.Contains(seen.Entitlements, f.What) {
			break
		}
		// Planning takes what a link has and policy does not give. What was stripped is
		// stripped again.
		link.Entitlements, link.StrippedAt = append(slices.Clone(link.Entitlements), f.What), time.Time{}
		return nil
	case ledger.FindingUnlinked, ledger.FindingOrphan, ledger.FindingDisputed:
		if link.State.HasAccount() || link.AccountID != "" {
			return &ledger.DecisionError{Text: "the person has another account in this app"}
		}
		*link = ledger.Link{
			PersonID: f.PersonID, App: f.App, AccountID: f.AccountID, Username: seen.Username, State: ledger.LinkActive, Adopted: true,
			CreatedAt: seen.At, ProvenAt: seen.At, ChangedAt: link.ChangedAt, GaveAt: link.GaveAt,
		}
		if !seen.Active {
			link.State, link.DisabledAt = ledger.LinkDisabled, seen.At
		}
		return nil
	case ledger.FindingDuty:
		return &ledger.DecisionError{Text: "it is not known which side of the rule to take"}
	}
	return &ledger.DecisionError{Text: "the ledger does not differ from what the scan saw any more: the next scan ends the finding"}
}

// turnedOn sets the link of an account that was turned off, or deleted, and is on.
func turnedOn(link *ledger.Link, seen ledger.Observed) {
	link.AccountID, link.State, link.ProvenAt = seen.AccountID, ledger.LinkActive, seen.At
	link.DisabledAt, link.StrippedAt, link.HandedOverAt, link.DeletedAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	link.Receiver, link.Binned = ledger.Receiver{}, ledger.Binned{}
}

// RepairFinding implements ledger.Scans.
func (s *Store) RepairFinding(ctx context.Context, d ledger.FindingDecision) (f ledger.Finding, err error) {
	if d.Operator == "" || d.Reason == "" {
		return f, &ledger.DecisionError{Text: "a decision about a finding needs the operator and the reason"}
	}
	return written(ctx, s, "", func(t *Tx) (ledger.Finding, error) { return t.repairFinding(d) })
}

func (t *Tx) repairFinding(d ledger.FindingDecision) (f ledger.Finding, err error) {
	found, err := t.get(`SELECT `+findingColumns+` FROM findings WHERE id = ?`, []any{d.ID}, findingDest(&f)...)
	if err == nil && !found {
		err = ledger.ErrNotFound
	}
	if err != nil {
		return f, err
	}
	if f.State == ledger.FindingRepairing && f.DecidedBy == d.Operator && f.DecidedAt.Equal(d.At.Truncate(time.Microsecond)) {
		return f, nil // it was asked before
	}
	nobodys := f.Kind.Nobodys()
	switch {
	case !f.EndedAt.IsZero():
		return f, &ledger.DecisionError{Text: "the finding has ended"}
	case f.State == ledger.FindingRepairing:
		return f, &ledger.DecisionError{Text: "the finding is being repaired"}
	case d.Orphan && (f.Kind != ledger.FindingOrphan || d.PersonID != ""):
		return f, &ledger.DecisionError{Text: "only an orphan is ended as nobody's"}
	case d.Orphan:
	case nobodys && d.PersonID == "":
		return f, &ledger.DecisionError{Text: "the account is nobody's: say whose it is"}
	case !nobodys && d.PersonID != "" && d.PersonID != f.PersonID:
		return f, &ledger.DecisionError{Text: "the account is linked to another person"}
	}
	if nobodys {
		f.PersonID = d.PersonID
	}
	if !d.Orphan {
		if err := t.known(f.PersonID); err != nil {
			return f, err
		}
	}
	if err := t.repair(&f, ledger.AuditRow{At: d.At, Actor: d.Operator, Cause: d.Reason}); err != nil {
		return f, err
	}
	_, err = t.get(`SELECT `+findingColumns+` FROM findings WHERE id = ?`, []any{d.ID}, findingDest(&f)...)
	return f, err
}

// FreeOrphan implements ledger.Scans.
func (s *Store) FreeOrphan(ctx context.Context, d ledger.FindingDecision) (f ledger.Finding, err error) {
	if d.Operator == "" || d.Reason == "" {
		return f, &ledger.DecisionError{Text: "a decision about a finding needs the operator and the reason"}
	}
	return written(ctx, s, "", func(t *Tx) (ledger.Finding, error) { return t.freeOrphan(d) })
}

func (t *Tx) freeOrphan(d ledger.FindingDecision) (f ledger.Finding, err error) {
	personID := ledger.OrphanID(d.ID)
	if err := t.known(personID); err != nil {
		return f, err
	}
	found, err := t.get(`SELECT `+findingColumns+` FROM findings WHERE id = ?`, []any{d.ID}, findingDest(&f)...)
	if err == nil && !found {
		err = ledger.ErrNotFound
	}
	if err != nil {
		return f, err
	}
	link, err := t.link(personID, f.App)
	if err != nil {
		return f, err
	}
	row := ledger.AuditRow{
		At: d.At, PersonID: personID, App: f.App, Action: ledger.AuditFreed, Actor: d.Operator, Cause: d.Reason,
		Detail: map[string]any{"finding": f.ID, "was": string(link.State)},
	}
	if !link.State.HasAccount() {
		if repeated, err := t.get(`SELECT 1 FROM audit WHERE person_id = ? AND action = ? AND actor = ? AND at = ?`,
			[]any{personID, row.Action, row.Actor, row.At.UnixMicro()}, new(int)); repeated || err != nil {
			return f, err
		}
		return f, &ledger.DecisionError{Text: "the account is not there any more, or is not ended as nobody's"}
	}
	busy, err := t.get(`SELECT 1 FROM attempts WHERE person_id = ? AND app = ? AND deadline > ? LIMIT 1`, []any{personID, f.App, d.At.UnixMicro()}, new(int))
	if err != nil {
		return f, err
	}
	if busy {
		return f, &ledger.DecisionError{Text: "a step of the account is under way: try again in a few minutes"}
	}
	gone := ledger.Link{PersonID: personID, App: f.App, Username: link.Username, State: ledger.LinkDeleted, Adopted: true, CreatedAt: link.CreatedAt, DeletedAt: d.At}
	if err := t.putLink(gone); err != nil {
		return f, err
	}
	// Another scan may have found it again meanwhile.
	if _, err := t.change(`UPDATE findings SET state = 'open', why = '', person_id = '', ended_at = NULL WHERE id = ?1 AND NOT EXISTS (
		SELECT 1 FROM findings o WHERE o.id <> ?1 AND o.ended_at IS NULL AND o.app = findings.app AND o.account_id = findings.account_id
			AND o.kind = findings.kind AND o.what = findings.what)`, f.ID); err != nil {
		return f, err
	}
	if err := t.decided(row, fmt.Sprintf("finding:%d", f.ID)); err != nil {
		return f, err
	}
	_, err = t.get(`SELECT `+findingColumns+` FROM findings WHERE id = ?`, []any{d.ID}, findingDest(&f)...)
	return f, err
}

// noOrphan returns the condition for the IDs of people, in a column, other than those that stand
// for accounts that are nobody's.
func noOrphan(column string) string {
	return fmt.Sprintf(`substr(%s, 1, %d) <> '%s'`, column, len(hr.OrphanPrefix), hr.OrphanPrefix)
}

// Findings implements ledger.ScanReader.
func (s *Store) Findings(ctx context.Context, f ledger.FindingFilter, after int64, limit int) ([]ledger.Finding, error) {
	query, args := `SELECT `+findingColumns+` FROM findings WHERE id > ?`, []any{after}
	where := func(condition string, values ...any) {
		query += ` AND ` + condition
		args = append(args, values...)
	}
	if f.ID != 0 {
		where(`id = ?`, f.ID)
	}
	for _, c := range []struct{ column, value string }{
		{"app", f.App}, {"account_id", f.AccountID}, {"person_id", f.PersonID}, {"kind", string(f.Kind)},
	} {
		if c.value != "" {
			where(c.column+` = ?`, c.value)
		}
	}
	if len(f.States) > 0 {
		where(`state IN (`+marks(len(f.States))+`)`, anys(f.States)...)
	}
	if !f.Ended {
		where(`ended_at IS NULL`)
	}
	findings, err := list(ctx, s.engine, query+` ORDER BY id LIMIT ?`, append(args, max(limit, 0)), findingDest)
	return findings, s.explain(err)
}

// CountFindings implements ledger.ScanReader.
func (s *Store) CountFindings(ctx context.Context) ([]ledger.FindingCount, error) {
	counts, err := list(ctx, s.engine, `SELECT app, kind, state, enabled, count(*), min(found_at) FROM findings WHERE ended_at IS NULL
		GROUP BY app, kind, state, enabled ORDER BY app, kind, state, enabled`, nil, func(c *ledger.FindingCount) []any {
		return []any{&c.App, &c.Kind, &c.State, &c.Enabled, &c.N, instant{&c.Oldest}}
	})
	return counts, s.explain(err)
}

// OrphanRates implements ledger.ScanReader. An orphan that is to end, and was turned on again, is
// a finding of the kind state.
func (s *Store) OrphanRates(ctx context.Context) ([]ledger.OrphanRate, error) {
	rates, err := list(ctx, s.engine, `SELECT s.app, s.ended_at, s.enabled, coalesce(s.orphans, `+orphansOn+`), coalesce(s.orphans_off, `+orphansOff+`)
		FROM scans s WHERE s.id IN (SELECT max(id) FROM scans WHERE state = 'done' GROUP BY app) ORDER BY s.app`, nil, orphanRateDest)
	return rates, s.explain(err)
}

// OrphanHistory implements ledger.ScanReader.
func (s *Store) OrphanHistory(ctx context.Context, from, until time.Time) ([]ledger.OrphanRate, error) {
	rates, err := list(ctx, s.engine, `SELECT app, ended_at, enabled, orphans, orphans_off
		FROM scans WHERE state = 'done' AND orphans IS NOT NULL AND ended_at >= ? AND ended_at < ? ORDER BY app, id`,
		[]any{from.UnixMicro(), until.UnixMicro()}, orphanRateDest)
	return rates, s.explain(err)
}

func orphanRateDest(r *ledger.OrphanRate) []any {
	return []any{&r.App, instant{&r.At}, &r.Accounts, &r.Orphans, &r.Off}
}

// How many accounts of a scan's app are nobody's, on and off, for a query of scans s.
var (
	// The empty text keeps SQLite from reading all findings of the app in the order of accounts.
	orphansOn = `(SELECT count(DISTINCT account_id || '') FROM findings WHERE app = s.app AND ended_at IS NULL AND enabled = 1
				AND kind IN ('orphan', 'state') AND (kind = 'orphan' OR NOT (` + noOrphan("person_id") + `)))`
	orphansOff = `((SELECT count(*) FROM findings WHERE app = s.app AND ended_at IS NULL AND enabled = 0 AND kind = 'orphan')
			+ (SELECT count(*) FROM links l WHERE app = s.app AND state = 'disabled' AND NOT (` + noOrphan("person_id") + `) AND NOT EXISTS (
				SELECT 1 FROM findings f WHERE f.app = l.app AND f.account_id = l.account_id AND f.ended_at IS NULL AND f.kind IN ('orphan', 'state'))))`
)
