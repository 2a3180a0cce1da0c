package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/internal/pace"
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

// A run sends a step to where its worker says it has to go: here, somebody has
// given the app a rate since it was planned.
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
