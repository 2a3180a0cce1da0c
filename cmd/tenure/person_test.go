package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service"
)

func TestPeopleAreSelected(t *testing.T) {
	s := newSite(t)
	s.people()
	for name, tc := range map[string]struct {
		args []string
		ids  string
	}{
		"department, whatever its case": {[]string{"--department", "sales"}, "10002"},
		"manager":                       {[]string{"--manager", "10003"}, "10001"},
		"name":                          {[]string{"--name", "bam"}, "10003"},
		"app":                           {[]string{"--app", "chat"}, "10001"},
		"role":                          {[]string{"--role", "everyone", "--department", "Research"}, "10001"},
		"page":                          {[]string{"--limit", "1", "--after", "10001"}, "10002"},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.run(append([]string{"person", "list", "-o", "csv"}, tc.args...)...)
			require.Equal(t, service.ExitDone, got.code, got.err)
			lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
			require.Len(t, lines, 2, got.stdout)
			assert.True(t, strings.HasPrefix(lines[1], tc.ids+","), got.stdout)
		})
	}
	for name, args := range map[string][]string{
		"status": {"--status", "foo"}, "role": {"--role", "everyon"}, "app": {"--app", "wiky"},
		"department": {"--department", "Saless"}, "manager": {"--manager", "1"}, "limit": {"--limit", "-1"},
	} {
		t.Run("wrong "+name, func(t *testing.T) {
			assert.Equal(t, service.ExitUsage, s.run(append([]string{"person", "list"}, args...)...).code)
		})
	}
}

func TestWhoHasAccessAndWhy(t *testing.T) {
	s := newSite(t)
	s.people()
	got := s.run("access", "who", "wiki", "staff", "-o", "csv")
	assert.Contains(t, got.stdout, "10001,Georgi Facello,gfacello,active,editors staff,everyone", got.err)
	assert.NotContains(t, got.stdout, "10002", "a disabled account is no access")
	assert.Contains(t, s.run("access", "who", "wiki", "editors", "-o", "json").stdout, `"roles": []`)
	assert.Equal(t, service.ExitUsage, s.run("access", "who", "wiki", "stuff").code)
	assert.Equal(t, service.ExitUsage, s.run("access", "who", "wiky").code)

	s.write("tenure.yaml", configuration+"  - {name: sales, when: \"person.workerType == 'employee' && person.department == 'Sales'\", grants: [{app: wiki, entitlements: [sales, staff]}]}\n")
	who := s.run("access", "who", "wiki", "staff", "-o", "csv")
	assert.Contains(t, who.stdout, "editors staff,everyone,", "a role that does not hold grants nothing")
	why := s.run("person", "why", "10001", "wiki", "-o", "json")
	assert.Equal(t, service.ExitDone, why.code, why.err)
	assert.Contains(t, why.stdout, "\"failed\": [\n        \"person.department == \\\"Sales\\\"\"\n      ]")
	assert.Contains(t, s.run("person", "why", "10001").stdout, "not true: person.department")
	assert.Equal(t, service.ExitUsage, s.run("person", "why", "10001", "wiky").code)
	assert.Equal(t, service.ExitFailed, s.run("person", "why", "1").code)
}

func TestCSVHasNoFormulas(t *testing.T) {
	var out strings.Builder
	require.NoError(t, writeCSV(&out, []string{"a", "b"}, [][]string{{"=1+1", " @x"}, {"-2", "\t=1"}, {"a,b", "a\x1b[31m"}}))
	assert.Equal(t, "a,b\n'=1+1,' @x\n'-2,\\t=1\n\"a,b\",a\\x1b[31m\n", out.String())
}

func TestVersionFlag(t *testing.T) {
	got := newSite(t).run("--version")
	assert.Equal(t, service.ExitDone, got.code)
	assert.Contains(t, got.stdout, service.Version())
}

func TestAnOperationOfAnAppIsShown(t *testing.T) {
	s := newSite(t)
	s.people()
	now := at("2026-03-01 00:00:05")
	l, step := s.ledger(), ledger.Attempt{PersonID: "10002", App: "wiki", Key: "wiki/HandOver/1", Kind: "HandOver", At: now, Deadline: now.Add(time.Minute)}
	begun, err := l.BeginStep(t.Context(), step)
	require.NoError(t, err)
	require.NoError(t, l.FinishStep(t.Context(), ledger.Outcome{
		PersonID: step.PersonID, App: step.App, Key: step.Key, Kind: step.Kind, Attempt: begun.Attempt, At: now, State: ledger.StepOpen,
		Code: "underway", Message: "hand_over: the app is transferring the data",
		Underway: ledger.Underway{Operation: "job-17", Call: connector.OpHandOver, Since: now, LookAt: now.Add(time.Hour)},
	}))
	require.NoError(t, l.Close())
	got := s.run("person", "show", "10002")
	assert.Regexp(t, `wiki +HandOver +under way since `+now.UTC().Format("2006-01-02"), got.stdout)
	assert.Contains(t, s.run("person", "show", "10002", "-o", "json").stdout, `"operation": "job-17"`)
}
