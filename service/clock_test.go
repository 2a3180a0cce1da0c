package service

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/config"
)

func TestAnAcceleratedClockIsForLoopbackOnly(t *testing.T) {
	accelerated := &config.Config{
		Path:        "tenure.yaml",
		Development: &config.Development{Clock: &config.AcceleratedClock{Rate: 86400}},
	}
	for _, address := range []string{"127.0.0.1:7233", "localhost:7233", "[::1]:7233"} {
		require.NoError(t, CheckClock(accelerated, address, zap.NewNop()), address)
	}
	for _, address := range []string{"temporal.example.com:7233", "10.0.0.7:7233", "temporal", "dns:///localhost.example:7233"} {
		assert.ErrorContains(t, CheckClock(accelerated, address, zap.NewNop()), "tenure.yaml", address)
	}
	require.NoError(t, CheckClock(&config.Config{}, "temporal.example.com:7233", zap.NewNop()))
}
