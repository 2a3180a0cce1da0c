package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// What a hand-over needs is taken after it, and nothing is deleted before it, unless an operator
// has skipped it. Without a receiver and without a human who is asked, an operator is asked when
// the account is due for deletion, or at once if something is kept for it.
func TestWhenDataAreHandedOver(t *testing.T) {
	long := now.Add(-90 * day)
	needs := []string{"licence:", "seats"}
	active := plan.Link{App: "mail", State: plan.LinkActive, Entitlements: []string{"licence:office", "seats", "staff"}}
	stripped := plan.Link{App: "mail", State: plan.LinkDisabled, DisabledAt: long, StrippedAt: long}
	kept, over := stripped, stripped
	kept.Entitlements = []string{"licence:office"}
	over.Entitlements, over.HandedOverAt = kept.Entitlements, long
	recent := stripped
	recent.DisabledAt, recent.StrippedAt = now, now
	for name, tc := range map[string]struct {
		link     plan.Link
		app      plan.App
		receiver bool
		skip     bool
		want     []string
		keep     []string
	}{
		"first all but what it needs":        {link: active, app: plan.App{HandOver: true, HandOverNeeds: needs}, receiver: true, want: []string{"mail/Disable", "mail/Strip", "mail/HandOver"}, keep: needs},
		"nothing that it needs":              {link: active, app: plan.App{HandOver: true}, receiver: true, want: []string{"mail/Disable", "mail/Strip", "mail/HandOver"}},
		"then the data":                      {link: kept, app: plan.App{HandOver: true, HandOverNeeds: needs}, receiver: true, want: []string{"mail/HandOver", "mail/Delete"}},
		"then the rest":                      {link: over, app: plan.App{HandOver: true, HandOverNeeds: needs}, receiver: true, want: []string{"mail/Strip"}},
		"an operator does without":           {link: kept, app: plan.App{HandOver: true, HandOverNeeds: needs}, receiver: true, skip: true, want: []string{"mail/Strip"}},
		"nobody, and something is kept":      {link: kept, app: plan.App{HandOver: true, HandOverNeeds: needs}, want: []string{"mail/HandOver", "mail/Delete"}},
		"nobody, and nothing is kept":        {link: recent, app: plan.App{HandOver: true, HandOverNeeds: needs}},
		"nobody, and it is to be deleted":    {link: stripped, app: plan.App{HandOver: true}, want: []string{"mail/HandOver", "mail/Delete"}},
		"nobody, but a human is asked":       {link: recent, app: plan.App{HandOver: true, HandOverAsks: true}, want: []string{"mail/HandOver"}},
		"an app that does not hand over":     {link: recent, app: plan.App{HandOverNeeds: needs}, receiver: true},
		"as it is deleted, with a receiver":  {link: stripped, app: plan.App{HandOverByDelete: true, HandOverAsks: true}, receiver: true, want: []string{"mail/Delete"}},
		"as it is deleted, and nobody to be": {link: recent, app: plan.App{HandOverByDelete: true, HandOver: true, HandOverAsks: true}, want: []string{"mail/HandOver"}},
	} {
		t.Run(name, func(t *testing.T) {
			tc.app.Disable, tc.app.Delete = true, true
			tc.app.Leaver = policy.LeaverRules{Delete: true, Retain: 30 * day}
			in := plan.Input{
				Now: now, Desired: policy.Desired{Standing: standing(hr.StatusEnded)}, Links: []plan.Link{tc.link},
				Apps: map[string]plan.App{"mail": tc.app}, Recipients: map[string]bool{"mail": tc.receiver}, Skipped: map[string]bool{},
			}
			in.Desired.Standing.Period.Ends = long
			if tc.skip {
				for _, s := range plan.Make(in).Steps {
					in.Skipped[s.Key] = s.Kind == plan.HandOver
				}
			}
			got := plan.Make(in)
			assert.Equal(t, tc.want, short(got.Steps))
			for _, s := range got.Steps {
				if s.Kind == plan.Strip {
					assert.Equal(t, tc.keep, s.Keep)
				}
				if before := keyOf(got, plan.HandOver); s.Kind == plan.Delete && before != "" {
					assert.Contains(t, s.Needs, before, "not deleted before")
				}
			}
		})
	}
	// The two strips are two steps: one may be skipped, or fail, without the other.
	in := plan.Input{
		Now: now, Desired: policy.Desired{Standing: standing(hr.StatusEnded)}, Links: []plan.Link{active},
		Apps: map[string]plan.App{"mail": {Disable: true, HandOver: true, HandOverNeeds: needs}}, Recipients: map[string]bool{"mail": true},
	}
	first := keyOf(plan.Make(in), plan.Strip)
	in.Links = []plan.Link{over}
	second := keyOf(plan.Make(in), plan.Strip)
	require.NotEmpty(t, first)
	require.NotEmpty(t, second)
	assert.NotEqual(t, first, second)
	assert.Equal(t, []string{"licence:office", "seats"}, plan.Step{Keep: needs}.Kept([]string{"licence:office", "seats", "seats-2", "licence"}))
}

func keyOf(p plan.Plan, kind plan.Kind) string {
	for _, s := range p.Steps {
		if s.Kind == kind {
			return s.Key
		}
	}
	return ""
}
