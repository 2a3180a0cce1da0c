package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/dev/company"
	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/dev/story"
	"github.com/tenurehq/tenure/hr"
)

// TestGeneratedCompany sends the whole history of a company, all of which is in the past,
// and compares every app with what everybody should have. Then it sends the history once
// more, and nothing happens.
func TestGeneratedCompany(t *testing.T) {
	t.Parallel()
	opts := company.Typical(seeded(t).Uint64(), 150)
	opts.Start = hr.Date{Year: 2020, Month: time.January, Day: 1}
	history := company.Generate(opts)

	r := startRig(t, stack.Options{})
	r.publish(t, history.Events...)
	r.awaitRest(t)
	accounts := r.accounts(t)
	compare(t, history.Expected(time.Now()), accounts)

	requests, runs := r.requests(), r.personRuns(t)
	r.publish(t, history.Events...)
	r.awaitRest(t)
	assert.Equal(t, requests, r.requests(), "no app is called for what was known")
	assert.Equal(t, runs, r.personRuns(t), "no workflow is started for what was known")
	assert.Equal(t, accounts, r.accounts(t))
}

// compare compares the accounts in every app with what everybody should have.
func compare(t *testing.T, expected []company.Expected, accounts map[string]map[string][]story.User) {
	t.Helper()
	active := map[string]bool{}
	for _, x := range expected {
		active[x.PersonID] = x.Status == hr.StatusActive
	}
	checked := 0
	for _, x := range expected {
		granted := granted(x)
		for app, all := range accounts {
			what := fmt.Sprintf("person %s (%s) in %s", x.PersonID, x.Status, app)
			mine := all[x.PersonID]
			assert.LessOrEqual(t, len(mine), 1, what)
			if !active[x.PersonID] || granted[app] == nil {
				for _, u := range mine {
					assert.False(t, u.Active, what)
				}
				continue
			}
			if !assert.Len(t, mine, 1, what) {
				continue
			}
			assert.Equal(t, "on: "+strings.Join(slices.Sorted(slices.Values(granted[app])), ", "), story.State(mine[0]), what)
			assert.Equal(t, x.JobTitle, mine[0].Title, what)
			assert.True(t, strings.HasSuffix(mine[0].DisplayName, x.FamilyName), what)
			if boss := all[x.ManagerID]; active[x.ManagerID] && len(boss) == 1 && boss[0].Active {
				assert.Equal(t, boss[0].ID, mine[0].Enterprise.Manager.Value, "manager of "+what)
			}
			checked++
		}
	}
	assert.Greater(t, checked, len(expected), "there are people with accounts")
	for app, all := range accounts {
		for person := range all {
			assert.Contains(t, active, person, app)
		}
	}
}

// byDepartment holds the entitlements that the stack's roles grant in each app, by
// department.
var byDepartment = map[string]map[string][]string{
	"Development":        {"wiki": {"engineers"}, "chat": {"engineering"}},
	"Quality Management": {"wiki": {"engineers", "quality"}, "chat": {"engineering"}},
	"Research":           {"wiki": {"researchers"}, "chat": {"engineering"}},
	"Production":         {"chat": {"production"}},
	"Sales":              {"crm": {"sales"}, "chat": {"sales"}},
	"Marketing":          {"crm": {"marketing"}, "wiki": {"editors"}},
	"Customer Service":   {"crm": {"support"}, "chat": {"support"}},
	"Finance":            {"crm": {"billing"}, "directory": {"finance"}},
	"Human Resources":    {"directory": {"human-resources"}},
}

// granted returns what a person has in each app while they are active.
func granted(x company.Expected) map[string][]string {
	groups := map[string][]string{"directory": {"everyone"}, "chat": {"general"}}
	for app, more := range byDepartment[x.Department] {
		groups[app] = append(groups[app], more...)
	}
	switch x.Type {
	case hr.TypeContractor, hr.TypePartner, hr.TypeService:
	default:
		groups["directory"] = append(groups["directory"], "staff")
		groups["wiki"] = append(groups["wiki"], "readers")
	}
	if strings.Contains(x.JobTitle, "Manager") {
		groups["directory"] = append(groups["directory"], "managers")
	}
	return groups
}

// requests returns how often each app was called.
func (r *rig) requests() map[string]int {
	all := map[string]int{}
	for _, app := range r.Stack.Apps() {
		all[app.Name] = app.Service.Stats().Requests
	}
	return all
}

// personRuns lists the runs of all people, sorted.
func (r *rig) personRuns(t *testing.T) []string {
	var ids []string
	for _, run := range r.runs(t, "WorkflowId STARTS_WITH 'person:'") {
		ids = append(ids, run.GetExecution().GetRunId())
	}
	slices.Sort(ids)
	return ids
}
