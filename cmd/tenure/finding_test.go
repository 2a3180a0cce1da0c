package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service"
)

// found has scans find f-1 to f-4: a stray entitlement, an account that is nobody's in the
// chat and one in the app that is named, and another stray.
func (s *site) found(ends string) {
	s.t.Helper()
	l := s.ledger()
	defer func() { require.NoError(s.t, l.Close()) }()
	now := time.Now().Add(-time.Minute).UTC()
	stranger := memory.Shared("chat").Put(connector.Account{Username: "stranger", Active: true})
	for i, one := range []struct {
		app  string
		seen ledger.Observed
		f    ledger.Finding
	}{
		{"wiki", ledger.Observed{AccountID: "1", Username: "gfacello", Entitlements: []string{"admins", "owners"}}, ledger.Finding{Kind: ledger.FindingStray, What: "admins", PersonID: "10001"}},
		{"chat", ledger.Observed{AccountID: stranger, Username: "stranger"}, ledger.Finding{Kind: ledger.FindingOrphan}},
		{ends, ledger.Observed{AccountID: "o-1", Username: "bsimmel"}, ledger.Finding{Kind: ledger.FindingOrphan, PersonID: "10002", Candidates: []string{"10002"}, By: "username"}},
		{"wiki", ledger.Observed{AccountID: "1", Username: "gfacello", Entitlements: []string{"admins", "owners"}}, ledger.Finding{Kind: ledger.FindingStray, What: "owners", PersonID: "10001"}},
	} {
		one.f.Enabled = true
		verdict := ledger.Verdict{Findings: []ledger.Finding{one.f}}
		if i == 3 { // the other one is still there
			verdict.Keep = []int64{1}
		}
		s.sees(l, now, one.app, one.seen, verdict)
	}
}

// sees has a scan of an app see one account, which is on, and find what is open about it.
func (s *site) sees(l ledger.Ledger, now time.Time, app string, seen ledger.Observed, v ledger.Verdict) {
	s.t.Helper()
	scan, err := l.BeginScan(s.t.Context(), app, rand.Text(), now)
	require.NoError(s.t, err)
	seen.At, seen.Active, v.AccountID = now, true, seen.AccountID
	for i := range v.Findings {
		v.Findings[i].State = ledger.FindingOpen
	}
	require.NoError(s.t, l.Observe(s.t.Context(), ledger.Listed{Scan: scan.ID, Accounts: []ledger.Observed{seen}}))
	_, err = l.EndListing(s.t.Context(), scan.ID, now, -1)
	require.NoError(s.t, err)
	_, err = l.SaveVerdicts(s.t.Context(), ledger.Compared{Scan: scan.ID, At: now, Verdicts: []ledger.Verdict{v}})
	require.NoError(s.t, err)
	require.NoError(s.t, l.EndScan(s.t.Context(), ledger.ScanEnd{Scan: scan.ID, At: now, State: ledger.ScanDone}))
}

func TestFindingsAreListedShownAndDecided(t *testing.T) {
	s := newSite(t)
	s.people()
	memory.Shared("chat").Reset()
	s.found("chat")
	(&frontend{}).serve(t)
	said := func(args string) result { return s.run(strings.Fields(args)...) }

	got := said("finding list")
	assert.Equal(t, service.ExitAttention, got.code)
	for _, line := range []string{"stray", "admins", "10001", "stranger", "orphan", "10002"} {
		assert.Contains(t, got.stdout, line)
	}
	assert.Contains(t, got.err, "nobody's in chat: 2 of ")
	got = said("finding list --kind orphan --app chat -o json")
	var listed []findingView
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &listed))
	require.Len(t, listed, 2)
	assert.Equal(t, []string{"adopt", "end"}, listed[0].Remedies)
	assert.Contains(t, said("finding show f-3").stdout, "what may be done: adopt, end")
	assert.Contains(t, said("finding list --kind orfan").err, `did you mean "orphan"?`)

	got = said("finding repair f-1 --reason x --operator olga")
	assert.Equal(t, service.ExitAttention, got.code)
	assert.Contains(t, got.stdout, "repair: stray admins of account 1 gfacello in wiki, of 10001\n")
	got = said("finding repair f-1 --reason x --operator olga --apply")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.stdout, "f-1: the run of person 10001 puts it right\n")
	assert.Contains(t, said("finding repair f-1 --reason x --operator olga --apply").err, "f-1 is being repaired")

	got = said("finding accept f-4 --until 30d --reason x --operator olga --apply")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.stdout, "f-4: accepted as x-1; the next scan ends the finding\n")
	assert.Contains(t, said("exception show x-1").stdout, "f-4")

	got = said("finding end f-2")
	assert.Equal(t, service.ExitAttention, got.code)
	for _, line := range []string{
		"end: orphan of account ", " stranger in chat\n", "  as the account of nobody (orphan:f-2)\n", "  chat: disable\n", "  chat: strip\n", "  chat: delete 20",
	} {
		assert.Contains(t, got.stdout, line)
	}
	got = said("finding end f-2 -o json")
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &listed))
	assert.Equal(t, []any{"orphan:f-2", []string{"chat: disable", "chat: strip"}}, []any{listed[0].EndsAs, listed[0].Steps})
	got = said("finding end f-2 --reason x --operator olga --apply")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.stdout, "f-2: it ends as the account of nobody (orphan:f-2): tenure person show orphan:f-2\n")
	assert.Contains(t, said("finding show f-2").stdout, "what may be done: adopt")
	assert.Contains(t, said("person show orphan:f-2").stdout, "chat")
	assert.NotContains(t, said("person list").stdout, "orphan:f-2")
	assert.Contains(t, said("person list --orphans").stdout, "orphan:f-2")
	assert.NotContains(t, said("person list --orphans").stdout, "10001")

	got = said("finding end f-3 --reason x --operator olga --apply")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, said("finding show f-3").stdout, "repairing")
	got = said("finding adopt f-2 --person 10003 --reason x --operator olga --apply")
	require.Equal(t, service.ExitDone, got.code, got.err)
}

func TestAScanIsBelievedOnlyIfItIsDoubted(t *testing.T) {
	s := newSite(t)
	s.people()
	f := &frontend{}
	f.serve(t)
	assert.Contains(t, s.run("app", "scan", "wiky").err, `did you mean "wiki"?`)
	assert.Contains(t, s.run("app", "scan", "wiki", "--believe", "--operator", "olga").err, "--reason")
	assert.Contains(t, s.run("app", "scan", "wiki", "--believe", "--reason", "x", "--operator", "olga").err, "there is nothing to believe")
	got := s.run("app", "scan", "wiki")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.err, "a scan of wiki has begun: tenure finding list --app wiki\n")
	assert.Equal(t, []string{"reconcile:wiki"}, f.started)
}

// StartWorkflowExecution starts a scan.
func (f *frontend) StartWorkflowExecution(_ context.Context, r *workflowservice.StartWorkflowExecutionRequest) (*workflowservice.StartWorkflowExecutionResponse, error) {
	f.started = append(f.started, r.GetWorkflowId())
	return &workflowservice.StartWorkflowExecutionResponse{RunId: "run"}, nil
}
