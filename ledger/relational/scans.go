package relational

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

const scanColumns = `id, app, key, state, started_at, listed_at, ended_at, accounts, enabled, reported, token, place, why,
	believed_at, believed_by, believe_reason, login, pages`

// scanDest lists the fields that scanColumns are scanned into.
func scanDest(s *ledger.Scan) []any {
	return []any{
		&s.ID, &s.App, &s.Key, &s.State, instant{&s.StartedAt}, instant{&s.ListedAt}, instant{&s.EndedAt},
		&s.Accounts, &s.Enabled, &s.Reported, &s.Token, &s.Place, &s.Why,
		instant{&s.BelievedAt}, &s.BelievedBy, &s.BelieveReason, &s.Login, &s.Pages,
	}
}

// BeginScan implements ledger.Scans.
func (s *Store) BeginScan(ctx context.Context, app, key string, at time.Time) (scan ledger.Scan, err error) {
	err = s.write(ctx, func(t *Tx) (err error) {
		scan, err = t.beginScan(app, key, at)
		return err
	})
	if err != nil {
		return ledger.Scan{}, fmt.Errorf("begin a scan of app %q: %w", app, err)
	}
	return scan, nil
}

func (t *Tx) beginScan(app, key string, at time.Time) (scan ledger.Scan, err error) {
	err = t.exec(`INSERT INTO scans (app, key, state, started_at) VALUES (?, ?, 'listing', ?) ON CONFLICT DO NOTHING`, app, key, at.UnixMicro())
	if err != nil {
		return scan, err
	}
	if _, err = t.get(`SELECT `+scanColumns+` FROM scans WHERE app = ? AND key = ?`, []any{app, key}, scanDest(&scan)...); err != nil {
		return scan, err
	}
	return scan, t.exec(`UPDATE scans SET state = 'abandoned', ended_at = ? WHERE app = ? AND id < ? AND state IN ('listing', 'comparing')`,
		at.UnixMicro(), app, scan.ID)
}

// scan reads a scan that is in a state, and locks it. It reports false if the scan is in
// another one.
func (t *Tx) scan(id int64, states ...ledger.ScanState) (scan ledger.Scan, in bool, err error) {
	found, err := t.get(`SELECT `+scanColumns+` FROM scans WHERE id = ?`+t.dialect.Lock, []any{id}, scanDest(&scan)...)
	if err == nil && !found {
		err = ledger.ErrNotFound
	}
	return scan, slices.Contains(states, scan.State), err
}

const observedColumns = `app, account_id, scan, at, username, external_id, addresses, employee, active, entitlements,
	last_used_at, seen, baseline, baseline_at, first_at`

// observedDest lists the fields that observedColumns are scanned into.
func observedDest(o *ledger.Observed) []any {
	return []any{
		&o.App, &o.AccountID, &o.Scan, instant{&o.At}, &o.Username, &o.ExternalID, decode{&o.Addresses}, &o.Employee, &o.Active,
		decode{&o.Entitlements}, instant{&o.LastUsedAt}, decode{&o.Seen}, decode{&o.Baseline}, instant{&o.BaselineAt}, instant{&o.FirstAt},
	}
}

// Observe implements ledger.Scans.
func (s *Store) Observe(ctx context.Context, page ledger.Listed) error {
	return s.write(ctx, func(t *Tx) error {
		if err := t.observe(page); err != nil {
			return fmt.Errorf("store a page of scan %d: %w", page.Scan, err)
		}
		return nil
	})
}

func (t *Tx) observe(page ledger.Listed) error {
	scan, listing, err := t.scan(page.Scan, ledger.ScanListing)
	if err != nil || !listing || scan.Token != page.Token {
		return err
	}
	for _, o := range page.Accounts {
		o.App, o.Scan = scan.App, scan.ID
		if err := t.storeObserved(o); err != nil {
			return err
		}
	}
	return t.exec(`UPDATE scans SET token = ?, pages = pages + 1 WHERE id = ?`, page.Next, scan.ID)
}

func (t *Tx) storeObserved(o ledger.Observed) error {
	addresses, err := encoded(sorted(o.Addresses))
	if err != nil {
		return err
	}
	entitlements, err := encoded(sorted(o.Entitlements))
	if err != nil {
		return err
	}
	seen, err := encoded(o.Seen)
	if err != nil {
		return err
	}
	return t.exec(`INSERT INTO observed (app, account_id, scan, at, username, external_id, addresses, employee, active, entitlements, last_used_at, seen, first_at)
		VALUES (?, ?, ?, ?4, ?, ?, nullif(?, 'null'), ?, ?, nullif(?, 'null'), ?, nullif(?, 'null'), ?4)
		ON CONFLICT (app, account_id) DO UPDATE SET
			scan = excluded.scan, at = excluded.at, username = excluded.username, external_id = excluded.external_id,
			addresses = excluded.addresses, employee = excluded.employee, active = excluded.active, entitlements = excluded.entitlements,
			last_used_at = excluded.last_used_at, seen = excluded.seen`,
		o.App, o.AccountID, o.Scan, o.At.UnixMicro(), o.Username, o.ExternalID, addresses, o.Employee, o.Active, entitlements,
		micros(o.LastUsedAt), seen)
}

// EndListing implements ledger.Scans.
func (s *Store) EndListing(ctx context.Context, id int64, at time.Time, reported int) (scan ledger.Scan, err error) {
	err = s.write(ctx, func(t *Tx) (err error) {
		var listing bool
		if scan, listing, err = t.scan(id, ledger.ScanListing); err != nil || !listing {
			return err
		}
		_, err = t.get(`UPDATE scans SET state = 'comparing', listed_at = ?2, reported = ?3,
				accounts = (SELECT count(*) FROM observed WHERE scan = ?1),
				enabled = (SELECT count(*) FROM observed WHERE scan = ?1 AND active = 1)
			WHERE id = ?1 RETURNING `+scanColumns, []any{id, at.UnixMicro(), max(reported, -1)}, scanDest(&scan)...)
		return err
	})
	if err != nil {
		return ledger.Scan{}, fmt.Errorf("end the list of scan %d: %w", id, err)
	}
	return scan, nil
}

// EndScan implements ledger.Scans.
func (s *Store) EndScan(ctx context.Context, end ledger.ScanEnd) error {
	if end.State.Unfinished() {
		return fmt.Errorf("ledger: a scan cannot end as %q", end.State)
	}
	return s.write(ctx, func(t *Tx) error {
		_, underway, err := t.scan(end.Scan, ledger.ScanListing, ledger.ScanComparing)
		if err != nil || !underway {
			return err
		}
		if err := t.exec(`UPDATE scans SET state = ?, why = ?, ended_at = ? WHERE id = ?`, string(end.State), end.Why, end.At.UnixMicro(), end.Scan); err != nil || end.State != ledger.ScanDone {
			return err
		}
		return t.exec(`UPDATE scans AS s SET orphans = `+orphansOn+`, orphans_off = `+orphansOff+` WHERE id = ?`, end.Scan)
	})
}

// Believe implements ledger.Scans.
func (s *Store) Believe(ctx context.Context, b ledger.Belief) error {
	if b.Operator == "" || b.Reason == "" {
		return &ledger.DecisionError{Text: "a decision about a scan needs the operator and the reason"}
	}
	return s.write(ctx, func(t *Tx) error {
		var scan ledger.Scan
		found, err := t.get(`SELECT `+scanColumns+` FROM scans WHERE app = ? ORDER BY id DESC LIMIT 1`, []any{b.App}, scanDest(&scan)...)
		if err != nil {
			return err
		}
		if !found || scan.State != ledger.ScanSuspicious {
			return &ledger.DecisionError{Text: "the last scan of the app is not suspicious: there is nothing to believe"}
		}
		written, err := t.appendAudit(ledger.AuditRow{
			At: b.At, App: b.App, Action: ledger.AuditScanBelieved, Actor: b.Operator, Cause: b.Reason, Detail: map[string]any{"scan": scan.ID, "why": scan.Why},
		}, fmt.Sprintf("scan:%d", scan.ID))
		if !written || err != nil {
			return err
		}
		return t.exec(`UPDATE scans SET believed_at = ?, believed_by = ?, believe_reason = ?, login = ? WHERE id = ?`,
			b.At.UnixMicro(), b.Operator, b.Reason, t.login, scan.ID)
	})
}

// Scans implements ledger.ScanReader.
func (s *Store) Scans(ctx context.Context, app string, limit int) ([]ledger.Scan, error) {
	query, args := `SELECT `+scanColumns+` FROM scans`, []any{}
	if app != "" {
		query, args = query+` WHERE app = ?`, append(args, app)
	}
	scans, err := list(ctx, s.engine, query+` ORDER BY id DESC LIMIT ?`, append(args, max(limit, 0)), scanDest)
	return scans, s.explain(err)
}

// LastScans implements ledger.ScanReader.
func (s *Store) LastScans(ctx context.Context) ([]ledger.Scan, error) {
	scans, err := list(ctx, s.engine, `SELECT `+scanColumns+` FROM scans
		WHERE id IN (SELECT max(id) FROM scans WHERE state = 'done' GROUP BY app) ORDER BY app`, nil, scanDest)
	return scans, s.explain(err)
}

// Seen implements ledger.ScanReader.
func (s *Store) Seen(ctx context.Context, app, accountID string) (ledger.Observed, bool, error) {
	seen, err := list(ctx, s.engine, `SELECT `+observedColumns+` FROM observed WHERE app = ? AND account_id = ?`, []any{app, accountID}, observedDest)
	if err != nil || len(seen) == 0 {
		return ledger.Observed{}, false, s.explain(err)
	}
	return seen[0], true, nil
}

// Listing implements ledger.ScanReader.
func (s *Store) Listing(ctx context.Context, app string, scan int64, after string, limit int) ([]ledger.Observed, error) {
	seen, err := list(ctx, s.engine, `SELECT `+observedColumns+` FROM observed WHERE app = ? AND account_id > ? AND scan >= ? ORDER BY account_id LIMIT ?`,
		[]any{app, after, scan, max(limit, 0)}, observedDest)
	return seen, s.explain(err)
}
