package service

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/open"
)

// awaitLedger opens the ledger as soon as its database can be reached. unreached is the
// error of the first attempt.
func awaitLedger(ctx context.Context, log *zap.Logger, url string, pepper []byte, unreached error) (l ledger.Ledger, err error) {
	began := time.Now()
	reached := func(err error) bool { return !errors.Is(err, ledger.ErrUnreachable) }
	err = await(ctx, log, "the ledger", "waiting for the ledger's database; check ledger.url and that the server is up", reached, func() (err error) {
		if unreached != nil { // the first attempt was made by the caller
			err, unreached = unreached, nil
			return err
		}
		l, err = open.Peppered(ctx, url, pepper)
		return err
	})
	if err != nil {
		return nil, err
	}
	log.Info("opened the ledger", zap.Duration("waited", time.Since(began)))
	return l, nil
}
