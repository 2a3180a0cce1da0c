package ledgertest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

var breakerTests = tests{
	"WhatIsWithinTheLimitIsAdmittedOnceItHasSettled": func(t *testing.T, l ledger.Ledger) {
		w, settles, opened := askFor(t, l, leaver("p1", 10), 10, atMost(2))
		assert.Equal(t, ledger.WithdrawalWaiting, w.State)
		assert.Equal(t, at(11), settles, "a minute after it was said")
		assert.Empty(t, opened)
		w, settles, _ = askFor(t, l, leaver("p1", 10), 11, atMost(2))
		assert.Equal(t, ledger.WithdrawalAdmitted, w.State)
		assert.Zero(t, settles)
		w, _, _ = askFor(t, l, leaver("p1", 10), 12, atMost(2))
		assert.Equal(t, ledger.WithdrawalAdmitted, w.State, "and stays so")
		assert.Equal(t, at(10), w.CountedAt)
		immediate := leaver("p2", 10)
		immediate.Immediate = true
		w, _, _ = askFor(t, l, immediate, 10, atMost(2))
		assert.Equal(t, ledger.WithdrawalAdmitted, w.State, "immediate ones do not settle")
	},
	"OneTooManyHoldsAllThatWait": func(t *testing.T, l ledger.Ledger) {
		admit(t, l, leaver("p0", 0), 5)
		for i := 1; i <= 2; i++ {
			askFor(t, l, leaver(fmt.Sprint("p", i), 10), 10, atMost(3))
		}
		w, _, opened := askFor(t, l, leaver("p3", 10), 10, atMost(3))
		require.Len(t, opened, 1)
		assert.Equal(t, ledger.WithdrawalHeld, w.State)
		assert.Equal(t, opened[0].ID, w.Cohort)
		assert.Equal(t, 4, opened[0].Counted)
		assert.Equal(t, 3, opened[0].Allowed)
		assert.Equal(t, ledger.WithdrawalAdmitted, state(t, l, "p0"), "what was admitted stays so")
		assert.Equal(t, []string{"p1", "p2"}, duePeople(t, l, ledger.DueBreaker), "who waited learns of it")
		for i := 1; i <= 3; i++ {
			assert.Equal(t, ledger.WithdrawalHeld, state(t, l, fmt.Sprint("p", i)))
			w, _, opened = askFor(t, l, leaver(fmt.Sprint("p", i), 10), 20, atMost(3))
			assert.Equal(t, ledger.WithdrawalHeld, w.State, "however often it is asked for")
			assert.Empty(t, opened)
		}
		late := leaver("p4", 3000)
		late.Immediate = true
		w, _, _ = askFor(t, l, late, 3000, atMost(3))
		assert.Equal(t, ledger.WithdrawalHeld, w.State, "as long as the cohort is open all that come join it")
		cohort := cohorts(t, l, ledger.CohortFilter{})[0]
		assert.Equal(t, 4, cohort.People)
		assert.Equal(t, 4, cohort.Held)
		assert.Equal(t, ledger.CohortOpen, cohort.State)
		assert.Equal(t, at(10), cohort.OpenedAt)
		rows := audit(t, l, "")
		require.Len(t, rows, 1)
		assert.Equal(t, "held", rows[0].Action)
	},
	"TerminationsCountAsSoonAsTheyAreRecorded": func(t *testing.T, l ledger.Ledger) {
		for i := range 5 {
			employ(t, l, fmt.Sprint("p", i))
		}
		record(t, l, termination("nobody", "e9", 10)) // has no account
		for i := range 5 {
			record(t, l, termination(fmt.Sprint("p", i), fmt.Sprint("e", i), 10), termination(fmt.Sprint("p", i), fmt.Sprint("e", i), 10))
		}
		p := read(t, l, "p0")
		require.Len(t, p.Withdrawals, 1)
		assert.Equal(t, ledger.Withdrawal{
			PersonID: "p0", Kind: ledger.Leavers, Key: "urn:hr\x1fe0", State: ledger.WithdrawalNoticed,
			Event: hr.EventKey{Source: "urn:hr", ID: "e0"}, Voids: true, SaidAt: at(10), CountedAt: at(10),
		}, p.Withdrawals[0])
		assert.Empty(t, read(t, l, "nobody").Withdrawals)
		first := leaver("p0", 10)
		first.Immediate = true
		w, _, opened := askFor(t, l, first, 10, atMost(4))
		require.Len(t, opened, 1)
		assert.Equal(t, 5, opened[0].Counted, "people, not events")
		assert.Equal(t, ledger.WithdrawalHeld, w.State, "not even the first one is done")
		assert.Equal(t, ledger.WithdrawalHeld, state(t, l, "p4"))
	},
	"TheEndOfOnePositionIsNoLeaving": func(t *testing.T, l ledger.Ledger) {
		jobs := func(person string, names ...string) {
			employ(t, l, person)
			for _, name := range names {
				record(t, l, hireInto(person, name))
			}
		}
		for i := range 5 {
			person := fmt.Sprint("p", i)
			jobs(person, "A", "B")
			record(t, l, endOf(person, "B", 10))
			assert.Empty(t, read(t, l, person).Withdrawals)
		}
		jobs("only", "A")
		record(t, l, endOf("only", "A", 10))
		assert.Equal(t, ledger.WithdrawalNoticed, state(t, l, "only"), "there is no other")
		jobs("both", "A", "B")
		record(t, l, endOf("both", "A", 10), endOf("both", "B", 10))
		assert.Equal(t, "urn:hr\x1fB of both", read(t, l, "both").Withdrawals[0].Key, "the second one ends the last")
		assert.Equal(t, ledger.WithdrawalNoticed, state(t, l, "both"))
		jobs("unknown", "A")
		record(t, l, endOf("unknown", "Z", 10))
		assert.Empty(t, read(t, l, "unknown").Withdrawals, "it ends nothing")

		w, _, opened := askFor(t, l, leaver("q", 20), 21, atMost(3))
		assert.Equal(t, ledger.WithdrawalAdmitted, w.State, "they hold nobody who leaves")
		assert.Empty(t, opened)
		_, _, opened = askFor(t, l, leaver("q2", 20), 21, atMost(3))
		require.Len(t, opened, 1)
		assert.Equal(t, 4, opened[0].Counted, "those who leave, and no others")
	},
	"TheEndOfOnePositionIsNotHeldWithTheEndOfAll": func(t *testing.T, l ledger.Ledger) {
		for _, person := range []string{"p0", "p1"} {
			employ(t, l, person)
			record(t, l, hireInto(person, "A"))
		}
		record(t, l, hireInto("p0", "B"))
		for _, person := range []string{"p0", "p1"} {
			all := termination(person, "of "+person, 10)
			all.Event.PositionID = ""
			record(t, l, all)
		}
		id := cohortOf(t, l, 3)
		record(t, l, endOf("p0", "B", 20), endOf("p1", "A", 20))
		require.Len(t, read(t, l, "p0").Withdrawals, 1, "should the end of all be cancelled, this one ends one position")
		p := read(t, l, "p1")
		require.Len(t, p.Withdrawals, 2, "and this one the only one")
		assert.Equal(t, ledger.WithdrawalHeld, p.Withdrawals[0].State)
		decide(t, l, ledger.VerbCancel, id, "p0", "p1")
		assert.NotContains(t, each(read(t, l, "p0").Events, func(e ledger.StoredEvent) string { return e.Event.Rescinds }), "B of p0")
		assert.Contains(t, each(read(t, l, "p1").Events, func(e ledger.StoredEvent) string { return e.Event.Rescinds }), "A of p1")
	},
	"OnlyTheFloodOfSuspensionsIsHeld": func(t *testing.T, l ledger.Ledger) {
		limits := atMost(2)
		limits.Of[ledger.Suspensions] = ledger.Limit{Count: 2, Window: time.Hour}
		for i := range 2 {
			w, settles, _ := askFor(t, l, suspension(fmt.Sprint("p", i), "/a", 10), 10, limits)
			assert.Equal(t, ledger.WithdrawalAdmitted, w.State, "few wait for nothing")
			assert.Zero(t, settles)
		}
		w, _, opened := askFor(t, l, suspension("p2", "/a", 11), 11, limits)
		require.Len(t, opened, 1)
		assert.Equal(t, ledger.Suspensions, opened[0].Kind)
		assert.Equal(t, ledger.WithdrawalHeld, w.State)
		w, _, opened = askFor(t, l, suspension("p3", "/a", 12), 12, limits)
		assert.Equal(t, ledger.WithdrawalHeld, w.State, "the flood goes on")
		assert.Empty(t, opened)
		w, _, _ = askFor(t, l, suspension("q1", "/b", 12), 12, limits)
		assert.Equal(t, ledger.WithdrawalAdmitted, w.State, "somebody else's is no part of it")
		w, _, _ = askFor(t, l, leaver("q2", 12), 20, limits)
		assert.Equal(t, ledger.WithdrawalAdmitted, w.State, "nor is who leaves")
		w, _, _ = askFor(t, l, suspension("p4", "/a", 90), 90, limits)
		assert.Equal(t, ledger.WithdrawalAdmitted, w.State, "one that comes later, by itself, passes")
		assert.Equal(t, ledger.WithdrawalHeld, state(t, l, "p2"), "what is held stays so")
		assert.Equal(t, 2, cohorts(t, l, ledger.CohortFilter{Open: true})[0].Held)
	},
	"SuspensionsCountAsSoonAsTheyAreRecorded": func(t *testing.T, l ledger.Ledger) {
		suspended := func(person, source string) ledger.Received {
			r := received(person, "s "+person+source, 10)
			r.Event.Type, r.Event.Source = hr.EventSuspended, source
			return r
		}
		for i := range 5 {
			employ(t, l, fmt.Sprint("p", i))
			record(t, l, suspended(fmt.Sprint("p", i), "/a"))
		}
		employ(t, l, "q1")
		assess(t, l, "q2", 1, func(a *ledger.Assessment) { a.Summary.Status = hr.StatusEnded })
		record(t, l, suspended("q1", hr.OperatorSource), suspended("q2", "/a"))
		assert.Empty(t, read(t, l, "q1").Withdrawals, "an operator's are not counted")
		assert.Empty(t, read(t, l, "q2").Withdrawals, "who has left and has no account cannot lose it")
		first := suspension("p0", "/a", 10)
		first.Event.ID = "s p0/a"
		first.Key = ledger.EventWithdrawal(first.Event)
		w, _, opened := askFor(t, l, first, 10, atMost(4))
		require.Len(t, opened, 1)
		assert.Equal(t, 5, opened[0].Counted)
		assert.Equal(t, ledger.WithdrawalHeld, w.State, "not even the first one is done")
		assert.Equal(t, ledger.WithdrawalHeld, state(t, l, "p4"))
		assert.Equal(t, []string{"p1", "p2", "p3", "p4"}, duePeople(t, l, ledger.DueBreaker))
		decide(t, l, ledger.VerbCancel, opened[0].ID, "p4")
		p := read(t, l, "p4")
		assert.Equal(t, "s p4/a", p.Events[1].Event.Rescinds, "as if it had never been said")
	},
	"SuspensionsOfWhoHasNoAccountYetCount": func(t *testing.T, l ledger.Ledger) {
		for i := range 5 {
			person := fmt.Sprint("p", i)
			switch i {
			case 1: // is hired and not assessed
				record(t, l, hireInto(person, "A"))
			case 2:
				assess(t, l, person, 1, func(a *ledger.Assessment) { a.Summary.Status = hr.StatusUpcoming })
			case 3:
				putLink(t, l, ledger.Link{PersonID: person, App: "wiki", AccountID: person, State: ledger.LinkDisabled})
			}
			r := received(person, "of "+person, 10)
			r.Event.Type, r.Event.Source = hr.EventSuspended, "/a"
			record(t, l, r)
			assert.Equal(t, ledger.WithdrawalNoticed, state(t, l, person), person)
		}
		w, _, opened := askFor(t, l, suspension("p0", "/a", 10), 10, atMost(4))
		require.Len(t, opened, 1)
		assert.Equal(t, 5, opened[0].Counted)
		assert.Equal(t, ledger.WithdrawalHeld, w.State)
		assert.Equal(t, ledger.WithdrawalHeld, state(t, l, "p4"))
		decide(t, l, ledger.VerbCancel, opened[0].ID, "p0", "p1", "p2", "p3", "p4")
		assert.Empty(t, read(t, l, "p1").Withdrawals)
	},
	"WhatIsTakenFromThoseWhoStayOrGivenToThemSettles": func(t *testing.T, l ledger.Ledger) {
		for _, kind := range []ledger.WithdrawalKind{ledger.Disables, ledger.Losses, ledger.Grants} {
			for i := range 3 {
				a := ask{person: fmt.Sprint("p", i), Ask: ledger.Ask{Kind: kind, Key: "wiki/1", Apps: []string{"wiki"}}}
				w, settles, opened := askFor(t, l, a, 10, atMost(2))
				if i < 2 {
					assert.Equal(t, ledger.WithdrawalWaiting, w.State, kind)
					assert.Equal(t, at(11), settles, "a minute after it was first planned")
					continue
				}
				require.Len(t, opened, 1)
				assert.Equal(t, ledger.WithdrawalHeld, w.State, "nothing of the flood was done: %s", kind)
				assert.Equal(t, 3, cohorts(t, l, ledger.CohortFilter{ID: opened[0].ID})[0].Held)
			}
		}
	},
	"OrphansAreCountedAndAreNoPeopleEmployed": func(t *testing.T, l ledger.Ledger) {
		const people = 20
		for i := range people {
			assess(t, l, fmt.Sprint("w", i), 1, func(a *ledger.Assessment) { a.Summary.Status = hr.StatusActive })
		}
		// A seventh of 20 people is 2. With three orphans among them it would be 3.
		limits := atMost(0)
		limits.Of[ledger.Orphans] = ledger.Limit{Share: 0.14}
		for i := range 3 {
			orphan := ledger.OrphanID(int64(i + 1))
			a := ask{person: orphan, Ask: ledger.Ask{Kind: ledger.Orphans, Key: orphan, Apps: []string{"wiki"}, Why: "nobody's account"}}
			w, _, opened := askFor(t, l, a, 10, limits)
			if i < 2 {
				assert.Equal(t, ledger.WithdrawalWaiting, w.State)
				continue
			}
			require.Len(t, opened, 1)
			assert.Equal(t, []any{ledger.Orphans, 3, 2}, []any{opened[0].Kind, opened[0].Counted, opened[0].Allowed})
			assert.Equal(t, 3, cohorts(t, l, ledger.CohortFilter{ID: opened[0].ID})[0].Held, "all of them are held")
		}
	},
	"ASecondTerminationIsHeldWithTheFirst": func(t *testing.T, l ledger.Ledger) {
		employ(t, l, "p1")
		record(t, l, termination("p1", "of p1", 10))
		id := cohortOf(t, l, 3)
		record(t, l, termination("p1", "again", 20))
		p := read(t, l, "p1")
		require.Len(t, p.Withdrawals, 2)
		assert.Equal(t, ledger.WithdrawalHeld, p.Withdrawals[0].State)
		assert.Equal(t, id, p.Withdrawals[0].Cohort)
		assert.Equal(t, 3, cohorts(t, l, ledger.CohortFilter{})[0].Held, "people, not terminations")
		decide(t, l, ledger.VerbCancel, id, "p1")
		p = read(t, l, "p1")
		assert.Empty(t, p.Withdrawals)
		require.Len(t, p.Events, 4)
		assert.ElementsMatch(t, []string{"of p1", "again"}, []string{p.Events[2].Event.Rescinds, p.Events[3].Event.Rescinds})
	},
	"PeopleAreCountedWithinTheWindowOnly": func(t *testing.T, l ledger.Ledger) {
		for i := range 6 {
			admit(t, l, leaver(fmt.Sprint("p", i), i*60*13), i*60*13+1) // 13 hours apart: never three in a day
		}
		assert.Empty(t, cohorts(t, l, ledger.CohortFilter{}))
	},
	"APersonIsCountedOnce": func(t *testing.T, l ledger.Ledger) {
		for i := range 5 {
			ask := leaver("p1", 10)
			ask.Key = fmt.Sprint("again ", i)
			w, _, _ := askFor(t, l, ask, 20, atMost(1))
			assert.Equal(t, ledger.WithdrawalAdmitted, w.State)
		}
		for i := range 5 { // each kind is counted separately
			w, _, _ := askFor(t, l, deletion("p2", fmt.Sprint("wiki", i)), 20, atMost(1))
			assert.Equal(t, ledger.WithdrawalAdmitted, w.State)
		}
	},
	"WhatIsAnnouncedCountsWhenItIsSaidAndWhenItFallsDue": func(t *testing.T, l ledger.Ledger) {
		later := func(i int) ask {
			a := leaver(fmt.Sprint("p", i), 10)
			a.DueAt = at(10 * 24 * 60)
			return a
		}
		for i := range 2 {
			w, _, _ := askFor(t, l, later(i), 10, atMost(2))
			assert.Equal(t, ledger.WithdrawalAnnounced, w.State)
		}
		w, _, opened := askFor(t, l, later(2), 10, atMost(2))
		require.Len(t, opened, 1, "a wrong date for everybody is seen when it is given")
		assert.Equal(t, ledger.WithdrawalHeld, w.State)
		decide(t, l, ledger.VerbRelease, opened[0].ID, "p0", "p1", "p2")
		w, _, _ = askFor(t, l, later(0), 10*24*60+1, atMost(2))
		assert.Equal(t, ledger.WithdrawalAdmitted, w.State, "what was released beforehand stays so")

		slowly := func(i, due int) ask { // said on different days
			a := later(10 + i)
			a.SaidAt, a.DueAt = at(20000+3000*i), at(due)
			return a
		}
		for i := range 2 { // due on another day than the others
			w, _, _ := askFor(t, l, slowly(i, 40000), 20000+3000*i, atMost(2))
			assert.Equal(t, ledger.WithdrawalAnnounced, w.State)
		}
		for i := range 2 {
			w, _, _ := askFor(t, l, slowly(2+i, 50000+i*600), 20000+3000*(2+i), atMost(2))
			assert.Equal(t, ledger.WithdrawalAnnounced, w.State)
		}
		w, _, opened = askFor(t, l, slowly(4, 50000), 20000+3000*4, atMost(2))
		require.Len(t, opened, 1, "many who go on one day are seen before that day")
		assert.Equal(t, 3, opened[0].Counted)
		assert.Equal(t, ledger.WithdrawalHeld, w.State)
		assert.Equal(t, []ledger.WithdrawalState{ledger.WithdrawalAnnounced, ledger.WithdrawalHeld},
			[]ledger.WithdrawalState{state(t, l, "p10"), state(t, l, "p12")}, "and none of them is done")

		decide(t, l, ledger.VerbRelease, opened[0].ID, "p12", "p13", "p14")
		for i := range 2 { // they fall due
			w, _, _ := askFor(t, l, slowly(i, 40000), 40000, atMost(2))
			assert.Equal(t, ledger.WithdrawalAdmitted, w.State)
		}
		w, _, opened = askFor(t, l, leaver("p20", 40005), 40010, atMost(2))
		assert.Len(t, opened, 1, "and count again")
		assert.Equal(t, ledger.WithdrawalHeld, w.State)
	},
	"AShareOfTheEmployed": func(t *testing.T, l ledger.Ledger) {
		limits := atMost(0)
		limits.Of[ledger.Leavers] = ledger.Limit{Share: 0.1, Count: 2}
		for i := range 40 {
			assess(t, l, fmt.Sprint("p", i), 0, func(a *ledger.Assessment) { a.Summary.Status = hr.StatusActive })
		}
		assess(t, l, "old", 0, func(a *ledger.Assessment) { a.Summary.Status = hr.StatusEnded })
		for i := range 4 {
			assess(t, l, fmt.Sprint("p", i), 1, func(a *ledger.Assessment) { a.Summary.Status = hr.StatusEnded })
			w, _, _ := askFor(t, l, leaver(fmt.Sprint("p", i), 10), 20, limits)
			assert.Equal(t, ledger.WithdrawalAdmitted, w.State, "%d of 40", i+1)
		}
		_, _, opened := askFor(t, l, leaver("p4", 10), 20, limits)
		require.Len(t, opened, 1)
		assert.Equal(t, 4, opened[0].Allowed, "those who leave are a part of the whole")
	},
	"ReleaseLetsThemGoAndCountsAnew": func(t *testing.T, l ledger.Ledger) {
		id := cohortOf(t, l, 4)
		n, err := l.DecideCohort(t.Context(), decision(ledger.VerbRelease, id, "p0", "nobody"))
		require.NoError(t, err)
		assert.Equal(t, 1, n)
		assert.Equal(t, ledger.WithdrawalAdmitted, state(t, l, "p0"))
		assert.Equal(t, ledger.WithdrawalHeld, state(t, l, "p1"))
		c := cohorts(t, l, ledger.CohortFilter{ID: id})[0]
		assert.Equal(t, ledger.CohortOpen, c.State)
		assert.Equal(t, 4, c.People)
		assert.Equal(t, 3, c.Held)
		assert.Contains(t, duePeople(t, l, ledger.DueBreaker), "p0")
		decide(t, l, ledger.VerbRelease, id, "p1", "p2", "p3")
		c = cohorts(t, l, ledger.CohortFilter{ID: id})[0]
		assert.Equal(t, ledger.CohortReleased, c.State)
		assert.Equal(t, "ops", c.Operator)
		assert.Equal(t, "ticket 42", c.Reason)
		assert.Equal(t, at(30), c.ClosedAt)
		assert.Empty(t, cohorts(t, l, ledger.CohortFilter{Open: true}))
		w, _, _ := askFor(t, l, leaver("q1", 31), 32, atMost(3))
		assert.Equal(t, ledger.WithdrawalAdmitted, w.State, "the next one is the first one again")
		rows := audit(t, l, "p2")
		require.Len(t, rows, 1)
		assert.Equal(t, ledger.AuditRow{
			Seq: rows[0].Seq, At: at(30), PersonID: "p2", Action: "release", Actor: "ops", Cause: "ticket 42",
			Detail: map[string]any{"cohort": ledger.CohortName(id), "kind": "leavers", "event": "of p2", "source": "urn:hr"},
		}, rows[0])
	},
	"CancelRescindsWhatHRSaid": func(t *testing.T, l ledger.Ledger) {
		for i := range 4 {
			employ(t, l, fmt.Sprint("p", i))
			record(t, l, termination(fmt.Sprint("p", i), fmt.Sprint("of p", i), 10))
		}
		id := cohortOf(t, l, 4)
		for range 2 { // a second time nothing is left to decide
			_, err := l.DecideCohort(t.Context(), decision(ledger.VerbCancel, id, "p0", "p1", "p2", "p3"))
			require.NoError(t, err)
		}
		p := read(t, l, "p1")
		assert.Empty(t, p.Withdrawals)
		require.Len(t, p.Events, 2)
		rescind := p.Events[1].Event
		assert.Equal(t, hr.EventRescinded, rescind.Type)
		assert.Equal(t, "of p1", rescind.Rescinds)
		assert.Equal(t, hr.BreakerSource, rescind.Source, "Tenure's own word")
		assert.Equal(t, hr.EventKey{Source: "urn:hr", ID: "of p1"}, rescind.Rescinded())
		assert.NotContains(t, rescind.ID, "of p1", "nobody can guess it, and take it before")
		assert.True(t, rescind.Recorded.After(p.Events[0].Event.Recorded))
		assert.Equal(t, p.Events[1].Seq, p.LastSeq)
		assert.Equal(t, ledger.DueBreaker, p.DueWhat)
		assert.Equal(t, ledger.CohortCancelled, cohorts(t, l, ledger.CohortFilter{ID: id})[0].State)
		assert.Len(t, audit(t, l, "p1"), 1)

		employ(t, l, "p1")
		record(t, l, termination("p1", "meant", 40))
		ask := leaver("p1", 40)
		ask.Key, ask.Event.ID = "urn:hr\x1fmeant", "meant"
		w, _, _ := askFor(t, l, ask, 41, atMost(3))
		assert.Equal(t, ledger.WithdrawalAdmitted, w.State, "a later one counts again, and what was cancelled does not")
	},
	"ACancelThatDoesNotTakeFails": func(t *testing.T, l ledger.Ledger) {
		limits := atMost(0)
		employ(t, l, "p1")
		askFor(t, l, leaver("p1", 10), 10, limits) // of an event that the ledger does not have
		held := cohorts(t, l, ledger.CohortFilter{Open: true})
		require.Len(t, held, 1)
		_, err := l.DecideCohort(t.Context(), decision(ledger.VerbCancel, held[0].ID, "p1"))
		require.ErrorContains(t, err, "nothing was decided")
		assert.Equal(t, 1, cohorts(t, l, ledger.CohortFilter{ID: held[0].ID})[0].Held, "it is held as before")
	},
	"WhatCannotBeVoidIsRefusedUntilItIsNotAskedFor": func(t *testing.T, l ledger.Ledger) {
		limits := atMost(1)
		askFor(t, l, deletion("p1", "wiki"), 10, limits)
		_, _, opened := askFor(t, l, deletion("p2", "wiki"), 10, limits)
		require.Len(t, opened, 1)
		decide(t, l, ledger.VerbCancel, opened[0].ID, "p2")
		w, _, _ := askFor(t, l, deletion("p2", "wiki"), 31, limits)
		assert.Equal(t, ledger.WithdrawalRefused, w.State)
		_, err := l.Admit(t.Context(), ledger.AdmissionRequest{PersonID: "p2", At: at(32), Gone: []ledger.Withdrawal{w}})
		require.NoError(t, err)
		assert.Empty(t, read(t, l, "p2").Withdrawals)
		w, _, _ = askFor(t, l, deletion("p2", "wiki"), 3000, limits)
		assert.Equal(t, ledger.WithdrawalAdmitted, w.State, "asked for anew, it is counted anew")
	},
	"WhatNobodyAsksForAnyMoreLeavesTheCohort": func(t *testing.T, l ledger.Ledger) {
		id := cohortOf(t, l, 4)
		for i := range 4 {
			p := read(t, l, fmt.Sprint("p", i))
			_, err := l.Admit(t.Context(), ledger.AdmissionRequest{PersonID: p.PersonID, At: at(25), Gone: p.Withdrawals, Limits: atMost(3)})
			require.NoError(t, err)
		}
		c := cohorts(t, l, ledger.CohortFilter{ID: id})[0]
		assert.Equal(t, ledger.CohortEnded, c.State)
		assert.Equal(t, at(25), c.ClosedAt)
		w, _, _ := askFor(t, l, leaver("q", 26), 27, atMost(3))
		assert.Equal(t, ledger.WithdrawalAdmitted, w.State)

		admit(t, l, leaver("kept", 3000), 3001)
		p := read(t, l, "kept")
		_, err := l.Admit(t.Context(), ledger.AdmissionRequest{PersonID: "kept", At: at(3002), Gone: p.Withdrawals})
		require.NoError(t, err)
		assert.Equal(t, ledger.WithdrawalAdmitted, state(t, l, "kept"), "a leaver who was admitted stays so")
	},
	"ListsWhatACohortHolds": func(t *testing.T, l ledger.Ledger) {
		id := cohortOf(t, l, 4)
		people := func(list []ledger.Withdrawal) []string {
			return each(list, func(w ledger.Withdrawal) string { return w.PersonID })
		}
		first, err := l.Withdrawals(t.Context(), id, "", 3)
		require.NoError(t, err)
		assert.Equal(t, []string{"p0", "p1", "p2"}, people(first))
		assert.Equal(t, []string{"chat", "wiki"}, first[0].Apps)
		assert.Equal(t, "access ended", first[0].Why)
		rest, err := l.Withdrawals(t.Context(), id, "p2", 3)
		require.NoError(t, err)
		assert.Equal(t, []string{"p3"}, people(rest))
	},
	"RefusesNonsense": func(t *testing.T, l ledger.Ledger) {
		_, err := l.DecideCohort(t.Context(), decision(ledger.VerbRelease, 99, "p1"))
		require.ErrorIs(t, err, ledger.ErrNotFound)
		_, err = l.DecideCohort(t.Context(), decision("delete", 1, "p1"))
		require.Error(t, err)
		_, err = l.Admit(t.Context(), ledger.AdmissionRequest{PersonID: "p1", At: at(0), Asks: []ledger.Ask{{}}})
		require.Error(t, err)
		assert.Empty(t, audit(t, l, ""))
	},
	"NoMoreThanAllowedAreAdmittedHoweverManyAskAtOnce": func(t *testing.T, l ledger.Ledger) {
		const people, allowed = 60, 7
		var admitted, opened atomic.Int64
		race(people, func(i int) {
			a := leaver(fmt.Sprint("p", i), 10)
			a.Immediate = true
			got, err := l.Admit(t.Context(), ledger.AdmissionRequest{PersonID: a.person, At: at(10), Asks: []ledger.Ask{a.Ask}, Limits: atMost(allowed)})
			if !assert.NoError(t, err) {
				return
			}
			if got.Withdrawals[0].State == ledger.WithdrawalAdmitted {
				admitted.Add(1)
			}
			opened.Add(int64(len(got.Opened)))
		})
		assert.EqualValues(t, allowed, admitted.Load())
		assert.EqualValues(t, 1, opened.Load())
		assert.Equal(t, people-allowed, cohorts(t, l, ledger.CohortFilter{})[0].Held)
	},
}
