package service

import (
	"context"
	"net"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/internal/checkup"
	"github.com/tenurehq/tenure/workflows"
)

// operator fakes the part of Temporal's operator service that a check calls.
type operator struct {
	operatorservice.UnimplementedOperatorServiceServer
	attributes map[string]enumspb.IndexedValueType
}

func (o operator) ListSearchAttributes(context.Context, *operatorservice.ListSearchAttributesRequest) (*operatorservice.ListSearchAttributesResponse, error) {
	return &operatorservice.ListSearchAttributesResponse{CustomAttributes: o.attributes}, nil
}

func lookAtTemporal(t *testing.T, namespace error, attributes map[string]enumspb.IndexedValueType, polled ...string) checkup.Report {
	t.Helper()
	noTemporalSettings(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	workflowservice.RegisterWorkflowServiceServer(server, &frontend{err: func(int32) error { return namespace }, polled: polled})
	operatorservice.RegisterOperatorServiceServer(server, operator{attributes: attributes})
	go func() { _ = server.Serve(ln) }()
	t.Cleanup(server.Stop)
	t.Setenv("TEMPORAL_ADDRESS", ln.Addr().String())
	t.Setenv("TEMPORAL_NAMESPACE", "hr")
	return CheckTemporal(t.Context(), zap.NewNop(), []string{"wiki"})
}

func allAttributes() map[string]enumspb.IndexedValueType {
	return map[string]enumspb.IndexedValueType{
		"TenureStage": enumspb.INDEXED_VALUE_TYPE_KEYWORD, "TenureUrgency": enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		"TenureAttention": enumspb.INDEXED_VALUE_TYPE_KEYWORD_LIST, "TenureNextAction": enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		"TenureNextDue": enumspb.INDEXED_VALUE_TYPE_DATETIME,
		"TenureCohort":  enumspb.INDEXED_VALUE_TYPE_KEYWORD_LIST,
	}
}

// everyQueue lists the task queues of an installation with the app wiki.
var everyQueue = []string{workflows.TaskQueue, workflows.UrgentQueue, activities.AppQueue("wiki")}

func TestCheckTemporal(t *testing.T) {
	t.Run("no worker", func(t *testing.T) {
		for left := range everyQueue {
			r := lookAtTemporal(t, nil, allAttributes(), slices.Delete(slices.Clone(everyQueue), left, left+1)...)
			assert.Equal(t, 1, r.Count(checkup.Missing))
			assert.Contains(t, r.Findings, checkup.Finding{
				About: "task queue " + everyQueue[left], Verdict: checkup.Missing, Text: "no worker takes its tasks",
				Do: "start a worker with this configuration, and look into its log",
			})
		}
	})
	t.Run("all is there", func(t *testing.T) {
		r := lookAtTemporal(t, nil, allAttributes(), everyQueue...)
		assert.True(t, r.Reached)
		assert.Equal(t, len(r.Findings), r.Count(checkup.OK), "%v", r.Findings)
	})
	t.Run("no namespace", func(t *testing.T) {
		r := lookAtTemporal(t, serviceerror.NewNamespaceNotFound("hr"), nil)
		assert.True(t, r.Reached)
		assert.Contains(t, r.Findings, checkup.Finding{
			About: "namespace hr", Verdict: checkup.Missing, Text: "it does not exist", Do: "temporal operator namespace create -n hr",
		})
	})
	t.Run("attributes", func(t *testing.T) {
		attributes := allAttributes()
		delete(attributes, "TenureStage")
		attributes["TenureNextDue"] = enumspb.INDEXED_VALUE_TYPE_TEXT
		r := lookAtTemporal(t, nil, attributes, everyQueue...)
		require.Equal(t, 2, r.Count(checkup.Missing), "%v", r.Findings)
		for _, f := range r.Findings {
			switch f.About {
			case "search attribute TenureStage":
				assert.Equal(t, "temporal operator search-attribute create -n hr --name TenureStage --type Keyword", f.Do)
			case "search attribute TenureNextDue":
				assert.Equal(t, "it is of type Text, and has to be Datetime", f.Text)
			default:
				assert.NotEqual(t, checkup.Missing, f.Verdict, f.About)
			}
		}
	})
	t.Run("nobody there", func(t *testing.T) {
		noTemporalSettings(t)
		t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
		r := CheckTemporal(t.Context(), zap.NewNop(), []string{"wiki"})
		assert.False(t, r.Reached)
		assert.Contains(t, r.Problem, "check TEMPORAL_ADDRESS")
	})
}
