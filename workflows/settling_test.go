package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// settling is how long the apps of these tests may answer as if a change had not been made.
const settling = 15 * time.Minute

// settle lets every app answer with pictures of an earlier time, and checks what the engine
// says is done.
func (b *biography) settle(lag memory.Lag) {
	b.t.Helper()
	declared := settling
	lag.Now = b.now
	for name, app := range b.apps {
		app.SetFaults(memory.Faults{Lag: lag})
		b.acts.Apps[name].Settling = &declared
	}
	b.acts.Ledger = &witness{Ledger: b.ledger, b: b}
}

// late returns a lag of this age, at all times.
func late(age time.Duration) memory.Lag {
	return memory.Lag{Age: func() time.Duration { return age }}
}

// witness is a ledger that compares each step that is said to be done with the app itself.
type witness struct {
	ledger.Ledger
	b *biography
}

func (w *witness) FinishStep(ctx context.Context, o ledger.Outcome) error {
	if o.State == ledger.StepDone && o.PersonID == w.b.person {
		w.compare(o)
	}
	return w.Ledger.FinishStep(ctx, o)
}

func (w *witness) compare(o ledger.Outcome) {
	t, l := w.b.t, o.Link
	var theirs []connector.Account
	for _, account := range w.b.apps[o.App].Accounts() {
		if account.ExternalID == w.b.person {
			theirs = append(theirs, account)
		}
	}
	what := fmt.Sprintf("%s in %s is said to be done", o.Kind, o.App)
	if l.State == ledger.LinkDeleted || l.State == ledger.LinkPlanned {
		assert.Empty(t, theirs, what)
		return
	}
	if !assert.Len(t, theirs, 1, what) {
		return
	}
	assert.Equal(t, l.AccountID, theirs[0].ID, what)
	assert.Equal(t, l.State == ledger.LinkActive, theirs[0].Active, what)
	for _, name := range l.Entitlements {
		assert.True(t, slices.Contains(theirs[0].Entitlements, name) || slices.Contains(l.Unsure.Entitlements, name), "%s: %s", what, name)
	}
	if o.Kind == "Strip" {
		assert.Empty(t, theirs[0].Entitlements, what)
	}
	if title := theirs[0].Attributes["title"]; title != nil && o.Kind == "Update" && l.Attributes != "" && l.Attributes != ledger.AttributesUnknown {
		assert.Equal(t, l.Attributes, policy.Digest(theirs[0].Attributes), what)
	}
}

func TestAnAppThatLagsIsAskedAgainAndNothingIsSaidTooEarly(t *testing.T) {
	for name, lag := range map[string]memory.Lag{
		"a little":                      late(5 * time.Second),
		"for minutes":                   late(10 * time.Minute),
		"nearly as long as it may":      late(settling - time.Second),
		"fresh accounts are not known":  {Age: late(5 * time.Minute).Age, Changes: true},
		"nor is it known what is taken": {Age: late(5 * time.Minute).Age, Changes: true, Twins: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBiography(t, testRules())
			b.settle(lag)
			b.hears(0, hired("Development"))
			b.on(2*time.Hour, func() {
				assert.Equal(t, map[string]string{"directory": "on [engineers staff]", "chat": "on []", "wiki": "on [engineers]"}, b.states())
				assert.Empty(t, b.inAttention())
			})
			fired := terminated(hr.DateOf(epoch))
			fired.Termination.Urgency = hr.UrgencyImmediate
			b.hears(day, fired)
			b.on(day+10*time.Second, func() { assert.Contains(t, b.state("directory"), "off", "the first call cuts them off") })
			b.on(day+2*time.Hour, func() {
				assert.Equal(t, map[string]string{"directory": "off []", "chat": "off []", "wiki": "off []"}, b.states())
				assert.Empty(t, b.inAttention())
			})
			b.live(60 * day)
			assert.Equal(t, map[string]string{"directory": "none", "chat": "none", "wiki": "none"}, b.states())
			for name, app := range b.apps {
				assert.Equal(t, 1, app.Calls(connector.OpCreate), name)
				assert.Equal(t, 1, app.Calls(connector.OpDisable), "%s: what was accepted is not sent again", name)
				assert.Equal(t, 1, app.Calls(connector.OpDelete), name)
			}
			assert.Empty(t, b.inAttention())
		})
	}
}

// While a call without an answer may still take effect, an app that lags is looked at more and more
// rarely, as it is after a change.
func TestLooksAfterALostAnswerBecomeRare(t *testing.T) {
	b := newBiography(t, testRules())
	declared, lost, looks := settling, false, 0
	b.acts.Apps["directory"].Settling = &declared
	b.apps["directory"].OnCall(func(_ context.Context, op, _ string) error {
		switch {
		case op == connector.OpFind:
			looks++
		case op == connector.OpCreate && !lost:
			lost = true
			return &connector.Error{Kind: connector.KindUnavailable, Op: op, Message: "timed out"}
		}
		return nil
	})
	b.hears(0, hired("Sales"))
	b.on(100*time.Second, func() {
		assert.True(t, lost)
		assert.LessOrEqual(t, looks, 25)
		assert.Greater(t, looks, 5)
		b.apps["directory"].Put(connector.Account{Username: "alovelace", ExternalID: b.person, Active: true, Entitlements: []string{"staff"}})
	})
	b.live(day)
	assert.Equal(t, "on [sales staff]", b.state("directory"))
}

// An account that is turned off, on and off again within the settling time may seem off
// before it is.
func TestAPictureOfAnEarlierEndProvesNoEnd(t *testing.T) {
	for name, event := range map[string]hr.EventType{"off": hr.EventSuspended, "on": hr.EventReinstated} {
		t.Run(name, func(t *testing.T) {
			b := newBiography(t, testRules())
			age := settling / 2
			b.settle(memory.Lag{Age: func() time.Duration { return age }})
			b.hears(0, hired("Sales"))
			last := day
			for _, e := range []hr.EventType{hr.EventSuspended, hr.EventReinstated, hr.EventSuspended, hr.EventReinstated} {
				b.hears(last, hr.Event{Type: e})
				if last += 3 * time.Minute; e == event && last > day+6*time.Minute {
					break
				}
			}
			// The answer to the last call is lost: only a look could tell.
			lost := 0
			b.on(last-3*time.Minute, func() {
				b.apps["chat"].AfterCall(func(_ context.Context, op, _ string) error {
					if (op == connector.OpDisable || op == connector.OpEnable) && lost == 0 {
						lost++
						return errors.New("the answer is lost")
					}
					return nil
				})
			})
			b.live(2 * day)
			assert.Equal(t, name == "on", b.state("chat") == "on []", b.state("chat"))
			assert.Empty(t, b.inAttention())
		})
	}
}

// An account that somebody has deleted in the app is seen to be gone, although the calls that were
// to end it were answered just now.
func TestAnAccountThatSomebodyDeletedInAnAppThatLagsIsGone(t *testing.T) {
	for name, next := range map[string]hr.Event{
		"their access ends": terminated(hr.DateOf(epoch)),
		"they move":         {Type: hr.EventTransferred, Effective: hr.DateOf(epoch), Profile: profile("Development")},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBiography(t, testRules())
			b.settle(late(0))
			b.hears(0, hired("Sales"))
			b.on(2*day-time.Hour, func() {
				account, ok := b.account("directory")
				require.True(t, ok)
				require.NoError(t, b.acts.Apps["directory"].Connector.Delete(context.Background(), account.ID))
			})
			b.hears(2*day, next)
			b.live(2*day + 2*time.Hour)
			assert.Empty(t, b.inAttention())
			if name == "they move" {
				assert.Equal(t, "on [engineers staff]", b.state("directory"), "they get another account")
			} else {
				assert.Equal(t, "none", b.state("directory"))
			}
		})
	}
}

// An app that does not know yet of a group's new member answers that there is nobody to take, and
// shows the account as it was before.
func TestAnEntitlementThatWasJustGivenIsTaken(t *testing.T) {
	b := newBiography(t, testRules())
	op := ""
	b.settle(memory.Lag{Changes: true, Age: func() time.Duration {
		switch at := b.now().Sub(epoch); {
		case at < 11*time.Minute:
			return 0
		case op == connector.OpRevoke:
			return 14 * time.Minute // as if there were no account
		case op == connector.OpRead:
			return 3 * time.Minute // before the transfer to Development
		}
		return 0
	}})
	b.apps["directory"].OnCall(func(_ context.Context, is, _ string) error {
		op = is
		return nil
	})
	b.hears(0, hired("Sales"))
	b.hears(9*time.Minute, hr.Event{Type: hr.EventTransferred, Profile: profile("Development")})
	b.on(10*time.Minute, func() { assert.Equal(t, "on [engineers staff]", b.state("directory")) })
	b.hears(11*time.Minute, hr.Event{Type: hr.EventTransferred, Profile: profile("Sales")})
	b.live(2 * time.Hour)
	assert.Equal(t, "on [sales staff]", b.state("directory"))
	assert.Empty(t, b.inAttention())
}

// lossy lets an app lose one in so many answers, and refuse as many calls.
func lossy(app *memory.App, draw func(int) int) {
	fails := func(context.Context, string, string) error {
		if draw(12) == 0 {
			return errors.New("no answer")
		}
		return nil
	}
	app.OnCall(fails)
	app.AfterCall(fails)
}

// history makes up what HR and security say of one person, in steps of seconds or minutes.
func history(draw func(int) int) (events []happening, said []hr.Event) {
	at, employed, left, cutOff, department := time.Duration(0), true, false, false, "Sales"
	say := func(e hr.Event) {
		events, said = append(events, happening{at: epoch.Add(at)}), append(said, e)
	}
	say(hired(department))
	for range 3 + draw(6) {
		at += []time.Duration{time.Second, 20 * time.Second, 2 * time.Minute, 9 * time.Minute, 40 * time.Minute}[draw(5)]
		switch n := draw(6); {
		case !employed:
			back := profile(department)
			say(hr.Event{Type: hr.EventRehired, Profile: back})
			employed = true
		case cutOff:
			say(hr.Event{Type: hr.EventReinstated})
			cutOff = false
		case n == 0:
			say(hr.Event{Type: hr.EventSuspended})
			cutOff = true
		case n < 3:
			department = map[string]string{"Sales": "Development", "Development": "Sales"}[department]
			say(hr.Event{Type: hr.EventTransferred, Profile: profile(department)})
		case n < 5 || left: // a second end has a conflict with the first
			p := profile(department)
			p.JobTitle = []string{"Engineer", "Lead", "Head"}[draw(3)]
			say(hr.Event{Type: hr.EventUpdated, Profile: p})
		default:
			gone := terminated(hr.DateOf(epoch))
			gone.Termination.Urgency = hr.UrgencyImmediate
			say(gone)
			employed, left = false, true
		}
	}
	return events, said
}

// TestWhateverHappensInAppsThatLagEndsAsPolicySays plays the same history in apps that lag,
// lose answers and refuse calls, and in apps that do not.
func TestWhateverHappensInAppsThatLagEndsAsPolicySays(t *testing.T) {
	// The first seeds, and some that once found a mistake.
	for _, seed := range []uint64{0, 1, 2, 3, 5, 9, 11, 13, 14, 22, 35, 85, 131, 156, 226, 234} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 13))
			var lock sync.Mutex
			draw := func(n int) int {
				lock.Lock()
				defer lock.Unlock()
				return random.IntN(n)
			}
			rules := testRules()
			if seed%3 == 0 {
				rules.Leaver.Retain = 0
			}
			when, said := history(draw)
			lives := func(name string, prepare func(b *biography)) (states map[string]string) {
				t.Run(name, func(t *testing.T) {
					b := newBiography(t, rules)
					prepare(b)
					for i, e := range said {
						b.hears(when[i].at.Sub(epoch), e)
					}
					b.live(90 * day)
					states = b.states()
					assert.Empty(t, b.inAttention())
				})
				return states
			}
			want := lives("prompt", func(*biography) {})
			got := lives("late", func(b *biography) {
				b.settle(memory.Lag{Changes: seed%2 == 0, Twins: seed%4 == 0, Age: func() time.Duration {
					return []time.Duration{0, time.Duration(draw(int(settling))), settling - time.Second}[draw(3)]
				}})
				if seed%5 < 2 {
					for _, app := range b.apps {
						lossy(app, draw)
					}
				}
			})
			if said[len(said)-1].Type == hr.EventSuspended {
				// Nothing is made for somebody who is suspended, and nothing else is changed.
				for app := range want {
					assert.NotContains(t, got[app], "on [", app)
				}
				return
			}
			require.Equal(t, want, got)
		})
	}
}
