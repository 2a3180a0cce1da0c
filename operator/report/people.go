package report

import (
	"context"
	"iter"
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
	// Orphans lists those who stand for accounts that end as nobody's, instead of people.
	Orphans bool
}

// People yields the people that the filter selects, by ID, and reads them page by page. It yields a
// *WrongError if there is nobody, and nobody in the ledger is in the department, or the manager is
// not in it.
func People(ctx context.Context, l ledger.Reader, rules *policy.Policy, now time.Time, f PeopleFilter) iter.Seq2[Summary, error] {
	return func(yield func(Summary, error) bool) {
		in, done := inApp(ctx, l, f.App, f.After)
		defer done()
		found := false
		for s, err := range f.everybody(ctx, l) {
			selected := err == nil && s.PersonID > f.After && f.selects(s)
			if selected {
				selected, err = in(s.PersonID)
			}
			if selected && f.Role != "" {
				selected, err = holds(ctx, l, rules, s.PersonID, f.Role, now)
			}
			if err != nil {
				yield(Summary{}, err)
				return
			}
			if !selected {
				continue
			}
			if found = true; !yield(SummaryOf(s), nil) {
				return
			}
		}
		if found || f.Department == "" && f.Manager == "" {
			return
		}
		if err := f.knows(ctx, l); err != nil {
			yield(Summary{}, err)
		}
	}
}

// everybody yields those among whom the filter selects.
func (f PeopleFilter) everybody(ctx context.Context, l ledger.Reader) iter.Seq2[ledger.Summary, error] {
	if f.Orphans {
		return ledger.AllOrphans(ctx, l)
	}
	return ledger.AllPeople(ctx, l, f.After)
}

// holds reports whether a role holds for somebody now.
func holds(ctx context.Context, l ledger.Reader, rules *policy.Policy, personID, role string, now time.Time) (bool, error) {
	person, err := l.Person(ctx, personID)
	return err == nil && slices.Contains(operator.RolesOf(rules, person, now), role), err
}

// knows returns a *WrongError if nobody is in the department, or the manager is nobody's.
func (f PeopleFilter) knows(ctx context.Context, l ledger.Reader) error {
	departments, manager := map[string]bool{}, false
	f.After = ""
	for s, err := range f.everybody(ctx, l) {
		if err != nil {
			return err
		}
		departments[s.Department] = true
		manager = manager || s.ManagerID == f.Manager || s.PersonID == f.Manager
	}
	if f.Department != "" && !hasFold(departments, f.Department) {
		known := slices.Collect(maps.Keys(departments))
		return &WrongError{"department", f.Department, "nobody in the ledger is in it" + nearest.Hint(f.Department, known)}
	}
	if f.Manager != "" && !manager {
		return &WrongError{"manager", f.Manager, "the ledger knows no such person"}
	}
	return nil
}

// inApp returns what says of people behind a place, who are asked about by ID, whether they have an
// account in an app, enabled or not. It reads the app's accounts beside them, page by page. With no app
// everybody is in it.
func inApp(ctx context.Context, l ledger.Reader, app, after string) (in func(personID string) (bool, error), done func()) {
	if app == "" {
		return func(string) (bool, error) { return true, nil }, func() {}
	}
	next, stop := iter.Pull2(ledger.AllLinks(ctx, l, ledger.LinkFilter{App: app, After: ledger.LinkPlace{PersonID: after}}))
	link, err, more := next()
	return func(personID string) (bool, error) {
		for more && err == nil && link.PersonID < personID {
			link, err, more = next()
		}
		return more && err == nil && link.PersonID == personID && (link.State == ledger.LinkActive || link.State == ledger.LinkDisabled), err
	}, stop
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
