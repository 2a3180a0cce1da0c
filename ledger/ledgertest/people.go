package ledgertest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

var personTests = tests{
	"NobodyIsNotFound": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		for _, id := range []string{"p2", "P1", "p", "p1 ", "", "%"} {
			_, err := l.Person(t.Context(), id)
			assert.ErrorIs(t, err, ledger.ErrNotFound, id)
		}
	},
	"IDsAreTakenToTheByte": func(t *testing.T, l ledger.Ledger) {
		ids := []string{"Ä", "ä", "A\u0308", "a'; --", "日本", "p p", "p/1", "🙂"}
		for _, id := range ids {
			record(t, l, received(id, id, 0))
		}
		for _, id := range ids {
			assert.Equal(t, id, read(t, l, id).Events[0].Event.PersonID)
		}
		people, err := l.People(t.Context(), "", all)
		require.NoError(t, err)
		assert.Len(t, people, len(ids))
	},
	"ListsAreSorted": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		assess(t, l, "p1", 1, plan(step("b", "1"), step("a", "2"), step("B", "3"), step("a", "1é"), step("a", "1z")))
		for _, app := range []string{"b", "a", "B"} {
			putLink(t, l, fullLink(app))
		}
		for _, key := range []string{"z", "é", "Z"} {
			require.NoError(t, l.Act(t.Context(), ledger.Action{
				Verb: ledger.VerbSkip, PersonID: "p1", Key: key, Conflict: true, Operator: "ops", At: at(2),
			}))
		}
		p := read(t, l, "p1")
		assert.Equal(t, []string{"B3", "a1z", "a1é", "a2", "b1"},
			each(p.Steps, func(s ledger.Step) string { return s.App + s.Key }))
		assert.Equal(t, []ledger.Link{fullLink("B"), fullLink("a"), fullLink("b")}, p.Links)
		assert.Equal(t, []string{"Z", "z", "é"}, p.Waivers)
	},
	"ManagerAccountsAreThoseThatAreThere": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		assert.Empty(t, read(t, l, "p1").ManagerAccounts, "no manager assessed yet")
		assess(t, l, "p1", 1, func(a *ledger.Assessment) { a.Summary.ManagerID = "boss" })
		assert.Empty(t, read(t, l, "p1").ManagerAccounts, "a manager nobody knows")
		for app, state := range map[string]ledger.LinkState{
			"active": ledger.LinkActive, "disabled": ledger.LinkDisabled, "deleted": ledger.LinkDeleted, "planned": ledger.LinkPlanned,
		} {
			putLink(t, l, ledger.Link{PersonID: "boss", App: app, State: state, AccountID: "id-" + app})
		}
		putLink(t, l, ledger.Link{PersonID: "boss", App: "without", State: ledger.LinkActive})
		putLink(t, l, ledger.Link{PersonID: "other", App: "other", State: ledger.LinkActive, AccountID: "x"})
		assert.Equal(t, map[string]string{"active": "id-active", "disabled": "id-disabled"}, read(t, l, "p1").ManagerAccounts)
		assess(t, l, "p1", 2, func(a *ledger.Assessment) { a.Summary.ManagerID = "other" })
		assert.Equal(t, map[string]string{"other": "x"}, read(t, l, "p1").ManagerAccounts)
		assess(t, l, "p1", 3, func(a *ledger.Assessment) { a.Summary.ManagerID = "" })
		assert.Empty(t, read(t, l, "p1").ManagerAccounts)
	},
	"MuchOfOnePerson": func(t *testing.T, l ledger.Ledger) {
		const events, apps = 2000, 100
		batch := numbers(events, func(i int) ledger.Received { return received("p1", fmt.Sprint("e", i), i) })
		receipts := record(t, l, batch...)
		assess(t, l, "p1", events, plan(numbers(apps, func(i int) ledger.Step {
			return step(fmt.Sprintf("app%03d", i), fmt.Sprint("grant", i))
		})...))
		for i := range apps {
			putLink(t, l, fullLink(fmt.Sprintf("app%03d", i)))
		}
		p := read(t, l, "p1")
		require.Len(t, p.Events, events)
		assert.Equal(t, batch[1234].Event, p.Events[1234].Event)
		assert.Equal(t, receipts[events-1].Seq, p.LastSeq)
		assert.Len(t, p.Steps, apps)
		assert.Len(t, p.Links, apps)
	},
	"SummaryComesBackAsItWas": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		_, err := l.ClaimUsername(t.Context(), "p1", "zoë", 0)
		require.NoError(t, err)
		before := read(t, l, "p1").Summary
		want := ledger.Summary{
			PersonID: "p1", Username: "zoë", GivenName: "Zoë", FamilyName: "O'Brien", Status: hr.StatusOnLeave,
			Department: "R&D", JobTitle: "Lead", ManagerID: "boss", DueAt: at(7), DueWhat: "end", AssessedAt: at(5),
			LastSeq: before.LastSeq, Revision: before.Revision, Seen: before.LastSeq,
		}
		saved := want
		saved.Username = "somebody else"
		require.NoError(t, l.SaveAssessment(t.Context(), ledger.Assessment{Summary: saved}))
		got := read(t, l, "p1").Summary
		assert.Greater(t, got.Revision, before.Revision)
		want.Revision = got.Revision
		assert.Equal(t, want, got)
		people, err := l.People(t.Context(), "", all)
		require.NoError(t, err)
		assert.Equal(t, []ledger.Summary{want}, people)
	},
}

var usernameTests = tests{
	"FirstFreeOne": func(t *testing.T, l ledger.Ledger) {
		for i, c := range []struct{ base, want string }{
			{"ada", "ada"}, {"ada", "ada2"}, {"grace", "grace"}, {"ada", "ada3"}, {"ada2", "ada22"}, {"ada2", "ada23"},
		} {
			assert.Equal(t, c.want, claim(t, l, fmt.Sprint("p", i), c.base))
		}
	},
	"HeldForGood": func(t *testing.T, l ledger.Ledger) {
		assert.Equal(t, "ada", claim(t, l, "p1", "ada"))
		putLink(t, l, ledger.Link{PersonID: "p1", App: "wiki", State: ledger.LinkActive, AccountID: "7", Username: "ada"})
		assert.Equal(t, "ada", claim(t, l, "p1", "lovelace"), "the one that an account has, whatever is asked for now")
		assess(t, l, "p1", 1, func(a *ledger.Assessment) { a.Summary.Status, a.Summary.Username = hr.StatusEnded, "" })
		assert.Equal(t, "ada", read(t, l, "p1").Username)
		assert.Equal(t, "ada2", claim(t, l, "p2", "ada"), "not given to anybody else after the end")
	},
	"CaseMakesNoDifference": func(t *testing.T, l ledger.Ledger) {
		assert.Equal(t, "Ada", claim(t, l, "p1", "Ada"), "kept as it was asked for")
		assert.Equal(t, "ada2", claim(t, l, "p2", "ada"))
		assert.Equal(t, "MÜLLER", claim(t, l, "p3", "MÜLLER"))
		assert.Equal(t, "müller2", claim(t, l, "p4", "müller"))
	},
	"OfALengthAtMost": func(t *testing.T, l ledger.Ledger) {
		for i, want := range []string{"maximili", "maximil2", "maximil3"} {
			name, err := l.ClaimUsername(t.Context(), fmt.Sprint("p", i), "maximiliane", 8)
			require.NoError(t, err)
			assert.Equal(t, want, name)
		}
	},
	"GivenAnewAsLongAsNoAccountCanHaveIt": func(t *testing.T, l ledger.Ledger) {
		assert.Equal(t, "maximiliane", claim(t, l, "p1", "maximiliane"))
		assess(t, l, "p1", 1, func(a *ledger.Assessment) {
			a.Planned = []ledger.Link{{App: "wiki", Username: "maximiliane"}}
			a.Steps = []ledger.Step{step("wiki", "make")}
		})
		o := outcome("p1", "wiki", "make", 2, ledger.StepAttention)
		o.Attempt, o.Code = begin(t, l, attempt("p1", "wiki", "make", 2)).Attempt, "invalid"
		finish(t, l, o)
		assert.Equal(t, "maxi", claim(t, l, "p1", "maxi"))
		assert.Empty(t, steps(t, l, "p1"), "what was refused is to be tried again")
		p := read(t, l, "p1")
		assert.Equal(t, "maxi", p.Username)
		assert.Equal(t, "maxi", p.Links[0].Username)
		assert.Equal(t, "maximiliane", claim(t, l, "p2", "maximiliane"), "nobody ever had it")
		assert.Equal(t, "maxi", claim(t, l, "p1", "maxi"))
		assert.Equal(t, "maxi2", claim(t, l, "p3", "maxi"))
		assert.Equal(t, "maxi", claim(t, l, "p1", "maxi"), "not a higher number than was given")
	},
	"KeptWhereAnAccountMayHaveIt": func(t *testing.T, l ledger.Ledger) {
		code := func(code string, doubt bool) func(id string) {
			return func(id string) {
				o := outcome(id, "wiki", "make", 2, ledger.StepAttention)
				o.Attempt, o.Code, o.InDoubt = begin(t, l, attempt(id, "wiki", "make", 2)).Attempt, code, doubt
				finish(t, l, o)
			}
		}
		for name, happens := range map[string]func(id string){
			"deleted":       func(id string) { putLink(t, l, ledger.Link{PersonID: id, App: "wiki", State: ledger.LinkDeleted}) },
			"under way":     func(id string) { begin(t, l, attempt(id, "wiki", "make", 2)) },
			"lost answer":   code("unavailable", false),
			"taken":         code("conflict", false),
			"still doubted": code("invalid", true),
			"a human works": func(id string) {
				code("waiting", false)(id)
				_, err := l.OpenTask(t.Context(), ledger.Task{PersonID: id, App: "paper", Key: "make", Kind: "Provision", OpenedAt: at(1), DueAt: at(9), LookAt: at(5)})
				require.NoError(t, err)
			},
		} {
			id := "p " + name
			held := claim(t, l, id, "ada")
			happens(id)
			assert.Equal(t, held, claim(t, l, id, "lovelace"), name)
		}
	},
	"NoneGivenIsAnError": func(t *testing.T, l ledger.Ledger) {
		_, err := l.ClaimUsername(t.Context(), "p1", "", 0)
		require.Error(t, err)
	},
	"ManyOfOneName": func(t *testing.T, l ledger.Ledger) {
		got := numbers(120, func(i int) string { return claim(t, l, fmt.Sprint("p", i), "j") })
		slices.Sort(got)
		assert.Len(t, slices.Compact(got), 120)
		assert.Contains(t, got, "j120")
	},
}

func claim(t *testing.T, l ledger.Ledger, personID, base string) string {
	t.Helper()
	name, err := l.ClaimUsername(t.Context(), personID, base, 0)
	require.NoError(t, err)
	return name
}
