package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/operator/report"
	"github.com/tenurehq/tenure/service"
)

// The evidence about somebody who has left, and about somebody who has not, is shown on
// one page.
func TestEvidence(t *testing.T) {
	s := newSite(t)
	s.people()
	l := s.ledger()
	require.NoError(t, l.FinishStep(t.Context(), ledger.Outcome{
		PersonID: "10002", App: "wiki", Key: "wiki/Disable/1", Kind: "Disable", At: at("2026-02-28 23:00:01"), State: ledger.StepDone,
		Audit: &ledger.AuditRow{Action: "disabled", Actor: "tenure", Cause: "terminated (workday/e-4)", Detail: map[string]any{"sessions": 2}},
	}))
	cfg, err := config.Load("tenure.yaml")
	require.NoError(t, err)
	for name, id := range map[string]string{"evidence": "10001", "evidence-left": "10002"} {
		v, err := report.EvidenceOf(t.Context(), l, cfg.Policy, id, at("2026-03-05 00:00:00"))
		require.NoError(t, err)
		p := &page{}
		drawEvidence(p, v)
		golden(t, name, p.buf.String())
		text, err := json.MarshalIndent(v, "", "  ")
		require.NoError(t, err)
		golden(t, name+".json", string(text))
	}
	require.NoError(t, l.Close())

	got := s.run("person", "evidence", "10002", "-o", "json")
	assert.Equal(t, service.ExitAttention, got.code, got.err)
	var v report.Evidence
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &v))
	require.Len(t, v.Apps, 1)
	require.NotNil(t, v.Apps[0].Off)
	assert.Equal(t, operator.Off{DueAt: at("2026-02-28 23:00:00"), ProvenAt: at("2026-02-28 23:00:01"), AfterSeconds: 1}, *v.Apps[0].Off)
	assert.Len(t, v.Said, 3)
	assert.Equal(t, 1, v.Unfinished)
	assert.Equal(t, service.ExitDone, s.run("person", "evidence", "10003").code)
	assert.Equal(t, service.ExitFailed, s.run("person", "evidence", "4711").code)
}

// An account that is not proven to be off is never said to be off.
func TestEvidenceOfAccessThatEnded(t *testing.T) {
	due := at("2026-03-01 00:00:00")
	for name, tc := range map[string]struct {
		link ledger.Link
		says string
	}{
		"off":     {ledger.Link{State: ledger.LinkDisabled, DisabledAt: due.Add(90 * time.Second)}, "proven off 2026-03-01 00:01:30Z (1m30s later)"},
		"before":  {ledger.Link{State: ledger.LinkDisabled, DisabledAt: due.Add(-time.Hour)}, "was off before: since 2026-02-28 23:00:00Z"},
		"deleted": {ledger.Link{State: ledger.LinkDeleted, DeletedAt: due}, "proven off 2026-03-01 00:00:00Z (0s later)"},
		"active":  {ledger.Link{State: ledger.LinkActive, DisabledAt: due}, "NOT proven to be off"},
		"planned": {ledger.Link{State: ledger.LinkPlanned}, "NOT proven to be off"},
		"unknown": {ledger.Link{State: ledger.LinkDisabled}, "NOT proven to be off"},
	} {
		assert.Contains(t, offText(*operator.OffOf(tc.link, due)), tc.says, name)
	}
}
