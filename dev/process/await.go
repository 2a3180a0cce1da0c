package process

import (
	"context"
	"fmt"
	"time"
)

// Await asks until there is no error, or ctx ends: then the error says what was last
// wrong.
func Await(ctx context.Context, ask func(context.Context) error) error {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", ctx.Err(), err)
		case <-tick.C:
		}
	}
}
