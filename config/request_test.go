package config

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/policy"
)

const requestable = base + `apps: {wiki: {connector: memory}}
deciders: {security: ["1", "2"]}
governance: {fallback: ["3"]}
roles:
  - {name: admin, when: true, grants: [{app: wiki}], request: {most: 8h}}
`

func TestARequestIsApprovedByTheManagerUnlessTheRoleSaysOtherwise(t *testing.T) {
	cfg, err := read(requestable)
	require.NoError(t, err)
	rules, ok := cfg.Policy.Requestable("admin")
	require.True(t, ok)
	assert.Equal(t, policy.RequestRules{
		Most: 8 * time.Hour, Approve: [][]string{{"manager"}}, Needed: 1, Answer: 72 * time.Hour, Escalate: 24 * time.Hour, Extend: policy.ExtendOnce,
	}, rules)
	facts, ok := cfg.Policy.Facts("admin")
	require.True(t, ok)
	assert.Equal(t, policy.RoleFacts{Title: "admin", Owner: []string{"3"}, Risk: policy.RiskStandard}, facts)
}

func TestLoadRefusesRequestsThatNobodyCouldDecide(t *testing.T) {
	for name, c := range map[string]struct{ is, becomes, want string }{
		"right":                       {"", "", ""},
		"nobody has to approve":       {"most: 8h", "most: 8h, approve: []", ""},
		"... and no fallback":         {"{most: 8h", "{most: 8h, approve: []", ""},
		"no fallback":                 {`governance: {fallback: ["3"]}`, "", `governance.fallback: is missing: role "admin" can be requested`},
		"an empty fallback":           {`["3"]`, "[]", `governance.fallback: is missing`},
		"an emergency, no fallback":   {`governance: {fallback: ["3"]}`, "#", `governance.fallback: is missing`},
		"an unknown group":            {"most: 8h", "most: 8h, approve: [[manager], [securty]]", `8:96: roles[0].request.approve[1][0]: must be manager, owner or a name of deciders: there is no "securty"; did you mean "security"?`},
		"an empty stage":              {"most: 8h", "most: 8h, approve: [[]]", `roles[0].request.approve[0]: a stage has to name who is asked`},
		"nobody needed":               {"most: 8h", "most: 8h, needed: 0", `roles[0].request.needed: must be 1 at least`},
		"no time at all":              {"most: 8h", "most: 0h", `roles[0].request.most: must be longer than nothing`},
		"usually too long":            {"most: 8h", "most: 8h, usual: 9h", `roles[0].request.usual: is longer than most`},
		"no time to answer":           {"most: 8h", "most: 8h, answer: 0h", `roles[0].request.answer: must be above zero`},
		"a ticket that is no pattern": {"most: 8h", "most: 8h, ticket: '(INC'", `roles[0].request.ticket: is no regular expression (RE2)`},
		"an unknown extension":        {"most: 8h", "most: 8h, extend: twice", `roles[0].request.extend: there is no extension "twice"`},
		"an unknown session rule":     {"most: 8h", "most: 8h, sessions: stop", `roles[0].request.sessions: there is no session rule "stop"`},
		"an unknown risk":             {"name: admin", "name: admin, risk: huge", `roles[0].risk: there is no risk "huge"`},
		"an emergency without end":    {"most: 8h", "most: 8h, emergency: {}", `roles[0].request.emergency.most: is missing`},
		"too long an emergency":       {"most: 8h", "most: 8h, emergency: {most: 9h}", `roles[0].request.emergency.most: is longer than request.most`},
		"an emergency of no time":     {"most: 8h", "most: 8h, emergency: {most: 0h}", `roles[0].request.emergency.most: must be longer than nothing`},
		"a group called manager":      {"deciders: {", `deciders: {manager: ["1"], `, `deciders.manager: a group cannot be called manager`},
		"a group of nobody":           {`["1", "2"]`, `[]`, `deciders.security: names nobody`},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, requestable, c.is)
			text := strings.Replace(requestable, c.is, c.becomes, 1)
			if name == "an emergency, no fallback" {
				text = strings.Replace(text, "most: 8h", "most: 8h, approve: [], emergency: {most: 1h}", 1)
			}
			if name == "... and no fallback" {
				text = strings.Replace(text, `governance: {fallback: ["3"]}`, "", 1)
			}
			_, err := read(text)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, c.want)
		})
	}
}
