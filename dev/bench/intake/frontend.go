package intake

import (
	"context"
	"net"
	"sync"

	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
)

// frontend fakes the part of a Temporal server that a starter needs. It takes every
// signal and does nothing with it.
type frontend struct {
	workflowservice.UnimplementedWorkflowServiceServer
	operatorservice.UnimplementedOperatorServiceServer
	address string
	server  *grpc.Server

	mu      sync.Mutex
	stalled chan struct{} // closed when it answers again; nil: it answers
}

func serveFrontend() (*frontend, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &frontend{address: ln.Addr().String(), server: grpc.NewServer()}
	workflowservice.RegisterWorkflowServiceServer(f.server, f)
	operatorservice.RegisterOperatorServiceServer(f.server, f)
	go func() { _ = f.server.Serve(ln) }()
	return f, nil
}

func (f *frontend) close() { f.server.Stop() }

// stall makes signals wait until release is called.
func (f *frontend) stall() (release func()) {
	stalled := make(chan struct{})
	f.mu.Lock()
	f.stalled = stalled
	f.mu.Unlock()
	return sync.OnceFunc(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.stalled = nil
		close(stalled)
	})
}

// SignalWithStartWorkflowExecution implements the service.
func (f *frontend) SignalWithStartWorkflowExecution(ctx context.Context, _ *workflowservice.SignalWithStartWorkflowExecutionRequest) (*workflowservice.SignalWithStartWorkflowExecutionResponse, error) {
	f.mu.Lock()
	stalled := f.stalled
	f.mu.Unlock()
	if stalled != nil {
		select {
		case <-stalled:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return &workflowservice.SignalWithStartWorkflowExecutionResponse{}, nil
}

// DescribeNamespace implements the service.
func (f *frontend) DescribeNamespace(context.Context, *workflowservice.DescribeNamespaceRequest) (*workflowservice.DescribeNamespaceResponse, error) {
	return &workflowservice.DescribeNamespaceResponse{}, nil
}

// GetSystemInfo implements the service.
func (f *frontend) GetSystemInfo(context.Context, *workflowservice.GetSystemInfoRequest) (*workflowservice.GetSystemInfoResponse, error) {
	return &workflowservice.GetSystemInfoResponse{}, nil
}

// ListSearchAttributes implements the service.
func (f *frontend) ListSearchAttributes(context.Context, *operatorservice.ListSearchAttributesRequest) (*operatorservice.ListSearchAttributesResponse, error) {
	return &operatorservice.ListSearchAttributesResponse{}, nil
}

// AddSearchAttributes implements the service.
func (f *frontend) AddSearchAttributes(context.Context, *operatorservice.AddSearchAttributesRequest) (*operatorservice.AddSearchAttributesResponse, error) {
	return &operatorservice.AddSearchAttributesResponse{}, nil
}
