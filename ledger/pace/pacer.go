// Package pace makes calls of an app wait for their turn, so that all workers
// together call it no more often than its owner allows, and nobody while it
// wants to be left alone.
//
// The rate is shared through the ledger: a worker takes a few calls there and
// spends them by itself, so that a hundred calls a second are not a hundred
// writes. What it has taken and does not make in time is lost, on the safe side:
// a worker that is killed takes no more with it than that.
//
// Besides, it bounds how many steps of one process call an app at a time: see Places.
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

// UrgentPatience is the longest pause that an urgent call keeps: what an app asks for
// may be a mistake, or worse, and somebody has to be cut off.
const UrgentPatience = ledger.LongestPause

// NoTurnError is the error of a call that was not made because its turn did not come.
type NoTurnError struct {
	// After is how much longer it would have had to wait; zero if that is not known.
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

	// turn is held by the one call that waits for what was taken; the others queue
	// for it, so that no more is taken than soon used.
	turn  chan struct{}
	haste *haste

	mu     sync.Mutex
	asked  time.Time // when the app asked for the pause that is in force
	paused time.Time // no call before that, but for urgent ones: see resumes
	next   time.Time // from when on the next call that was taken may be made
	left   int       // calls that were taken and not made
}

// New makes the pacer of an app. When ctx ends, calls that would have to wait
// fail at once: the process is about to stop. The zero rate limits nothing, but
// pauses are kept.
func New(ctx context.Context, app string, rate Rate, store ledger.Pacer, m *Metrics) *Pacer {
	p := &Pacer{
		app: app, store: store, rate: rate, waited: m.waited.WithLabelValues(app),
		ending: ctx.Done(), turn: make(chan struct{}, 1), haste: newHaste(),
	}
	if rate.Calls > 0 {
		p.plan = rate.schedule()
	}
	return p
}

// Wait returns when the app may be called once more. If that cannot be before
// ctx ends, it says so at once, with a *NoTurnError. A ledger that cannot be
// reached is waited for. An urgent call (see Urgent) goes before the others.
func (p *Pacer) Wait(ctx context.Context) error {
	begun := time.Now()
	defer func() { p.waited.Observe(time.Since(begun).Seconds()) }()
	urgent := isUrgent(ctx)
	if err := p.until(ctx, func() time.Time { return p.pausedUntil(urgent) }, nil); err != nil {
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
		// Whose turn it is while an urgent call waits gives way, and queues again.
		if err := p.receive(ctx, p.haste.calmed()); err != nil {
			return err
		}
		if err := p.take(ctx, p.haste.rushed()); !errors.Is(err, errGiveWay) {
			return err
		}
	}
}

// take makes one call, when it is its turn and its time.
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
	if err := p.stock(ctx); err != nil {
		return err
	}
	urgent := isUrgent(ctx)
	if err := p.until(ctx, func() time.Time { return p.nextTaken(urgent) }, giveWay); err != nil {
		return err
	}
	p.spend()
	return nil
}

// receive waits for something to be said.
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

// Soon says, by what is known already, whether a call might be made before the
// deadline: if not, with a *NoTurnError.
func (p *Pacer) Soon(ctx context.Context, deadline time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := p.resumes(isUrgent(ctx))
	if p.left > 0 && p.next.After(next) {
		next = p.next
	}
	if next.After(deadline) {
		return &NoTurnError{After: time.Until(next)}
	}
	return nil
}

// Pause leaves the app alone for a while, as it asked: this process at once, the
// others as soon as they have spent what they have taken, if there is a rate. They are
// told of UrgentPatience at most, since they cannot tell urgent calls from others
// there: who calls then is told by the app itself if it still wants to be left alone.
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

// resumes says when calls may be made again after a pause. The caller holds mu.
func (p *Pacer) resumes(urgent bool) time.Time {
	if at := p.asked.Add(UrgentPatience); urgent && at.Before(p.paused) {
		return at
	}
	return p.paused
}

func (p *Pacer) pausedUntil(urgent bool) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.resumes(urgent)
}

func (p *Pacer) nextTaken(urgent bool) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if resumes := p.resumes(urgent); resumes.After(p.next) {
		return resumes
	}
	return p.next
}

// spend makes one of the calls that were taken.
func (p *Pacer) spend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left--
	p.next = p.next.Add(p.plan.every)
}

// stock sees to it that there are calls to be made: what was kept for too long is
// lost.
func (p *Pacer) stock(ctx context.Context) error {
	p.mu.Lock()
	for ; p.left > 0 && time.Since(p.next) > p.plan.saved+p.plan.keep; p.left-- {
		p.next = p.next.Add(p.plan.every)
	}
	stocked := p.left > 0
	p.mu.Unlock()
	if stocked {
		return nil
	}
	from, err := p.reserve(ctx)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next, p.left = time.Now().Add(from), p.plan.chunk
	return nil
}

// reserve takes calls from the ledger, for as long as it takes.
func (p *Pacer) reserve(ctx context.Context) (time.Duration, error) {
	for retry := firstRetry; ; retry = min(2*retry, lastRetry) {
		from, err := p.store.ReserveCalls(ctx, ledger.CallReservation{
			App: p.app, Calls: p.plan.chunk, Every: p.plan.every, Saved: p.plan.saved,
		})
		if err == nil {
			return from, nil
		}
		again := time.Now().Add(retry)
		if late := p.until(ctx, func() time.Time { return again }, nil); late != nil {
			return 0, &NoTurnError{cause: err}
		}
	}
}

// until waits for an instant, which may move away meanwhile. It gives way when told.
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

// Metrics say how long calls wait for their turns, and steps for their places, by app.
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
