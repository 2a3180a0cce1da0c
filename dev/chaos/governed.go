package chaos

import (
	"context"
	"errors"
	"fmt"

	"github.com/tenurehq/tenure/dev/topology"
	"github.com/tenurehq/tenure/ledger"
)

// judgeGovernance checks what was asked for, scanned and reviewed.
func (v *verdict) judgeGovernance(ctx context.Context, store ledger.Ledger) error {
	return errors.Join(v.judgeRequests(ctx, store), v.judgeScans(ctx, store), v.judgeReviews(ctx, store), v.judgeRecord(ctx, store))
}

// judgeRequests checks that each request came to an end, that who was given something has
// lost it when its time was over, and that nothing was given twice.
func (v *verdict) judgeRequests(ctx context.Context, store ledger.Ledger) error {
	granted := map[string]int{} // by request
	for x, err := range ledger.AllExceptions(ctx, store, ledger.ExceptionFilter{}, 0) {
		if err != nil {
			return err
		}
		granted[x.Origin]++
		if x.EndedAt.IsZero() {
			v.wrongly("ledger: x-%d (%s) of person %s has not ended", x.ID, x.Origin, x.PersonID)
		}
	}
	for r, err := range ledger.AllRequests(ctx, store, ledger.RequestFilter{}, 0) {
		if err != nil {
			return err
		}
		name := fmt.Sprintf("r-%d", r.ID)
		switch {
		case r.Undecided():
			v.lose("ledger: %s of person %s is not decided", name, r.PersonID)
		case r.State == ledger.RequestApproved && granted[name] == 0:
			v.lose("ledger: %s of person %s was approved, and nothing was given", name, r.PersonID)
		case granted[name] > 1:
			v.twice("ledger: %s of person %s was given %d times", name, r.PersonID, granted[name])
		}
		if !r.ProvenAt.IsZero() {
			v.granted++
		}
		delete(granted, name)
	}
	for origin := range granted {
		v.wrongly("ledger: something was given by %q, for which nobody has asked", origin)
	}
	return nil
}

// judgeScans checks that no scan is left behind, and that the last ones found nothing: no
// account differs from what Tenure knows.
func (v *verdict) judgeScans(ctx context.Context, store ledger.Ledger) error {
	for _, app := range []string{topology.AppDirectory, topology.AppWiki} {
		scans, err := store.Scans(ctx, app, 1000)
		if err != nil {
			return err
		}
		for i, s := range scans {
			switch {
			case s.State == ledger.ScanDone:
				v.scans++
			case s.State.Unfinished() && i > 0: // the newest may be under way
				v.lose("ledger: scan %d of %s has not ended", s.ID, app)
			}
		}
	}
	for f, err := range ledger.AllFindings(ctx, store, ledger.FindingFilter{}) {
		if err != nil {
			return err
		}
		v.wrongly("ledger: f-%d: %s %s %s of account %s is %s", f.ID, f.App, f.Kind, f.What, f.AccountID, f.State)
	}
	return nil
}

// judgeReviews checks that each review came to its end, that whatever it has revoked is proven
// to be gone, and that nothing was revoked twice.
func (v *verdict) judgeReviews(ctx context.Context, store ledger.Ledger) error {
	for r, err := range ledger.AllReviews(ctx, store, ledger.ReviewFilter{}, 0) {
		if err != nil {
			return err
		}
		if r.DoneAt.IsZero() {
			v.lose("ledger: %s is %s, and not done", r.Ref(), r.State)
			continue
		}
		items := 0
		for i, err := range ledger.AllReviewItems(ctx, store, ledger.ItemFilter{Review: r.ID}) {
			if err != nil {
				return err
			}
			items++
			switch {
			case i.Decision == "":
				v.lose("ledger: item %d of %s is not decided", i.Item, r.Ref())
			case i.Decision == ledger.VerdictRevoke && i.ProvenAt.IsZero():
				v.lose("ledger: item %d of %s was revoked, and is not proven", i.Item, r.Ref())
			case i.Decision == ledger.VerdictRevoke:
				v.revoked++
			}
		}
		if items != r.Items {
			v.wrongly("ledger: %s has %d items, and %d were frozen", r.Ref(), items, r.Items)
		}
		v.reviews++
	}
	return nil
}

// once lists what the record says at most once about one request, review or item.
var once = map[string]bool{
	"request_made": true, "request_approved": true, "request_proven": true,
	ledger.AuditReviewStarted: true, ledger.AuditReviewOpened: true, ledger.AuditReviewEnded: true, ledger.AuditReviewClosed: true,
	ledger.AuditReviewDone: true,
}

// judgeRecord checks that the record says nothing twice.
func (v *verdict) judgeRecord(ctx context.Context, store ledger.Ledger) error {
	said := map[string]int{}
	for row, err := range ledger.AllAudit(ctx, store, "", 0) {
		if err != nil {
			return err
		}
		if !once[row.Action] {
			continue
		}
		about := fmt.Sprintf("%s of %v%v", row.Action, row.Detail["request"], row.Detail["review"])
		if said[about]++; said[about] == 2 {
			v.twice("ledger: the record has %s more than once", about)
		}
	}
	return nil
}
