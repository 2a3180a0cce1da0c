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

// TestCreepIsShownOfPeopleAndTheCompany has an administrator of the wiki give 10001 what no role
// gives: of four entitlements of two people, it is one.
func TestCreepIsShownOfPeopleAndTheCompany(t *testing.T) {
	s := planSite(t)
	assert.Contains(t, s.run("access", "creep").stdout, "roles explain all that people have")
	l := s.ledger()
	s.sees(l, time.Now().UTC(), "wiki", ledger.Observed{AccountID: "w10001", Username: "alovelace", Entitlements: []string{"owners", "papers", "staff"}}, ledger.Verdict{})
	require.NoError(t, l.Close())

	got := s.run("access", "creep")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.stdout, "25%: 1 of 4 entitlements are explained by no role")
	assert.Contains(t, got.stdout, "1 of 2 have one")
	assert.Regexp(t, `10001\s+Ada Lovelace\s+\S*\s*33%\s+1\s+3\s+wiki:owners \(stray\)`, got.stdout)
	assert.NotContains(t, got.stdout, "10002", "roles explain what they have")

	var v companyCreepView
	got = s.run("access", "creep", "-o", "json")
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &v), got.err)
	assert.Equal(t, 2, v.Company.People)
	assert.InDelta(t, 1.0/3, v.Company.Highest, 1e-9)
	assert.Zero(t, v.Company.Median)
	require.Len(t, v.People, 1)

	got = s.run("access", "creep", "--person", "10002", "-o", "csv")
	assert.Equal(t, creepHeader+"\n10002,Alan Turing,,0%,0,1,", strings.TrimSpace(got.stdout))
	s.refuses(service.ExitUsage, "--person: ", "access", "creep", "--person", "10009")
}
