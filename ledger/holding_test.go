package ledger_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// oneLease is a lease that others take between two calls.
type oneLease struct {
	lease   ledger.Lease
	dropped int
}

func (l *oneLease) Leases(context.Context) ([]ledger.Lease, error) {
	return []ledger.Lease{l.lease}, nil
}

func (l *oneLease) TakeLease(_ context.Context, name, holder string, _ time.Duration) (ledger.Lease, bool, error) {
	if l.lease.Holder == "" || l.lease.Holder == holder {
		if l.lease.Holder == "" {
			l.lease = ledger.Lease{Name: name, Holder: holder, Fence: l.lease.Fence + 1}
		}
		return l.lease, true, nil
	}
	return l.lease, false, nil
}

func (l *oneLease) DropLease(_ context.Context, dropped ledger.Lease) error {
	if dropped.Fence == l.lease.Fence {
		l.lease.Holder, l.dropped = "", l.dropped+1
	}
	return nil
}

func TestAHoldingKnowsWhetherItWasHeldAllTheTime(t *testing.T) {
	l := &oneLease{}
	h := &ledger.Holding{Leases: l, Name: "x", Term: time.Minute}
	take := func() (held, anew bool) {
		held, anew, err := h.Take(t.Context())
		require.NoError(t, err)
		return held, anew
	}
	held, anew := take()
	assert.Equal(t, []bool{true, true}, []bool{held, anew})
	held, anew = take()
	assert.Equal(t, []bool{true, false}, []bool{held, anew}, "prolonged")
	assert.False(t, h.Old())

	l.lease = ledger.Lease{Name: "x", Holder: "another", Fence: 2}
	held, _ = take()
	assert.False(t, held)
	assert.Empty(t, h.Lease().Name)
	assert.True(t, h.Old())
	l.lease.Holder = "" // it has ended
	held, anew = take()
	assert.Equal(t, []bool{true, true}, []bool{held, anew}, "another had it meanwhile")

	l.lease.Holder, l.lease.Fence = "", l.lease.Fence+1 // another had it, and this process has not noticed
	held, anew = take()
	assert.Equal(t, []bool{true, true}, []bool{held, anew})

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	h.Leave(ended)
	assert.Equal(t, 1, l.dropped, "it is given back although the process ends")
	h.Leave(ended)
	assert.Equal(t, 1, l.dropped, "once")
}
