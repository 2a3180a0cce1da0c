package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/dev/story"
	"github.com/tenurehq/tenure/ingest/broker"
)

// Options say how the demo is played.
type Options struct {
	Bin   string        // directory of worker, starter and tenure
	Day   time.Duration // how long a day of the story takes (real time)
	Hold  bool          // stay up afterwards, until ctx is done
	Ports stack.Ports
	Apps  []stack.App
	// Colour reports whether the output may be coloured.
	Colour bool
	// Record is a directory to write histories into, for the replay test; empty
	// records none.
	Record string
}

// ErrNotAsPolicySays means that the story was played, but not everything came
// out as it has to.
var ErrNotAsPolicySays = errors.New("not every account is what policy says")

// afterwards is how long (real time) everything may take to come to rest when
// the story is over.
const afterwards = 5 * time.Minute

// Run plays the demo, and returns ErrNotAsPolicySays if any account was not what
// it had to be.
func Run(ctx context.Context, out io.Writer, o Options) error {
	screen := newScreen(out, o.Colour)
	screen.title(fmt.Sprintf("Starting Temporal, Kafka, %d apps, the starter and the worker ...", len(o.Apps)))
	accelerated := &config.AcceleratedClock{
		Epoch: time.Now().Add(3 * time.Second).Truncate(time.Second), // when all of it is up
		Start: story.Start,
		Rate:  float64(24*time.Hour) / float64(o.Day),
	}
	s, err := stack.Start(ctx, stack.Options{
		Ports: o.Ports, Apps: o.Apps,
		Template: Template(), Clock: accelerated,
		WorkerBinary: filepath.Join(o.Bin, "worker"), StarterBinary: filepath.Join(o.Bin, "starter"),
		OnRestart: screen.trouble,
	})
	if err != nil {
		return err
	}
	defer s.Close()

	stage, closeStage := NewStage(s, accelerated, o.Bin)
	defer closeStage()
	stage.Tell = screen.note
	screen.title("Watch it in the Temporal UI: " + s.UIURL())
	for _, app := range s.Apps() {
		screen.note(fmt.Sprintf("%-10s http://%s", app.Name, app.Address))
	}
	screen.note(fmt.Sprintf("a day takes %s; accounts of leavers are kept for %d days and then deleted", o.Day, story.Retain))

	feed, err := startFeed(ctx, s, screen)
	if err != nil {
		return err
	}
	if err := story.Play(ctx, stage, screen); err != nil {
		feed.stop(ctx)
		return err
	}
	left, err := story.Settle(ctx, stage, afterwards)
	feed.stop(ctx)
	if err != nil {
		return err
	}
	if err := screen.summary(ctx, stage, left, feed.counts()); err != nil {
		return err
	}
	if o.Record != "" {
		if err := record(ctx, s, o.Record); err != nil {
			return err
		}
	}
	page, err := stage.Evidence(ctx, filepath.Join(o.Bin, "demo-evidence"))
	if err != nil {
		return err
	}
	screen.title("What an auditor gets of all this, verified: " + page)
	screen.title("The whole story is in the Temporal UI: " + s.UIURL())
	if !o.Hold {
		screen.note("which stops now; to look around in it: make demo DEMO_FLAGS=--hold")
	} else {
		screen.note("it stays up until you press Ctrl-C")
		<-ctx.Done()
	}
	if len(left) > 0 || screen.wrong > 0 {
		return ErrNotAsPolicySays
	}
	return nil
}

// NewStage makes the stage for a story on a running stack.
func NewStage(s *stack.Stack, c *config.AcceleratedClock, bin string) (stage *story.Stage, closeStage func()) {
	publisher := broker.NewPublisher(broker.Cluster{Brokers: []string{s.KafkaAddress()}})
	return &story.Stage{
		Stack:        s,
		Clock:        clock.Accelerated(c.Epoch, c.Start, c.Rate),
		Publisher:    publisher,
		TenureBinary: filepath.Join(bin, "tenure"),
	}, func() { _ = publisher.Close() }
}

// Template is the stack's tenure.yaml with the story's own times.
func Template() string {
	const times = "\njoiner: {leadTime: 0d}\nmover: {overlap: 0d}\nleaver: {retain: 30d, delete: true}\n"
	ours := fmt.Sprintf(story.Governance+"\njoiner: {leadTime: %dd}\nmover: {overlap: 0d}\nleaver: {retain: %dd, delete: true}\n"+
		"attention: {after: 3s, recheck: 2s}\nsweep: {every: 1s}\naudit: {every: 1s, checkpoint: 1s}\n", story.LeadTime, story.Retain)
	if !strings.Contains(stack.DefaultTemplate, times) {
		panic("the stack's own tenure.yaml has no such times any more")
	}
	const app = "    connector: scim\n"
	if !strings.Contains(stack.DefaultTemplate, app) {
		panic("the stack's own tenure.yaml has no such apps any more")
	}
	owned := app
	for _, name := range slices.Sorted(maps.Keys(story.Owners)) {
		owned += fmt.Sprintf("{{- if eq $app.Name %q}}\n    owner: [%q]\n{{- end}}\n", name, story.Owners[name])
	}
	return strings.NewReplacer(times, ours, app, owned).Replace(stack.DefaultTemplate)
}
