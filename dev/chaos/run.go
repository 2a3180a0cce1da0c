package chaos

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tenurehq/tenure/dev/topology"
	"github.com/tenurehq/tenure/ingest/broker"
)

// Options say what to run.
type Options struct {
	Topology topology.Options
	Faults   []Fault // all kills share a history; each other fault has its own
	People   int
	Seed     uint64
	Events   string // file of a history to use instead of a made-up one
	Together bool   // all faults share one history
	Outage   time.Duration
	// Calm is how long the history goes on before and after each fault.
	Calm time.Duration
	// Patience is how long it may take, after the last event, until everything is
	// as it must be.
	Patience time.Duration
	Progress func(line string)
}

// Run runs all faults, reports each when its run is over, and returns an error if
// anything could not be done. The rows hold what is wrong.
func Run(ctx context.Context, opts Options, done func(Row)) error {
	for _, faults := range opts.runs() {
		rows, err := opts.run(ctx, faults)
		if err != nil {
			return fmt.Errorf("%s: %w", faults[0], err)
		}
		for _, row := range rows {
			done(row)
		}
	}
	return nil
}

// runs are the faults of each history.
func (o Options) runs() [][]Fault {
	if o.Together {
		return [][]Fault{o.Faults}
	}
	var kills []Fault
	var all [][]Fault
	for _, f := range o.Faults {
		if f.How == kill {
			kills = append(kills, f)
		} else {
			all = append(all, []Fault{f})
		}
	}
	if len(kills) > 0 {
		all = append([][]Fault{kills}, all...)
	}
	return all
}

func (o Options) run(ctx context.Context, faults []Fault) (rows []Row, err error) {
	h, err := o.history()
	if err != nil {
		return nil, err
	}
	h.withHostile()
	o.Progress(fmt.Sprintf("%v: starting the topology", faults))
	o.Topology.Decider = h.decider()
	t, err := topology.Start(ctx, o.Topology)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	feed := o.feed(ctx, t, h, faults)
	defer feed.stop()
	watch := watchOver(ctx, t)
	defer watch.stop()
	operator := operate(ctx, t, governed(h), o.Progress)
	defer operator.stop()
	for _, f := range faults {
		if err := sleep(ctx, o.Calm); err != nil {
			return nil, err
		}
		row := Row{Fault: f.String(), People: len(h.people), Events: h.distinct, Sent: int(feed.sent.Load()), Outage: f.outage(o.Outage).String()}
		o.Progress(fmt.Sprintf("%s, with %d of %d records sent", f, row.Sent, len(h.messages)))
		if err := watch.strike(ctx, f, o.Outage); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", f, err), errors.New(t.Tail(f.Process)))
		}
		row.behind(ctx, t)
		began := time.Now()
		if err := watch.recovered(ctx); err != nil {
			return nil, fmt.Errorf("after %s: %w", f, err)
		}
		row.Ready = time.Since(began).Round(100 * time.Millisecond).String()
		o.Progress(fmt.Sprintf("%s is over: %d records behind, ready after %s", f, row.Behind, row.Ready))
		rows = append(rows, row)
	}
	if err := feed.wait(ctx); err != nil {
		return nil, err
	}
	operator.quiet()
	began := time.Now()
	v, err := o.settle(ctx, t, h)
	if err != nil {
		return nil, err
	}
	settled := time.Since(began).Round(time.Second)
	held := operator.stop()
	for i := range rows {
		rows[i].judged(v, settled, watch.restarts())
		rows[i].Held, rows[i].Refused = held, h.refused
	}
	if !v.clean() {
		for _, name := range []string{"worker-1", "worker-2", "starter-1", "starter-2"} {
			o.Progress("the end of what " + name + " said:\n" + t.Tail(name))
		}
	}
	return rows, nil
}

func (o Options) history() (*history, error) {
	if o.Events != "" {
		return read(o.Events)
	}
	return made(o.Seed, o.People)
}

// settle waits until everything is as it must be. When its patience ends, it returns
// what is wrong.
func (o Options) settle(ctx context.Context, t *topology.Topology, h *history) (*verdict, error) {
	until := time.Now().Add(o.Patience)
	for {
		v, err := judge(ctx, t, h)
		if err == nil && v.clean() || time.Now().After(until) {
			return v, err
		}
		if err != nil {
			o.Progress("not settled: " + err.Error())
		} else {
			o.Progress(fmt.Sprintf("not settled: %d wrong, %d lost, %d duplicate", len(v.wrong), len(v.lost), len(v.duplicates)))
		}
		if err := sleep(ctx, 5*time.Second); err != nil {
			return nil, err
		}
	}
}

// restart is roughly the time that it takes to start a killed process again.
const restart = 5 * time.Second

// feeder sends a history, evenly.
type feeder struct {
	sent   atomic.Int64
	cancel context.CancelFunc
	ended  chan struct{}
	err    error // valid once ended is closed
}

// feed sends a history over the time that the faults take. While Kafka is away it
// waits; then it catches up.
func (o Options) feed(ctx context.Context, t *topology.Topology, h *history, faults []Fault) *feeder {
	total := o.Calm
	for _, f := range faults {
		total += max(f.outage(o.Outage), restart) + o.Calm
	}
	ctx, cancel := context.WithCancel(ctx)
	f := &feeder{cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(f.ended)
		publisher := broker.NewPublisher(broker.Cluster{Brokers: t.Brokers()})
		defer func() { _ = publisher.Close() }()
		began := time.Now()
		for int(f.sent.Load()) < len(h.messages) && f.err == nil {
			from := int(f.sent.Load())
			to := min(len(h.messages), int(float64(len(h.messages))*float64(time.Since(began))/float64(total)))
			if to > from {
				f.err = publisher.Publish(ctx, topology.TopicEvents, h.messages[from:to])
				f.sent.Store(int64(to))
			} else {
				f.err = sleep(ctx, 100*time.Millisecond)
			}
		}
	}()
	return f
}

func (f *feeder) wait(ctx context.Context) error {
	select {
	case <-f.ended:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *feeder) stop() {
	f.cancel()
	<-f.ended
}

// watcher restarts processes that end by themselves, as a supervisor would.
type watcher struct {
	t      *topology.Topology
	cancel context.CancelFunc
	ended  chan struct{}

	mu      sync.Mutex
	struck  string // the process that a fault is about now
	started []string
}

func watchOver(ctx context.Context, t *topology.Topology) *watcher {
	ctx, cancel := context.WithCancel(ctx)
	w := &watcher{t: t, cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(w.ended)
		for sleep(ctx, time.Second) == nil {
			w.look(ctx)
		}
	}()
	return w
}

func (w *watcher) stop() {
	w.cancel()
	<-w.ended
}

func (w *watcher) look(ctx context.Context) {
	for _, name := range w.t.Processes() {
		w.mu.Lock()
		mine := w.struck == name
		w.mu.Unlock()
		if p := w.t.Process(name); !mine && !p.Running() && ctx.Err() == nil {
			if start(ctx, p) == nil {
				w.mu.Lock()
				w.started = append(w.started, name)
				w.mu.Unlock()
			}
		}
	}
}

func (w *watcher) restarts() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.started, " ")
}

func (w *watcher) strike(ctx context.Context, f Fault, outage time.Duration) error {
	w.set(f.Process)
	defer w.set("")
	return f.strike(ctx, w.t.Process(f.Process), outage)
}

func (w *watcher) set(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.struck = name
}

// recovered returns when all of Tenure's processes say that they are ready.
func (w *watcher) recovered(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		var errs []error
		for _, name := range w.t.Processes() {
			if strings.HasPrefix(name, "worker-") || strings.HasPrefix(name, "starter-") {
				errs = append(errs, w.t.Ready(ctx, name))
			}
		}
		err := errors.Join(errs...)
		if err == nil {
			return nil
		}
		if sleep(ctx, 100*time.Millisecond) != nil {
			return err
		}
	}
}
