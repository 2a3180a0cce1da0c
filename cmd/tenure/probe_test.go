package main

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/service"
)

// TestProbe asks the endpoints that the processes serve.
func TestProbe(t *testing.T) {
	s := newSite(t)
	var ledger error
	server, err := service.ServeHTTP("0.0.0.0:0", zap.NewNop(), prometheus.NewRegistry(), service.Checks{
		Ready: map[string]service.Check{
			"ledger":   func(context.Context) error { return ledger },
			"temporal": func(context.Context) error { return nil },
		},
	})
	require.NoError(t, err)
	defer func() { _ = server.Close() }()
	_, port, err := net.SplitHostPort(server.Addr())
	require.NoError(t, err)
	s.write("tenure.yaml", configuration+"metrics: {worker: \"0.0.0.0:"+port+"\"}\n")

	r := s.run("probe", "worker")
	assert.Zero(t, r.code, r.err)
	assert.Equal(t, "CHECK     ANSWER\nledger    ok\ntemporal  ok\n", r.stdout)

	ledger = errors.New("the disk is full")
	r = s.run("probe", "worker")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stdout, "ledger    the disk is full")
	assert.Contains(t, r.err, "the worker is not of use now")
	r = s.run("probe", "worker", "--alive", "-o", "json")
	assert.Zero(t, r.code, r.err)
	assert.Contains(t, r.stdout, `"good": true`)

	r = s.run("probe", "starter")
	assert.Equal(t, 2, r.code)
	assert.Contains(t, r.err, "metrics.starter is not set")
	r = s.run("probe", "kafka")
	assert.Equal(t, 2, r.code)

	require.NoError(t, server.Close())
	r = s.run("probe", "worker")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.err, "the worker does not answer")
}
