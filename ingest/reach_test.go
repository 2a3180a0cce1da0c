package ingest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReachAsksTheBrokersOfATopic(t *testing.T) {
	r := newFakeRig(t, 2)
	p, _ := newPublisher(t, r.brokers...)
	require.NoError(t, p.Reach(bounded(t), r.events))
	assert.ErrorContains(t, p.Reach(bounded(t), "hr.elsewhere"), `topic "hr.elsewhere" does not exist on`)
	r.cluster.Close()
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		return p.Reach(ctx, r.events) != nil
	}, patience, tick)
}
