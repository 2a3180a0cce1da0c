package ledgertest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

func personID(s ledger.Summary) string { return s.PersonID }

var queryTests = tests{
	"PeopleByPages": func(t *testing.T, l ledger.Ledger) {
		record(t, l, numbers(25, func(i int) ledger.Received {
			return received(fmt.Sprintf("p%02d", (i*7)%25), fmt.Sprint("e", i), 0)
		})...)
		var got []string
		for pages, after := 0, ""; ; pages++ {
			require.LessOrEqual(t, pages, 3)
			page, err := l.People(t.Context(), after, 10)
			require.NoError(t, err)
			if len(page) == 0 {
				assert.Equal(t, 3, pages)
				break
			}
			got = append(got, each(page, personID)...)
			after = page[len(page)-1].PersonID
		}
		assert.Equal(t, numbers(25, func(i int) string { return fmt.Sprintf("p%02d", i) }), got)
		page, err := l.People(t.Context(), "p10x", 2)
		require.NoError(t, err)
		assert.Equal(t, "p11", page[0].PersonID, "after an ID that is not there")
		page, err = l.People(t.Context(), "", 0)
		require.NoError(t, err)
		assert.Empty(t, page)
	},
	"PeopleInOrderOfBytes": func(t *testing.T, l ledger.Ledger) {
		for _, id := range []string{"b", "é", "B", "日", "10", "9", "a"} {
			record(t, l, received(id, id, 0))
		}
		people, err := l.People(t.Context(), "", all)
		require.NoError(t, err)
		assert.Equal(t, []string{"10", "9", "B", "a", "b", "é", "日"}, each(people, personID))
	},
	"LinksByFilter": func(t *testing.T, l ledger.Ledger) {
		for _, id := range []string{"p2", "p1"} {
			for app, state := range map[string]ledger.LinkState{"wiki": ledger.LinkActive, "chat": ledger.LinkDisabled} {
				putLink(t, l, ledger.Link{PersonID: id, App: app, State: state})
			}
		}
		for _, c := range []struct {
			filter ledger.LinkFilter
			want   []string
		}{
			{ledger.LinkFilter{}, []string{"p1 chat", "p1 wiki", "p2 chat", "p2 wiki"}},
			{ledger.LinkFilter{PersonID: "p1"}, []string{"p1 chat", "p1 wiki"}},
			{ledger.LinkFilter{App: "wiki"}, []string{"p1 wiki", "p2 wiki"}},
			{ledger.LinkFilter{State: ledger.LinkDisabled}, []string{"p1 chat", "p2 chat"}},
			{ledger.LinkFilter{PersonID: "p2", App: "chat", State: ledger.LinkDisabled}, []string{"p2 chat"}},
			{ledger.LinkFilter{PersonID: "p2", App: "chat", State: ledger.LinkActive}, []string{}},
			{ledger.LinkFilter{PersonID: "nobody"}, []string{}},
			{ledger.LinkFilter{Limit: 3}, []string{"p1 chat", "p1 wiki", "p2 chat"}},
			{ledger.LinkFilter{App: "wiki", State: ledger.LinkActive, Limit: 1}, []string{"p1 wiki"}},
			{ledger.LinkFilter{After: ledger.LinkPlace{PersonID: "p1", App: "chat"}, Limit: 2}, []string{"p1 wiki", "p2 chat"}},
			{ledger.LinkFilter{State: ledger.LinkDisabled, After: ledger.LinkPlace{PersonID: "p1", App: "chat"}, Limit: 2}, []string{"p2 chat"}},
			{ledger.LinkFilter{App: "wiki", State: ledger.LinkActive, After: ledger.LinkPlace{PersonID: "p1", App: "wiki"}, Limit: 2}, []string{"p2 wiki"}},
		} {
			links, err := l.Links(t.Context(), c.filter)
			require.NoError(t, err)
			got := each(links, func(link ledger.Link) string { return link.PersonID + " " + link.App })
			assert.Equal(t, c.want, got, c.filter)
		}
	},
	"GrantedByEntitlement": func(t *testing.T, l ledger.Ledger) {
		var many []string // more than an index takes
		for i := range 60 {
			many = append(many, fmt.Sprint("entitlement ", 100+i))
		}
		for id, link := range map[string]ledger.Link{
			"p1": {Entitlements: []string{"archive", "staff"}}, "p2": {Entitlements: []string{"staff"}}, "p3": {},
			"p4": {Entitlements: []string{"archive"}, State: ledger.LinkDisabled}, "p5": {Entitlements: many},
			"p6": {Entitlements: append(slices.Clone(many), "zeta")}, "p7": {Entitlements: []string{"a \"<b>\", é"}}, "p8": {Entitlements: []string{"staff"}},
		} {
			link.PersonID, link.App = id, "wiki"
			if link.State == "" {
				link.State = ledger.LinkActive
			}
			putLink(t, l, link)
		}
		putLink(t, l, ledger.Link{PersonID: "p9", App: "chat", State: ledger.LinkActive, Entitlements: []string{"staff"}})
		for entitlement, want := range map[string][]string{
			"": {"p1", "p2", "p3", "p5", "p6", "p7", "p8"}, "archive": {"p1"}, "staff": {"p1", "p2", "p8"}, "entitlement 159": {"p5", "p6"},
			"zeta": {"p6"}, "a \"<b>\", é": {"p7"}, "arch": {},
		} {
			got, err := l.Granted(t.Context(), "wiki", entitlement, 10)
			require.NoError(t, err)
			assert.ElementsMatch(t, want, got, entitlement)
			assert.True(t, slices.IsSorted(got))
			got, err = l.Granted(t.Context(), "wiki", entitlement, 2)
			require.NoError(t, err)
			assert.Len(t, got, min(2, len(want)), entitlement)
			assert.Subset(t, want, got)
		}
	},
	"AuditOldestFirstByPages": func(t *testing.T, l ledger.Ledger) {
		for i := range 9 {
			o := outcome([]string{"p1", "p2", "p1"}[i%3], "wiki", fmt.Sprint(i), 100-i, ledger.StepDone)
			o.Audit = &ledger.AuditRow{Action: fmt.Sprint(i)}
			finish(t, l, o)
		}
		pages := func(personID string) (got string) {
			for after := int64(0); ; {
				rows, err := l.Audit(t.Context(), personID, after, 2)
				require.NoError(t, err)
				if len(rows) == 0 {
					return got
				}
				require.LessOrEqual(t, len(rows), 2)
				for _, r := range rows {
					require.Greater(t, r.Seq, after)
					got, after = got+r.Action, r.Seq
				}
			}
		}
		assert.Equal(t, "012345678", pages(""))
		assert.Equal(t, "023568", pages("p1"))
		assert.Equal(t, "147", pages("p2"))
		assert.Empty(t, pages("p3"))
	},
	"EventsAreSelectedAndPaged": func(t *testing.T, l ledger.Ledger) {
		var want []ledger.StoredEvent
		for i := range 9 {
			r := received([]string{"p1", "p2", "p1"}[i%3], fmt.Sprint("e", i), 10*i)
			if i%2 == 1 {
				r.Event.Source = "urn:other"
			}
			want = append(want, ledger.StoredEvent{Seq: record(t, l, r)[0].Seq, Event: r.Event, At: r.At, From: ledger.Position{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}})
		}
		for name, c := range map[string]struct {
			filter ledger.EventFilter
			want   []int
		}{
			"all":      {ledger.EventFilter{}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}},
			"a person": {ledger.EventFilter{PersonID: "p2"}, []int{1, 4, 7}},
			"a source": {ledger.EventFilter{Source: "urn:other"}, []int{1, 3, 5, 7}},
			"from":     {ledger.EventFilter{From: at(50)}, []int{5, 6, 7, 8}},
			"to":       {ledger.EventFilter{To: at(50)}, []int{0, 1, 2, 3, 4}},
			"each":     {ledger.EventFilter{PersonID: "p2", Source: "urn:other", From: at(20), To: at(80)}, []int{7}},
			"nobody":   {ledger.EventFilter{PersonID: "p3"}, nil},
		} {
			for limit := 1; limit <= 10; limit += 3 {
				var got []ledger.StoredEvent
				for after := int64(0); ; after = got[len(got)-1].Seq {
					page, err := l.Events(t.Context(), c.filter, after, limit)
					require.NoError(t, err)
					require.LessOrEqual(t, len(page), limit)
					if got = append(got, page...); len(page) == 0 {
						break
					}
				}
				var selected []ledger.StoredEvent
				for _, i := range c.want {
					selected = append(selected, want[i])
				}
				require.Equal(t, selected, got, "%s, %d at once", name, limit)
			}
		}
	},
	"AuditOnlyGrows": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 0, plan(step("wiki", "a")))
		var before []ledger.AuditRow
		for i := range 20 {
			o := outcome("p1", "wiki", "a", i, ledger.StepOpen)
			o.Audit = &ledger.AuditRow{Action: "tried", Actor: "tenure"}
			finish(t, l, o)
			require.NoError(t, l.Act(t.Context(), action(ledger.VerbSkip, "a", i)))
			assess(t, l, "p1", i, nil)
			rows := audit(t, l, "")
			require.Len(t, rows, len(before)+2)
			require.Equal(t, before, append([]ledger.AuditRow(nil), rows[:len(before)]...))
			before = rows
		}
	},
	"AuditSinceIsInTheOrderOfTime": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 0, plan(step("wiki", "a")))
		assess(t, l, "p2", 0, plan(step("wiki", "a")))
		for i, minute := range []int{9, 3, 3, 7, 1} {
			o := outcome([]string{"p1", "p2"}[i%2], "wiki", "a", minute, ledger.StepOpen)
			o.Attempt, o.Audit = int64(i), &ledger.AuditRow{Action: "tried", Actor: "tenure", Detail: map[string]any{"n": float64(i)}}
			finish(t, l, o)
		}
		for limit := 1; limit < 5; limit++ {
			var got []float64
			for place := (ledger.AuditPlace{At: at(3)}); ; {
				rows, err := l.AuditSince(t.Context(), place, limit)
				require.NoError(t, err)
				for _, r := range rows {
					place = ledger.AuditPlace{At: r.At, Seq: r.Seq}
					got = append(got, r.Detail["n"].(float64))
				}
				if len(rows) < limit {
					break
				}
			}
			assert.Equal(t, []float64{1, 2, 3, 0}, got, "%d at once", limit)
		}
		before, err := l.AuditBefore(t.Context(), at(7), 2)
		require.NoError(t, err)
		require.Len(t, before, 2)
		assert.Equal(t, []any{2.0, 1.0}, []any{before[0].Detail["n"], before[1].Detail["n"]})
	},
	"PingAnswers": func(t *testing.T, l ledger.Ledger) {
		require.NoError(t, l.Ping(t.Context()))
	},
	"AfterCloseEverythingFails": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		require.NoError(t, l.Close())
		require.NoError(t, l.Close(), "once more does no harm")
		require.Error(t, l.Ping(t.Context()))
		_, err := l.Person(t.Context(), "p1")
		require.Error(t, err)
		require.NotErrorIs(t, err, ledger.ErrNotFound)
		_, err = l.Record(t.Context(), []ledger.Received{received("p1", "e2", 0)})
		require.Error(t, err)
	},
}
