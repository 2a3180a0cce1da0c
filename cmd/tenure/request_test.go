package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/service"
)

// approvalSite returns a site on which roles of several kinds can be requested. 10004 and 10005
// are at work and can decide; 10001 has nobody above.
func approvalSite(t *testing.T) (*site, *frontend) {
	t.Helper()
	s := newSite(t)
	s.people()
	s.newcomers()
	text, err := os.ReadFile("tenure.yaml")
	require.NoError(t, err)
	s.write("tenure.yaml", string(text)+`  - name: wiki-admin
    title: Administrator of the wiki
    owner: ["10004"]
    risk: privileged
    when: "true"
    request: {most: 8h, usual: 2h, ahead: 7d, approve: [[owner], [security]], ticket: "^INC-[0-9]+$", extend: once, emergency: {most: 1h, confirm: 12h}}
    grants: [{app: wiki, entitlements: [admins]}]
  - {name: reader, when: "true", request: {most: 30d, approve: [], extend: no}, grants: [{app: wiki, entitlements: [readers]}]}
  - {name: bookkeeper, when: "person.department == 'Finance'", request: {most: 8h}, grants: [{app: wiki, entitlements: [books]}]}
deciders: {security: ["10004", "10005"]}
governance: {fallback: ["10004", "10005"]}
`)
	f := &frontend{}
	f.serve(t)
	return s, f
}

// asks runs a command with a reason and an operator.
func (s *site) asks(args string) result {
	return s.run(append(strings.Fields(args), "--reason", "INC 42", "--operator", "olga")...)
}

func TestARequestIsMadeApprovedAndShown(t *testing.T) {
	s, f := approvalSite(t)
	got := s.asks("request new 10001 wiki-admin --ticket INC-42")
	assert.Equal(t, service.ExitAttention, got.code, got.err)
	assert.Contains(t, got.stdout, "role wiki-admin for 10001, for 2h\n  asked  10004  owner of role wiki-admin\n  if approved, now  wiki: grant admins\n  digest ")
	assert.Contains(t, s.run("request", "list", "--all").stdout, "there are no requests")

	got = s.asks("request new 10001 wiki-admin --ticket INC-42 --apply")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.stdout, "r-1 is asked: role wiki-admin for 10001")
	assert.Equal(t, []string{"request:r-1"}, f.nudged)

	got = s.run("request", "list", "--as", "10004")
	assert.Equal(t, service.ExitAttention, got.code, "one waits")
	assert.Regexp(t, `r-1\s+10001\s+Georgi Facello\s+wiki-admin\s+asked\s+1 `, got.stdout)
	got = s.run("request", "list", "--as", "10005")
	assert.Equal(t, service.ExitDone, got.code, "it is not their turn")
	got = s.run("request", "show", "r-1")
	assert.Equal(t, service.ExitAttention, got.code)
	assert.Regexp(t, `risk:\s+privileged`, got.stdout)
	assert.Regexp(t, `10004\s+owner of role wiki-admin`, got.stdout)
	assert.Regexp(t, `wiki: grant admins`, got.stdout)
	digest := regexp.MustCompile(`digest of what would be done: ([0-9a-f]{12})`).FindStringSubmatch(got.stdout)
	require.Len(t, digest, 2)

	got = s.asks("request approve r-1 --as 10005 --apply")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Contains(t, got.err, "person 10005: they may not decide about it. Those who may: 10004 (owner of role wiki-admin)")
	got = s.asks("request approve r-1 --as 10001 --apply")
	assert.Contains(t, got.err, "nobody decides for themself")
	got = s.asks("request approve r-1 --as 10004 --shown 000000000000 --apply")
	assert.Contains(t, got.err, "what r-1 would do has changed since it was shown")
	got = s.asks("request approve r-1 --as 10004")
	assert.Equal(t, service.ExitAttention, got.code)
	assert.Contains(t, got.err, "nothing was done: --apply does it")
	got = s.asks("request approve r-1 --as 10004 --apply --shown " + digest[1])
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.stdout, "  asked  10005  one of security\n", "the next stage")
	assert.Contains(t, got.stdout, "  asked  10004 ")

	logIn(t, "another")
	got = s.asks("request approve r-1 --as 10005 --apply -o json")
	require.Equal(t, service.ExitDone, got.code, got.err)
	var v struct {
		State, Exception string
		Steps            []string
		Applied          bool
		SameLogin        bool
		Asked            []struct{ Person, Vote, Authority, Login, Shown string }
	}
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &v))
	assert.Equal(t, []any{"approved", "x-1", []string{"wiki: grant admins"}, true}, []any{v.State, v.Exception, v.Steps, v.Applied})
	require.Len(t, v.Asked, 3)
	assert.Equal(t, []string{"10005", "approve", "one of security", "another", digest[1]},
		[]string{v.Asked[2].Person, v.Asked[2].Vote, v.Asked[2].Authority, v.Asked[2].Login, v.Asked[2].Shown})
	assert.True(t, v.SameLogin, "the first approval came from the login that asked")
	assert.Equal(t, []string{"request:r-1", "person:10001"}, f.nudged[len(f.nudged)-2:])

	l := s.ledger()
	rows, err := l.Audit(t.Context(), "10001", 0, 100)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	said := map[string][]any{}
	for _, row := range rows {
		said[row.Action] = []any{row.Actor, row.Login != "", row.Detail["sign_in"]}
	}
	assert.Equal(t, []any{"olga", true, "operator's word"}, said["request_made"])
	assert.Equal(t, []any{"olga", true, "operator's word"}, said["request_approved"], "nobody has proven to be 10005")

	shown := s.run("exception", "show", "x-1").stdout
	assert.Regexp(t, `because of:\s+r-1, asked by 10001`, shown)
	assert.Regexp(t, `votes:\s+approve by 10004 \(owner of role wiki-admin\); approve by 10005 \(one of security\)`, shown)
	assert.Regexp(t, `wiki-admin\s+yes, by x-1 \(r-1\)`, s.run("person", "why", "10001", "wiki").stdout)
	got = s.run("request", "show", "r-1")
	assert.Equal(t, service.ExitDone, got.code)
	assert.Contains(t, got.stdout, "approved from the login that asked")
	assert.Equal(t, service.ExitDone, s.run("request", "list").code)

	got = s.asks("request new 10001 wiki-admin --ticket INC-43 --extend x-1 --apply")
	require.Equal(t, service.ExitDone, got.code, got.err)
	got = s.asks("request deny r-2 --as 10004")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.stdout, "r-2 is denied: role wiki-admin for 10001")
	assert.Regexp(t, `denied`, s.run("request", "list", "--all", "--person", "10001").stdout)
}

func TestAnEmergencyIsGrantedAtOnceAndDisputed(t *testing.T) {
	s, f := approvalSite(t)
	got := s.asks("request new 10001 wiki-admin --ticket INC-1 --emergency --apply")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.stdout, "r-1 is confirming: role wiki-admin for 10001, for 1h, x-1 until ")
	assert.Equal(t, []string{"request:r-1", "person:10001"}, f.nudged)
	assert.Regexp(t, `confirming \(emergency\)`, s.run("request", "list").stdout)
	got = s.asks("request deny r-1 --as 10004")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.stdout, "r-1 is disputed: role wiki-admin for 10001, for 1h; x-1 has ended")
	assert.Regexp(t, `ends:\s+ended 20`, s.run("request", "show", "r-1").stdout)
	assert.Regexp(t, `end reason:\s+the emergency was disputed: INC 42`, s.run("exception", "show", "x-1").stdout)
}

func TestStandInsAreSetListedAndEnded(t *testing.T) {
	s, _ := approvalSite(t)
	got := s.asks("request new 10001 wiki-admin --ticket INC-42 --apply")
	require.Equal(t, service.ExitDone, got.code, got.err)
	got = s.asks("standin set 10004 10005 --until 14d")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.stdout, "s-1: 10005 stands in for 10004, from ")
	assert.Regexp(t, `s-1\s+10004\s+10005\s+in force`, s.run("standin", "list").stdout)
	assert.Contains(t, s.run("request", "show", "r-1").stdout, "stand-in for 10004 (s-1)")
	got = s.asks("standin end s-1")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, s.run("standin", "list").stdout, "nobody stands in for anybody")
	assert.Regexp(t, `s-1\s+10004\s+10005\s+ended`, s.run("standin", "list", "--all").stdout)
	assert.NotContains(t, s.run("request", "show", "r-1").stdout, "stand-in")
}

func TestARequestThatIsRefusedSaysWhy(t *testing.T) {
	s, _ := approvalSite(t)
	require.Equal(t, service.ExitDone, s.asks("request new 10001 reader --apply").code)
	got := s.run("request", "list", "--all").stdout
	assert.Regexp(t, `r-1\s+10001\s+Georgi Facello\s+reader\s+approved`, got, "nobody has to approve it")
	for args, want := range map[string]string{
		"request new 10001 wiki-admn --ticket INC-1":                                          `there is no role "wiki-admn"; did you mean "wiki-admin"?`,
		"request new 10001 everyone":                                                          `role "everyone" cannot be granted: everybody has it for whom its condition holds`,
		"request new 10001 wiki-admin --for 9h --ticket INC-1":                                `role "wiki-admin" is granted for 8h at most`,
		"request new 10001 wiki-admin --for 0s --ticket INC-1":                                "--for has to be longer than nothing",
		"request new 10001 wiki-admin":                                                        `role "wiki-admin" needs a ticket that matches ^INC-[0-9]+$`,
		"request new 10001 wiki-admin --ticket 42":                                            `needs a ticket that matches`,
		"request new 10001 wiki-admin --ticket INC-1 --from 2199-01-01T00:00:00Z":             `role "wiki-admin" may begin 7 days ahead at most`,
		"request new 10001 bookkeeper":                                                        `may not have role "bookkeeper"`,
		"request new 10006 wiki-admin --ticket INC-1":                                         "is not employed",
		"request new 99999 wiki-admin --ticket INC-1":                                         `the ledger knows no person "99999"`,
		"request new 10001 wiki-admin --ticket INC-1 --as 99999":                              `the ledger knows no person "99999"`,
		"request new 10001 wiki-admin --ticket INC-1 --emergency --for 2h":                    `role "wiki-admin" is given for 1h at most in an emergency`,
		"request new 10001 reader --emergency":                                                `role "reader" is not given in an emergency`,
		"request new 10001 reader --extend x-1":                                               `a grant of role "reader" cannot be prolonged`,
		"request new 10001 wiki-admin --ticket INC-1 --extend x-1":                            `x-1 is no grant of role "wiki-admin" to person 10001`,
		"request new 10001 wiki-admin --ticket INC-1 --extend x-9":                            "there is no exception x-9",
		"request approve r-9 --as 10004":                                                      "there is no request r-9",
		"request approve r-1 --as 10004":                                                      "r-1 is approved: nobody has to say anything about it",
		"request cancel r-1":                                                                  "r-1 is approved, and cannot be taken back: see tenure exception end x-1",
		"standin set 10004 10004 --until 1d":                                                  "nobody stands in for themself",
		"standin set 10004 10006 --until 1d":                                                  "person 10006 is not employed",
		"standin set 10004 10005 --until 2001-01-01":                                          "has to end in the future",
		"standin end s-9":                                                                     "there is no stand-in s-9",
		"request new 10001 wiki-admin --ticket INC-1 --emergency --from 2199-01-01T00:00:00Z": "",
	} {
		if strings.HasPrefix(args, "request new") || strings.HasPrefix(args, "request approve") {
			args += " --apply"
		}
		got := s.asks(args)
		assert.NotEqual(t, service.ExitDone, got.code, args)
		assert.Contains(t, got.err, want, args)
	}
	assert.NotContains(t, s.run("request", "list", "--all").stdout, "r-2")
}
