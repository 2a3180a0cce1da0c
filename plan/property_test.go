package plan_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// Applying a plan and planning again gives nothing, whatever is linked and
// wanted.
func TestApplyingAPlanLeavesNothingToDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := anyInput(t)
		made := plan.Make(in)
		in.Links = applyAll(t, in, made.Steps)
		again := plan.Make(in)
		require.Empty(t, again.Steps, "first plan: %v", short(made.Steps))
	})
}

// The same input gives the same plan to the byte, in whatever order it is given.
func TestDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := anyInput(t)
		first, err := json.Marshal(plan.Make(in))
		require.NoError(t, err)
		in.Links = rapid.Permutation(in.Links).Draw(t, "links")
		in.Desired.Accounts = rapid.Permutation(in.Desired.Accounts).Draw(t, "accounts")
		second, err := json.Marshal(plan.Make(in))
		require.NoError(t, err)
		require.JSONEq(t, string(first), string(second))
	})
}

// A person without access has every account that may be on turned off by the
// plan, and no step of that kind waits for any other.
func TestCutOffIsCompleteAndImmediate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := anyInput(t)
		in.Desired.Standing = standing(rapid.SampledFrom([]hr.Status{hr.StatusEnded, hr.StatusSuspended, hr.StatusUnknown}).Draw(t, "status"))
		in.Desired.Accounts = nil
		made := plan.Make(in)
		for _, l := range in.Links {
			if l.State != plan.LinkActive {
				continue
			}
			i := slices.IndexFunc(made.Steps, func(s plan.Step) bool { return s.App == l.App && s.Kind == plan.Disable })
			require.GreaterOrEqual(t, i, 0, "%s stays on", l.App)
			require.Empty(t, made.Steps[i].Needs)
			require.Empty(t, made.Steps[i].Follows)
		}
	})
}

// Nothing is deleted before retention is over, and nothing at all of somebody
// who is to have the account.
func TestNeverDeletedTooEarly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := anyInput(t)
		for _, s := range plan.Make(in).Steps {
			if s.Kind != plan.Delete {
				continue
			}
			require.False(t, slices.ContainsFunc(in.Desired.Accounts, func(a policy.Account) bool { return a.App == s.App }))
			i := slices.IndexFunc(in.Links, func(l plan.Link) bool { return l.App == s.App })
			retain := in.Apps[s.App].Leaver.Retain
			if retain > 0 {
				require.False(t, in.Links[i].DisabledAt.Add(retain).After(in.Now))
				require.False(t, in.Links[i].StrippedAt.Add(retain).After(in.Now))
			}
		}
	})
}

func anyInput(t *rapid.T) plan.Input {
	names := []string{"a", "b", "c", "d"}
	groups := []string{"g1", "g2", "g3"}
	in := plan.Input{Now: now, Apps: map[string]plan.App{}, Recipients: map[string]bool{}}
	in.Desired.Standing = standing(rapid.SampledFrom([]hr.Status{
		hr.StatusUnknown, hr.StatusUpcoming, hr.StatusActive, hr.StatusOnLeave, hr.StatusSuspended, hr.StatusEnded,
	}).Draw(t, "status"))
	status := in.Desired.Standing.Status
	for i, name := range names {
		app := plan.App{Disable: true, Delete: rapid.Bool().Draw(t, "deletes"), HandOver: rapid.Bool().Draw(t, "hands over")}
		app.Leaver = policy.LeaverRules{
			Retain: time.Duration(rapid.IntRange(0, 3).Draw(t, "retain")) * 30 * day, Delete: rapid.Bool().Draw(t, "delete"),
		}
		if i > 0 && rapid.Bool().Draw(t, "depends") {
			app.After = []string{names[i-1]}
		}
		in.Apps[name] = app
		in.Recipients[name] = rapid.Bool().Draw(t, "recipient")

		employed := status != hr.StatusEnded && status != hr.StatusUnknown
		if employed && rapid.Bool().Draw(t, "wanted") {
			account := policy.Account{
				App: name, Enabled: status == hr.StatusActive,
				Attributes: map[string]any{"title": rapid.SampledFrom([]string{"x", "y"}).Draw(t, "title")},
			}
			for _, g := range rapid.SliceOfDistinct(rapid.SampledFrom(groups), rapid.ID[string]).Draw(t, "groups") {
				account.Entitlements = append(account.Entitlements, policy.Entitlement{Name: g, Roles: []string{"r"}})
			}
			in.Desired.Accounts = append(in.Desired.Accounts, account)
		}
		state := rapid.SampledFrom([]plan.LinkState{
			plan.LinkNone, plan.LinkPlanned, plan.LinkActive, plan.LinkDisabled, plan.LinkDeleted,
		}).Draw(t, "link")
		if state == plan.LinkNone {
			continue
		}
		link := plan.Link{App: name, State: state}
		if state == plan.LinkActive || state == plan.LinkDisabled {
			link.Attributes = policy.Digest(map[string]any{"title": "x"})
			link.Entitlements = rapid.SliceOfDistinct(rapid.SampledFrom(groups), rapid.ID[string]).Draw(t, "has")
		}
		ago := func(label string) time.Time {
			return now.Add(-time.Duration(rapid.IntRange(0, 100).Draw(t, label)) * day)
		}
		if state == plan.LinkDisabled {
			link.DisabledAt = ago("disabled")
			if rapid.Bool().Draw(t, "stripped") {
				link.StrippedAt = ago("stripped at")
				link.Entitlements = nil
			}
		}
		in.Links = append(in.Links, link)
	}
	return in
}

// applyAll does to links what the activities do when every step succeeds.
func applyAll(t *rapid.T, in plan.Input, steps []plan.Step) []plan.Link {
	links := map[string]plan.Link{}
	for _, l := range in.Links {
		links[l.App] = l
	}
	done := map[string]bool{}
	for len(steps) > 0 {
		var left []plan.Step
		for _, s := range steps {
			if slices.ContainsFunc(append(s.Needs, s.Follows...), func(k string) bool { return !done[k] }) {
				left = append(left, s)
				continue
			}
			done[s.Key] = true
			links[s.App] = applyOne(in, links[s.App], s)
		}
		require.Less(t, len(left), len(steps), "steps wait for each other: %v", short(left))
		steps = left
	}
	var out []plan.Link
	for _, l := range links {
		out = append(out, l)
	}
	return out
}

func applyOne(in plan.Input, l plan.Link, s plan.Step) plan.Link {
	l.App = s.App
	attributes := func() string {
		i := slices.IndexFunc(in.Desired.Accounts, func(a policy.Account) bool { return a.App == s.App })
		return policy.Digest(in.Desired.Accounts[i].Attributes)
	}
	switch s.Kind {
	case plan.Provision:
		l = plan.Link{App: s.App, State: plan.LinkActive, Entitlements: s.Grant, Attributes: attributes()}
		if !s.Enabled {
			l.State, l.DisabledAt = plan.LinkDisabled, in.Now
		}
	case plan.Update:
		l.Entitlements = slices.DeleteFunc(append(slices.Clone(l.Entitlements), s.Grant...), func(e string) bool {
			return slices.Contains(s.Revoke, e)
		})
		l.Attributes = attributes()
	case plan.Disable:
		if l.State == plan.LinkPlanned {
			return plan.Link{App: s.App, State: plan.LinkDeleted}
		}
		if l.State != plan.LinkDisabled {
			l.DisabledAt, l.StrippedAt, l.HandedOverAt = in.Now, time.Time{}, time.Time{}
		}
		l.State, l.DoubtUntil = plan.LinkDisabled, time.Time{}
	case plan.Strip:
		l.Entitlements, l.StrippedAt = nil, in.Now
	case plan.HandOver:
		l.HandedOverAt = in.Now
	case plan.Delete:
		l = plan.Link{App: s.App, State: plan.LinkDeleted}
	}
	return l
}
