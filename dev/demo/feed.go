package demo

import (
	"context"
	"sync"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/open"
	"github.com/tenurehq/tenure/workflows"
)

const (
	feedEvery = 100 * time.Millisecond
	feedBatch = 500
)

// feed shows what the ledger's audit says, as it is written.
type feed struct {
	screen   *screen
	ledger   ledger.Ledger
	temporal client.Client
	after    int64 // the last row shown
	actions  map[string]int

	cancel context.CancelFunc
	done   sync.WaitGroup
}

func startFeed(ctx context.Context, s *stack.Stack, screen *screen) (*feed, error) {
	cfg, err := config.Load(s.ConfigFile())
	if err != nil {
		return nil, err
	}
	l, err := open.Open(ctx, cfg.Ledger.URL)
	if err != nil {
		return nil, err
	}
	temporal, err := client.Dial(client.Options{HostPort: s.TemporalAddress(), Logger: silent{}})
	if err != nil {
		_ = l.Close()
		return nil, err
	}
	f := &feed{screen: screen, ledger: l, temporal: temporal, actions: map[string]int{}}
	ctx, f.cancel = context.WithCancel(ctx)
	f.done.Go(func() { f.follow(ctx) })
	return f, nil
}

func (f *feed) follow(ctx context.Context) {
	tick := time.NewTicker(feedEvery)
	defer tick.Stop()
	for {
		f.show(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (f *feed) show(ctx context.Context) {
	rows, err := f.ledger.Audit(ctx, "", f.after, feedBatch)
	if err != nil {
		return // it is read again in a moment
	}
	for _, row := range rows {
		f.after = row.Seq
		f.actions[row.Action]++
		f.screen.action(row, f.kind(ctx, row.PersonID))
	}
}

// kind is the kind of change that a person's present run is.
func (f *feed) kind(ctx context.Context, personID string) string {
	description, err := f.temporal.DescribeWorkflowExecution(ctx, workflows.WorkflowID(personID), "")
	if err != nil {
		return ""
	}
	return description.GetWorkflowExecutionInfo().GetType().GetName()
}

func (f *feed) stop() {
	f.cancel()
	f.done.Wait()
	f.show(context.Background())
	f.temporal.Close()
	_ = f.ledger.Close()
}

func (f *feed) counts() map[string]int { return f.actions }

// silent keeps the SDK's log out of the demo's output.
type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}
