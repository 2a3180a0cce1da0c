package bench

import (
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
)

// What Temporal Cloud bills as an action, of what a history shows
// (https://docs.temporal.io/cloud/actions). Not in a history are queries, rejected updates,
// heartbeats and schedules.
const (
	actionStart    = "start"
	actionSignal   = "signal" // a signal-with-start is one action in all
	actionStep     = "activity"
	actionLocal    = "local activities" // all of one workflow task are one action
	actionUpsert   = "search attributes"
	actionTimer    = "timer"
	actionUpdate   = "update"
	actionPriority = "options" // of the run: its priority is raised while it is at work
)

// actionOf maps the types of events that are one action each, whatever is in them.
var actionOf = map[enumspb.EventType]string{
	enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:        actionSignal,
	enumspb.EVENT_TYPE_TIMER_STARTED:                      actionTimer,
	enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: actionUpdate,
	enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED: actionPriority,
}

// changeVersions is the search attribute that the SDK writes for versions. It is not billed.
const changeVersions = "TemporalChangeVersion"

// billing counts the billable actions of one run.
type billing struct {
	actions map[string]int
	started bool  // by the last event, and not by another run
	marked  int64 // the workflow task whose markers were counted last
}

// add counts the next event.
func (b *billing) add(event *historypb.HistoryEvent) {
	started := b.started
	b.started = false
	switch kind := event.GetEventType(); kind {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
		b.actions[actionStart]++
		b.started = event.GetWorkflowExecutionStartedEventAttributes().GetContinuedExecutionRunId() == ""
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED:
		b.actions[actionStep] += int(event.GetActivityTaskStartedEventAttributes().GetAttempt())
	case enumspb.EVENT_TYPE_MARKER_RECORDED:
		if task := event.GetMarkerRecordedEventAttributes().GetWorkflowTaskCompletedEventId(); task != b.marked {
			b.marked = task
			b.actions[actionLocal]++
		}
	case enumspb.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
		fields := event.GetUpsertWorkflowSearchAttributesEventAttributes().GetSearchAttributes().GetIndexedFields()
		if _, versions := fields[changeVersions]; !versions || len(fields) > 1 {
			b.actions[actionUpsert]++
		}
	default:
		if action, ok := actionOf[kind]; ok {
			b.actions[action]++
		}
		if started && kind == enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED {
			delete(b.actions, actionStart)
		}
	}
}

func (b *billing) total() (n int64) {
	for _, some := range b.actions {
		n += int64(some)
	}
	return n
}
