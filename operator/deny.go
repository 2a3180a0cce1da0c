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
	links, err := v.Ledger.Links(ctx, ledger.LinkFilter{App: app})
	if err != nil {
		return nil, err
	}
	used, off := map[string]bool{}, map[string]bool{}
	named := map[string]string{}
	for _, l := range links {
		id := l.AccountID
		if l.State == ledger.LinkDeleted && l.Binned.AccountID != "" {
			id = l.Binned.AccountID
		}
		named[l.PersonID] = id
		switch {
		case id == "":
		case l.State == ledger.LinkActive:
			used[id] = true
		case !l.DisabledAt.Before(since) || !l.DeletedAt.Before(since):
			off[id] = true
		}
	}
	var ids []string
	for id := range off {
		if !used[id] {
			ids = append(ids, id)
		}
	}
	for _, person := range people {
		if named[person] == "" {
			return nil, fmt.Errorf("person %q has no account in %s that Tenure knows", person, app)
		}
		ids = append(ids, named[person])
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}
