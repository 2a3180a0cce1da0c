package report

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/nearest"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/policy"
)

// PeopleFilter selects people. Fields that are empty select all; otherwise all of them have
// to match.
type PeopleFilter struct {
	Status     hr.Status
	Department string // whatever its case
	Manager    string // person ID
	Role       string // one that holds for them now
	App        string // one in which they have an account
	Name       string // a part of the name or of the username, whatever its case
	After      string // the person ID behind which the list begins
	Limit      int    // the most people to list; 0 lists all
	// Orphans lists those who stand for accounts that end as nobody's, instead of people.
	Orphans bool
}

// People lists the people that the filter selects, by ID, and reports whether there are more
// than its limit. It returns a *WrongError if nobody in the ledger is in the department, or
// the manager is not in it.
func People(ctx context.Context, l ledger.Reader, rules *policy.Policy, now time.Time, f PeopleFilter) (found []Summary, more bool, err error) {
	inApp, err := holdersIn(ctx, l, f.App)
	if err != nil {
		return nil, false, err
	}
	found = []Summary{}
	departments, managers := map[string]bool{}, map[string]bool{}
	everybody := ledger.AllPeople(ctx, l, "")
	if f.Orphans {
		everybody = ledger.AllOrphans(ctx, l)
	}
	for s, err := range everybody {
		if err != nil {
			return nil, false, err
		}
		departments[s.Department], managers[s.ManagerID], managers[s.PersonID] = true, true, true
		if s.PersonID <= f.After || !f.selects(s) || f.App != "" && !inApp[s.PersonID] {
			continue
		}
		if f.Role != "" {
			person, err := l.Person(ctx, s.PersonID)
			if err != nil {
				return nil, false, err
			}
			if !slices.Contains(operator.RolesOf(rules, person, now), f.Role) {
				continue
			}
		}
		found = append(found, SummaryOf(s))
	}
	if f.Department != "" && !hasFold(departments, f.Department) {
		known := slices.Collect(maps.Keys(departments))
		return nil, false, &WrongError{"department", f.Department, "nobody in the ledger is in it" + nearest.Hint(f.Department, known)}
	}
	if f.Manager != "" && !managers[f.Manager] {
		return nil, false, &WrongError{"manager", f.Manager, "the ledger knows no such person"}
	}
	if f.Limit > 0 && len(found) > f.Limit {
		return found[:f.Limit], true, nil
	}
	return found, false, nil
}

// holdersIn returns the IDs of the people who have an account in an app, enabled or not.
func holdersIn(ctx context.Context, l ledger.Reader, app string) (map[string]bool, error) {
	holders := map[string]bool{}
	if app == "" {
		return holders, nil
	}
	links, err := l.Links(ctx, ledger.LinkFilter{App: app})
	for _, link := range links {
		if link.State == ledger.LinkActive || link.State == ledger.LinkDisabled {
			holders[link.PersonID] = true
		}
	}
	return holders, err
}

func hasFold(set map[string]bool, wanted string) bool {
	for have := range set {
		if strings.EqualFold(have, wanted) {
			return true
		}
	}
	return false
}

// selects reports whether the filter selects a person, by their summary.
func (f PeopleFilter) selects(s ledger.Summary) bool {
	name := strings.ToLower(s.GivenName + " " + s.FamilyName + " " + s.Username)
	return (f.Status == "" || s.Status == f.Status) &&
		(f.Department == "" || strings.EqualFold(s.Department, f.Department)) &&
		(f.Manager == "" || s.ManagerID == f.Manager) &&
		(f.Name == "" || strings.Contains(name, strings.ToLower(f.Name)))
}
