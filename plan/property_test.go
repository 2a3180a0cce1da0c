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

// After a plan is applied, planning again gives no steps, for any links and any desired access.
func TestApplyingAPlanLeavesNothingToDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := anyInput(t)
		made := plan.Make(in)
		in.Links = applyAll(t, in, made.Steps)
		again := plan.Make(in)
		require.Empty(t, again.Steps, "first plan: %v", short(made.Steps))
	})
}

// A skip holds as long as nothing else changes. No other step counts as skipped.
func TestASkipDoesNotLapseByItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := anyInput(t)
		in.Skipped = map[string]bool{"chat/Disable/other": true}
		want := []string{}
		for range 3 { // each skip may lead to other steps
			steps := plan.Make(in).Steps
			if len(steps) == 0 {
				break
			}
			key := rapid.SampledFrom(steps).Draw(t, "step").Key
			in.Skipped[key] = true
			want = append(want, key)
			slices.Sort(want)
			require.Equal(t, want, plan.Make(in).Skipped)
		}
	})
}

// The same input gives the same plan to the byte, in any order of its lists.
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

// For a person without access, the plan disables every account that may be enabled, and no
// such step waits for any other.
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

// No account is deleted before retention is over, or while policy wants the account.
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
			said, ok := in.Retentions[s.App]
			if !ok {
				said, ok = in.Retentions[""]
			}
			if ok && !said.Until.IsZero() {
				require.False(t, said.Until.After(in.Now), "an operator wants it kept until then")
				continue
			}
			if ok {
				retain = said.For
			}
			if retain > 0 {
				require.False(t, in.Links[i].DisabledAt.Add(retain).After(in.Now))
				require.False(t, in.Links[i].StrippedAt.Add(retain).After(in.Now))
			}
		}
	})
}

// No account of a person under a hold is deleted, whatever timers, operators and policy say.
// If disabling destroys an account, only a human may disable it. The plan is due again when
// the hold ends.
func TestNothingOfSomebodyHeldIsDeleted(t *testing.T) {
	deleted := 0
	rapid.Check(t, func(t *rapid.T) {
		in := longGone(t)
		in.HeldUntil = time.Time{}
		free := plan.Make(in)
		in.HeldUntil = now.Add(time.Duration(rapid.Int64Range(1, int64(400*day)).Draw(t, "held")))
		held := plan.Make(in)
		for _, s := range held.Steps {
			require.NotEqual(t, plan.Delete, s.Kind)
			require.False(t, s.Kind == plan.Disable && in.Apps[s.App].Destroys && !s.Spare)
		}
		for _, s := range free.Steps {
			if s.Kind != plan.Delete || len(s.Needs) > 0 { // an account that is only disabled now is not deleted yet
				continue
			}
			deleted++
			require.True(t, slices.ContainsFunc(held.Deletions, func(d plan.Deletion) bool {
				return d.Key == s.Key && d.Waits == plan.WaitHold && d.Until.Equal(in.HeldUntil)
			}), "%s is not forgotten", s.App)
			require.False(t, held.Due.At.IsZero())
			require.False(t, held.Due.At.After(in.HeldUntil))
		}
		in.Now = in.HeldUntil
		for _, s := range free.Steps { // the same steps are planned when the hold has ended
			if s.Kind == plan.Delete && len(s.Needs) == 0 {
				require.True(t, slices.ContainsFunc(plan.Make(in).Steps, func(x plan.Step) bool { return x.Key == s.Key }))
			}
		}
	})
	require.Positive(t, deleted, "no life in which it makes a difference")
}

// A deletion that needs an approval is not done without it. With it, it is done as soon as
// retention is over.
func TestNothingIsDeletedWithoutItsApproval(t *testing.T) {
	waited := 0
	rapid.Check(t, func(t *rapid.T) {
		in := longGone(t)
		for _, s := range plan.Make(in).Steps {
			require.False(t, s.Kind == plan.Delete && in.Apps[s.App].Leaver.Approval && !in.Approvals[s.Key].Given)
		}
		for _, d := range plan.Make(in).Deletions {
			if d.Waits != plan.WaitApproval {
				continue
			}
			waited++
			require.True(t, d.Until.After(in.Now))
			require.False(t, plan.Make(in).Due.At.After(d.Until), "somebody is reminded")
			in.Approvals = map[string]plan.Approval{d.Key: {Given: true}}
			require.True(t, slices.ContainsFunc(plan.Make(in).Steps, func(s plan.Step) bool { return s.Key == d.Key }))
			break
		}
	})
	require.Positive(t, waited, "no life in which it makes a difference")
}

// longGone draws an input, most often for somebody who has left long ago.
func longGone(t *rapid.T) plan.Input {
	in := anyInput(t)
	if rapid.IntRange(0, 3).Draw(t, "is gone") > 0 {
		in.Desired = policy.Desired{Standing: standing(hr.StatusEnded)}
		in.Desired.Standing.Period.Ends = now.Add(-100 * day)
		for name, app := range in.Apps {
			app.Delete, app.Leaver.Delete = true, true
			in.Apps[name] = app
		}
		long := now.Add(-95 * day)
		in.Links = slices.DeleteFunc(in.Links, func(l plan.Link) bool { return l.App == "a" })
		in.Links = append(in.Links, plan.Link{App: "a", State: plan.LinkDisabled, DisabledAt: long, StrippedAt: long, HandedOverAt: long})
	}
	return in
}

func anyInput(t *rapid.T) plan.Input {
	names := []string{"a", "b", "c", "d"}
	groups := []string{"g1", "g2", "g3"}
	in := plan.Input{Now: now, Apps: map[string]plan.App{}, Recipients: map[string]bool{}, Retentions: map[string]plan.Retention{}}
	if rapid.IntRange(0, 3).Draw(t, "is held") == 0 {
		in.HeldUntil = now.Add(time.Duration(rapid.IntRange(-50, 50).Draw(t, "held until")) * day)
	}
	for _, app := range append([]string{""}, names...) {
		switch rapid.IntRange(0, 9).Draw(t, "said of retention") {
		case 0:
			in.Retentions[app] = plan.Retention{Until: now.Add(time.Duration(rapid.IntRange(-50, 50).Draw(t, "until")) * day)}
		case 1:
			in.Retentions[app] = plan.Retention{For: time.Duration(rapid.IntRange(0, 80).Draw(t, "for")) * day}
		}
	}
	in.Desired.Standing = standing(rapid.SampledFrom([]hr.Status{
		hr.StatusUnknown, hr.StatusUpcoming, hr.StatusActive, hr.StatusOnLeave, hr.StatusSuspended, hr.StatusEnded,
	}).Draw(t, "status"))
	status := in.Desired.Standing.Status
	if status == hr.StatusEnded {
		ends := now.Add(-time.Duration(rapid.IntRange(0, 100).Draw(t, "ended")) * day)
		in.Desired.Standing.Period.Ends, in.Desired.Standing.Since = ends, ends
	}
	for i, name := range names {
		app := plan.App{Disable: true, Delete: rapid.Bool().Draw(t, "deletes"), HandOver: rapid.Bool().Draw(t, "hands over")}
		app.Leaver = policy.LeaverRules{
			Retain: time.Duration(rapid.IntRange(0, 3).Draw(t, "retain")) * 30 * day, Delete: rapid.Bool().Draw(t, "delete"),
			Approval: rapid.IntRange(0, 3).Draw(t, "approval") == 0, Remind: day,
		}
		app.Destroys = rapid.IntRange(0, 3).Draw(t, "destroys") == 0
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

// applyAll changes links as the activities do when every step succeeds.
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
