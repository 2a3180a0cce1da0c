package assess_test

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// town is a ledger that knows some people.
type town map[string]ledger.Person

func (p town) Person(_ context.Context, id string) (ledger.Person, error) {
	if person, ok := p[id]; ok {
		return person, nil
	}
	return ledger.Person{}, ledger.ErrNotFound
}

func (p town) Granted(_ context.Context, app, entitlement string, limit int) (ids []string, err error) {
	for _, id := range slices.Sorted(maps.Keys(p)) {
		has := func(l ledger.Link) bool {
			return l.App == app && l.State == ledger.LinkActive && (entitlement == "" || slices.Contains(l.Entitlements, entitlement))
		}
		if slices.ContainsFunc(p[id].Links, has) && len(ids) < limit {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// add adds somebody at work with an account in the wiki, and lets change change them.
func (p town) add(id, department, title, manager string, change ...func(*ledger.Person)) {
	start := hr.DateOf(noon).AddDays(-1000)
	e := hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: "hired " + id}, Type: hr.EventHired, PersonID: id, Recorded: noon.AddDate(-3, 0, 0), Effective: start,
		Profile: &hr.Profile{
			Type: hr.TypeEmployee, GivenName: id, FamilyName: "Doe", Department: department, JobTitle: title, ManagerID: manager,
			StartDate: start, Location: hr.Location{TimeZone: "UTC"},
		},
	}
	person := ledger.Person{
		Summary: ledger.Summary{PersonID: id, ManagerID: manager, Department: department},
		Events:  []ledger.StoredEvent{{Event: e, At: e.Recorded}},
		Links:   []ledger.Link{{PersonID: id, App: "wiki", AccountID: "account of " + id, State: ledger.LinkActive, Entitlements: []string{"staff"}}},
	}
	for _, c := range change {
		c(&person)
	}
	p[id] = person
}

func left(p *ledger.Person) {
	day := hr.DateOf(noon).AddDays(-10)
	p.Events = append(p.Events, ledger.StoredEvent{At: noon.AddDate(0, 0, -10), Event: hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: "left " + p.PersonID}, Type: hr.EventTerminated, PersonID: p.PersonID,
		Recorded: noon.AddDate(0, 0, -10), Effective: day, Termination: &hr.Termination{LastDay: day},
	}})
}

func disabled(p *ledger.Person)  { p.Links[0].State = ledger.LinkDisabled }
func contested(p *ledger.Person) { p.Links[0].Contested = true }
func without(p *ledger.Person)   { p.Links = nil }
func archivist(p *ledger.Person) { p.Links[0].Entitlements = []string{"archive", "staff"} }
func carriedToKim(p *ledger.Person) {
	p.CarriedTo, p.Links = "kim", nil
}

func TestWhoIsGivenALeaversData(t *testing.T) {
	kim := ledger.Receiver{PersonID: "kim", AccountID: "account of kim", By: "manager"}
	boss := ledger.Receiver{PersonID: "boss", AccountID: "account of boss", By: "manager's manager"}
	archive := ledger.Receiver{PersonID: "arch", AccountID: "account of arch", By: "role archivists"}
	before := kim
	before.At = noon.Add(-time.Hour)
	for name, tc := range map[string]struct {
		to      string // leaver.handOver
		people  func(town)
		manager string // of the leaver; kim if empty
		was     ledger.Receiver
		want    assess.HandOver
	}{
		"the manager":                  {want: assess.HandOver{To: kim}},
		"the manager, by her other ID": {manager: "kim-1", people: func(p town) { p.add("kim-1", "", "", "", carriedToKim) }, want: assess.HandOver{To: kim}},
		"a manager who has left":       {people: func(p town) { p.add("kim", "", "", "boss", left) }, want: assess.HandOver{To: boss}},
		"a manager who is off":         {people: func(p town) { p.add("kim", "", "", "boss", disabled) }, want: assess.HandOver{To: boss}},
		"a manager with no account":    {people: func(p town) { p.add("kim", "", "", "boss", without) }, want: assess.HandOver{To: boss}},
		"a manager who shares one":     {people: func(p town) { p.add("kim", "", "", "boss", contested) }, want: assess.HandOver{To: boss}},
		"a protected manager":          {manager: "root", people: func(p town) { p.add("root", "", "", "boss") }, want: assess.HandOver{To: boss}},
		"their own manager":            {manager: "ada", want: assess.HandOver{Why: "the manager is the leaver, and the manager's manager is the leaver"}},
		"nobody above": {
			people: func(p town) { p.add("kim", "", "", "", left) },
			want:   assess.HandOver{Why: "the manager is not at work, and HR names no manager of theirs"},
		},
		"two who cannot": {
			people: func(p town) {
				p.add("kim", "", "", "boss", left)
				p.add("boss", "", "", "top", disabled)
				p.add("top", "", "", "")
			},
			want: assess.HandOver{Why: "the manager is not at work, and the manager's manager has no enabled account in this app"},
		},
		"a manager nobody knows":                             {manager: "x", want: assess.HandOver{Why: "the manager is not known, and HR names no manager of theirs"}},
		"whoever was chosen before, though HR names another": {manager: "boss", was: before, want: assess.HandOver{To: before}},
		"another if that one cannot any more": {
			manager: "boss", was: before, people: func(p town) { p.add("kim", "", "", "boss", left) },
			want: assess.HandOver{To: ledger.Receiver{PersonID: "boss", AccountID: "account of boss", By: "manager"}},
		},
		"another if their account is another": {
			manager: "boss", was: ledger.Receiver{PersonID: "kim", AccountID: "an older one", By: "manager"},
			want: assess.HandOver{To: ledger.Receiver{PersonID: "boss", AccountID: "account of boss", By: "manager"}},
		},
		"the one who holds a role": {to: "archivists", people: func(p town) { p.add("arch", "Legal", "Archivist", "", archivist) }, want: assess.HandOver{To: archive}},
		"nobody who holds it": {
			to: "archivists", people: func(p town) {
				p.add("a", "Legal", "Archivist", "", archivist, left)
				p.add("b", "Legal", "Archivist", "", archivist, disabled)
				p.add("c", "Legal", "Clerk", "", archivist)
				p.add("d", "Legal", "Archivist", "") // has not got yet what the role gives
			},
			want: assess.HandOver{Why: `nobody at work holds the role "archivists" and has an enabled account`},
		},
		"of several, the one of the department": {
			to: "archivists", people: func(p town) {
				p.add("arch", "Development", "Archivist", "", archivist)
				p.add("other", "Legal", "Archivist", "", archivist)
			},
			want: assess.HandOver{To: archive},
		},
		"several": {
			to: "archivists", people: func(p town) {
				p.add("x", "Legal", "Archivist", "", archivist)
				p.add("y", "Sales", "Archivist", "", archivist)
			},
			want: assess.HandOver{Could: []string{"x", "y"}, Why: `2 people hold the role "archivists"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			people := town{}
			people.add("kim", "Development", "Lead", "boss")
			people.add("boss", "Development", "Head", "")
			if tc.people != nil {
				tc.people(people)
			}
			people.add("ada", "Development", "Archivist", cmp.Or(tc.manager, "kim"), left, archivist, disabled)
			ada := people["ada"]
			ada.Links[0].Receiver = tc.was
			rules, err := policy.Compile(policy.Rules{
				Apps:      map[string]policy.AppRules{"wiki": {}},
				Roles:     []policy.Role{{Name: "archivists", When: "person.jobTitle == 'Archivist'", Grants: []policy.Grant{{App: "wiki", Entitlements: []string{"archive"}}}}},
				Leaver:    policy.LeaverRules{HandOver: tc.to},
				Protected: []string{"root"},
			})
			require.NoError(t, err)
			app, _ := rules.App("wiki")
			r := assess.Rules{Policy: rules, Apps: map[string]plan.App{"wiki": {HandOver: true, Leaver: app.Leaver}}}
			got, err := r.HandOvers(t.Context(), ada, noon, people)
			require.NoError(t, err)
			assert.Equal(t, map[string]assess.HandOver{"wiki": tc.want}, got)

			ada.Links[0].HandedOverAt = noon
			got, err = r.HandOvers(t.Context(), ada, noon, people)
			require.NoError(t, err)
			assert.Empty(t, got, "what was handed over is nobody's business any more")
			got, err = r.HandOvers(t.Context(), people["boss"], noon, people)
			require.NoError(t, err)
			assert.Empty(t, got, "nor is what belongs to somebody at work")
		})
	}
}
