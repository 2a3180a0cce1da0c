package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service"
)

// requestSite returns a site with two roles that have to be requested.
func requestSite(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	s.people()
	text, err := os.ReadFile("tenure.yaml")
	require.NoError(t, err)
	s.write("tenure.yaml", string(text)+`  - {name: wiki-admin, when: "true", request: {most: 8h}, grants: [{app: wiki, entitlements: [admins]}]}
  - {name: bookkeeper, when: "person.department == 'Finance'", request: {most: 8h}, grants: [{app: wiki, entitlements: [books]}]}
governance: {fallback: ["10004", "10005"]}
`)
	(&frontend{}).serve(t)
	return s
}

func TestExceptionIsShownMadeListedAndEnded(t *testing.T) {
	s := requestSite(t)
	said := func(args string) result {
		return s.run(append(strings.Fields(args), "--reason", "INC 42", "--operator", "olga")...)
	}

	got := said("exception grant 10001 wiki-admin --for 2h")
	assert.Equal(t, service.ExitAttention, got.code)
	assert.Contains(t, got.stdout, "  now  wiki: grant admins\n")
	assert.Contains(t, s.run("exception", "list").stdout, "there are no exceptions")

	got = said("exception grant 10001 wiki-admin --for 2h --apply")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.stdout, "x-1 is made: role wiki-admin, from ")
	got = said("exception withhold 10001 wiki --apply -o json")
	require.Equal(t, service.ExitDone, got.code, got.err)
	var made struct {
		Exception, State string
		Steps            []string
		Applied          bool
	}
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &made))
	assert.Equal(t, "x-2", made.Exception)
	assert.Equal(t, "in force", made.State)
	assert.Contains(t, made.Steps, "wiki: disable")

	list := s.run("exception", "list", "--kind", "grant").stdout
	assert.Contains(t, list, "x-1")
	assert.NotContains(t, list, "x-2")
	why := s.run("person", "why", "10001", "wiki").stdout
	assert.Regexp(t, `wiki-admin\s+yes, by x-1`, why)
	assert.Regexp(t, `bookkeeper\s+no`, why)

	got = said("exception end x-1 --apply")
	require.Equal(t, service.ExitDone, got.code, got.err)
	shown := s.run("exception", "show", "x-1").stdout
	assert.Regexp(t, `state:\s+ended`, shown)
	assert.Regexp(t, `end reason:\s+INC 42`, shown)
	assert.Regexp(t, `wiki-admin\s+no\s+not true: it is requested and granted`, s.run("person", "why", "10001", "wiki").stdout)
}

func TestExceptionThatIsRefusedSaysWhy(t *testing.T) {
	s := requestSite(t)
	for args, want := range map[string]string{
		"exception grant 10001 wiki-admn --for 2h":                  `there is no role "wiki-admn"; did you mean "wiki-admin"?`,
		"exception grant 10001 everyone --for 2h":                   `role "everyone" cannot be granted: everybody has it for whom its condition holds`,
		"exception grant 10001 wiki-admin --for 9h":                 `role "wiki-admin" is granted for 8h at most`,
		"exception grant 10001 wiki-admin --for 0s":                 "longer than nothing",
		"exception grant 10001 bookkeeper --for 1h":                 `may not have role "bookkeeper"`,
		"exception grant 99999 wiki-admin --for 1h":                 `the ledger knows no person "99999"`,
		"exception grant 10001 wiki-admin --for soon":               "--for",
		"exception grant 10001 wiki-admin --for 1h --from tomorrow": "--from wants an instant",
		"exception withhold 10001 wikki":                            "wikki",
		"exception withhold 10001 wiki staf":                        `no role gives an entitlement "staf" in wiki, and the person does not have it; did you mean "staff"?`,
		"exception withhold 10001 wiki staff --until 2001-01-01":    "has to end in the future",
		"exception end x-9":                                         "there is no exception x-9",
		"exception end 10001":                                       "there is no exception 10001",
	} {
		got := s.run(append(strings.Fields(args), "--reason", "x", "--operator", "olga", "--apply")...)
		assert.NotEqual(t, service.ExitDone, got.code, args)
		assert.Contains(t, got.err, want, args)
	}
	got := s.run("exception", "grant", "10001", "wiki-admin", "--for", "1h", "--operator", "olga")
	assert.NotEqual(t, service.ExitDone, got.code, "no reason")
	assert.Contains(t, s.run("exception", "list", "--all").stdout, "there are no exceptions")
}

func TestAccessOnADayAndWhatDiffers(t *testing.T) {
	s := newSite(t)
	s.people()
	l := s.ledger()
	require.NoError(t, l.FinishStep(t.Context(), ledger.Outcome{
		PersonID: "10001", App: "wiki", Key: "wiki/Update/9", Kind: "Update", State: ledger.StepDone, At: time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC),
		Link:  &ledger.Link{PersonID: "10001", App: "wiki", AccountID: "a1", State: ledger.LinkActive, Entitlements: []string{"staff"}},
		Audit: &ledger.AuditRow{Action: "updated", Actor: "tenure", Cause: "everyone"},
	}))
	assert.Regexp(t, `account: active .* unknown\n`, s.run("person", "access", "10001").stdout, "no scan has seen it")
	scan, err := l.BeginScan(t.Context(), "wiki", "k", time.Date(2026, 5, 5, 9, 0, 0, 0, time.UTC))
	require.NoError(t, err)
	require.NoError(t, l.Observe(t.Context(), ledger.Listed{Scan: scan.ID, Accounts: []ledger.Observed{
		{AccountID: "a1", At: time.Date(2026, 5, 5, 9, 0, 0, 0, time.UTC), Username: "u", Active: true, LastUsedAt: time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)},
	}}))
	require.NoError(t, l.Close())
	got := s.run("person", "access", "10001")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Regexp(t, `account: active .* 2026-05-01 08:00:00Z\n`, got.stdout, "when it was last used")
	assert.Regexp(t, `wiki\s+staff\s+2026-05-04 09:00:00Z\s+everyone\s+2026-05-04 09:00:00Z`, got.stdout)
	before := s.run("person", "access", "10001", "--at", "2001-01-01", "--against", time.Now().UTC().Format(time.DateOnly))
	require.Equal(t, service.ExitDone, before.code, before.err)
	assert.Contains(t, before.stdout, "none\n")
	assert.Regexp(t, `account\s+none\s+active`, before.stdout)
	got = s.run("access", "who", "wiki", "staff", "--at", "2026-05-04")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Regexp(t, `at:\s+2026-05-04 23:59:59`, got.stdout)
	assert.Regexp(t, `10001\s+Georgi Facello\s+staff\s+2026-05-04 09:00:00Z\s+everyone\s+2026-05-04 09:00:00Z`, got.stdout)
	assert.NotContains(t, got.stdout, "10002")
	assert.Contains(t, s.run("access", "who", "wiki", "--at", "2026-05-03").stdout, "nobody\n")
	assert.Contains(t, s.run("access", "who", "wiki", "admins", "--at", "2026-05-04").stdout, "nobody\n")
	csv := s.run("access", "who", "wiki", "--at", "2026-05-04", "-o", "csv").stdout
	assert.Contains(t, csv, "person,name,entitlements,since,because,last proof\n10001,Georgi Facello,staff,")
	for wrong, why := range map[string]string{
		"yesterday": "--at wants a day", "2099-01-01": "--at is 2099-01-01, which is in the future", "2099-01-01T00:00:00Z": "which is in the future",
	} {
		assert.Contains(t, s.run("access", "who", "wiki", "--at", wrong).err, why)
		assert.Contains(t, s.run("person", "access", "10001", "--at", wrong).err, why)
	}
	assert.Contains(t, s.run("person", "access", "nobody").err, `the ledger knows no person "nobody"`)
}
