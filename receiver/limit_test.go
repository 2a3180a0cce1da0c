package receiver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func TestRateIsForSignedRequestsAndPerEndpoint(t *testing.T) {
	r := newRig(t, func(o *Options) {
		for i := range o.Endpoints {
			o.Endpoints[i].Rate, o.Endpoints[i].Burst = 1e-9, 2 // two, and then none in the test's lifetime
		}
	})
	for range 10 { // strangers cannot use up the HR system's rate
		require.Equal(t, http.StatusUnauthorized, r.do(r.post("/in", "application/json", payload)).status)
	}
	for range 2 {
		require.Equal(t, http.StatusOK, r.do(r.generic(payload)).status)
	}
	a := r.do(r.generic(payload))
	assert.Equal(t, http.StatusTooManyRequests, a.status)
	assert.NotEmpty(t, a.header.Get("Retry-After"))
	for range 2 {
		require.Equal(t, http.StatusOK, r.do(r.bamboo(payload, time.Now())).status, "the other endpoint has a rate of its own")
	}
	a = r.do(r.bamboo(payload, time.Now()))
	assert.Equal(t, http.StatusServiceUnavailable, a.status, "BambooHR does not come again after 4xx")
	assert.NotEmpty(t, a.header.Get("Retry-After"))
	assert.Len(t, r.broker.all(), 4)
	assert.Equal(t, 1, r.counted("/in", "throttled"))
}

func TestOnlySoManyAtOnce(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Tuning.AtOnce = 2 })
	stall := make(chan struct{})
	r.broker.set(func(b *topic) { b.stalled = stall })
	var wg sync.WaitGroup
	statuses := make(chan int, 2)
	for range 2 {
		wg.Go(func() { statuses <- r.do(r.generic(payload)).status })
	}
	r.eventually(func() bool { return r.broker.inFlight() == 2 }, "both are at the broker")
	a := r.do(r.generic(payload))
	assert.Equal(t, http.StatusServiceUnavailable, a.status)
	assert.NotEmpty(t, a.header.Get("Retry-After"))
	close(stall)
	wg.Wait()
	assert.Equal(t, http.StatusOK, <-statuses)
	assert.Equal(t, http.StatusOK, <-statuses)
	assert.Equal(t, http.StatusOK, r.do(r.generic(payload)).status, "there is room again")
}

func TestLostBroker(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Tuning.Publish = 50 * time.Millisecond })
	r.broker.set(func(b *topic) { b.stalled = make(chan struct{}) })
	a := r.do(r.generic(payload))
	assert.Equal(t, http.StatusServiceUnavailable, a.status)
	assert.NotEmpty(t, a.header.Get("Retry-After"))
	assert.Equal(t, http.StatusServiceUnavailable, r.do(r.generic(payload)).status)
	assert.Empty(t, r.broker.all())
	r.broker.set(func(b *topic) { b.stalled = nil })
	assert.Equal(t, http.StatusOK, r.do(r.generic(payload)).status, "nobody has to open anything")
	assert.Len(t, r.broker.all(), 1)

	r.broker.set(func(b *topic) { b.err = errors.New("the topic refuses every message") })
	assert.Equal(t, http.StatusServiceUnavailable, r.do(r.generic(payload)).status)
	assert.Equal(t, 3, r.counted("/in", "unavailable"))
	assert.Equal(t, 3, r.logs.FilterLevelExact(zapcore.ErrorLevel).Len(), "each is said")

	r.broker.set(func(b *topic) { b.err = fmt.Errorf("%w: it is too large", ErrRefused) })
	assert.Equal(t, http.StatusRequestEntityTooLarge, r.do(r.generic(payload)).status, "it would be sent for ever")
	assert.Equal(t, 3, r.counted("/in", "unavailable"))
	r.broker.set(func(b *topic) { b.err = nil })
	assert.Equal(t, http.StatusOK, r.do(r.generic(payload)).status, "and others are taken")
}

// While the broker is lost, one request at a time waits for it and the others are refused.
func TestBehindALostBrokerOneWaits(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Tuning.Publish = 100 * time.Millisecond })
	r.broker.set(func(b *topic) { b.stalled = make(chan struct{}) })
	require.Equal(t, http.StatusServiceUnavailable, r.do(r.generic(payload)).status)

	stall := make(chan struct{})
	r.broker.set(func(b *topic) { b.stalled = stall })
	r.intake.options.Tuning.Publish = patience // no request is running that reads it
	first := make(chan answered, 1)
	go func() { first <- r.do(r.generic(payload)) }()
	r.eventually(func() bool { return r.broker.inFlight() == 1 }, "one waits")
	for range 10 {
		assert.Equal(t, http.StatusServiceUnavailable, r.do(r.generic(payload)).status)
	}
	assert.Equal(t, 1, r.broker.inFlight())
	assert.Equal(t, http.StatusServiceUnavailable, r.do(r.generic(payload)).status)
	close(stall)
	assert.Equal(t, http.StatusOK, (<-first).status)
	assert.Equal(t, http.StatusOK, r.do(r.generic(payload)).status)
}

func TestAFailureOfOneTopicIsNotAnothers(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Tuning.Publish = 50 * time.Millisecond
		publish := o.Publish
		o.Publish = func(ctx context.Context, topic string, m Message) error {
			if topic == "hr.events" {
				<-ctx.Done()
				return fmt.Errorf("no leader: %w", ctx.Err())
			}
			return publish(ctx, topic, m)
		}
	})
	require.Equal(t, http.StatusServiceUnavailable, r.do(r.generic(payload)).status)
	require.Equal(t, http.StatusOK, r.do(r.bamboo(payload, time.Now())).status)
}

// dial writes text to the intake and reads until the connection ends.
func (r *rig) dial(write ...string) (answer string, took time.Duration) {
	r.t.Helper()
	began := time.Now()
	conn, err := net.Dial("tcp", r.intake.Addr())
	require.NoError(r.t, err)
	defer conn.Close()
	require.NoError(r.t, conn.SetDeadline(time.Now().Add(patience)))
	for _, text := range write {
		_, err = io.WriteString(conn, text)
		require.NoError(r.t, err)
	}
	content, err := io.ReadAll(bufio.NewReader(conn))
	require.NoError(r.t, err, "the intake does not hang up")
	return string(content), time.Since(began)
}

func TestSlowAndBrokenSenders(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Tuning = Tuning{Header: 50 * time.Millisecond, Read: 100 * time.Millisecond, Idle: 50 * time.Millisecond}
	})
	const head = "POST /in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	for name, test := range map[string]struct{ write, want string }{
		"header never ends":   {"POST /in HTTP/1.1\r\nHost: x\r\nX-A: b\r\n", ""},
		"nothing at all":      {"", ""},
		"body never ends":     {head + "Content-Length: 100\r\n\r\n{", "HTTP/1.1 503"},
		"chunks never end":    {head + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", "HTTP/1.1 503"},
		"broken chunks":       {head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{\r\n", "HTTP/1.1 400"},
		"too large in chunks": {head + "Transfer-Encoding: chunked\r\n\r\n800\r\n" + strings.Repeat("x", 0x800) + "\r\n0\r\n\r\n", "HTTP/1.1 413"},
		"two lengths":         {head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.1 400"},
		"large header":        {head + "X-A: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", "HTTP/1.1 431"},
		"no HTTP":             {"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", "HTTP/1.1 400"},
	} {
		t.Run(name, func(t *testing.T) {
			got, took := r.dial(test.write)
			assert.Truef(t, strings.HasPrefix(got, test.want), "%q", got)
			if test.want == "" {
				assert.Empty(t, got)
			}
			assert.Less(t, took, patience/2)
		})
	}
	assert.Empty(t, r.broker.all())
	assert.Equal(t, http.StatusOK, r.do(r.generic(payload)).status)
}

// Many connections that never finish their requests keep others out for no longer than
// the time in which a request has to come.
func TestSlowSendersDoNotStayInTheWay(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Tuning = Tuning{Header: 200 * time.Millisecond, Read: 200 * time.Millisecond, AtOnce: 4}
	})
	for range 20 {
		conn, err := net.Dial("tcp", r.intake.Addr())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = io.WriteString(conn, "POST /in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{")
		require.NoError(t, err)
	}
	r.eventually(func() bool { return r.counted("/in", "busy")+r.counted("/in", "slow") > 0 }, "they are felt")
	r.eventually(func() bool { return r.do(r.generic(payload)).status == http.StatusOK }, "and gone")
}

func TestStoppingFinishesWhatIsUnderWay(t *testing.T) {
	r := newRig(t)
	stall := make(chan struct{})
	r.broker.set(func(b *topic) { b.stalled = stall })
	require.NoError(t, awaitReady(r))
	first := make(chan answered, 1)
	go func() { first <- r.do(r.generic(payload)) }()
	r.eventually(func() bool { return r.broker.inFlight() == 1 }, "under way")
	stopped := make(chan error, 1)
	go func() { stopped <- r.stop() }()
	r.eventually(func() bool {
		conn, err := net.Dial("tcp", r.intake.Addr())
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, "nobody is let in any more")
	require.Error(t, r.intake.Ready(t.Context()))
	close(stall)
	assert.Equal(t, http.StatusOK, (<-first).status)
	require.NoError(t, <-stopped)
	assert.Len(t, r.broker.all(), 1)
}

func awaitReady(r *rig) error {
	r.eventually(func() bool { return r.intake.Ready(r.t.Context()) == nil }, "ready")
	return r.intake.Ready(r.t.Context())
}

func TestStoppingDoesNotWaitForEver(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Tuning.Drain = 50 * time.Millisecond; o.Tuning.Publish = patience })
	stall := make(chan struct{})
	r.broker.set(func(b *topic) { b.stalled = stall })
	done := make(chan error, 1)
	go func() {
		_, err := r.client.Do(r.generic(payload))
		done <- err
	}()
	r.eventually(func() bool { return r.broker.inFlight() == 1 }, "under way")
	require.NoError(t, r.stop())
	assert.Equal(t, 1, r.logs.FilterMessageSnippet("were cut off").Len())
	require.Error(t, <-done, "no answer, so it comes again")
	close(stall)
	r.eventually(func() bool { return r.broker.inFlight() == 0 }, "gone")
}

func TestASenderThatHangsUpDoesNotEndTheWriting(t *testing.T) {
	r := newRig(t)
	stall := make(chan struct{})
	r.broker.set(func(b *topic) { b.stalled = stall })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := r.client.Do(r.generic(payload).WithContext(ctx))
		done <- err
	}()
	r.eventually(func() bool { return r.broker.inFlight() == 1 }, "under way")
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	close(stall)
	r.eventually(func() bool { return len(r.broker.all()) == 1 }, "written all the same")
}

func TestNewRefuses(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer busy.Close()
	good := newRig(t).intake.options
	good.Metrics = nil
	for want, change := range map[string]func(*Options){
		"is another process using the port?": func(o *Options) { o.Listen = busy.Addr().String() },
		"an endpoint are needed":             func(o *Options) { o.Endpoints = nil },
		"is there twice":                     func(o *Options) { o.Endpoints = append(o.Endpoints[:1:1], o.Endpoints[0]) },
		"needs a path":                       func(o *Options) { o.Endpoints = []Endpoint{{Path: "x"}} },
		"the TLS certificate cannot be read": func(o *Options) { o.Certificate = &Certificate{"/nowhere/a", "/nowhere/b"} },
	} {
		o := good
		o.Log = zap.NewNop()
		change(&o)
		_, err := New(o)
		assert.ErrorContains(t, err, want)
	}
}
