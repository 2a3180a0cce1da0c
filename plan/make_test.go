package plan_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

var (
	now   = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	start = now.AddDate(-1, 0, 0)
	day   = 24 * time.Hour
)

// apps returns three apps: chat and wiki come after the directory.
func apps() map[string]plan.App {
	full := plan.App{Leaver: policy.LeaverRules{Retain: 30 * day, Delete: true}, Disable: true, Delete: true}
	after := full
	after.After = []string{"directory"}
	return map[string]plan.App{"directory": full, "chat": after, "wiki": after}
}

func standing(status hr.Status) hr.Standing {
	period := &hr.Period{Starts: start}
	s := hr.Standing{Status: status, Period: period, Since: start}
	switch status {
	case hr.StatusUpcoming:
		period.Starts = now.Add(7 * day)
		s.Since = time.Time{}
		s.Changes = period.Starts
	case hr.StatusEnded:
		period.Ends = now.Add(-time.Hour)
		s.Since = period.Ends
	}
	return s
}

func wants(enabled bool, entitlements ...string) []policy.Account {
	var out []policy.Account
	for _, app := range []string{"chat", "directory", "wiki"} {
		a := policy.Account{App: app, Enabled: enabled, Attributes: map[string]any{"title": "Engineer"}}
		for _, e := range entitlements {
			a.Entitlements = append(a.Entitlements, policy.Entitlement{Name: e, Roles: []string{"everyone"}})
		}
		out = append(out, a)
	}
	return out
}

var digest = policy.Digest(map[string]any{"title": "Engineer"})

func linked(state plan.LinkState, entitlements ...string) []plan.Link {
	var out []plan.Link
	for _, app := range []string{"chat", "directory", "wiki"} {
		l := plan.Link{App: app, State: state, Entitlements: entitlements, Attributes: digest}
		if state == plan.LinkDisabled {
			l.DisabledAt = now.Add(-time.Hour)
		}
		out = append(out, l)
	}
	return out
}

// short returns steps as app/Kind.
func short(steps []plan.Step) []string {
	var out []string
	for _, s := range steps {
		out = append(out, s.App+"/"+string(s.Kind))
	}
	return out
}

func TestMake(t *testing.T) {
	ended := standing(hr.StatusEnded)
	urgent := standing(hr.StatusEnded)
	urgent.Urgent = true
	stripped := linked(plan.LinkDisabled)
	for i := range stripped {
		stripped[i].StrippedAt = now.Add(-time.Minute)
	}
	old := linked(plan.LinkDisabled)
	for i := range old {
		old[i].DisabledAt, old[i].StrippedAt = now.Add(-30*day-time.Second), now.Add(-30*day-time.Second)
	}
	longGone := ended
	longGone.Period = &hr.Period{Starts: start, Ends: now.Add(-31 * day)}

	for _, tc := range []struct {
		name   string
		in     plan.Input
		change plan.Change
		urgent bool
		steps  []string
		due    plan.Due
	}{
		{
			name:   "a joiner gets accounts",
			in:     plan.Input{Desired: policy.Desired{Standing: standing(hr.StatusActive), Accounts: wants(true, "staff")}},
			change: plan.Joiner,
			steps:  []string{"chat/Provision", "directory/Provision", "wiki/Provision"},
		},
		{
			name: "nobody who is as they should be is touched",
			in: plan.Input{
				Desired: policy.Desired{Standing: standing(hr.StatusActive), Accounts: wants(true, "staff")},
				Links:   linked(plan.LinkActive, "staff"),
			},
		},
		{
			name: "before the start date accounts are prepared",
			in: plan.Input{Desired: policy.Desired{
				Standing: standing(hr.StatusUpcoming), Accounts: wants(false), Changes: now.Add(7 * day),
			}},
			change: plan.Joiner,
			steps:  []string{"chat/Provision", "directory/Provision", "wiki/Provision"},
			due:    plan.Due{At: now.Add(7 * day), What: plan.DueStart},
		},
		{
			name: "on the start date they are enabled",
			in: plan.Input{
				Desired: policy.Desired{Standing: standing(hr.StatusActive), Accounts: wants(true)},
				Links:   linked(plan.LinkDisabled),
			},
			change: plan.Joiner,
			steps:  []string{"chat/Provision", "directory/Provision", "wiki/Provision"},
		},
		{
			name: "a mover is updated",
			in: plan.Input{
				Desired: policy.Desired{Standing: standing(hr.StatusActive), Accounts: wants(true, "sales", "staff")},
				Links:   linked(plan.LinkActive, "engineers", "staff"),
			},
			change: plan.Mover,
			steps:  []string{"chat/Update", "directory/Update", "wiki/Update"},
		},
		{
			name: "a mover who loses an app is disabled there",
			in: plan.Input{
				Desired: policy.Desired{Standing: standing(hr.StatusActive), Accounts: wants(true)[:2]},
				Links:   linked(plan.LinkActive),
			},
			change: plan.Mover,
			steps:  []string{"wiki/Disable", "wiki/Strip"},
		},
		{
			name: "a leaver is disabled and stripped",
			in: plan.Input{
				Desired: policy.Desired{Standing: ended}, Links: linked(plan.LinkActive, "staff"),
			},
			change: plan.Leaver,
			steps:  []string{"chat/Disable", "directory/Disable", "wiki/Disable", "chat/Strip", "directory/Strip", "wiki/Strip"},
		},
		{
			name:   "an immediate leaver is urgent",
			in:     plan.Input{Desired: policy.Desired{Standing: urgent}, Links: linked(plan.LinkActive)[:1]},
			change: plan.Leaver, urgent: true,
			steps: []string{"chat/Disable", "chat/Strip"},
		},
		{
			name: "retention is waited for, from the last proof",
			in:   plan.Input{Desired: policy.Desired{Standing: ended}, Links: stripped[:1]},
			due:  plan.Due{At: now.Add(30*day - time.Minute), What: plan.DueDelete, App: "chat"},
		},
		{
			name:   "after retention accounts are deleted, the directory's last",
			in:     plan.Input{Desired: policy.Desired{Standing: longGone}, Links: old},
			change: plan.Leaver,
			steps:  []string{"chat/Delete", "directory/Delete", "wiki/Delete"},
		},
		{
			name: "a rehire takes the accounts back",
			in: plan.Input{
				Desired: policy.Desired{Standing: standing(hr.StatusActive), Accounts: wants(true, "staff")}, Links: old,
			},
			change: plan.Joiner,
			steps:  []string{"chat/Provision", "directory/Provision", "wiki/Provision"},
		},
		{
			name: "somebody on leave keeps entitlements and loses access",
			in: plan.Input{
				Desired: policy.Desired{Standing: standing(hr.StatusOnLeave), Accounts: wants(false, "staff")},
				Links:   linked(plan.LinkActive, "staff"),
			},
			change: plan.Mover,
			steps:  []string{"chat/Disable", "directory/Disable", "wiki/Disable"},
		},
		{
			name: "a suspended person is cut off and nothing else is done",
			in: plan.Input{
				Desired: policy.Desired{Standing: standing(hr.StatusSuspended), Accounts: wants(false, "sales")},
				Links:   linked(plan.LinkActive, "staff"),
			},
			change: plan.Leaver,
			steps:  []string{"chat/Disable", "directory/Disable", "wiki/Disable"},
		},
		{
			name: "nothing is made for somebody who is suspended before they had accounts",
			in: plan.Input{
				Desired: policy.Desired{Standing: standing(hr.StatusSuspended), Accounts: wants(false, "sales")},
			},
		},
		{
			name: "an account that was only planned may be there: a leaver's is looked for",
			in: plan.Input{
				Desired: policy.Desired{Standing: ended}, Links: linked(plan.LinkPlanned)[:1],
			},
			change: plan.Leaver,
			steps:  []string{"chat/Disable"},
		},
		{
			name: "in doubt it is looked for again when no call can be under way",
			in: plan.Input{
				Desired: policy.Desired{Standing: ended},
				Links:   []plan.Link{{App: "chat", State: plan.LinkPlanned, DoubtUntil: now.Add(time.Minute)}},
			},
			due: plan.Due{At: now.Add(time.Minute), What: plan.DueVerify, App: "chat"},
		},
		{
			name: "in doubt a disabled account is proven disabled once more",
			in: plan.Input{
				Desired: policy.Desired{Standing: ended},
				Links: []plan.Link{{
					App: "chat", State: plan.LinkDisabled, DisabledAt: now.Add(-time.Hour), StrippedAt: now.Add(-time.Hour),
					DoubtUntil: now.Add(-time.Second),
				}},
			},
			change: plan.Leaver,
			steps:  []string{"chat/Disable"},
			due:    plan.Due{At: now.Add(30*day - time.Hour), What: plan.DueDelete, App: "chat"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.in.Now, tc.in.Apps = now, apps()
			got := plan.Make(tc.in)
			assert.Equal(t, tc.change, got.Change)
			assert.Equal(t, tc.urgent, got.Urgent)
			assert.Equal(t, tc.steps, short(got.Steps))
			assert.Equal(t, tc.due, got.Due)
		})
	}
}

func TestOrder(t *testing.T) {
	t.Run("accounts are made after those they depend on", func(t *testing.T) {
		got := plan.Make(plan.Input{
			Now: now, Apps: apps(),
			Desired: policy.Desired{Standing: standing(hr.StatusActive), Accounts: wants(true)},
		})
		byApp := map[string]plan.Step{}
		for _, s := range got.Steps {
			byApp[s.App] = s
		}
		assert.Empty(t, byApp["directory"].Needs)
		assert.Equal(t, []string{byApp["directory"].Key}, byApp["chat"].Needs)
	})
	t.Run("deleted in the reverse order, but none for ever", func(t *testing.T) {
		links := linked(plan.LinkDisabled)
		for i := range links {
			links[i].StrippedAt = now.Add(-40 * day)
			links[i].DisabledAt = now.Add(-40 * day)
		}
		gone := standing(hr.StatusEnded)
		gone.Period.Ends = now.Add(-40 * day)
		got := plan.Make(plan.Input{Now: now, Apps: apps(), Desired: policy.Desired{Standing: gone}, Links: links})
		for _, s := range got.Steps {
			assert.Empty(t, s.Needs)
			assert.Len(t, s.Follows, map[string]int{"directory": 2}[s.App], s.App)
		}
	})
	t.Run("the end of what appears at sign-in waits for the directory's, until it is done or has failed", func(t *testing.T) {
		all := apps()
		wiki := all["wiki"]
		wiki.Behind = "directory"
		all["wiki"] = wiki
		made := plan.Make(plan.Input{
			Now: now, Apps: all, Desired: policy.Desired{Standing: standing(hr.StatusEnded)}, Links: linked(plan.LinkActive),
		})
		off := map[string]plan.Step{}
		for _, s := range made.Steps {
			if s.Kind == plan.Disable {
				off[s.App] = s
			}
		}
		assert.Equal(t, []string{off["directory"].Key}, off["wiki"].Follows)
		assert.Empty(t, off["wiki"].Needs, "it does not need it")
		assert.Empty(t, off["directory"].Follows)
		assert.Empty(t, off["chat"].Follows)
	})
	t.Run("what turns an account off waits for nothing", func(t *testing.T) {
		got := plan.Make(plan.Input{
			Now: now, Apps: apps(), Desired: policy.Desired{Standing: standing(hr.StatusEnded)}, Links: linked(plan.LinkActive),
		})
		for _, s := range got.Steps {
			if s.Kind == plan.Disable {
				assert.Empty(t, s.Needs)
				assert.Empty(t, s.Follows)
			}
		}
	})
}

func TestSkipped(t *testing.T) {
	in := plan.Input{
		Now: now, Apps: apps(), Desired: policy.Desired{Standing: standing(hr.StatusEnded)}, Links: linked(plan.LinkActive),
	}
	first := plan.Make(in)
	i := slices.IndexFunc(first.Steps, func(s plan.Step) bool { return s.App == "wiki" && s.Kind == plan.Disable })
	require.GreaterOrEqual(t, i, 0)

	in.Skipped = map[string]bool{first.Steps[i].Key: true}
	assert.Equal(t, []string{"chat/Disable", "directory/Disable", "chat/Strip", "directory/Strip"}, short(plan.Make(in).Steps),
		"a skipped cut-off leaves the account alone altogether")

	in.Desired.Standing.Since = now.Add(-time.Minute)
	assert.Contains(t, short(plan.Make(in).Steps), "wiki/Disable", "the decision was about that ending, not about the next")
}

func TestASkipHoldsAsLongAsWhatWasSkippedIsAskedFor(t *testing.T) {
	in := plan.Input{
		Now: now, Apps: apps(), Links: linked(plan.LinkActive, "staff"),
		Desired: policy.Desired{Standing: standing(hr.StatusActive), Accounts: wants(true, "staff")[:2]},
	}
	require.Equal(t, []string{"wiki/Disable", "wiki/Strip"}, short(plan.Make(in).Steps), "a mover loses the wiki")
	disable := plan.Make(in).Steps[0].Key

	in.Skipped = map[string]bool{disable: true}
	got := plan.Make(in)
	assert.Empty(t, got.Steps)
	assert.Equal(t, []string{disable}, got.Skipped)

	in.HeldUntil = now.Add(day)
	assert.Equal(t, []string{disable}, plan.Make(in).Skipped, "whatever comes in between, it is the same ending")
	in.HeldUntil = time.Time{}

	in.Desired.Accounts = wants(true, "staff")
	got = plan.Make(in)
	assert.Empty(t, got.Steps)
	assert.Empty(t, got.Skipped, "granted again: there is nothing left that was skipped")
}

func TestASkippedUpdateIsAboutOneEmployment(t *testing.T) {
	in := plan.Input{
		Now: now, Apps: apps(), Links: linked(plan.LinkActive, "admins", "staff"),
		Desired: policy.Desired{Standing: standing(hr.StatusActive), Accounts: wants(true, "staff")},
	}
	first := plan.Make(in)
	require.Equal(t, []string{"chat/Update", "directory/Update", "wiki/Update"}, short(first.Steps))
	in.Skipped = map[string]bool{first.Steps[0].Key: true}
	got := plan.Make(in)
	assert.Equal(t, []string{"directory/Update", "wiki/Update"}, short(got.Steps))
	assert.Equal(t, []string{first.Steps[0].Key}, got.Skipped)

	in.Desired.Standing.Since = now.Add(-time.Minute)
	got = plan.Make(in)
	assert.Contains(t, short(got.Steps), "chat/Update", "the decision was about that employment, not about the next")
	assert.Empty(t, got.Skipped)
}

func TestAppThatCannotDisable(t *testing.T) {
	traits := apps()
	traits["chat"] = plan.App{Leaver: policy.LeaverRules{Retain: 30 * day, Delete: true}, Delete: true}
	got := plan.Make(plan.Input{
		Now: now, Apps: traits, Desired: policy.Desired{Standing: standing(hr.StatusEnded)}, Links: linked(plan.LinkActive)[:1],
	})
	assert.Equal(t, []string{"chat/Delete"}, short(got.Steps), "gone is the only off there is")
}

// Where deleting hands the data over, that takes no step of its own. Without a recipient, an
// operator decides before the account is deleted.
func TestAnAppThatHandsOverAsItDeletes(t *testing.T) {
	make := func(recipient bool, skipped ...string) plan.Plan {
		in := plan.Input{
			Now: now, Desired: policy.Desired{Standing: standing(hr.StatusEnded)}, Recipients: map[string]bool{"calls": recipient},
			Apps:  map[string]plan.App{"calls": {Disable: true, Delete: true, HandOverByDelete: true, Leaver: policy.LeaverRules{Delete: true}}},
			Links: []plan.Link{{App: "calls", State: plan.LinkActive}}, Skipped: map[string]bool{},
		}
		for _, key := range skipped {
			in.Skipped[key] = true
		}
		return plan.Make(in)
	}
	assert.Equal(t, []string{"calls/Disable", "calls/Strip", "calls/Delete"}, short(make(true).Steps))
	assert.Equal(t, []string{"calls/HandOver"}, short(make(true).ByDelete))
	assert.Empty(t, make(false).ByDelete)
	asks := make(false).Steps
	require.Equal(t, []string{"calls/Disable", "calls/Strip", "calls/HandOver", "calls/Delete"}, short(asks))
	assert.Contains(t, asks[3].Needs, asks[2].Key, "not deleted before")
	assert.Equal(t, []string{"calls/Disable", "calls/Strip", "calls/Delete"}, short(make(false, asks[2].Key).Steps), "an operator has decided")
	assert.Equal(t, asks[2].Key, make(true).ByDelete[0].Key, "it is the same decision")
	without := make(true, asks[2].Key)
	assert.Equal(t, []string{"calls/Disable", "calls/Strip", "calls/Delete"}, short(without.Steps))
	assert.Empty(t, without.ByDelete)
	assert.Equal(t, []string{asks[2].Key}, without.Skipped)
}
