package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/workflows"
)

const erasing = `
kafka: {brokers: ["127.0.0.1:1"]}
ledger: {url: "sqlite:tenure.db"}
privacy: {keep: 1s, pepper: "${env:TENURE_TEST_PEPPER}"}
leaver: {retain: 0s, handOver: none}
apps:
  wiki: {connector: memory, settings: {name: erasing}}
roles:
  - {name: everyone, when: "true", grants: [{app: wiki}]}
`

// Somebody is hired, leaves, and is erased by the schedule. Nothing that names them is in the
// ledger's files, in Temporal's histories and in the log, while others' runs are open.
func TestTheScheduleErasesWhoLeft(t *testing.T) {
	s := startTemporal(t)
	t.Setenv("TENURE_TEST_PEPPER", "0123456789abcdef0123456789abcdef")
	path := filepath.Join(t.TempDir(), "tenure.yaml")
	require.NoError(t, os.WriteFile(path, []byte(erasing), 0o600))
	cfg, err := config.LoadFor(path, config.PartLedger, config.PartPrivacy)
	require.NoError(t, err)
	s.ledger.(interface{ SetPepper(pepper []byte) }).SetPepper(cfg.Privacy.Key())

	logs, seen := observer.New(zapcore.DebugLevel)
	stop := s.works(t, cfg, zap.New(logs), prometheus.NewRegistry())

	hired, left := hiredAndCutOff(1, false)
	hired.Profile.GivenName, hired.Profile.FamilyName = "Wilhelmina", "Quartzberg"
	hired.Profile.WorkEmail, hired.Profile.Phone = "wq@example.com", "+49 30 555 0188"
	waits, _ := hiredAndCutOff(2, false)
	waits.Profile.StartDate, waits.Effective = hr.DateOf(time.Now().UTC()).AddDays(9), hr.DateOf(time.Now().UTC()).AddDays(9)
	waits.Profile.ManagerID = hired.PersonID
	s.hears(t, hired)
	s.hears(t, waits) // whose run stays open
	until := func(what string, is func(p ledger.Person) bool) {
		t.Helper()
		if !assert.Eventually(t, func() bool {
			p, err := s.ledger.Person(t.Context(), hired.PersonID)
			return err == nil && is(p)
		}, time.Minute, 50*time.Millisecond, what) {
			p, err := s.ledger.Person(t.Context(), hired.PersonID)
			require.Fail(t, what, "%+v %v", p, err)
		}
	}
	until("an account", func(p ledger.Person) bool { return len(p.Links) == 1 && p.Links[0].State == ledger.LinkActive })
	require.Len(t, memory.Shared("erasing").Accounts(), 1)
	s.hears(t, left)
	until("it is deleted", func(p ledger.Person) bool {
		return len(p.Links) == 1 && p.Links[0].State == ledger.LinkDeleted && p.DueAt.IsZero() && time.Now().After(p.Links[0].DeletedAt.Add(time.Second))
	})
	before := files(t, s.path)
	assert.Contains(t, before, "Quartzberg")

	schedule := s.client.ScheduleClient().GetHandle(t.Context(), "tenure-erase")
	require.NoError(t, schedule.Trigger(t.Context(), client.ScheduleTriggerOptions{}))
	until("erased", func(p ledger.Person) bool { return !p.ErasedAt.IsZero() })
	var run string
	require.Eventually(t, func() bool {
		list, err := s.client.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: "WorkflowType = 'Erase' AND ExecutionStatus = 'Completed'"})
		if err != nil || len(list.GetExecutions()) == 0 {
			return false
		}
		run = list.GetExecutions()[0].GetExecution().GetWorkflowId()
		return true
	}, time.Minute, 50*time.Millisecond)
	var result workflows.EraseResult
	require.NoError(t, s.client.GetWorkflow(t.Context(), run, "").Get(t.Context(), &result))
	assert.Equal(t, workflows.EraseResult{Erased: 1}, result)

	search := newSearch([]string{"Wilhelmina", "Quartzberg", "wquartzberg", "wq@example.com", "555 0188"})
	require.NotEmpty(t, search.in("Frau Quartzberg"))
	assert.Empty(t, search.in(files(t, s.path)), "in the ledger's files")
	open := 0
	list, err := s.client.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{})
	require.NoError(t, err)
	for _, found := range list.GetExecutions() {
		if found.GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
			open++
		}
		id := found.GetExecution()
		history := historyOf(t, s.client, id.GetWorkflowId(), id.GetRunId())
		assert.Empty(t, search.in(textOf(t, found)+textOf(t, history)), id.GetWorkflowId())
	}
	assert.Positive(t, open)
	for _, entry := range seen.All() {
		assert.Empty(t, search.in(entry.Message), entry.Message)
		for _, value := range entry.ContextMap() {
			if text, ok := value.(string); ok {
				assert.Empty(t, search.in(text), entry.Message)
			}
		}
	}
	// New histories are fixtures of the replay test of package workflows.
	if file := os.Getenv("TENURE_RECORD_ERASE"); file != "" {
		text, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(historyOf(t, s.client, run, ""))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, append(text, '\n'), 0o600))
	}

	// HR's topic is read again, and nothing comes back.
	receipts, err := s.ledger.Record(t.Context(), []ledger.Received{{Event: hired, At: time.Now()}, {Event: left, At: time.Now()}})
	require.NoError(t, err)
	for _, r := range receipts {
		assert.True(t, r.Duplicate)
	}
	assert.Empty(t, search.in(files(t, s.path)))
	require.NoError(t, stop())
}

func historyOf(t *testing.T, c client.Client, workflowID, runID string) *historypb.History {
	t.Helper()
	history := &historypb.History{}
	for events := c.GetWorkflowHistory(t.Context(), workflowID, runID, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		event, err := events.Next()
		require.NoError(t, err)
		history.Events = append(history.Events, event)
	}
	return history
}

// files returns the bytes of a ledger's files.
func files(t *testing.T, path string) (all string) {
	t.Helper()
	found, err := filepath.Glob(path + "*")
	require.NoError(t, err)
	for _, file := range found {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		all += string(b)
	}
	return all
}
