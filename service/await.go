package service

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/internal/backoff"
)

// pauses holds the pauses between two attempts of await.
var pauses = backoff.Range{Min: 250 * time.Millisecond, Max: 5 * time.Second}

// await calls try until it succeeds, until it fails with an error that final reports to
// be one, or until ctx ends. From time to time it logs the message waiting. The error for
// the end of ctx names what it waited for.
func await(ctx context.Context, log *zap.Logger, what, waiting string, final func(error) bool, try func() error) error {
	var reminded time.Time
	for pauses := pauses.Start(); ; {
		err := try()
		if err == nil || final(err) {
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
