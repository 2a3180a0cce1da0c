package plan_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// leftLong returns the input for somebody whose chat account was disabled and stripped the
// given time ago.
func leftLong(ago time.Duration) plan.Input {
	at := now.Add(-ago)
	gone := standing(hr.StatusEnded)
	gone.Period.Ends, gone.Since = at, at
	return plan.Input{
		Now: now, Apps: map[string]plan.App{"chat": {Disable: true, Delete: true, Leaver: policy.LeaverRules{Retain: 30 * day, Delete: true}}},
		Desired: policy.Desired{Standing: gone},
		Links:   []plan.Link{{App: "chat", State: plan.LinkDisabled, DisabledAt: at, StrippedAt: at}},
	}
}

func TestWhatStandsAgainstADeletion(t *testing.T) {
	key := plan.Make(leftLong(31 * day)).Steps[0].Key
	approval := func(in *plan.Input) {
		app := in.Apps["chat"]
		app.Leaver.Approval, app.Leaver.Remind = true, 7*day
		in.Apps["chat"] = app
	}
	for _, tc := range []struct {
		name   string
		ago    time.Duration // time since the account was disabled
		change func(*plan.Input)
		waits  plan.Wait // empty if the account is deleted now
		due    plan.Due
	}{
		{"nothing", 31 * day, nil, "", plan.Due{}},
		{"retention", 29 * day, nil, plan.WaitRetention, plan.Due{At: now.Add(day), What: plan.DueDelete, App: "chat"}},
		{
			"a hold", 31 * day, func(in *plan.Input) { in.HeldUntil = now.Add(5 * day) },
			plan.WaitHold, plan.Due{At: now.Add(5 * day), What: plan.DueHold},
		},
		{
			"a hold that ends before retention does", 29 * day, func(in *plan.Input) { in.HeldUntil = now.Add(time.Hour) },
			plan.WaitRetention, plan.Due{At: now.Add(day), What: plan.DueDelete, App: "chat"},
		},
		{"a hold that has just ended", 31 * day, func(in *plan.Input) { in.HeldUntil = now }, "", plan.Due{}},
		{
			"a hold before an approval", 31 * day, func(in *plan.Input) { approval(in); in.HeldUntil = now.Add(5 * day) },
			plan.WaitHold, plan.Due{At: now.Add(5 * day), What: plan.DueHold},
		},
		{"an approval", 31 * day, approval, plan.WaitApproval, plan.Due{At: now.Add(7 * day), What: plan.DueApproval, App: "chat"}},
		{"an approval, after retention", 29 * day, approval, plan.WaitRetention, plan.Due{At: now.Add(day), What: plan.DueDelete, App: "chat"}},
		{
			"an approval that was asked for", 31 * day,
			func(in *plan.Input) {
				approval(in)
				in.Approvals = map[string]plan.Approval{key: {LookAt: now.Add(time.Hour)}}
			},
			plan.WaitApproval, plan.Due{At: now.Add(time.Hour), What: plan.DueApproval, App: "chat"},
		},
		{
			"an approval of which somebody is reminded now", 31 * day,
			func(in *plan.Input) { approval(in); in.Approvals = map[string]plan.Approval{key: {LookAt: now}} },
			plan.WaitApproval, plan.Due{At: now.Add(7 * day), What: plan.DueApproval, App: "chat"},
		},
		{
			"an approval that was given", 31 * day,
			func(in *plan.Input) { approval(in); in.Approvals = map[string]plan.Approval{key: {Given: true}} },
			"", plan.Due{},
		},
		{
			"an approval that was given for another ending", 31 * day,
			func(in *plan.Input) {
				approval(in)
				in.Approvals = map[string]plan.Approval{"chat/Delete/before": {Given: true}}
			},
			plan.WaitApproval, plan.Due{At: now.Add(7 * day), What: plan.DueApproval, App: "chat"},
		},
		{
			"a longer retention", 31 * day,
			func(in *plan.Input) { in.Retentions = map[string]plan.Retention{"": {For: 40 * day}} },
			plan.WaitRetention, plan.Due{At: now.Add(9 * day), What: plan.DueDelete, App: "chat"},
		},
		{
			"a retention until a day", 31 * day,
			func(in *plan.Input) { in.Retentions = map[string]plan.Retention{"": {Until: now.Add(100 * day)}} },
			plan.WaitRetention, plan.Due{At: now.Add(100 * day), What: plan.DueDelete, App: "chat"},
		},
		{
			"a retention cut short", 2 * day,
			func(in *plan.Input) { in.Retentions = map[string]plan.Retention{"": {For: day}} },
			"", plan.Due{},
		},
		{
			"what was said of the app, before what was said of all", 31 * day,
			func(in *plan.Input) {
				in.Retentions = map[string]plan.Retention{"": {For: 0}, "chat": {For: 40 * day}, "wiki": {For: 90 * day}}
			},
			plan.WaitRetention, plan.Due{At: now.Add(9 * day), What: plan.DueDelete, App: "chat"},
		},
		{
			"a date that was said, and had passed, before access ended", 2 * day,
			func(in *plan.Input) {
				in.Retentions = map[string]plan.Retention{"": {Until: now.Add(-3 * day), SetAt: now.Add(-9 * day)}}
			},
			plan.WaitRetention, plan.Due{At: now.Add(28 * day), What: plan.DueDelete, App: "chat"},
		},
		{
			"a date that had passed before access ended, said since", 2 * day,
			func(in *plan.Input) {
				in.Retentions = map[string]plan.Retention{"": {Until: now.Add(-3 * day), SetAt: now.Add(-day)}}
			},
			"", plan.Due{},
		},
		{
			"a date that was said before access ended, and came after it", 2 * day,
			func(in *plan.Input) {
				in.Retentions = map[string]plan.Retention{"": {Until: now.Add(-day), SetAt: now.Add(-9 * day)}}
			},
			"", plan.Due{},
		},
		{
			"a date that came after access ended, as HR said once it had passed", 2 * day,
			func(in *plan.Input) {
				in.Retentions = map[string]plan.Retention{"": {Until: now.Add(-day), SetAt: now.Add(-9 * day)}}
				in.EndHeard = now.Add(-time.Hour)
			},
			plan.WaitRetention, plan.Due{At: now.Add(28 * day), What: plan.DueDelete, App: "chat"},
		},
		{
			"a date of the app that counts for nothing, before what was said of all", 2 * day,
			func(in *plan.Input) {
				in.Retentions = map[string]plan.Retention{"chat": {Until: now.Add(-3 * day)}, "": {For: 40 * day}}
			},
			plan.WaitRetention, plan.Due{At: now.Add(38 * day), What: plan.DueDelete, App: "chat"},
		},
		{
			"a hold, though retention is cut short", 2 * day,
			func(in *plan.Input) {
				in.Retentions = map[string]plan.Retention{"": {Until: now.Add(-day)}}
				in.HeldUntil = now.Add(day)
			},
			plan.WaitHold, plan.Due{At: now.Add(day), What: plan.DueHold},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := leftLong(tc.ago)
			if tc.change != nil {
				tc.change(&in)
			}
			got := plan.Make(in)
			assert.Equal(t, tc.due, got.Due)
			if tc.waits == "" {
				assert.Equal(t, []string{"chat/Delete"}, short(got.Steps))
				assert.Empty(t, got.Deletions)
				return
			}
			assert.Empty(t, got.Steps)
			require.Len(t, got.Deletions, 1)
			assert.Equal(t, tc.waits, got.Deletions[0].Waits)
			assert.Equal(t, tc.due.At, got.Deletions[0].Until)
			assert.Equal(t, "access ended", got.Deletions[0].Why)
		})
	}
}

func TestARetentionThatIsOverDoesNotWaitForProofToDelete(t *testing.T) {
	in := leftLong(day)
	in.Links[0] = plan.Link{App: "chat", State: plan.LinkActive}
	in.Retentions = map[string]plan.Retention{"chat": {Until: now.Add(-time.Hour)}}
	assert.Equal(t, []string{"chat/Disable", "chat/Strip", "chat/Delete"}, short(plan.Make(in).Steps), "one after the other, in one run")
	in.HeldUntil = now.Add(day)
	assert.Equal(t, []string{"chat/Disable", "chat/Strip"}, short(plan.Make(in).Steps))
}

// If an app can take access only by destroying the account and the account must be kept, a
// human takes the access.
func TestWhatMustNotBeDestroyedIsSpared(t *testing.T) {
	for name, app := range map[string]plan.App{
		"gone is the only off":     {Delete: true},
		"what is disabled is gone": {Disable: true, Destroys: true},
	} {
		t.Run(name, func(t *testing.T) {
			in := leftLong(day)
			in.Links[0] = plan.Link{App: "chat", State: plan.LinkActive}
			app.Leaver = in.Apps["chat"].Leaver
			in.Apps["chat"] = app
			free := plan.Make(in)
			require.NotEmpty(t, free.Steps)
			assert.False(t, free.Steps[0].Spare)

			in.HeldUntil = now.Add(day)
			held := plan.Make(in)
			assert.Equal(t, []string{"chat/Disable", "chat/Strip"}, short(held.Steps))
			assert.True(t, held.Steps[0].Spare)
			assert.NotEqual(t, free.Steps[0].Key, held.Steps[0].Key, "what a human was asked for is not what is done when the hold is over")
			assert.Equal(t, plan.Leaver, held.Change)
		})
	}
	t.Run("an approval too", func(t *testing.T) {
		in := leftLong(day)
		in.Links[0] = plan.Link{App: "chat", State: plan.LinkActive}
		in.Apps["chat"] = plan.App{Delete: true, Leaver: policy.LeaverRules{Delete: true, Approval: true, Remind: day}}
		waits := plan.Make(in)
		assert.Equal(t, []string{"chat/Disable", "chat/Strip"}, short(waits.Steps))
		require.Len(t, waits.Deletions, 1)
		assert.Equal(t, plan.WaitApproval, waits.Deletions[0].Waits)
		in.Approvals = map[string]plan.Approval{waits.Deletions[0].Key: {Given: true}}
		assert.Equal(t, []string{"chat/Delete"}, short(plan.Make(in).Steps))
	})
}

// Nobody is asked to approve a deletion in a protected app. It is withheld, and an operator is
// asked, as for every withheld step.
func TestADeletionInAProtectedAppNeedsNoApproval(t *testing.T) {
	in := leftLong(31 * day)
	app := in.Apps["chat"]
	app.Leaver.Approval = true
	in.Apps["chat"], in.Protected = app, map[string]bool{"chat": true}
	got := plan.Make(in)
	assert.Empty(t, got.Steps)
	assert.Empty(t, got.Deletions)
	assert.Equal(t, []string{"chat/Delete"}, short(got.Withheld))
}

// TestWhatIsNotToBeDeletedIsNotDeletedToTakeAccess checks that a human takes access in an app
// that knows no other way.
func TestWhatIsNotToBeDeletedIsNotDeletedToTakeAccess(t *testing.T) {
	in := leftLong(day)
	in.Links[0] = plan.Link{App: "chat", State: plan.LinkActive}
	in.Apps["chat"] = plan.App{Delete: true, Leaver: policy.LeaverRules{Delete: false}}
	p := plan.Make(in)
	assert.Equal(t, []string{"chat/Disable", "chat/Strip"}, short(p.Steps))
	assert.True(t, p.Steps[0].Spare)
}

// TestWhatWasSparedIsLookedAtWhenTheHoldIsOver checks that a spared account is planned again
// after the hold, even if an operator skipped the step.
func TestWhatWasSparedIsLookedAtWhenTheHoldIsOver(t *testing.T) {
	in := leftLong(day)
	in.Links = []plan.Link{{App: "chat", State: plan.LinkActive}}
	in.Apps["chat"] = plan.App{Disable: true, Destroys: true}
	in.HeldUntil = now.Add(day)
	p := plan.Make(in)
	require.True(t, p.Steps[0].Spare)
	in.Skipped = map[string]bool{p.Steps[0].Key: true}
	p = plan.Make(in)
	assert.Empty(t, p.Steps)
	assert.Equal(t, plan.Due{At: in.HeldUntil, What: plan.DueHold}, p.Due)
}

// TestOnlyOff checks that accounts are disabled, and nothing else is done, as long as it is
// not known what policy grants.
func TestOnlyOff(t *testing.T) {
	in := leftLong(100 * day)
	in.OnlyOff = true
	in.Links = []plan.Link{
		{App: "chat", State: plan.LinkActive},
		{App: "directory", State: plan.LinkDisabled, DisabledAt: now.Add(-99 * day), StrippedAt: now.Add(-99 * day)},
		{App: "wiki", State: plan.LinkPlanned},
	}
	p := plan.Make(in)
	assert.Equal(t, []string{"chat/Disable", "wiki/Disable"}, short(p.Steps))
	assert.Equal(t, plan.Leaver, p.Change)
}
