package rest_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

var errNoTurn = errors.New("no turn")

// TestWhatAQuotaRefuses: a request over a quota has the app pause, and is sent again in its turn.
// If that would take too long, or might make two accounts, the refusal says when to ask again.
func TestWhatAQuotaRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		op, method string
		after      string        // what the vendor says of the pause
		refusals   int32         // so many requests are refused
		left       time.Duration // for the caller; zero: a minute and a half
		pause      func(c *rest.Client)
		requests   int
		pauses     []time.Duration
		done       bool
	}{
		"a read":                      {op: connector.OpRead, after: "1", refusals: 1, requests: 2, pauses: seconds(1), done: true},
		"a change":                    {op: connector.OpGrant, method: http.MethodPost, after: "1", refusals: 1, requests: 2, pauses: seconds(1), done: true},
		"twice":                       {op: connector.OpRead, after: "7", refusals: 2, requests: 3, pauses: seconds(7, 7), done: true},
		"a creation":                  {op: connector.OpCreate, method: http.MethodPost, after: "1", refusals: 1, requests: 1},
		"a look for a creation":       {op: connector.OpCreate, after: "1", refusals: 1, requests: 2, pauses: seconds(1), done: true},
		"a transfer":                  {op: connector.OpHandOver, method: http.MethodPost, after: "1", refusals: 1, requests: 1},
		"a restore":                   {op: connector.OpRestore, method: http.MethodPost, after: "1", refusals: 1, requests: 1},
		"for longer than anyone":      {op: connector.OpRead, after: "61", refusals: 1, left: time.Hour, requests: 1},
		"again and again":             {op: connector.OpRead, after: "25", refusals: 9, left: time.Hour, requests: 3, pauses: seconds(25, 25)},
		"it does not say how long":    {op: connector.OpRead, refusals: 1, requests: 1},
		"too late for what follows":   {op: connector.OpRead, after: "46", refusals: 1, requests: 1},
		"nobody to tell":              {op: connector.OpRead, after: "1", refusals: 1, pause: func(c *rest.Client) { c.Pause = nil }, requests: 1},
		"no turns":                    {op: connector.OpRead, after: "1", refusals: 1, pause: func(c *rest.Client) { c.Pace = nil }, requests: 1},
		"the others are not told":     {op: connector.OpRead, after: "1", refusals: 1, pause: func(c *rest.Client) { c.Pause = deaf }, requests: 1},
		"no turn after it, in time":   {op: connector.OpRead, after: "1", refusals: 1, pause: once, requests: 1, pauses: seconds(1)},
		"no turn for a change either": {op: connector.OpGrant, method: http.MethodPost, after: "1", refusals: 1, pause: once, requests: 1, pauses: seconds(1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			c := client(t, func(w http.ResponseWriter, _ *http.Request) {
				if requests.Add(1) > test.refusals {
					_, _ = w.Write([]byte(`{"id":"7"}`))
					return
				}
				if test.after != "" {
					w.Header().Set("Retry-After", test.after)
				}
				w.WriteHeader(http.StatusTooManyRequests)
			})
			var pauses []time.Duration
			c.Pace = func(context.Context) error { return nil }
			c.Pause = func(_ context.Context, pause time.Duration) error {
				pauses = append(pauses, pause)
				return nil
			}
			if test.pause != nil {
				test.pause(c)
			}
			if test.left == 0 {
				test.left = 90 * time.Second
			}
			ctx, cancel := context.WithTimeout(t.Context(), test.left)
			defer cancel()
			var user struct{ ID string }
			_, err := c.Do(ctx, rest.Request{Op: test.op, Method: test.method, Path: "/users"}, &user)
			assert.EqualValues(t, test.requests, requests.Load())
			assert.Equal(t, test.pauses, pauses)
			if test.done {
				require.NoError(t, err)
				assert.Equal(t, "7", user.ID)
				return
			}
			refusal := failed(t, err)
			assert.Equal(t, connector.KindRateLimited, refusal.Kind)
			assert.Equal(t, test.after != "", refusal.RetryAfter > 0, "it says when to ask again, if the vendor does")
		})
	}
}

// TestPausesOfNextToNothingHaveAnEnd: a vendor that asks for some milliseconds again and again gets
// a request no more often than one that asks for a second.
func TestPausesOfNextToNothingHaveAnEnd(t *testing.T) {
	var requests atomic.Int32
	c := client(t, func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		now := time.Now().UTC().Truncate(time.Second)
		w.Header().Set("Date", now.Format(http.TimeFormat))
		w.Header().Set("Retry-After", now.Add(time.Millisecond).Format(time.RFC3339Nano))
		w.WriteHeader(http.StatusTooManyRequests)
	})
	c.Pace = func(context.Context) error { return nil }
	c.Pause = func(context.Context, time.Duration) error { return nil }
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	_, err := c.Do(ctx, rest.Request{Op: connector.OpRead, Path: "/users"}, nil)
	assert.Equal(t, connector.KindRateLimited, failed(t, err).Kind)
	assert.EqualValues(t, 61, requests.Load())
}

// TestARequestWhoseTurnDoesNotComeWasNotSent: the cause says so, also if the caller's time is over
// by then. Else it would count as a request whose answer was lost.
func TestARequestWhoseTurnDoesNotComeWasNotSent(t *testing.T) {
	c := client(t, func(http.ResponseWriter, *http.Request) { t.Error("it was sent") })
	ctx, cancel := context.WithCancel(t.Context())
	c.Pace = func(context.Context) error {
		cancel()
		return errNoTurn
	}
	_, err := c.Do(ctx, rest.Request{Op: connector.OpGrant, Method: http.MethodPost, Path: "/users"}, nil)
	assert.ErrorIs(t, err, errNoTurn)
	assert.Equal(t, connector.KindUnavailable, failed(t, err).Kind)
}

func seconds(all ...int) (pauses []time.Duration) {
	for _, n := range all {
		pauses = append(pauses, time.Duration(n)*time.Second)
	}
	return pauses
}

// deaf is a Pause that reaches nobody.
func deaf(context.Context, time.Duration) error { return errors.New("the ledger does not answer") }

// once lets a client have one turn.
func once(c *rest.Client) {
	turns := 0
	c.Pace = func(context.Context) error {
		if turns++; turns > 1 {
			return errNoTurn
		}
		return nil
	}
}
