package demo

import (
	"context"
	"sync"
	"time"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/open"
)

const (
	feedEvery = 100 * time.Millisecond
	feedBatch = 500
)

// feed shows what the ledger's audit says, as it is written.
type feed struct {
	screen  *screen
	ledger  ledger.Ledger
	after   int64 // the last row shown
	actions map[string]int

	cancel context.CancelFunc
	done   sync.WaitGroup
}

func startFeed(ctx context.Context, s *stack.Stack, screen *screen) (*feed, error) {
	cfg, err := config.Load(s.ConfigFile()) //nolint:contextcheck // it connects to nothing
	if err != nil {
		return nil, err
	}
	l, err := open.Open(ctx, cfg.Ledger.URL)
	if err != nil {
		return nil, err
	}
	f := &feed{screen: screen, ledger: l, actions: map[string]int{}}
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
		f.screen.action(row)
	}
}

func (f *feed) stop(ctx context.Context) {
	f.cancel()
	f.done.Wait()
	f.show(context.WithoutCancel(ctx))
	_ = f.ledger.Close()
}

func (f *feed) counts() map[string]int { return f.actions }
