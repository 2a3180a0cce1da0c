package service

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"
)

// await tries something until it succeeds, or waiting is no use for what is wrong.
// From time to time it says that it waits: waiting is the message for that, what is
// the thing that is waited for.
func await(ctx context.Context, log *zap.Logger, what, waiting string, useless func(error) bool, try func() error) error {
	var reminded time.Time
	for delay := 250 * time.Millisecond; ; delay = min(2*delay, 5*time.Second) {
		err := try()
		if err == nil || useless(err) {
			return err
		}
		if time.Since(reminded) >= remindEvery && ctx.Err() == nil {
			reminded = time.Now()
			log.Warn(waiting, zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("gave up waiting for %s: %w (%w)", what, ctx.Err(), err)
		case <-time.After(delay/2 + rand.N(delay/2)): //nolint:gosec // jitter needs no secrecy
		}
	}
}
