package service

import (
	"context"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// frontend fakes the part of a Temporal server that connecting to one calls.
type frontend struct {
	workflowservice.UnimplementedWorkflowServiceServer
	asked atomic.Int32
	err   func(attempt int32) error

	polled []string // task queues that have a worker
}

func (f *frontend) DescribeTaskQueue(_ context.Context, req *workflowservice.DescribeTaskQueueRequest) (*workflowservice.DescribeTaskQueueResponse, error) {
	resp := &workflowservice.DescribeTaskQueueResponse{}
	if slices.Contains(f.polled, req.GetTaskQueue().GetName()) {
		resp.Pollers = []*taskqueuepb.PollerInfo{{Identity: "worker-1", LastAccessTime: timestamppb.Now()}}
	}
	return resp, nil
}

func (f *frontend) DescribeNamespace(context.Context, *workflowservice.DescribeNamespaceRequest) (*workflowservice.DescribeNamespaceResponse, error) {
	if err := f.err(f.asked.Add(1)); err != nil {
		return nil, serviceerror.ToStatus(err).Err()
	}
	return &workflowservice.DescribeNamespaceResponse{}, nil
}

func (f *frontend) GetSystemInfo(context.Context, *workflowservice.GetSystemInfoRequest) (*workflowservice.GetSystemInfoResponse, error) {
	return &workflowservice.GetSystemInfoResponse{}, nil
}

func (f *frontend) serve(t *testing.T, addr string) string {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	server := grpc.NewServer()
	workflowservice.RegisterWorkflowServiceServer(server, f)
	go func() { _ = server.Serve(ln) }()
	t.Cleanup(server.Stop)
	return ln.Addr().String()
}

func TestDialTemporalWaitsUntilTheServerIsThere(t *testing.T) {
	noTemporalSettings(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := ln.Addr().String()
	require.NoError(t, ln.Close())
	t.Setenv("TEMPORAL_ADDRESS", addr)

	log, logs := observed()
	connected := make(chan error, 1)
	go func() {
		c, err := DialTemporal(t.Context(), log)
		if err == nil {
			c.Close()
		}
		connected <- err
	}()
	require.Eventually(t, func() bool {
		return logs.FilterMessageSnippet("waiting for Temporal").Len() == 1
	}, 10*time.Second, time.Millisecond)
	(&frontend{err: func(int32) error { return nil }}).serve(t, addr)
	require.NoError(t, <-connected)
	assert.Equal(t, 1, logs.FilterMessageSnippet("waiting for Temporal").Len(), "said once, not per attempt")
	assert.Equal(t, 1, logs.FilterMessage("connected to Temporal").Len())
}

func TestDialTemporalWaitsForTheNamespace(t *testing.T) {
	noTemporalSettings(t)
	f := &frontend{err: func(attempt int32) error {
		if attempt == 1 {
			return serviceerror.NewNamespaceNotFound("default")
		}
		return nil
	}}
	t.Setenv("TEMPORAL_ADDRESS", f.serve(t, "127.0.0.1:0"))
	log, logs := observed()
	c, err := DialTemporal(t.Context(), log)
	require.NoError(t, err)
	c.Close()
	waiting := logs.FilterMessageSnippet("waiting for Temporal").All()
	require.Len(t, waiting, 1)
	assert.Contains(t, waiting[0].ContextMap()["error"], "temporal operator namespace create")
}

func TestDialTemporalDoesNotWaitForRefusedCredentials(t *testing.T) {
	noTemporalSettings(t)
	for _, no := range []error{
		serviceerror.NewPermissionDenied("no", ""),
		serviceerror.FromStatus(status.New(codes.Unauthenticated, "who are you?")),
	} {
		f := &frontend{err: func(int32) error { return no }}
		t.Setenv("TEMPORAL_ADDRESS", f.serve(t, "127.0.0.1:0"))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_, err := DialTemporal(ctx, zap.NewNop())
		require.ErrorContains(t, err, "refuses the credentials")
		assert.EqualValues(t, 1, f.asked.Load())
	}
}

func TestDialTemporalGivesUpWhenToldTo(t *testing.T) {
	noTemporalSettings(t)
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := DialTemporal(ctx, zap.NewNop())
	require.ErrorContains(t, err, "gave up waiting for Temporal at 127.0.0.1:1")
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestDialTemporalRefusesUnreadableSettings(t *testing.T) {
	noTemporalSettings(t)
	t.Setenv("TEMPORAL_PROFILE", "nope")
	_, err := DialTemporal(t.Context(), zap.NewNop())
	require.ErrorContains(t, err, "reading the Temporal connection")
}
