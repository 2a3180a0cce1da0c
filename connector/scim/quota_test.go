package scim_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

var errNoTurn = errors.New("no turn")

// overQuota answers the first request of a method by 429, and lets all others through.
type overQuota struct {
	http.Handler
	method  string
	after   int // Retry-After, in seconds; zero: it does not say
	refused atomic.Bool
}

func (q *overQuota) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != q.method || q.refused.Swap(true) {
		q.Handler.ServeHTTP(w, r)
		return
	}
	if q.after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(q.after))
	}
	w.WriteHeader(http.StatusTooManyRequests)
}

// pacer lets every request through, and notes the pauses. After a pause it lets none through if
// it has no more turns.
type pacer struct {
	pauses []time.Duration
	over   bool // no turn comes after a pause
}

func (p *pacer) env() connector.Env {
	return connector.Env{
		App: "wiki",
		Pace: func(context.Context) error {
			if p.over && len(p.pauses) > 0 {
				return errNoTurn
			}
			return nil
		},
		Pause: func(_ context.Context, pause time.Duration) error {
			p.pauses = append(p.pauses, pause)
			return nil
		},
	}
}

// TestWhatAQuotaRefusesIsSentAgain: a request that is answered 429 has the app pause, and is sent
// again in its turn, so that the call goes on. What makes an account is not: if the service had
// made it all the same, there would be two.
func TestWhatAQuotaRefusesIsSentAgain(t *testing.T) {
	for name, test := range map[string]struct {
		method string
		call   func(ctx context.Context, c connector.Connector, id string) error
		after  int
		left   time.Duration // for the caller; zero: a minute
		over   bool
		pauses []time.Duration
		done   bool
	}{
		"a read":                 {method: http.MethodGet, call: readOne, after: 2, pauses: []time.Duration{2 * time.Second}, done: true},
		"a change":               {method: http.MethodPatch, call: turnOff, after: 2, pauses: []time.Duration{2 * time.Second}, done: true},
		"a membership":           {method: http.MethodPatch, call: join, after: 2, pauses: []time.Duration{2 * time.Second}, done: true},
		"a deletion":             {method: http.MethodDelete, call: remove, after: 2, pauses: []time.Duration{2 * time.Second}, done: true},
		"a creation":             {method: http.MethodPost, call: create, after: 2},
		"no word of how long":    {method: http.MethodPatch, call: turnOff},
		"for longer than anyone": {method: http.MethodPatch, call: turnOff, after: 61, left: time.Hour},
		"too late":               {method: http.MethodPatch, call: turnOff, after: 31},
		"no turn after it":       {method: http.MethodPatch, call: turnOff, after: 2, over: true, pauses: []time.Duration{2 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			app, err := scimtest.New(scimtest.Options{Name: "wiki", Token: token, Groups: []string{"staff"}})
			require.NoError(t, err)
			id := app.AddUser(scimtest.User{UserName: "anna", Active: true})
			quota := &overQuota{Handler: app, method: test.method, after: test.after}
			server := httptest.NewServer(quota)
			t.Cleanup(server.Close)
			turns := &pacer{over: test.over}
			c, err := scim.Connect(t.Context(), turns.env(), connector.Settings{"url": server.URL + scimtest.BasePath, "token": token})
			require.NoError(t, err)
			if test.left == 0 {
				test.left = time.Minute
			}
			ctx, cancel := context.WithTimeout(t.Context(), test.left)
			defer cancel()
			err = test.call(ctx, c, id)
			require.True(t, quota.refused.Load())
			assert.Equal(t, test.pauses, turns.pauses)
			if test.done {
				require.NoError(t, err)
				return
			}
			refusal := failure(t, err)
			assert.Equal(t, connector.KindRateLimited, refusal.Kind)
			assert.Equal(t, time.Duration(test.after)*time.Second, refusal.RetryAfter, "it says when to ask again, if the service does")
		})
	}
}

func readOne(ctx context.Context, c connector.Connector, id string) error {
	_, err := c.Read(ctx, id)
	return err
}

func turnOff(ctx context.Context, c connector.Connector, id string) error { return c.Disable(ctx, id) }

func join(ctx context.Context, c connector.Connector, id string) error {
	return c.Grant(ctx, id, []string{"staff"})
}

func remove(ctx context.Context, c connector.Connector, id string) error { return c.Delete(ctx, id) }

func create(ctx context.Context, c connector.Connector, _ string) error {
	_, err := c.Create(ctx, connector.Spec{PersonID: "p-2", Username: "bob", Active: true})
	return err
}

// TestARequestWhoseTurnDoesNotComeWasNotSent: the cause says so, also if the caller's time is over
// by then. Else it would count as a request whose answer was lost.
func TestARequestWhoseTurnDoesNotComeWasNotSent(t *testing.T) {
	_, url := serve(t)
	ctx, cancel := context.WithCancel(t.Context())
	c, err := scim.Connect(ctx, connector.Env{App: "wiki", Pace: func(context.Context) error {
		cancel()
		return errNoTurn
	}}, connector.Settings{"url": url, "token": token})
	require.NoError(t, err)
	err = c.Delete(ctx, "7")
	require.ErrorIs(t, err, errNoTurn)
	assert.Equal(t, connector.KindUnavailable, failure(t, err).Kind)
}

// TestSlackIsAskedAgainToEndSessions: a refusal by 429 does not end the attempt.
func TestSlackIsAskedAgainToEndSessions(t *testing.T) {
	app, url := standIn(t, "slack")
	id := app.AddUser(scimtest.User{UserName: "anna", Active: true})
	ended := 0
	api := &overQuota{method: http.MethodPost, after: 3, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		ended++
		_, _ = w.Write([]byte(`{"ok":true}`))
	})}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	turns := &pacer{}
	c, err := scim.Connect(t.Context(), turns.env(), connector.Settings{
		"url": url, "token": token, "profile": "slack", "sessionsURL": server.URL, "sessionsToken": sessionsToken,
	})
	require.NoError(t, err)
	require.NoError(t, c.RevokeSessions(t.Context(), id))
	assert.True(t, api.refused.Load())
	assert.Equal(t, 1, ended)
	assert.Equal(t, []time.Duration{3 * time.Second}, turns.pauses)
}
