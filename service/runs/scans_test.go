package runs

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	schedulepb "go.temporal.io/api/schedule/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"

	"github.com/tenurehq/tenure/workflows"
)

// schedules is a Temporal server that has schedules and nothing else.
type schedules struct {
	workflowservice.UnimplementedWorkflowServiceServer
	are map[string]*schedulepb.Schedule
}

func (s *schedules) GetSystemInfo(context.Context, *workflowservice.GetSystemInfoRequest) (*workflowservice.GetSystemInfoResponse, error) {
	return &workflowservice.GetSystemInfoResponse{}, nil
}

func (s *schedules) ListSchedules(context.Context, *workflowservice.ListSchedulesRequest) (*workflowservice.ListSchedulesResponse, error) {
	list := &workflowservice.ListSchedulesResponse{}
	for id := range s.are {
		list.Schedules = append(list.Schedules, &schedulepb.ScheduleListEntry{ScheduleId: id, Info: &schedulepb.ScheduleListInfo{}})
	}
	return list, nil
}

func (s *schedules) CreateSchedule(_ context.Context, r *workflowservice.CreateScheduleRequest) (*workflowservice.CreateScheduleResponse, error) {
	if s.are[r.GetScheduleId()] != nil {
		return nil, serviceerror.ToStatus(serviceerror.NewWorkflowExecutionAlreadyStarted("it is there", "", "")).Err()
	}
	s.are[r.GetScheduleId()] = r.GetSchedule()
	return &workflowservice.CreateScheduleResponse{}, nil
}

func (s *schedules) DescribeSchedule(_ context.Context, r *workflowservice.DescribeScheduleRequest) (*workflowservice.DescribeScheduleResponse, error) {
	return &workflowservice.DescribeScheduleResponse{Schedule: s.are[r.GetScheduleId()], Info: &schedulepb.ScheduleInfo{}}, nil
}

func (s *schedules) UpdateSchedule(_ context.Context, r *workflowservice.UpdateScheduleRequest) (*workflowservice.UpdateScheduleResponse, error) {
	s.are[r.GetScheduleId()] = r.GetSchedule()
	return &workflowservice.UpdateScheduleResponse{}, nil
}

func (s *schedules) DeleteSchedule(_ context.Context, r *workflowservice.DeleteScheduleRequest) (*workflowservice.DeleteScheduleResponse, error) {
	delete(s.are, r.GetScheduleId())
	return &workflowservice.DeleteScheduleResponse{}, nil
}

// client returns a client of the server.
func (s *schedules) client(t *testing.T) *Client {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	workflowservice.RegisterWorkflowServiceServer(server, s)
	go func() { _ = server.Serve(ln) }()
	t.Cleanup(server.Stop)
	temporal, err := client.Dial(client.Options{HostPort: ln.Addr().String()})
	require.NoError(t, err)
	t.Cleanup(temporal.Close)
	return New(temporal, "default")
}

func TestEachAppIsScannedByAScheduleOfItsOwn(t *testing.T) {
	s := &schedules{are: map[string]*schedulepb.Schedule{"tenure-sweep": {}, "somebody's": {}, "tenure-reconcile-gone": {}, "tenure-reconcile-never": {}}}
	c := s.client(t)

	for _, every := range []time.Duration{24 * time.Hour, 6 * time.Hour} { // the second time they are there
		require.NoError(t, c.ScheduleScans(t.Context(), map[string]time.Duration{"wiki": every, "chat": every, "never": 0}))
		require.Len(t, s.are, 4, "%v", s.are)
		for _, app := range []string{"wiki", "chat"} {
			made := s.are["tenure-reconcile-"+app]
			require.NotNil(t, made, app)
			started := made.GetAction().GetStartWorkflow()
			assert.Equal(t, workflows.TypeReconcile, started.GetWorkflowType().GetName())
			assert.Equal(t, "reconcile:"+app, started.GetWorkflowId())
			assert.Contains(t, string(started.GetInput().GetPayloads()[0].GetData()), `"app":"`+app+`"`)
			interval := made.GetSpec().GetInterval()[0]
			assert.Equal(t, every, interval.GetInterval().AsDuration())
			assert.Less(t, interval.GetPhase().AsDuration(), every)
		}
		assert.NotEqual(t, s.are["tenure-reconcile-wiki"].GetSpec().GetInterval()[0].GetPhase().AsDuration(),
			s.are["tenure-reconcile-chat"].GetSpec().GetInterval()[0].GetPhase().AsDuration(), "not all at once")
		assert.Contains(t, s.are, "somebody's")
		assert.Contains(t, s.are, "tenure-sweep")
	}
}

func TestPeopleAreErasedByAScheduleOnlyIfThatIsWanted(t *testing.T) {
	s := &schedules{are: map[string]*schedulepb.Schedule{"tenure-sweep": {}}}
	c := s.client(t)
	require.NoError(t, c.ScheduleErasures(t.Context(), false))
	assert.Len(t, s.are, 1)
	for range 2 {
		require.NoError(t, c.ScheduleErasures(t.Context(), true))
		require.Len(t, s.are, 2)
	}
	made := s.are["tenure-erase"]
	assert.Equal(t, workflows.TypeErase, made.GetAction().GetStartWorkflow().GetWorkflowType().GetName())
	assert.Equal(t, 24*time.Hour, made.GetSpec().GetInterval()[0].GetInterval().AsDuration())
	require.NoError(t, c.ScheduleErasures(t.Context(), false))
	assert.Len(t, s.are, 1, "privacy.keep was taken out again")
}
