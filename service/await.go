package service

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/internal/backoff"
)

// pauses are those between two looks at what is waited for.
var pauses = backoff.Range{Min: 250 * time.Millisecond, Max: 5 * time.Second}

// await tries something until it succeeds, or waiting is no use for what is wrong.
// From time to time it says that it waits: waiting is the message for that, what is
// the thing that is waited for.
func await(ctx context.Context, log *zap.Logger, what, waiting string, useless func(error) bool, try func() error) error {
	var reminded time.Time
	for pauses := pauses.Start(); ; {
		err := try()
		if err == nil || useless(err) {
			return err
		}
		if time.Since(reminded) >= remindEvery && ctx.Err() == nil {
			reminded = time.Now()
			log.Warn(waiting, zap.Error(err))
		}
		if ended := pauses.Wait(ctx, 0); ended != nil {
			return fmt.Errorf("gave up waiting for %s: %w (%w)", what, ended, err)
		}
	}
}
