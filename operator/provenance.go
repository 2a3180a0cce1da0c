package operator

import (
	"context"
	"slices"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// Provenance says who has caused what a finding is about, as far as the record tells, and when.
// Tenure writes down each call that may change an account before it makes it.
type Provenance struct {
	// Ours reports whether a call of Tenure's may have caused it. If not, somebody else has
	// changed the account, past Tenure.
	Ours bool   `json:"ours"`
	Why  string `json:"why"`
	// NotBefore is when the app last proved that it was not so; zero if nothing is known of before.
	// SeenAt is when a scan saw it.
	NotBefore time.Time `json:"notBefore,omitzero"`
	SeenAt    time.Time `json:"seenAt"`
	// After and Before are the places in the audit record between which it happened.
	After  RecordPlace `json:"after,omitzero"`
	Before RecordPlace `json:"before,omitzero"` // zero: the record has nothing that is later
}

// RecordPlace is a place in the audit record: a row, and its leaf in the log. An auditor who has
// a checkpoint can verify both.
type RecordPlace struct {
	Row  int64  `json:"row"`
	Leaf *int64 `json:"leaf,omitempty"` // nil if the row is not in the log yet
}

// ProvenanceOf returns who has caused what a finding is about.
func (v *Viewer) ProvenanceOf(ctx context.Context, f ledger.Finding) (Provenance, error) {
	p := Provenance{SeenAt: f.FoundAt}
	var err error
	if f.Kind.Nobodys() || f.PersonID == "" {
		err = v.strangers(ctx, f, &p)
	} else {
		err = v.changed(ctx, f, &p)
	}
	if err != nil {
		return p, err
	}
	// Clocks of workers differ: what was written before the proof is no bound, whatever its time.
	for row, err := range ledger.AllAuditSince(ctx, v.Ledger, f.FoundAt) {
		if err != nil {
			return p, err
		}
		if row.Seq > p.After.Row {
			p.Before, err = v.placeOf(ctx, row.Seq)
			return p, err
		}
	}
	return p, nil
}

// changed is about the account of somebody: since its last proof, no call was begun.
func (v *Viewer) changed(ctx context.Context, f ledger.Finding, p *Provenance) error {
	for row, err := range ledger.AllAudit(ctx, v.Ledger, f.PersonID, 0) {
		if err != nil {
			return err
		}
		if _, proof := row.Detail[ledger.DetailHas]; !proof || row.App != f.App || row.At.After(f.FoundAt) || row.At.Before(p.NotBefore) {
			continue
		}
		p.NotBefore, p.After.Row = row.At, row.Seq
	}
	links, err := v.Ledger.Links(ctx, ledger.LinkFilter{PersonID: f.PersonID, App: f.App})
	if err != nil {
		return err
	}
	unsure := slices.ContainsFunc(links, func(l ledger.Link) bool {
		return l.Unsure.State || slices.Contains(l.Unsure.Entitlements, f.What) && f.What != "" || !l.DoubtUntil.IsZero()
	})
	switch {
	case unsure && f.EndedAt.IsZero():
		p.Ours, p.Why = true, "a call of Tenure's whose outcome is not known may have done it"
	case p.After.Row == 0:
		p.Why = "the record has no proof of this account before"
	default:
		p.Why = "Tenure had begun no call that changes this account since it was last proven"
	}
	if p.After.Row == 0 {
		return nil
	}
	p.After, err = v.placeOf(ctx, p.After.Row)
	return err
}

// strangers is about an account that no link names: Tenure has not made it, unless it does not know
// what became of a call that makes one.
func (v *Viewer) strangers(ctx context.Context, f ledger.Finding, p *Provenance) error {
	p.Why = "Tenure has made no account with this ID"
	for l, err := range ledger.AllLinks(ctx, v.Ledger, ledger.LinkFilter{App: f.App}) {
		if err != nil {
			return err
		}
		switch {
		case l.Creating.Pending() && !l.Creating.At.After(f.FoundAt):
			p.Ours, p.Why = true, "a call of Tenure's that makes an account, and whose outcome is not known, may have done it"
		case l.Binned.AccountID == f.AccountID && f.AccountID != "" && !p.Ours:
			p.Why = "Tenure had deleted the account, and somebody has brought it back"
		}
	}
	// The last complete scan before the first one that saw it did not see it.
	scans, err := v.Ledger.Scans(ctx, f.App, scansBack)
	if err != nil {
		return err
	}
	for _, s := range scans {
		if s.ID < f.FirstScan && s.State == ledger.ScanDone && s.StartedAt.After(p.NotBefore) {
			p.NotBefore = s.StartedAt
		}
	}
	if p.NotBefore.IsZero() {
		return nil
	}
	// What was written by the time that scan began is certainly older.
	rows, err := v.Ledger.AuditBefore(ctx, p.NotBefore, 1)
	if err != nil || len(rows) == 0 {
		return err
	}
	p.After, err = v.placeOf(ctx, rows[0].Seq)
	return err
}

// scansBack is in how many of an app's last scans the one before a finding is looked for.
const scansBack = 1000

func (v *Viewer) placeOf(ctx context.Context, row int64) (RecordPlace, error) {
	leaf, ok, err := v.Ledger.LeafOf(ctx, row)
	if err != nil || !ok {
		return RecordPlace{Row: row}, err
	}
	return RecordPlace{Row: row, Leaf: &leaf}, nil
}
