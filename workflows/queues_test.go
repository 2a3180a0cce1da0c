package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger/pace"
	"github.com/tenurehq/tenure/workflows"
)

func TestOnlyStepsForLimitedAppsLeaveTheMainQueue(t *testing.T) {
	b := newBiography(t, testRules())
	b.acts.Apps["directory"].Rate = pace.Rate{Calls: 10, Per: time.Second}
	b.hears(0, hired("Development"))
	b.live(time.Hour)
	assert.Equal(t, map[string]string{"directory": "on [engineers staff]", "chat": "on []", "wiki": "on [engineers]"}, b.states())
	assert.Equal(t, 1, b.queues[activities.AppQueue("directory")])
	assert.Zero(t, b.queues[activities.AppQueue("chat")])
}

// A worker can move a step to another queue. In this test, the app gets a rate after the
// step was planned.
func TestAStepThatIsMovedIsDone(t *testing.T) {
	b := newBiography(t, testRules())
	b.apps["directory"].OnCall(func(context.Context, string, string) error { // chat comes after it
		b.acts.Apps["chat"].Rate = pace.Rate{Calls: 10, Per: time.Second}
		return nil
	})
	b.hears(0, hired("Development"))
	b.live(time.Hour)
	assert.Equal(t, map[string]string{"directory": "on [engineers staff]", "chat": "on []", "wiki": "on [engineers]"}, b.states())
	assert.Equal(t, 1, b.queues[activities.AppQueue("chat")])
	assert.Equal(t, []string{"Joiner"}, b.runs)
}

// Somebody who is suspended is cut off on the urgent queue. The next run is on the main
// queue again.
func TestCuttingOffNowGoesOverTheUrgentQueue(t *testing.T) {
	b := newBiography(t, testRules())
	b.acts.Apps["directory"].Rate = pace.Rate{Calls: 10, Per: time.Second}
	b.hears(0, hired("Development"))
	b.hears(day, hr.Event{Type: hr.EventSuspended})
	b.live(2 * day)
	assert.Equal(t, map[string]string{"directory": "off [engineers staff]", "chat": "off []", "wiki": "off [engineers]"}, b.states())
	assert.Equal(t, 3, b.queues[workflows.UrgentQueue])
}

// A suspended person stays suspended whatever HR says. When reinstated, they get what
// policy gives them by then, which is nothing if they were terminated meanwhile.
func TestASuspensionOutlastsWhatHRSays(t *testing.T) {
	for name, c := range map[string]struct {
		said []hr.Event
		want string
	}{
		"nothing":     {nil, "on [engineers staff]"},
		"a transfer":  {[]hr.Event{{Type: hr.EventTransferred, Profile: profile("Sales")}}, "on [sales staff]"},
		"leave":       {[]hr.Event{{Type: hr.EventLeaveStarted}}, "off [engineers staff]"},
		"leave taken": {[]hr.Event{{Type: hr.EventLeaveStarted}, {Type: hr.EventLeaveEnded}}, "on [engineers staff]"},
		"the end":     {[]hr.Event{terminated(hr.DateOf(epoch.Add(3 * day)))}, "off []"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBiography(t, testRules())
			b.hears(0, hired("Development"))
			b.hears(day, hr.Event{Type: hr.EventSuspended})
			for i, e := range c.said {
				at := time.Duration(i+2) * day
				b.hears(at, e)
				b.on(at+time.Hour, func() { assert.Contains(t, b.state("directory"), "off") })
			}
			b.on(8*day, func() { assert.Contains(t, b.state("directory"), "off") })
			b.hears(9*day, hr.Event{Type: hr.EventReinstated})
			b.live(10 * day)
			assert.Equal(t, c.want, b.state("directory"))
			assert.Equal(t, 1, b.apps["directory"].Calls("create"))
		})
	}
}

// A policy that cannot be evaluated keeps nobody from being cut off.
func TestWrongPolicyDoesNotHoldUpASuspension(t *testing.T) {
	rules := testRules()
	chat := rules.Apps["chat"]
	chat.Attributes = map[string]string{"floor": "person.attributes['floor']"}
	rules.Apps["chat"] = chat
	b := newBiography(t, rules)
	here := hired("Sales")
	here.Profile.Attributes = map[string]string{"floor": "3"}
	b.hears(0, here)
	b.on(time.Hour, func() { assert.Equal(t, "on [sales staff]", b.state("directory")) })
	b.hears(day, hr.Event{Type: hr.EventUpdated, Profile: profile("Sales")}) // no floor
	b.hears(2*day, hr.Event{Type: hr.EventSuspended})
	b.live(3 * day)
	assert.Equal(t, map[string]string{"directory": "off [sales staff]", "chat": "off []", "wiki": "none"}, b.states())
}
