package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service"
)

func TestFigures(t *testing.T) {
	s := newSite(t)
	s.people()
	l := s.ledger()
	turned := func(person, key string, state ledger.LinkState, since string, took time.Duration) {
		t.Helper()
		require.NoError(t, l.FinishStep(t.Context(), ledger.Outcome{
			PersonID: person, App: "wiki", Key: key, Kind: "Provision", State: ledger.StepDone, At: at(since).Add(took),
			Link: &ledger.Link{AccountID: "account of " + person, State: state},
			Audit: &ledger.AuditRow{Action: "any", Actor: ledger.ActorTenure, Detail: map[string]any{
				ledger.DetailSince: at(since).Format(time.RFC3339), ledger.DetailDepartment: "Sales",
			}},
		}))
	}
	turned("10001", "wiki/a", ledger.LinkActive, "2026-01-05 00:00:00", time.Minute)
	turned("10002", "wiki/b", ledger.LinkDisabled, "2026-01-31 23:00:00", 26*time.Hour)
	require.NoError(t, l.Close())

	got := s.run("figures", "--month", "2026-01", "--by", "app,month")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Regexp(t, `time to provision\s+wiki\s+2026-01\s+1\s+1m0s\s+1m0s\s+1m0s\s+1\s+0\s+0`, got.stdout)
	assert.Regexp(t, `time to deprovision\s+wiki\s+2026-01\s+1\s+26h0m0s\s+26h0m0s\s+26h0m0s\s+0\s+1\s+0`, got.stdout, "it was done in February, and had to be in January")
	assert.Regexp(t, `provisioning error rate\s+wiki\s+2026-01\s+0\s+1\s+0.0000`, got.stdout)

	var all []map[string]any
	require.NoError(t, json.Unmarshal([]byte(s.run("figures", "--from", "2026-01-01", "--until", "2026-03-01", "--within", "27h", "-o", "json").stdout), &all))
	assert.Equal(t, map[string]any{
		"figure": "time_to_deprovision", "count": 1.0, "median": 93600.0, "p95": 93600.0, "longest": 93600.0, "within": 1.0, "late": 0.0, "open": 0.0, "oldest": 0.0,
		"held": 0.0, "byHand": 0.0, "people": 1.0, "peopleMedian": 93600.0, "peopleP95": 93600.0,
	}, all[1])
	lines := strings.Split(s.run("figures", "--month", "2026-01", "--department", "Sales", "-o", "csv").stdout, "\n")
	assert.Equal(t, figureHeader, lines[0])
	assert.Equal(t, "time to provision,,,,1,1m0s,1m0s,1m0s,1,0,0,0s,0,0,1,1m0s,1m0s,,,", lines[1])
	assert.Contains(t, s.run("figures", "--month", "2025-01").stdout, "nothing is on the record for that time")

	for args, want := range map[string]string{
		"--by week":                            `there is app, department, month`,
		"--month January":                      "--month wants a month",
		"--month 2999-01":                      "--month wants a month that has begun",
		"--from yesterday":                     "--from wants a day",
		"--from 2026-02-01 --until 2026-02-01": "--until has to be after --from",
		"--month 2026-01 --from 2026-01-01":    "none of the others can be",
		"--within 0s":                          "--within has to be more than nothing",
		"--app wikki":                          `did you mean "wiki"?`,
	} {
		got := s.run(append([]string{"figures"}, strings.Fields(args)...)...)
		assert.Equal(t, service.ExitUsage, got.code, args)
		assert.Contains(t, got.err, want, args)
	}
}
