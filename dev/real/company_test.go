//go:build real

package real

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/company"
	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/dev/targets"
	"github.com/tenurehq/tenure/hr"
)

const (
	patience = 3 * time.Minute // the bound for what takes a while on a busy machine
	tick     = 500 * time.Millisecond
)

// access holds what the app shows of a person's enabled account.
type access struct {
	FamilyName, Title, Department string
	Manager                       string // the person whose enabled account is the manager's account
	Groups                        []string
}

// TestCompany sends the past history of a company, in two parts, so that some people who
// leave later have access in between. Then it compares the app with what everybody should
// have: people at work have access, and nothing is left of people who have left. All the
// while the starter is killed again and again. Then everything is sent again, and nothing
// changes. At last the starter reads the topic again from the beginning, and nothing
// happens at all.
func TestCompany(t *testing.T) {
	opts := company.Typical(11, 40)
	opts.Start = hr.Date{Year: 2020, Month: time.January, Day: 1}
	history := company.Generate(opts)
	want, left := expected(history)
	require.Greater(t, len(want), 10)
	require.NotEmpty(t, left)

	app, topics := newApp(t, ""), newTopics(t)
	s := startTenure(t, fmt.Sprintf(configuration, topics.broker, topics.events, app.Through, app.Token()))
	half := len(history.Events) / 2
	sendAndKill(t, s, topics, history.Events[:half])
	require.Eventually(t, func() bool { return slices.ContainsFunc(left, app.look(t).enabled) },
		patience, tick, "nobody has access of those who are to leave")
	sendAndKill(t, s, topics, history.Events[half:])
	got := app.look(t)
	if !assert.Eventually(t, func() bool {
		got = app.look(t)
		return reflect.DeepEqual(want, got.access()) && !slices.ContainsFunc(left, got.has)
	}, patience, tick, "the app is not as policy says") {
		require.Equal(t, want, got.access())
		for _, person := range left {
			require.False(t, got.has(person), "person %s has left, and still has an account", person)
		}
	}

	owners := map[string]bool{}
	for _, u := range got.Users {
		assert.False(t, owners[u.ExternalID], "person %s has two accounts", u.ExternalID)
		owners[u.ExternalID] = true
	}

	topics.publish(t, history.Events)
	topics.awaitConsumed(t)
	again := app.look(t)
	assert.Equal(t, want, again.access(), "what is said twice changes nothing")
	assert.False(t, slices.ContainsFunc(left, again.has), "what is said twice brings nobody back")
	assert.Zero(t, topics.ends(t, topics.letters)[0], "dead letters")

	temporal := newRuns(t, s)
	temporal.awaitRest(t, history.Events, app)
	temporal.assertOneSignalEach(t, history.Events)
	runs, calls := temporal.latest(t, history.Events), app.calls.Load()
	s.Starter().Stop()
	topics.forget(t)
	topics.rewind(t)
	require.NoError(t, s.Starter().Start(t.Context()))
	topics.awaitConsumed(t)
	assert.Equal(t, runs, temporal.latest(t, history.Events), "no workflow is started or signalled")
	assert.Equal(t, calls, app.calls.Load(), "no app is called")
}

// kills is how often the starter is killed in each half of the history.
const kills = 12

// sendAndKill sends events bit by bit, and kills the starter at a random instant
// after each bit.
func sendAndKill(t *testing.T, s *stack.Stack, topics *topics, events []hr.Event) {
	t.Helper()
	random := rand.New(rand.NewPCG(uint64(len(events)), 0))
	for i := range kills {
		topics.publish(t, events[i*len(events)/kills:(i+1)*len(events)/kills])
		require.NoError(t, sleep(t.Context(), time.Duration(random.Int64N(int64(400*time.Millisecond)))))
		s.Starter().Kill()
		topics.forget(t)
		require.NoError(t, s.Starter().Start(t.Context()))
	}
}

// sleep waits for a time that the test has chosen.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// expected returns the access that policy gives to people, by their IDs, and the people
// who have left.
func expected(history *company.History) (all map[string]access, left []string) {
	all = map[string]access{}
	now := history.Expected(time.Now())
	for _, x := range now {
		switch x.Status {
		case hr.StatusActive:
			all[x.PersonID] = access{FamilyName: x.FamilyName, Title: x.JobTitle, Department: x.Department, Groups: targets.Groups(x)}
		case hr.StatusEnded:
			left = append(left, x.PersonID)
		}
	}
	for _, x := range now {
		if mine, active := all[x.PersonID]; active {
			if _, there := all[x.ManagerID]; there {
				mine.Manager = x.ManagerID
				all[x.PersonID] = mine
			}
		}
	}
	return all, left
}
