package service

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/open"
)

func TestALedgerThatIsNotReachedIsWaitedFor(t *testing.T) {
	const nobody = "postgres://tenure:s3cret@127.0.0.1:1/tenure"
	_, unreached := open.Open(t.Context(), nobody)
	require.ErrorIs(t, unreached, ledger.ErrUnreachable)
	core, logged := observer.New(zap.InfoLevel)
	ctx, cancel := context.WithCancel(t.Context())
	waited := make(chan error, 1)
	go func() {
		_, err := awaitLedger(ctx, zap.New(core), nobody, nil, unreached)
		waited <- err
	}()
	require.Eventually(t, func() bool { return logged.FilterMessageSnippet("waiting for the ledger's database").Len() == 1 }, time.Minute, time.Millisecond)
	cancel()
	err := <-waited
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, ledger.ErrUnreachable)
	assert.NotContains(t, err.Error(), "s3cret")
}

func TestALedgerThatCannotBeUsedIsNotWaitedFor(t *testing.T) {
	_, err := awaitLedger(t.Context(), zap.NewNop(), "sqlite:no/such/directory/x.db", nil, ledger.ErrUnreachable)
	require.ErrorContains(t, err, "no directory")
}
