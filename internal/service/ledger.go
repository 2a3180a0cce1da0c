package service

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/open"
)

// awaitLedger opens the ledger, whose database was not reached, when it is there.
func awaitLedger(ctx context.Context, log *zap.Logger, url string, err error) (ledger.Ledger, error) {
	began := time.Now()
	var reminded time.Time
	for delay := 250 * time.Millisecond; errors.Is(err, ledger.ErrUnreachable); delay = min(2*delay, 5*time.Second) {
		if time.Since(reminded) >= remindEvery && ctx.Err() == nil {
			reminded = time.Now()
			log.Warn("waiting for the ledger's database; check ledger.url and that the server is up", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("gave up waiting for the ledger: %w (%w)", ctx.Err(), err)
		case <-time.After(delay/2 + rand.N(delay/2)): //nolint:gosec // jitter needs no secrecy
		}
		var l ledger.Ledger
		if l, err = open.Open(ctx, url); err == nil {
			log.Info("opened the ledger", zap.Duration("waited", time.Since(began)))
			return l, nil
		}
	}
	return nil, err
}
