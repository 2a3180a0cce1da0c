package pace

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An urgent call goes before all that wait, also before the call whose turn it is and that
// waits for its time.
func TestAnUrgentCallGoesFirst(t *testing.T) {
	p := New(t.Context(), "wiki", Rate{Calls: 5, Per: time.Second}, newCounting(t), NewMetrics(prometheus.NewRegistry()))
	require.NoError(t, p.Wait(t.Context()))
	const others = 8
	made := make(chan string, others+1)
	for range others {
		go func() {
			assert.NoError(t, p.Wait(t.Context()))
			made <- "other"
		}()
	}
	require.Eventually(t, func() bool { return len(p.turn) == 1 }, 5*time.Second, time.Millisecond, "one waits for its time")
	before := len(made)
	go func() {
		assert.NoError(t, p.Wait(Urgent(t.Context())))
		made <- "urgent"
	}()
	var order []string
	for range others + 1 {
		order = append(order, <-made)
	}
	at := 0
	for i, who := range order {
		if who == "urgent" {
			at = i
		}
	}
	assert.LessOrEqual(t, at, before+2, "of %v", order)
	require.NoError(t, p.Wait(t.Context()), "and then all goes on")
}
