package workflows_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/assess/preview"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/workflows"
)

// rehearse rehearses the biography's person, with further events if any are given.
func (b *biography) rehearse(events ...hr.Event) preview.Outcome {
	b.t.Helper()
	rules := assess.Rules{Policy: b.acts.Policy, Apps: map[string]plan.App{}}
	for name, app := range b.acts.Apps {
		resolved, _ := b.acts.Policy.App(name)
		rules.Apps[name] = assess.Traits(resolved, app.Connector)
	}
	out, err := preview.New(b.ledger, preview.Scenario{Now: b.now(), Rules: rules, Events: events}).Person(context.Background(), b.person)
	require.NoError(b.t, err)
	return out
}

// did returns what was done from an instant on, according to the audit record, in the
// form of a rehearsal.
func (b *biography) did(from time.Time) []string {
	b.t.Helper()
	rows, err := b.ledger.Audit(context.Background(), b.person, 0, 1000)
	require.NoError(b.t, err)
	var out []string
	for _, r := range rows {
		if !r.At.Before(from) {
			if r.Action == ledger.AuditHandOverBegun || r.Action == "exception_lapsed" || r.Action == "retention_lapsed" {
				continue // no change of its own
			}
			out = append(out, deed(r.At, r.App, actions[r.Action]))
		}
	}
	slices.Sort(out)
	return out
}

var actions = map[string]preview.Action{
	"created": preview.Create, "restored": preview.Restore, "enabled": preview.Enable, "updated": preview.Update, "disabled": preview.Disable,
	"stripped": preview.Strip, "handed_over": preview.HandOver, "deleted": preview.Delete,
}

// deed names what was done and when, to the nearest hour, because steps take a moment.
func deed(at time.Time, app string, do preview.Action) string {
	return fmt.Sprint(at.UTC().Round(time.Hour).Format("2006-01-02 15h "), app, " ", do)
}

// says records several events at once, and rehearses them before the run is told: first as
// events that were not sent, then as events in the ledger.
func (b *biography) says(after time.Duration, events []hr.Event) (foreseen *preview.Outcome, at time.Time) {
	at, foreseen = epoch.Add(after), &preview.Outcome{}
	i := len(b.events)
	b.events = append(b.events, happening{at: at, starts: workflows.TypeFor(events[0].Type)})
	b.events[i].do = func() {
		before := b.rehearse(events...)
		var received []ledger.Received
		for _, e := range events {
			received = append(received, ledger.Received{Event: e, At: at})
		}
		receipts, err := b.ledger.Record(context.Background(), received)
		require.NoError(b.t, err)
		*foreseen = b.rehearse()
		assert.Equal(b.t, foreseen.Accounts, before.Accounts, "events that are not sent yet come to the same as those that are")
		b.events[i].signal = workflows.LookAgain{Seq: receipts[len(receipts)-1].Seq}
	}
	return foreseen, at
}

// Whatever HR says, and whatever the policy is, everything that a rehearsal shows is done
// at the time that it shows, and the accounts end as it shows.
func TestWhatIsRehearsedIsWhatIsDone(t *testing.T) {
	total := 0
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			b := newBiography(t, randomRules(r))
			first, second := randomLife(r, b.person)
			late := time.Duration(1+r.IntN(60)) * day
			b.says(0, first)
			if r.IntN(3) == 0 {
				b.holds(late-time.Hour, late+time.Duration(1+r.IntN(100))*day)
			}
			if r.IntN(3) == 0 {
				b.keeps(late-time.Hour, []string{"", "wiki"}[r.IntN(2)], time.Time{}, time.Duration(r.IntN(50))*day)
			}
			if r.IntN(2) == 0 {
				b.randomExceptions(r, late-2*time.Hour)
			}
			foreseen, from := b.says(late, second)
			b.live(500 * day)

			var expected []string
			for _, c := range foreseen.Changes {
				require.Empty(t, c.Problem)
				expected = append(expected, deed(c.At, c.App, c.Do))
			}
			slices.Sort(expected)
			assert.Equal(t, expected, b.did(from))
			total += len(expected)

			links, err := b.ledger.Links(context.Background(), ledger.LinkFilter{PersonID: b.person})
			require.NoError(t, err)
			var there []preview.Account
			for _, l := range links {
				there = append(there, preview.Account{App: l.App, State: l.State, Username: l.Username, Entitlements: l.Entitlements})
			}
			slices.SortFunc(foreseen.Accounts, func(a, b preview.Account) int {
				if a.App < b.App {
					return -1
				}
				return 1
			})
			assert.Equal(t, there, foreseen.Accounts)
		})
	}
	assert.Greater(t, total, 100, "these lives are not worth living")
}

func randomRules(r *rand.Rand) policy.Rules {
	rules := requestRules()
	rules.Joiner.LeadTime = time.Duration(r.IntN(2)*3) * day
	rules.Mover.Overlap = time.Duration(r.IntN(2)*7) * day
	if r.IntN(2) == 0 {
		rules.Duties = []policy.Duty{buildAndSell()}
	}
	rules.Leaver = policy.LeaverRules{Retain: time.Duration(r.IntN(3)*20) * day, Delete: r.IntN(4) > 0}
	return rules
}

// randomLife draws what HR says at first and later. None of it needs an operator.
func randomLife(r *rand.Rand, person string) (first, second []hr.Event) {
	for {
		n := 0
		some := func(kinds ...hr.EventType) hr.Event {
			n++
			on := hr.DateOf(epoch).AddDays(r.IntN(90) - 10)
			p := profile([]string{"Development", "Sales", "Legal"}[r.IntN(3)])
			p.StartDate = hr.DateOf(epoch).AddDays(r.IntN(30) - 10)
			e := hr.Event{
				EventKey: hr.EventKey{Source: "/hr/test", ID: fmt.Sprint("e", n)}, PersonID: person, Type: kinds[r.IntN(len(kinds))],
				Recorded: epoch.Add(time.Duration(n) * time.Second), Effective: on,
			}
			switch e.Type {
			case hr.EventTerminated:
				e.Termination = &hr.Termination{LastDay: on}
			case hr.EventHired:
				e.Effective, e.Profile = p.StartDate, p
				if r.IntN(4) == 0 {
					p.EndDate = p.StartDate.AddDays(20 + r.IntN(100))
				}
			case hr.EventRehired:
				p.StartDate, e.Profile = on, p
			case hr.EventTransferred, hr.EventUpdated:
				p.JobTitle, e.Profile = fmt.Sprint("Engineer ", r.IntN(3)), p
			}
			return e
		}
		first = []hr.Event{some(hr.EventHired)}
		second = []hr.Event{some(hr.EventTransferred, hr.EventUpdated, hr.EventTerminated, hr.EventLeaveStarted)}
		for range r.IntN(3) {
			second = append(second, some(hr.EventTransferred, hr.EventTerminated, hr.EventRehired, hr.EventLeaveStarted, hr.EventLeaveEnded, hr.EventSuspended))
		}
		if len(hr.Merge(person, append(slices.Clone(first), second...)).Conflicts) == 0 {
			return first, second
		}
	}
}
