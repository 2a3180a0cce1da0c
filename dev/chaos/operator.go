package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tenurehq/tenure/dev/topology"
)

// operator releases what the breaker holds, discards dead letters, and does what governance
// asks for. It tries until it is stopped, because most of the time something that it needs is
// away.
type operator struct {
	cancel   context.CancelFunc
	quiet    context.CancelFunc // nobody asks for more
	ended    chan struct{}
	released map[string]bool // cohorts; to be read once ended is closed
}

func operate(ctx context.Context, t *topology.Topology, g *governance, progress func(string)) *operator {
	ctx, cancel := context.WithCancel(ctx)
	busy, quiet := context.WithCancel(ctx)
	o := &operator{cancel: cancel, quiet: quiet, ended: make(chan struct{}), released: map[string]bool{}}
	go func() {
		defer close(o.ended)
		for sleep(ctx, 2*time.Second) == nil {
			o.release(ctx, t, progress)
			o.discard(ctx, t)
			g.asks = busy.Err() == nil
			g.turn(ctx, t)
		}
	}()
	return o
}

func (o *operator) release(ctx context.Context, t *topology.Topology, progress func(string)) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	said, _ := t.Run(ctx, "breaker", "list", "-o", "json") // its exit status says that something is held
	var cohorts []struct {
		Cohort string `json:"cohort"`
		Held   int    `json:"held"`
	}
	if json.Unmarshal(said, &cohorts) != nil {
		return // it is away
	}
	for _, c := range cohorts {
		if _, err := t.Run(ctx, "breaker", "release", c.Cohort, "--apply", "--reason", "this is a drill"); err != nil {
			continue
		}
		if !o.released[c.Cohort] {
			o.released[c.Cohort] = true
			progress(fmt.Sprintf("the breaker held %d people in %s, who were released", c.Held, c.Cohort))
		}
	}
}

// discard discards dead letters: the run of each person concerned waits for that.
func (o *operator) discard(ctx context.Context, t *topology.Topology) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	_, _ = t.Run(ctx, "dlq", "discard", "--all", "--apply", "--reason", "this is a drill") // without any it fails
}

// stop returns how many cohorts were released.
func (o *operator) stop() int {
	o.cancel()
	<-o.ended
	return len(o.released)
}
