//go:build real

package service

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tenurehq/tenure/internal/postgrestest"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/open"
)

func TestALedgerIsOpenedWhenItsDatabaseIsBack(t *testing.T) {
	at := *postgrestest.NewDatabase(t)
	proxy := postgrestest.NewProxy(t, at.Host)
	proxy.Behave(postgrestest.Refuse)
	at.Host = proxy.Address
	_, unreached := open.Open(t.Context(), at.String())
	require.ErrorIs(t, unreached, ledger.ErrUnreachable)
	core, logged := observer.New(zap.InfoLevel)
	opened := make(chan error, 1)
	go func() {
		l, err := awaitLedger(t.Context(), zap.New(core), at.String(), nil, unreached)
		if err == nil {
			err = l.Close()
		}
		opened <- err
	}()
	require.Eventually(t, func() bool { return logged.FilterMessageSnippet("waiting for the ledger's database").Len() == 1 }, time.Minute, time.Millisecond)
	proxy.Behave(postgrestest.Forward)
	require.NoError(t, <-opened)
	require.Equal(t, 1, logged.FilterMessage("opened the ledger").Len())
}
