// Package pace makes calls of an app wait for their turn. So all workers together call the
// app no more often than the configuration allows, and no worker calls it during a pause
// that it asked for.
//
// The rate is shared through the ledger. A worker reserves a few calls there and spends
// them by itself, so that a hundred calls a second are not a hundred writes. Calls that it
// reserves and does not make in time are lost, which is on the safe side. A worker that is
// killed wastes no more than those.
//
// What counts is when calls arrive at the app. A call that would be made so late after its
// turn that it could arrive together with those of later turns is not made: it waits for
// another turn.
//
// The package also bounds how many steps of one process call an app at a time: see Places.
//
// The package may import ledger and the Prometheus client.
package pace

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tenurehq/tenure/ledger"
)

// The pauses between attempts to reach a ledger that does not answer.
const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 2 * time.Second
)

// UrgentPatience is the longest pause that an urgent call keeps. An app may ask for a long
// pause by mistake or on purpose, and somebody has to be cut off.
const UrgentPatience = ledger.LongestPause

// NoTurnError is the error of a call that was not made because its turn did not come.
type NoTurnError struct {
	// After is how much longer the call would have had to wait; zero if it is not known.
	After time.Duration
	cause error
}

func (e *NoTurnError) Error() string {
	return "the app's rate is used up, or it asked for a pause: the call waits for its turn"
}

func (e *NoTurnError) Unwrap() error { return e.cause }

// Pacer paces the calls of one app that one process makes. Its methods may be
// called from any goroutine.
type Pacer struct {
	app    string
	store  ledger.Pacer
	rate   Rate
	plan   schedule
	waited prometheus.Observer
	ending <-chan struct{}

	// turn is held by the one call that waits for its time. The others queue for turn, so
	// that no more calls are reserved than are soon made.
	turn  chan struct{}
	haste *haste

	mu     sync.Mutex
	asked  time.Time // when the app asked for the pause that is in force
	paused time.Time // no call is made before then, except those that keep shorter pauses: see resumes
	clock  storeClock
	next   time.Time     // when the next reserved call may be made
	unsure time.Duration // its turn may have been so much earlier
	left   int           // calls that are reserved and not made yet
}

// New returns the pacer of an app. When ctx ends, the process is about to stop, and calls
// that would have to wait fail at once. With the zero rate there is no limit, but pauses are
// kept.
func New(ctx context.Context, app string, rate Rate, store ledger.Pacer, m *Metrics) *Pacer {
	p := &Pacer{
		app: app, store: store, rate: rate, waited: m.waited.WithLabelValues(app),
		ending: ctx.Done(), turn: make(chan struct{}, 1), haste: newHaste(),
		clock: storeClock{begun: time.Now()},
	}
	if rate.Calls > 0 {
		p.plan = rate.schedule()
	}
	return p
}

// Wait waits until the app may be called once. If that cannot be before ctx ends, it fails
// at once with a *NoTurnError. If the ledger cannot be reached, Wait waits for it. An urgent
// call (see Urgent) goes before the others.
func (p *Pacer) Wait(ctx context.Context) error {
	begun := time.Now()
	defer func() { p.waited.Observe(time.Since(begun).Seconds()) }()
	urgent, longest := isUrgent(ctx), patience(ctx)
	if err := p.until(ctx, func() time.Time { return p.pausedUntil(longest) }, nil); err != nil {
		return err
	}
	if p.rate.Calls == 0 {
		return nil
	}
	if urgent {
		defer p.haste.begin()()
		return p.take(ctx, nil)
	}
	for {
		// A call whose turn it is gives way to an urgent call, and queues again.
		if err := p.receive(ctx, p.haste.calmed()); err != nil {
			return err
		}
		if err := p.take(ctx, p.haste.rushed()); !errors.Is(err, errGiveWay) {
			return err
		}
	}
}

// take takes one call, when it is its turn and its time.
func (p *Pacer) take(ctx context.Context, giveWay <-chan struct{}) error {
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return &NoTurnError{cause: ctx.Err()}
	case <-p.ending:
		return &NoTurnError{}
	}
	defer func() { <-p.turn }()
	select {
	case <-giveWay:
		return errGiveWay
	default:
	}
	longest := patience(ctx)
	for {
		if err := p.stock(ctx); err != nil {
			return err
		}
		if err := p.until(ctx, func() time.Time { return p.nextTaken(longest) }, giveWay); err != nil {
			return err
		}
		if p.spend() {
			return nil
		}
	}
}

// receive waits until the channel said is closed or has a value.
func (p *Pacer) receive(ctx context.Context, said <-chan struct{}) error {
	select {
	case <-said:
		return nil
	case <-ctx.Done():
		return &NoTurnError{cause: ctx.Err()}
	case <-p.ending:
		return &NoTurnError{}
	}
}

// Soon returns a *NoTurnError if it is known already that no call can be made before the
// deadline.
func (p *Pacer) Soon(ctx context.Context, deadline time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := p.resumes(patience(ctx))
	if p.left > 0 && p.next.After(next) {
		next = p.next
	}
	if next.After(deadline) {
		return &NoTurnError{After: time.Until(next)}
	}
	return nil
}

// Pause stops calls of the app for a while, as the app asked. It takes effect in this
// process at once, and if there is a rate, in other processes as soon as they have spent
// their reserved calls. Other processes pause for UrgentPatience at most, because the ledger
// cannot tell urgent calls from others. If the app needs a longer pause, it tells them so
// when they call.
func (p *Pacer) Pause(ctx context.Context, pause time.Duration) error {
	p.mu.Lock()
	now := time.Now()
	if until := now.Add(pause); until.After(p.paused) {
		if !p.paused.After(now) {
			p.asked = now
		}
		p.paused = until
	}
	p.mu.Unlock()
	if p.rate.Calls == 0 {
		return nil
	}
	return p.store.PauseCalls(ctx, p.app, min(pause, UrgentPatience))
}

// resumes returns when calls that keep pauses up to longest may be made again. The caller
// holds mu.
func (p *Pacer) resumes(longest time.Duration) time.Time {
	if at := p.asked.Add(longest); at.Before(p.paused) {
		return at
	}
	return p.paused
}

func (p *Pacer) pausedUntil(longest time.Duration) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.resumes(longest)
}

func (p *Pacer) nextTaken(longest time.Duration) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if resumes := p.resumes(longest); resumes.After(p.next) {
		return resumes
	}
	return p.next
}

// spend uses one of the reserved calls, unless it is too late for it.
func (p *Pacer) spend() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.late() {
		return false
	}
	p.left--
	p.next = p.next.Add(p.plan.every)
	return true
}

// late reports whether the next reserved call must not be made any more. The caller holds mu.
func (p *Pacer) late() bool { return time.Since(p.next)+p.unsure > p.plan.fresh }

// stock makes sure that there are reserved calls, and drops those that are late.
func (p *Pacer) stock(ctx context.Context) error {
	var ahead time.Duration
	for {
		p.mu.Lock()
		for ; p.left > 0 && p.late(); p.left-- {
			p.next = p.next.Add(p.plan.every)
		}
		stocked := p.left > 0
		p.mu.Unlock()
		if stocked {
			return nil
		}
		took, err := p.reserve(ctx, ahead)
		if err != nil {
			return err
		}
		ahead = min(2*took, ledger.LongestPause) // so that the turn is not over when the answer comes
	}
}

// reserve reserves calls in the ledger, and tries until it succeeds or ctx ends. It returns
// how long the ledger took to answer.
func (p *Pacer) reserve(ctx context.Context, ahead time.Duration) (took time.Duration, err error) {
	for retry := firstRetry; ; retry = min(2*retry, lastRetry) {
		asked := time.Now()
		turn, err := p.store.ReserveCalls(ctx, ledger.CallReservation{
			App: p.app, Calls: p.plan.chunk, Every: p.plan.every, Saved: p.plan.saved, Ahead: ahead,
		})
		if err == nil {
			answered := time.Now()
			p.mu.Lock()
			defer p.mu.Unlock()
			p.clock.learn(turn.Now, asked, answered)
			p.next, p.unsure = p.clock.when(turn.At, p.plan.fresh/2)
			p.left = p.plan.chunk
			return answered.Sub(asked), nil
		}
		again := time.Now().Add(retry)
		if late := p.until(ctx, func() time.Time { return again }, nil); late != nil {
			return 0, &NoTurnError{cause: err}
		}
	}
}

// until waits for an instant, which may move meanwhile. It fails with errGiveWay if giveWay is
// closed.
func (p *Pacer) until(ctx context.Context, instant func() time.Time, giveWay <-chan struct{}) error {
	for {
		wait := time.Until(instant())
		if wait <= 0 {
			return nil
		}
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
			return &NoTurnError{After: wait}
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-giveWay:
			timer.Stop()
			return errGiveWay
		case <-ctx.Done():
			timer.Stop()
			return &NoTurnError{After: wait, cause: ctx.Err()}
		case <-p.ending:
			timer.Stop()
			return &NoTurnError{}
		}
	}
}

// Metrics shows how long calls wait for their turns, and steps for their places, by app.
type Metrics struct {
	waited, placed *prometheus.HistogramVec
	queued         *prometheus.GaugeVec
}

// NewMetrics registers the metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	buckets := []float64{.005, .05, .1, .5, 1, 5, 10, 30, 60, 300}
	m := &Metrics{
		waited: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "tenure_app_pace_seconds",
			Help:    "Time that calls to an app waited because of its rate, or because it asked for a pause, including calls that gave up.",
			Buckets: buckets,
		}, []string{"app"}),
		placed: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "tenure_app_place_seconds",
			Help:    "Time that steps waited because as many as atOnce allows called the app, including steps that gave up and are tried again.",
			Buckets: buckets,
		}, []string{"app"}),
		queued: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "tenure_app_waiting_steps",
			Help: "Steps that wait in this worker because as many as atOnce allows call the app.",
		}, []string{"app"}),
	}
	reg.MustRegister(m.waited, m.placed, m.queued)
	return m
}
