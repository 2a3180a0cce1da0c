package scan_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/reconcile"
)

// life is what HR says of somebody, at random, and what an administrator of the wiki does to their
// account past Tenure.
type life struct {
	*office
	r       *rand.Rand
	person  string
	title   string // empty: they have left, or were never here
	was     bool   // they were here
	takes   bool   // strays are taken, and not asked about
	planted map[string]int
	undo    func() // what the administrator does when they are asked
}

// goesOn has HR say something, or nothing.
func (l *life) goesOn() {
	switch {
	case l.title == "" && (!l.was || l.r.IntN(4) == 0):
		kind := hr.EventHired
		if l.was {
			kind = hr.EventRehired
		}
		l.title, l.was = []string{"Engineer", "Clerk"}[l.r.IntN(2)], true
		l.hear(kind, l.person, l.title)
	case l.title == "" || l.r.IntN(3) > 0:
		l.settle(l.person) // what is kept is deleted when its time is over
	case l.r.IntN(2) == 0:
		l.title = map[string]string{"Engineer": "Clerk", "Clerk": "Engineer"}[l.title]
		l.hear(hr.EventTransferred, l.person, l.title)
	default:
		l.title = ""
		l.hear(hr.EventTerminated, l.person, "")
	}
}

// asPolicySays requires that the app has of the person what policy gives them.
func (l *life) asPolicySays() {
	l.Helper()
	if !l.was {
		return
	}
	link := l.link(l.person)
	account, there := l.app.Account(link.AccountID)
	gives := map[string][]string{"Engineer": {"staff"}, "Clerk": {"clerks", "staff"}}[l.title]
	switch {
	case l.title != "":
		require.True(l, there, l.person)
		assert.True(l, account.Active, "%s works here", l.person)
		assert.Equal(l, gives, slices.Sorted(slices.Values(account.Entitlements)), l.person)
		assert.Equal(l, l.title, account.Attributes["title"], l.person)
	case there:
		assert.False(l, account.Active, "%s has left", l.person)
		assert.Empty(l, account.Entitlements, l.person)
		assert.True(l, l.now.Before(link.DisabledAt.Add(11*day)), "%s is kept too long", l.person)
	default:
		assert.Equal(l, ledger.LinkDeleted, link.State, l.person)
	}
}

// tampered has an administrator do something to the person's account, or nothing, and returns what
// a scan has to find.
func (l *life) tampered() []string {
	l.undo = func() {}
	if !l.was {
		return nil
	}
	link := l.link(l.person)
	id, ctx := link.AccountID, l.Context()
	stray := fmt.Sprintf("stray admins %s open", l.person)
	if l.takes {
		stray = fmt.Sprintf("stray admins %s repairing", l.person)
	}
	grants := func(name string) func() {
		require.NoError(l, l.hand.Grant(ctx, id, []string{name}))
		return func() { require.NoError(l, l.hand.Revoke(ctx, id, []string{name})) }
	}
	var what string
	var want []string
	switch deed := l.r.IntN(7); {
	case deed == 0:
		return nil
	case l.title != "" && deed == 1:
		what, want = "stray", []string{stray}
		l.undo = grants("admins")
	case l.title != "" && deed == 2:
		what, want = "lacking", []string{fmt.Sprintf("lacking staff %s repairing", l.person)}
		require.NoError(l, l.hand.Revoke(ctx, id, []string{"staff"}))
	case l.title != "" && deed == 3:
		what, want = "attributes", []string{fmt.Sprintf("attributes title %s repairing", l.person)}
		require.NoError(l, l.hand.Update(ctx, id, map[string]any{"title": "Boss"}))
	case l.title != "" && deed == 4:
		what, want = "off", []string{fmt.Sprintf("off  %s open", l.person)}
		require.NoError(l, l.hand.Disable(ctx, id))
		l.undo = func() { require.NoError(l, l.hand.Enable(ctx, id)) }
	case l.title == "Clerk" && deed == 5 && !l.takes:
		what, want = "duty", []string{fmt.Sprintf("stray approvers %s open", l.person), fmt.Sprintf("duty pay %s open", l.person)}
		l.undo = grants("approvers")
	case l.title != "": // several things at once
		what, want = "several", []string{stray, fmt.Sprintf("lacking staff %s repairing", l.person), fmt.Sprintf("attributes title %s repairing", l.person)}
		l.undo = grants("admins")
		require.NoError(l, l.hand.Revoke(ctx, id, []string{"staff"}))
		require.NoError(l, l.hand.Update(ctx, id, map[string]any{"title": "Boss"}))
	case link.State == ledger.LinkDeleted:
		what, want = "made for a leaver", []string{fmt.Sprintf("orphan  %s repairing", l.person)}
		_, err := l.hand.Create(ctx, connector.Spec{PersonID: l.person, Username: l.person, Active: true})
		require.NoError(l, err)
	case deed < 4:
		what, want = "on again", []string{fmt.Sprintf("state  %s repairing", l.person)}
		require.NoError(l, l.hand.Enable(ctx, id))
	default:
		if l.takes { // not twice: what turns the account off strips it too
			stray = fmt.Sprintf("stray admins %s pending", l.person)
		}
		what, want = "on again with more", []string{fmt.Sprintf("state  %s repairing", l.person), stray}
		require.NoError(l, l.hand.Enable(ctx, id))
		grants("admins") // it goes when the account is turned off
	}
	l.planted[what]++
	return want
}

// Whatever HR says, and whatever administrators do in the app by hand between that: a scan finds
// exactly what they did, and after what comes of it the app has what policy says.
func TestLivesWithDriftEndAsPolicySays(t *testing.T) {
	planted := map[string]int{}
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			o, r := newOffice(t), rand.New(rand.NewPCG(seed, 7))
			o.hired("rock") // so that there is always somebody: an empty list is not believed
			takes := r.IntN(2) == 0
			if takes {
				o.react(reconcile.Stray, reconcile.Repair)
			}
			var lives []*life
			for n := range 5 {
				lives = append(lives, &life{office: o, r: r, person: fmt.Sprint("p", n), takes: takes, planted: planted})
			}
			for round := range 6 {
				o.now = o.now.Add(time.Duration(8*24+r.IntN(100)) * time.Hour)
				for _, l := range lives {
					l.goesOn()
				}
				o.nothingFound("nobody has done anything past Tenure")
				want := []string{}
				for _, l := range lives {
					l.asPolicySays()
					want = append(want, l.tampered()...)
				}
				stranger := ""
				if r.IntN(3) == 0 {
					stranger = o.app.Put(connector.Account{Username: fmt.Sprint("stranger", round), Active: true})
					want = append(want, "orphan   open")
					planted["stranger"]++
				}
				o.scan(ledger.ScanDone)
				require.ElementsMatch(t, want, o.found(), "round %d", round)
				for _, l := range lives {
					if l.was {
						o.settle(l.person)
					}
				}
				for _, l := range lives {
					if !takes || l.title != "" && slices.Contains(want, fmt.Sprintf("off  %s open", l.person)) {
						l.undo()
					}
				}
				if stranger != "" {
					require.NoError(t, o.hand.Delete(o.Context(), stranger))
				}
				o.nothingFound("all of it is repaired, or was undone")
				for _, l := range lives {
					l.asPolicySays()
				}
			}
		})
	}
	t.Log(planted)
	for _, what := range []string{"stray", "lacking", "attributes", "off", "duty", "several", "made for a leaver", "on again", "on again with more", "stranger"} {
		assert.Positive(t, planted[what], what)
	}
}
