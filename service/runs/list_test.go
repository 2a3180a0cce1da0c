package runs

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	commonpb "go.temporal.io/api/common/v1"
	workflowpb "go.temporal.io/api/workflow/v1"

	"github.com/tenurehq/tenure/workflows"
)

func TestFilterAsQuery(t *testing.T) {
	const open = "WorkflowId STARTS_WITH 'person:' AND ExecutionStatus = 'Running'"
	for _, tc := range []struct {
		filter Filter
		query  string
	}{
		{Filter{}, open},
		{Filter{Person: "O'Hara"}, "WorkflowId = 'person:O''Hara' AND ExecutionStatus = 'Running'"},
		{Filter{AtWork: true}, open + " AND TenureStage != 'scheduled'"},
		{Filter{DueBefore: time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)}, open + " AND TenureNextDue < '2026-03-01T00:00:00Z'"},
		{Filter{Leaving: true}, open + " AND (WorkflowType = 'Leaver' OR TenureNextAction = 'end' OR TenureNextAction STARTS_WITH 'delete'" +
			" OR TenureNextAction STARTS_WITH 'hold' OR TenureNextAction STARTS_WITH 'approve')"},
	} {
		assert.Equal(t, tc.query, tc.filter.query())
	}
}

func TestRunsThatNeedSomebodyComeFirst(t *testing.T) {
	list := []Run{{Stage: workflows.StageHeld}, {Stage: workflows.StageApplying}, {Stage: workflows.StageAttention}}
	slices.SortStableFunc(list, byNeed)
	assert.Equal(t, []Run{{Stage: workflows.StageAttention}, {Stage: workflows.StageApplying}, {Stage: workflows.StageHeld}}, list)
}

func TestOnlyPeoplesRunsAreListed(t *testing.T) {
	run := func(id string) *workflowpb.WorkflowExecutionInfo {
		return &workflowpb.WorkflowExecutionInfo{Execution: &commonpb.WorkflowExecution{WorkflowId: id}, Type: &commonpb.WorkflowType{Name: "Leaver"}}
	}
	found, ok := runOf(run("person:10004"))
	assert.True(t, ok)
	assert.Equal(t, "10004", found.Person)
	assert.Equal(t, "Leaver", found.Type)
	_, ok = runOf(run("tenure-sweep"))
	assert.False(t, ok)
}
