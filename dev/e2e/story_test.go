package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/story"
)

// TestStory plays the story without killing any process: everything that the story tells
// happens before it goes on, and in the end every account is as policy says. Then it searches
// for personal data in places where none is allowed.
func TestStory(t *testing.T) {
	r := startStory(t, time.Second)
	r.Tell = func(line string) { t.Log(line) }
	require.NoError(t, story.Play(t.Context(), r.Stage, facts{t}))
	left, err := story.Settle(t.Context(), r.Stage, rest)
	require.NoError(t, err)
	require.Empty(t, left)

	t.Run("no personal data", func(t *testing.T) { seekPersonalData(t, r) })
}

// facts fails the test if something of the story does not come true.
type facts struct{ t *testing.T }

func (f facts) Beat(story.Beat) {}

func (f facts) Wrong(b story.Beat, fact story.Fact, is string) {
	assert.Failf(f.t, "not so", "day %g (%s): person %s in %s must be %q, is %q",
		b.Day, b.Text, fact.Person, fact.App, fact.Is, is)
}

// killing is one moment at which processes are killed.
type killing struct {
	day     float64
	worker  bool
	starter bool
}

// TestKills plays the story while worker, starter or both are killed (SIGKILL) at
// random moments, and start again at once: the accounts are the same in the end.
func TestKills(t *testing.T) {
	t.Parallel()
	const kills = 10
	random := seeded(t)
	var plan []killing
	for i := range kills {
		who := random.IntN(3)
		plan = append(plan, killing{
			day:    1 + (float64(i)+random.Float64())*36/kills,
			worker: who != 0, starter: who != 1,
		})
	}

	r := startStory(t, time.Second)
	keepRunning(t, r.Stack.Worker())
	keepRunning(t, r.Stack.Starter())
	ctx, cancel := context.WithCancel(t.Context())
	killed := make(chan int, 1)
	go func() { killed <- kill(ctx, r, plan) }()

	played, stop := context.WithTimeout(t.Context(), rest)
	defer stop()
	require.NoError(t, story.Play(played, r.Stage, nil), "unfinished: %s; attention: %s", r.unfinished(t), r.attention(t))
	cancel()
	assert.Equal(t, kills, <-killed, "how often somebody was killed")
	left, err := story.Settle(t.Context(), r.Stage, rest)
	require.NoError(t, err)
	require.Empty(t, left, "unfinished: %s; attention: %s", r.unfinished(t), r.attention(t))
	// The accounts are right before the last record is acknowledged if the starter was killed late.
	assert.Eventually(t, func() bool { return r.unread(t) == "" }, patience, 50*time.Millisecond, "records are not acknowledged")
}

// kill kills processes as planned, and returns how often.
func kill(ctx context.Context, r *rig, plan []killing) (times int) {
	for _, k := range plan {
		pause(ctx, r.Clock.Wait(story.Start.Add(time.Duration(k.day*24*float64(time.Hour))).Sub(r.Clock.Now())))
		if ctx.Err() != nil {
			return times
		}
		if k.worker {
			r.Stack.Worker().Kill()
		}
		if k.starter {
			r.Stack.Starter().Kill()
		}
		times++
	}
	return times
}
