package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/dev/bench/hrevents"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ingest"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service/worker"
	"github.com/tenurehq/tenure/workflows"
)

// CutOff compares how long it takes to cut somebody off while nothing else has to be
// done, and while joiners are queued.
type CutOff struct {
	Apps      int           `json:"apps"`
	AppTakes  time.Duration `json:"appTakesNanoseconds"` // how long each call takes
	Queued    int           `json:"queued"`              // joiners that were queued before the first cut-off among them
	Left      int           `json:"leftQueued"`          // joiners that had not begun at the last cut-off
	People    []CutOffKind  `json:"people"`
	JoinersAt float64       `json:"joinersPerSecond"` // joiners that were provisioned meanwhile
}

// CutOffKind holds the latency for one kind of people, from recording the suspension to
// the proof of the last app.
type CutOffKind struct {
	Who   string  `json:"who"`
	Idle  Latency `json:"idle"`
	Busy  Latency `json:"busy"`
	Ratio float64 `json:"ratio"` // the ratio of the medians
}

// Latency is the distribution of a time.
type Latency struct {
	Median time.Duration `json:"medianNanoseconds"`
	Max    time.Duration `json:"maxNanoseconds"`
}

// cutOffKinds lists the kinds of people who are cut off: some have no open run, so one has to be
// started. Others have a run that sleeps, or one on the main queue that has a move to do.
var cutOffKinds = []struct {
	who    string
	asleep bool
	atWork bool
}{{who: "no run is open"}, {who: "a run sleeps", asleep: true}, {who: "a run is at work on the main queue", atWork: true}}

// CutOffOptions says how cutting off is measured.
type CutOffOptions struct {
	Apps   int
	Takes  time.Duration // how long each call to an app takes
	Queued int           // joiners; 0 leaves it out
	People int           // people of each kind, idle and busy
}

// cutOff measures, first with nothing else to do and then among queued joiners.
func (r *rig) cutOff(ctx context.Context, o CutOffOptions) (_ CutOff, err error) {
	t, err := r.openTenure(ctx, o.Apps)
	if err != nil {
		return CutOff{}, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	out := CutOff{Apps: o.Apps, AppTakes: o.Takes, Queued: o.Queued}
	for _, app := range t.apps {
		app.OnCall(func(ctx context.Context, _, _ string) error { return sleep(ctx, o.Takes) })
	}
	person := func(load, kind, i int) string { return fmt.Sprintf("cut-%d-%d-%d", load, kind, i) }
	for load := range 2 {
		for kind, k := range cutOffKinds {
			for i := range o.People {
				if err := t.employ(ctx, person(load, kind, i), k.asleep); err != nil {
					return CutOff{}, err
				}
			}
		}
	}
	measure := func(load, kind int) (Latency, error) {
		var all []time.Duration
		for i := range o.People {
			if cutOffKinds[kind].atWork {
				if err := t.tell(ctx, moved(person(load, kind, i))); err != nil {
					return Latency{}, err
				}
				if err := sleep(ctx, o.Takes/2); err != nil { // in the midst of its first call, if it has begun
					return Latency{}, err
				}
			}
			took, err := t.suspend(ctx, person(load, kind, i))
			if err != nil {
				return Latency{}, err
			}
			all = append(all, took)
		}
		slices.Sort(all)
		return Latency{all[(len(all)-1)/2], all[len(all)-1]}, nil
	}
	for kind, k := range cutOffKinds {
		idle, err := measure(0, kind)
		if err != nil {
			return CutOff{}, err
		}
		out.People = append(out.People, CutOffKind{Who: k.who, Idle: idle})
	}
	if err := t.queue(ctx, o.Queued); err != nil {
		return CutOff{}, err
	}
	before, began := len(t.apps[0].Accounts()), time.Now()
	for kind := range cutOffKinds {
		k := &out.People[kind]
		if k.Busy, err = measure(1, kind); err != nil {
			return CutOff{}, err
		}
		k.Ratio = float64(k.Busy.Median) / float64(k.Idle.Median)
	}
	joined := len(t.apps[0].Accounts()) - before
	out.JoinersAt = float64(joined) / time.Since(began).Seconds()
	if out.Left = o.Queued - joined; out.Left <= 0 {
		return CutOff{}, fmt.Errorf("all %d joiners were done before the last cut-off: queue more", o.Queued)
	}
	return out, nil
}

// queue lets joiners pile up, and waits until the worker has begun with them.
func (t *tenure) queue(ctx context.Context, joiners int) error {
	t.host.Stop()
	group, tell := errgroup.WithContext(ctx)
	group.SetLimit(64)
	for i := range joiners {
		group.Go(func() error { return t.tell(tell, hired(fmt.Sprintf("queued-%d", i))) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	t.host = worker.NewHost(t.rig.temporal, t.acts)
	if err := t.host.Start(); err != nil {
		return err
	}
	// The worker has to be in the middle of the queue, and not at its start, when the
	// first person is cut off.
	return until(ctx, func() (bool, error) { return len(t.apps[0].Accounts()) > joiners/100, nil })
}

// employ records somebody who has had accounts in all apps for a long time. Their
// employment has no end, or one that a run sleeps for.
func (t *tenure) employ(ctx context.Context, person string, ends bool) error {
	e := hired(person)
	if ends {
		e.Profile.EndDate = e.Effective.AddDays(365)
	}
	for i, app := range t.apps {
		id := app.Put(connector.Account{Username: person, ExternalID: person, Active: true})
		name := appName(i)
		err := t.ledger.FinishStep(ctx, ledger.Outcome{
			PersonID: person, App: name, Key: name, Kind: "Provision", At: time.Now(), State: ledger.StepDone,
			Link: &ledger.Link{AccountID: id, Username: person, State: ledger.LinkActive},
		})
		if err != nil {
			return err
		}
	}
	if err := t.tell(ctx, e); err != nil {
		return err
	}
	return t.rig.awaitRest(ctx, workflows.WorkflowID(person))
}

// suspend cuts somebody off, as the starter does, and returns how long it took.
func (t *tenure) suspend(ctx context.Context, person string) (time.Duration, error) {
	e := hrevents.Event(person, hr.EventSuspended, nil)
	e.Suspension = &hr.Suspension{Reason: "benchmark"}
	receipts, err := t.ledger.Record(ctx, []ledger.Received{{Event: e, At: e.Recorded}})
	if err != nil {
		return 0, err
	}
	if err := t.runs.Nudge(ctx, ingest.NudgeFor(e, receipts[0].Seq)); err != nil {
		return 0, err
	}
	var last time.Time
	err = until(ctx, func() (bool, error) {
		p, err := t.ledger.Person(ctx, person)
		if err != nil {
			return false, err
		}
		for _, link := range p.Links {
			if link.State != ledger.LinkDisabled {
				return false, nil
			}
			if link.ProvenAt.After(last) {
				last = link.ProvenAt
			}
		}
		return true, nil
	})
	return last.Sub(e.Recorded), err
}

// cutOffPatience bounds the wait for one person, or for the queue to move.
const cutOffPatience = 10 * time.Minute

// until calls ask again and again until it returns true.
func until(ctx context.Context, ask func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, cutOffPatience, errors.New("bench: cut-offs: nothing comes of it"))
	defer cancel()
	for {
		if ok, err := ask(); ok || err != nil {
			return err
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return context.Cause(ctx)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
