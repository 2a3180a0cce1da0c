package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
)

// Types of the ledger and of the operator layer that are printed as they are keep their
// JSON fields, and the order of these.
func TestShapes(t *testing.T) {
	when := at("2026-03-01 00:00:00")
	text, err := json.MarshalIndent([]any{
		ledger.AuditRow{Seq: 1, At: when, PersonID: "p", App: "wiki", Action: "a", Actor: "ada", Login: "root", Cause: "c", Detail: map[string]any{"x": 1}},
		ledger.AuditRow{},
		ledger.Step{PersonID: "p", Key: "k", App: "wiki", Kind: "Update", State: "open", Attempts: 2, Code: "c", Message: "m", PlannedAt: when, LastAttemptAt: when, FinishedAt: when, Reason: "r"},
		ledger.Step{},
		ledger.Approval{PersonID: "p", App: "wiki", Key: "k", State: "asked", AskedAt: when, LookAt: when, Reminders: 1, ApprovedAt: when, Operator: "ada", Login: "root", Reason: "r"},
		ledger.Approval{},
		[]operator.SecuredApp{{PersonID: "p", App: "wiki", State: "disabled", ProvenAt: when, Done: true, Stuck: true, Code: "c", Message: "m"}, {PersonID: "p"}},
		operator.Repaired{Steps: 1, Settled: 2, People: 3},
	}, "", "  ")
	require.NoError(t, err)
	golden(t, "shapes", string(text))
}
