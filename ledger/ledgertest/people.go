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
		_, err := l.ClaimUsername(t.Context(), "p1", "zoë")
		require.NoError(t, err)
		before := read(t, l, "p1").Summary
		want := ledger.Summary{
			PersonID: "p1", Username: "zoë", GivenName: "Zoë", FamilyName: "O'Brien", Status: hr.StatusOnLeave,
			Department: "R&D", JobTitle: "Lead", ManagerID: "boss", DueAt: at(7), DueWhat: "end", AssessedAt: at(5),
			LastSeq: before.LastSeq, Revision: before.Revision,
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
		assert.Equal(t, "ada", claim(t, l, "p1", "lovelace"), "the one held, whatever is asked for now")
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
	"NoneGivenIsAnError": func(t *testing.T, l ledger.Ledger) {
		_, err := l.ClaimUsername(t.Context(), "p1", "")
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
	name, err := l.ClaimUsername(t.Context(), personID, base)
	require.NoError(t, err)
	return name
}
