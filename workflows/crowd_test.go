package workflows_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/provision"
)

// A crowd is many people in one ledger, with apps and a breaker that admits two of a kind
// a day. It does what the sweeper and the runs do, for one person after the other.
type crowd struct {
	*biography
	people []string
	said   int
}

func newCrowd(t *testing.T, size int) *crowd {
	b := limited(t)
	c := &crowd{biography: b}
	for i := range size {
		id := fmt.Sprintf("2%04d", i)
		c.people = append(c.people, id)
		hire := hired("Development")
		hire.Profile.GivenName = fmt.Sprintf("Ada%d", i)
		hire.ID = "hire-" + id
		c.says(0, id, hire)
	}
	c.work(0)
	require.Equal(t, size, c.working(), "everybody has their accounts")
	return c
}

// says records an event of HR about one person.
func (c *crowd) says(after time.Duration, id string, e hr.Event) {
	c.t.Helper()
	c.said++
	at := epoch.Add(after)
	e.PersonID = id
	if e.Source == "" {
		e.Source = "/hr/test"
	}
	if e.ID == "" {
		e.ID = fmt.Sprint("said-", c.said)
	}
	e.Recorded = at
	if e.Effective.IsZero() {
		e.Effective = hr.DateOf(at)
	}
	_, err := c.ledger.Record(context.Background(), []ledger.Received{{Event: e, At: at}})
	require.NoError(c.t, err)
}

// everybody records the same event about all people.
func (c *crowd) everybody(after time.Duration, say func(i int) hr.Event) {
	for i, id := range c.people {
		c.says(after, id, say(i))
	}
}

// work assesses everybody and applies their steps. It goes on until nothing is left to
// do, now or within the time in which changes settle.
func (c *crowd) work(after time.Duration) {
	c.t.Helper()
	c.at = epoch.Add(after)
	for range 10 {
		busy, settle := false, time.Duration(0)
		for _, id := range c.people {
			todo, err := c.acts.Engine.Assess(context.Background(), id)
			require.NoError(c.t, err)
			settle = max(settle, todo.Settle)
			for _, s := range todo.Todo {
				result, _, err := c.acts.Engine.Apply(context.Background(), provision.Attempt{
					PersonID: id, Step: s.Step, Deadline: time.Now().Add(time.Minute), Token: fmt.Sprint(c.said, id, s.Key), Detail: map[string]any{},
				})
				busy = busy || err == nil && result == provision.ResultDone
			}
		}
		c.at = c.at.Add(settle)
		if !busy && settle == 0 {
			return
		}
	}
}

// working returns how many people have all the access that they were given.
func (c *crowd) working() (n int) {
	for app, full := range map[string]int{"directory": 2, "chat": 0, "wiki": 1} {
		have := 0
		for _, a := range c.apps[app].Accounts() {
			if a.ExternalID != manager && a.Active && len(a.Entitlements) >= full {
				have++
			}
		}
		if app == "directory" || have < n {
			n = have
		}
	}
	return n
}

// However somebody tries to take everybody's access, no more people lose it than the
// breaker admits. Nobody loses it if the flood could be seen before.
func TestNoWayRoundTheBreaker(t *testing.T) {
	const size = 12
	ends := func(after time.Duration) hr.Event { return terminated(hr.DateOf(epoch.Add(after))) }
	changed := func(change func(*hr.Profile)) func(int) hr.Event {
		return func(int) hr.Event {
			p := profile("Development")
			change(p)
			return hr.Event{Type: hr.EventUpdated, Profile: p}
		}
	}
	endsOn := func(after time.Duration) func(int) hr.Event {
		return changed(func(p *hr.Profile) { p.EndDate = hr.DateOf(epoch.Add(after)) })
	}
	startsLate := func(p *hr.Profile) { p.StartDate = hr.DateOf(epoch.Add(30 * day)) }
	immediate := func(after time.Duration) hr.Event {
		e := ends(after)
		e.Termination.Urgency = hr.UrgencyImmediate
		return e
	}
	for name, c := range map[string]struct {
		attack func(c *crowd)
		lost   int // at most how many people lose access
		kinds  []ledger.WithdrawalKind
	}{
		"all terminated": {func(c *crowd) {
			c.everybody(day, func(int) hr.Event { return ends(0) })
			c.work(day)
		}, 0, []ledger.WithdrawalKind{ledger.Leavers}},
		"the first ones immediately": {func(c *crowd) {
			for i, id := range c.people {
				if i < 3 {
					c.says(day, id, immediate(day))
				} else {
					c.says(day, id, ends(0))
				}
			}
			c.work(day)
		}, 0, []ledger.WithdrawalKind{ledger.Leavers}},
		"immediately, one by one": {func(c *crowd) {
			for _, id := range c.people {
				c.says(day, id, immediate(day))
				c.work(day)
			}
		}, 2, []ledger.WithdrawalKind{ledger.Leavers}},
		"by several systems": {func(c *crowd) {
			c.everybody(day, func(i int) hr.Event {
				e := ends(0)
				e.EventKey = hr.EventKey{Source: fmt.Sprint("/hr/", i), ID: "x"}
				return e
			})
			c.work(day)
		}, 0, []ledger.WithdrawalKind{ledger.Leavers}},
		"in slices, for one day": {func(c *crowd) {
			for i, id := range c.people {
				at := time.Duration(1+i/2) * 2 * day
				c.says(at, id, ends(20*day))
				c.work(at)
			}
			c.work(21 * day)
			c.work(25 * day)
		}, 0, []ledger.WithdrawalKind{ledger.Leavers}},
		"for a day far ahead, and brought forward": {func(c *crowd) {
			c.everybody(day, func(int) hr.Event { return ends(90 * day) })
			c.work(day)
			c.everybody(2*day, func(int) hr.Event { return immediate(2 * day) })
			c.work(2 * day)
			c.work(3 * day)
		}, 0, []ledger.WithdrawalKind{ledger.Leavers}},
		"by the end of their position": {func(c *crowd) {
			c.everybody(day, func(int) hr.Event {
				e := ends(0)
				e.PositionID = "the only one"
				return e
			})
			c.work(day)
		}, 0, []ledger.WithdrawalKind{ledger.Leavers}},
		"by contracts that end on a day": {func(c *crowd) {
			c.everybody(day, endsOn(3*day))
			c.work(day)
			c.work(4 * day)
		}, 0, []ledger.WithdrawalKind{ledger.Leavers}},
		"by contracts that end while nobody works": {func(c *crowd) {
			c.everybody(day, endsOn(3*day))
			c.work(day)
			c.work(9 * day)
		}, 0, []ledger.WithdrawalKind{ledger.Leavers}},
		"by contracts that have ended": {func(c *crowd) {
			c.everybody(5*day, endsOn(3*day))
			c.work(5 * day)
		}, 0, []ledger.WithdrawalKind{ledger.Leavers}},
		"by hires that are rescinded": {func(c *crowd) {
			for _, id := range c.people {
				c.says(day, id, hr.Event{Type: hr.EventRescinded, Rescinds: "hire-" + id})
			}
			c.work(day)
		}, 0, []ledger.WithdrawalKind{ledger.Leavers}},
		"by hires that are rescinded, and said again for later": {func(c *crowd) {
			for _, id := range c.people {
				c.says(day, id, hr.Event{Type: hr.EventRescinded, Rescinds: "hire-" + id})
				later := hired("Development")
				startsLate(later.Profile)
				later.Effective = later.Profile.StartDate
				c.says(day, id, later)
			}
			c.work(day)
		}, 0, []ledger.WithdrawalKind{ledger.Disables}},
		"by a start that is corrected": {func(c *crowd) {
			c.everybody(day, changed(startsLate))
			c.work(day)
		}, 0, nil},
		"by leaves": {func(c *crowd) {
			c.everybody(day, func(int) hr.Event { return hr.Event{Type: hr.EventLeaveStarted} })
			c.work(day)
		}, 0, []ledger.WithdrawalKind{ledger.Disables}},
		"by leaves that were announced": {func(c *crowd) {
			c.everybody(day, func(int) hr.Event {
				return hr.Event{Type: hr.EventLeaveStarted, Effective: hr.DateOf(epoch.Add(5 * day))}
			})
			c.work(day)
			c.work(5 * day)
		}, 0, []ledger.WithdrawalKind{ledger.Disables}},
		"by a move that leaves nothing": {func(c *crowd) {
			c.everybody(day, func(int) hr.Event { return hr.Event{Type: hr.EventTransferred, Profile: profile("Nowhere")} })
			c.work(day)
		}, 0, []ledger.WithdrawalKind{ledger.Disables, ledger.Losses}},
		"by suspensions": {func(c *crowd) {
			c.everybody(day, func(int) hr.Event {
				return hr.Event{EventKey: hr.EventKey{Source: "/security"}, Type: hr.EventSuspended}
			})
			c.work(day)
		}, 0, []ledger.WithdrawalKind{ledger.Suspensions}},
		"a few by each of two kinds, and the rest later": {func(c *crowd) {
			for i, id := range c.people {
				switch {
				case i < 2:
					c.says(day, id, ends(0))
				case i < 4:
					c.says(day, id, hr.Event{Type: hr.EventLeaveStarted})
				default:
					c.says(day+time.Hour, id, ends(0))
				}
				if i == 3 {
					c.work(day)
				}
			}
			c.work(day + time.Hour)
		}, 4, []ledger.WithdrawalKind{ledger.Leavers}},
		"as the previous ID of one who goes": {func(c *crowd) {
			c.people = append(c.people, "30000")
			for _, id := range c.people[:size] {
				e := hired("Development")
				e.Previous = id
				c.says(day, "30000", e)
				c.work(day)
			}
			c.says(2*day, "30000", ends(0))
			c.work(2 * day)
		}, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			crowd := newCrowd(t, size)
			c.attack(crowd)
			assert.GreaterOrEqual(t, crowd.working(), size-c.lost)
			cohorts, err := crowd.ledger.Cohorts(context.Background(), ledger.CohortFilter{Open: true})
			require.NoError(t, err)
			var kinds []ledger.WithdrawalKind
			for _, cohort := range cohorts {
				kinds = append(kinds, cohort.Kind)
			}
			assert.ElementsMatch(t, c.kinds, kinds)
		})
	}
}

// A flood of terminations also holds a true leaver, until an operator releases that one.
// After that, whatever else the flood brings does not hold them again.
func TestALeaverIsLetGoInAFlood(t *testing.T) {
	const size = 12
	crowd := newCrowd(t, size)
	meant := crowd.people[0]
	crowd.everybody(day, func(int) hr.Event { return terminated(hr.DateOf(epoch)) })
	crowd.work(day)
	require.Equal(t, size, crowd.working())
	n, err := crowd.ledger.DecideCohort(context.Background(), ledger.CohortDecision{
		Cohort: 1, Verb: ledger.VerbRelease, People: []string{meant}, Operator: "ops", Reason: "a test", At: epoch.Add(day + time.Hour),
	})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	crowd.everybody(day+time.Hour, func(int) hr.Event { return terminated(hr.DateOf(epoch)) })
	crowd.says(day+time.Hour, meant, hr.Event{Type: hr.EventUpdated, Profile: profile("Development")})
	crowd.work(day + 2*time.Hour)
	assert.Equal(t, size-1, crowd.working())
	for app := range crowd.apps {
		for _, a := range crowd.apps[app].Accounts() {
			assert.False(t, a.ExternalID == meant && a.Active, app)
		}
	}
}

// If a worker's clock is behind, or was set back, no event takes effect later because of
// that.
func TestAClockThatIsBehindDelaysNobody(t *testing.T) {
	for name, e := range map[string]hr.Event{
		"terminated now":     {Type: hr.EventTerminated, Termination: &hr.Termination{Urgency: hr.UrgencyImmediate}},
		"terminated":         {Type: hr.EventTerminated, Termination: &hr.Termination{LastDay: hr.DateOf(epoch.Add(4 * day))}},
		"access ends at":     {Type: hr.EventTerminated, Termination: &hr.Termination{AccessEndsAt: epoch.Add(5 * day)}},
		"suspended":          {Type: hr.EventSuspended},
		"hire rescinded":     {Type: hr.EventRescinded, Rescinds: "hire-20000"},
		"moved":              {Type: hr.EventTransferred, Profile: profile("Nowhere")},
		"on leave":           {Type: hr.EventLeaveStarted},
		"contract has ended": {Type: hr.EventConverted, Profile: profile("Nowhere")},
	} {
		for _, behind := range []time.Duration{time.Hour, day} {
			t.Run(fmt.Sprint(name, ", ", behind), func(t *testing.T) {
				if name == "contract has ended" {
					e.Profile.EndDate = hr.DateOf(epoch.Add(4 * day))
				}
				c := newCrowd(t, 1)
				c.says(5*day, c.people[0], e)
				c.work(5*day - behind)
				assert.Zero(t, c.working())
				assert.LessOrEqual(t, c.at, epoch.Add(5*day-behind+2*time.Minute))
				c.work(6 * day)
				assert.Zero(t, c.working())
			})
		}
	}
}

// A worker whose clock was set back to before somebody's last day does not give them
// access back, and deletes nothing before its time.
func TestAClockThatIsSetBackGivesNothingBack(t *testing.T) {
	for _, back := range []time.Duration{time.Hour, day} {
		c := newCrowd(t, 1)
		c.says(day, c.people[0], terminated(hr.DateOf(epoch.Add(4*day))))
		c.work(day)
		assert.Equal(t, 1, c.working())
		const after = 5*day + time.Hour
		c.work(after)
		require.Zero(t, c.working())
		c.says(after, c.people[0], hr.Event{Type: hr.EventUpdated, Profile: profile("Sales"), Effective: hr.DateOf(epoch)})
		c.work(after - back)
		assert.Zero(t, c.working(), back)
		c.work(34*day - back)
		assert.Len(t, c.apps["wiki"].Accounts(), 2, "and it is kept as long as it was to be")
		c.work(36 * day)
		assert.Len(t, c.apps["wiki"].Accounts(), 1)
	}
}
