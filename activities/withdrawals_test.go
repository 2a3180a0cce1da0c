package activities

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

// asksOf shows what is asked for: kind and why.
func asksOf(asks []asked) []string {
	shown := []string{}
	for _, a := range asks {
		shown = append(shown, string(a.Kind)+": "+a.Why)
	}
	return shown
}

func TestWhatCountsAsGivenAndLost(t *testing.T) {
	link := func(app string, state ledger.LinkState, has ...string) ledger.Link {
		return ledger.Link{App: app, State: state, Entitlements: has, Attributes: "sha256:ab"}
	}
	adopted := link("wiki", ledger.LinkActive)
	adopted.Attributes = ""
	chat := link("chat", ledger.LinkActive)
	for name, c := range map[string]struct {
		links []ledger.Link
		steps []ledger.Step // that are not done
		plan  plan.Step
		want  []string
	}{
		"an entitlement":                      {[]ledger.Link{link("wiki", ledger.LinkActive)}, nil, plan.Step{Kind: plan.Update, Grant: []string{"admins"}}, []string{"grants: is given admins in wiki"}},
		"many":                                {[]ledger.Link{link("wiki", ledger.LinkActive)}, nil, plan.Step{Kind: plan.Update, Grant: []string{"a", "b", "c", "d", "e"}}, []string{"grants: is given a, b, c and 2 more in wiki"}},
		"one for another":                     {[]ledger.Link{link("wiki", ledger.LinkActive)}, nil, plan.Step{Kind: plan.Update, Grant: []string{"a"}, Revoke: []string{"b"}}, []string{"losses: loses b in wiki", "grants: is given a in wiki"}},
		"attributes only":                     {[]ledger.Link{link("wiki", ledger.LinkActive)}, nil, plan.Step{Kind: plan.Update, Attributes: true}, []string{}},
		"while the account is off":            {[]ledger.Link{chat, link("wiki", ledger.LinkDisabled)}, nil, plan.Step{Kind: plan.Update, Revoke: []string{"b"}}, []string{"losses: loses b in wiki"}},
		"an account that was just adopted":    {[]ledger.Link{adopted}, nil, plan.Step{Kind: plan.Update, Grant: []string{"staff"}, Attributes: true}, []string{}},
		"an account more":                     {[]ledger.Link{chat}, nil, plan.Step{Kind: plan.Provision, Grant: []string{"staff"}}, []string{"grants: is given an account, staff in wiki"}},
		"the first one":                       {nil, nil, plan.Step{Kind: plan.Provision, Grant: []string{"staff"}}, []string{}},
		"what was theirs from the first day":  {[]ledger.Link{chat}, []ledger.Step{{App: "wiki", Kind: "Provision", State: ledger.StepAttention}}, plan.Step{Kind: plan.Provision, Grant: []string{"staff"}}, []string{}},
		"what an operator had decided not to": {[]ledger.Link{chat}, []ledger.Step{{App: "wiki", Kind: "Provision", State: ledger.StepSkipped}}, plan.Step{Kind: plan.Provision}, []string{"grants: is given an account in wiki"}},
		"who comes back to what they had":     {[]ledger.Link{chat, link("wiki", ledger.LinkDisabled, "staff")}, nil, plan.Step{Kind: plan.Provision, Grant: []string{"staff"}}, []string{}},
		"who comes back to more":              {[]ledger.Link{chat, link("wiki", ledger.LinkDisabled, "staff")}, nil, plan.Step{Kind: plan.Provision, Grant: []string{"admins", "staff"}}, []string{"grants: is given admins in wiki"}},
		"who is off everywhere":               {[]ledger.Link{link("chat", ledger.LinkDisabled)}, nil, plan.Step{Kind: plan.Provision, Grant: []string{"admins"}}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			c.plan.App, c.plan.Key = "wiki", "wiki/key"
			d := decision{}
			d.person = ledger.Person{Links: c.links, Steps: c.steps}
			d.plan = plan.Plan{Steps: []plan.Step{c.plan}}
			got := append(d.losses(), d.grants()...)
			assert.Equal(t, c.want, asksOf(got))
			for _, a := range got {
				assert.Equal(t, []string{"wiki/key"}, a.steps)
			}
		})
	}
}
