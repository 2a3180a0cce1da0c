package intake

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"

	"github.com/tenurehq/tenure/dev/bench/sheet"
)

// Options says how much is measured. A number of events that is 0 leaves that part out.
type Options struct {
	Brokers    []string // host:port of a cluster to use; empty: the embedded one
	Temporal   string   // host:port of a server to use, with the namespace "default"; empty: the embedded one
	Starter    string   // the path of the starter, for the parts that run it
	Partitions int      // partitions of a topic, except where they vary
	Rounds     int      // after a first one that warms up

	Replay int // events on the topic that is read again
	Accept int // new events of a round
	Scale  int // new events for each number of partitions and starters
	Memory int // records that one starter reads, half of them duplicates

	Concurrency int // calls of Temporal at once; the number of the product

	CPUProfile string    // file for a CPU profile of the last round of reading again; empty: none
	Progress   io.Writer // gets lines about what is being done; never nil
}

// Standard returns the options of `make bench-ingest`.
func Standard() Options {
	return Options{
		Partitions: 4, Rounds: 5, Concurrency: 64,
		Replay: 300_000, Accept: 5_000, Scale: 3_000, Memory: 1_000_000,
		Progress: io.Discard,
	}
}

// Report holds everything that was measured.
type Report struct {
	Go     string   `json:"go"`
	CPUs   int      `json:"cpus"`
	Kafka  string   `json:"kafka"` // the cluster, in words
	Replay *Race    `json:"replay,omitempty"`
	Accept *Race    `json:"accept,omitempty"`
	Scale  []Scale  `json:"scale,omitempty"`
	Memory []Memory `json:"memory,omitempty"`
	Large  []Large  `json:"large,omitempty"`
}

// Race compares the same number of events with Tenure and without, in turns.
type Race struct {
	Events     int       `json:"eventsPerRound"`
	Partitions int       `json:"partitions"`
	Tenure     []float64 `json:"tenurePerSecond"` // by round
	Bare       []float64 `json:"barePerSecond"`
	Ratios     []float64 `json:"ratios"` // of each round
	Ratio      float64   `json:"ratio"`  // the median
}

// Run measures.
func Run(ctx context.Context, o Options) (_ Report, err error) {
	r, err := openRig(ctx, o)
	if err != nil {
		return Report{}, err
	}
	defer r.close()
	report := Report{Go: runtime.Version(), CPUs: runtime.NumCPU(), Kafka: r.kind}
	for _, part := range []struct {
		events int
		what   string
		run    func(context.Context) error
	}{
		{o.Replay, "reading a topic again", func(ctx context.Context) (err error) {
			report.Replay, err = r.replay(ctx)
			return err
		}},
		{o.Accept, "new events", func(ctx context.Context) (err error) {
			report.Accept, err = r.accept(ctx)
			return err
		}},
		{o.Scale, "new events by partitions and starters", func(ctx context.Context) (err error) {
			report.Scale, err = r.scale(ctx)
			return err
		}},
		{o.Memory, "the memory of a starter", func(ctx context.Context) (err error) {
			report.Memory, report.Large, err = r.memory(ctx)
			return err
		}},
	} {
		if part.events == 0 {
			continue
		}
		o.tell("measuring %s ...", part.what)
		if err := part.run(ctx); err != nil {
			return Report{}, fmt.Errorf("%s: %w", part.what, err)
		}
	}
	return report, nil
}

// race runs rounds of bare and tenure, each of which returns its events per second. The
// order changes from round to round, because servers still work on what one has left
// behind while the next one runs. The first round warms up.
func (o Options) race(events int, bare, tenure func(round int) (float64, error)) (*Race, error) {
	out := &Race{Events: events, Partitions: o.Partitions}
	for round := range o.Rounds + 1 {
		var b, t float64
		runs := []func() error{
			func() (err error) { b, err = bare(round); return err },
			func() error {
				stop, err := o.profile(round)
				if err != nil {
					return err
				}
				defer stop()
				t, err = tenure(round)
				return err
			},
		}
		if round%2 == 1 {
			slices.Reverse(runs)
		}
		for _, run := range runs {
			if err := run(); err != nil {
				return nil, err
			}
		}
		o.tell("  round %d: %.0f a second, bare %.0f", round, t, b)
		if round > 0 {
			out.Bare, out.Tenure, out.Ratios = append(out.Bare, b), append(out.Tenure, t), append(out.Ratios, t/b)
		}
	}
	out.Ratio = median(out.Ratios)
	return out, nil
}

func median(values []float64) float64 {
	return slices.Sorted(slices.Values(values))[(len(values)-1)/2]
}

func (o Options) tell(format string, args ...any) { fmt.Fprintf(o.Progress, format+"\n", args...) }

// profile starts the CPU profile, if this round is the one to profile.
func (o Options) profile(round int) (stop func(), err error) {
	if round != o.Rounds {
		return sheet.Profile("")
	}
	return sheet.Profile(o.CPUProfile)
}
