package operator

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// CutOff returns the IDs of the accounts in an app that were disabled or deleted since an
// instant, and of those of the people who are named, whatever their state. An account that
// somebody uses now is not among the first. The IDs are sorted.
func (v *Viewer) CutOff(ctx context.Context, app string, since time.Time, people []string) ([]string, error) {
	if err := v.Apps.Find(app); err != nil {
		return nil, err
	}
	var ids []string
	for l, err := range ledger.AllLinks(ctx, v.Ledger, ledger.LinkFilter{App: app}) {
		if err != nil {
			return nil, err
		}
		id := accountOnce(l)
		if id == "" || l.State == ledger.LinkActive || l.DisabledAt.Before(since) && l.DeletedAt.Before(since) {
			continue
		}
		used, err := v.Ledger.Links(ctx, ledger.LinkFilter{App: app, AccountID: id, State: ledger.LinkActive, Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(used) == 0 {
			ids = append(ids, id)
		}
	}
	for _, person := range people {
		links, err := v.Ledger.Links(ctx, ledger.LinkFilter{App: app, PersonID: person})
		if err != nil {
			return nil, err
		}
		if len(links) == 0 || accountOnce(links[0]) == "" {
			return nil, fmt.Errorf("person %q has no account in %s that Tenure knows", person, app)
		}
		ids = append(ids, accountOnce(links[0]))
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// accountOnce returns the ID of the account that somebody has, or had before it was deleted; empty if
// there is none.
func accountOnce(l ledger.Link) string {
	if l.State == ledger.LinkDeleted && l.Binned.AccountID != "" {
		return l.Binned.AccountID
	}
	return l.AccountID
}
