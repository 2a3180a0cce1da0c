package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service"
)

// licensed adds an app with two seats of a licence that everybody gets: 10001 has one, and an
// account that Tenure does not know has the other. A seat of 10002 was freed today.
func (s *site) licensed() {
	s.t.Helper()
	text, err := os.ReadFile("tenure.yaml")
	require.NoError(s.t, err)
	changed := strings.Replace(string(text), "  chat:\n", "  office:\n    connector: memory\n    settings: {licences: [desk=2]}\n  chat:\n", 1)
	s.write("tenure.yaml", strings.Replace(changed, "{app: chat}", "{app: chat}, {app: office, entitlements: [\"licence:desk\", all]}", 1))
	office := memory.Shared("office")
	s.t.Cleanup(office.Reset)
	for _, username := range []string{"gfacello", "stranger"} {
		office.Put(connector.Account{Username: username, Active: true, Entitlements: []string{"licence:desk"}})
	}
	l := s.ledger()
	defer func() { require.NoError(s.t, l.Close()) }()
	s.link(l, ledger.Link{PersonID: "10001", App: "office", AccountID: "o-1", State: ledger.LinkActive, Entitlements: []string{"all", "licence:desk"}})
	now := time.Now().UTC()
	require.NoError(s.t, l.FinishStep(s.t.Context(), ledger.Outcome{
		PersonID: "10002", App: "office", Key: "office/Strip/1", Kind: "Strip", At: now, State: ledger.StepDone,
		Audit: &ledger.AuditRow{At: now, Action: "stripped", Actor: "tenure", Detail: map[string]any{"revoked": []string{"licence:desk", "all"}}},
	}))
}

func TestLicencesAreListedWithThoseWhoWillNotGetOne(t *testing.T) {
	s := newSite(t)
	s.people()
	s.newcomers()
	s.licensed()
	got := s.run("app", "licences", "office", "-o", "json")
	require.Equal(t, service.ExitAttention, got.code, got.err)
	var licences []licenceView
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &licences))
	require.Len(t, licences, 1)
	desk := licences[0]
	assert.Equal(t, "licence:desk", desk.Licence)
	assert.Equal(t, []int{2, 2, 1}, []int{desk.Seats, desk.Used, desk.Freed})
	assert.Equal(t, []string{"10001"}, desk.Holders)
	require.NotEmpty(t, desk.Awaited)
	assert.Equal(t, len(desk.Awaited), desk.Short)
	for _, a := range desk.Awaited {
		assert.NotEqual(t, "10002", a.Person, "who has left needs none")
	}

	table := s.run("app", "licences", "office")
	assert.Contains(t, table.stdout, "none is left")
	assert.Contains(t, s.run("app", "licences", "-o", "csv").stdout, "office,licence:desk,2,2,1,1,")
	assert.Equal(t, service.ExitUsage, s.run("app", "licences", "offfice").code)
	memory.Shared("office").Reset()
	left := s.run("app", "licences")
	assert.Equal(t, service.ExitDone, left.code, "there are seats for all: %s", left.stdout)

	// Somebody else takes one of them, before those who were counted on it begin.
	memory.Shared("office").Put(connector.Account{Username: "contractor", Active: true, Entitlements: []string{"licence:desk"}})
	got = s.run("app", "licences", "office", "-o", "json")
	assert.Equal(t, service.ExitAttention, got.code)
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &licences))
	desk = licences[0]
	assert.Equal(t, []int{1, 2, 1}, []int{desk.Free, desk.Soon, desk.Short})
	assert.True(t, desk.Low)
	assert.Contains(t, s.run("app", "licences").stdout, "1 (low)")
}
