package ledgertest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

var stepFilterTests = tests{
	"AreSelectedAmongEverybodys": func(t *testing.T, l ledger.Ledger) {
		for i, person := range []string{"p2", "p1", "p3"} {
			assess(t, l, person, 1, func(a *ledger.Assessment) {
				a.Summary.Status = []hr.Status{hr.StatusEnded, hr.StatusActive, hr.StatusEnded}[i]
				a.Steps = []ledger.Step{
					{App: "wiki", Key: "wiki/Disable", Kind: "Disable", PlannedAt: at(1)},
					{App: "chat", Key: "chat/Disable", Kind: "Disable", PlannedAt: at(1)},
					{Key: "policy", Kind: "Question", State: ledger.StepAttention, Code: "policy", PlannedAt: at(20 * (i + 1))},
				}
			})
			a := attempt(person, "wiki", "wiki/Disable", 10*(i+1))
			a.Kind = "Disable"
			begin(t, l, a)
			o := outcome(person, "wiki", "wiki/Disable", 10*(i+1), ledger.StepAttention)
			o.Code, o.Message = "unauthorized", "no"
			finish(t, l, o)
		}
		attention := []ledger.StepState{ledger.StepAttention}
		for name, c := range map[string]struct {
			filter ledger.StepFilter
			want   []string
		}{
			"by person": {ledger.StepFilter{PersonID: "p2"}, []string{"p2 chat/Disable", "p2 policy", "p2 wiki/Disable"}},
			"by state": {ledger.StepFilter{States: attention}, []string{
				"p1 policy", "p1 wiki/Disable", "p2 policy", "p2 wiki/Disable", "p3 policy", "p3 wiki/Disable",
			}},
			"by states": {ledger.StepFilter{States: []ledger.StepState{ledger.StepOpen, ledger.StepDone}}, []string{"p1 chat/Disable", "p2 chat/Disable", "p3 chat/Disable"}},
			"by app":    {ledger.StepFilter{App: "wiki"}, []string{"p1 wiki/Disable", "p2 wiki/Disable", "p3 wiki/Disable"}},
			"by kind":   {ledger.StepFilter{Kind: "Question"}, []string{"p1 policy", "p2 policy", "p3 policy"}},
			"by code":   {ledger.StepFilter{Code: "unauthorized", Statuses: []hr.Status{hr.StatusEnded}}, []string{"p2 wiki/Disable", "p3 wiki/Disable"}},
			"by time": {ledger.StepFilter{States: attention, From: at(20), Until: at(40)}, []string{
				"p1 wiki/Disable", "p2 policy", "p3 wiki/Disable",
			}},
			"nothing": {ledger.StepFilter{App: "crm"}, nil},
		} {
			found, err := l.Steps(t.Context(), c.filter, ledger.StepPlace{}, all)
			require.NoError(t, err)
			assert.Equal(t, c.want, places(found), name)
		}
		steps, err := l.Steps(t.Context(), ledger.StepFilter{PersonID: "p2", App: "wiki"}, ledger.StepPlace{}, all)
		require.NoError(t, err)
		assert.Equal(t, read(t, l, "p2").Steps[2], steps[0], "as Person gives it")
	},
	"ByPages": func(t *testing.T, l ledger.Ledger) {
		for _, person := range []string{"p1", "p2"} {
			assess(t, l, person, 1, plan(step("a", "a"), step("b", "b"), step("c", "c")))
		}
		var got []string
		for after := (ledger.StepPlace{}); ; {
			page, err := l.Steps(t.Context(), ledger.StepFilter{}, after, 2)
			require.NoError(t, err)
			if len(page) == 0 {
				break
			}
			got = append(got, places(page)...)
			after = ledger.StepPlace{PersonID: page[len(page)-1].PersonID, Key: page[len(page)-1].Key}
		}
		assert.Equal(t, []string{"p1 a", "p1 b", "p1 c", "p2 a", "p2 b", "p2 c"}, got)
	},
}

func places(steps []ledger.Step) []string {
	if len(steps) == 0 {
		return nil
	}
	return each(steps, func(s ledger.Step) string { return s.PersonID + " " + s.Key })
}
