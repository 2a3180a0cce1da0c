package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/service"
)

// protects has the site's configuration protect a person, or an account of an app.
func (s *site) protects(configuration, person, app, account string) {
	s.t.Helper()
	if person != "" {
		configuration += "protected: {persons: [\"" + person + "\"]}\n"
	}
	if app != "" {
		before := configuration
		configuration = strings.Replace(configuration, "  "+app+":\n", "  "+app+":\n    protected: ["+account+"]\n", 1)
		require.NotEqual(s.t, before, configuration)
	}
	s.write("tenure.yaml", configuration)
}

func TestNobodyProtectedIsSuspended(t *testing.T) {
	s := newSite(t)
	s.people()
	s.accounts()
	s.linkGeorgi()
	s.protects(configuration, "10001", "", "")
	before, rows := s.read("10001")
	accounts := memory.Shared("wiki").Accounts()
	for _, args := range [][]string{{"suspend"}, {"suspend", "--break-glass"}, {"reinstate"}} {
		got := s.run(append([]string{"person", args[0], "10001", "--reason", "x"}, args[1:]...)...)
		assert.Equal(t, service.ExitFailed, got.code, args)
		assert.Contains(t, got.err, "person 10001 is protected (protected.persons in tenure.yaml): nothing was recorded or done")
	}
	after, rowsAfter := s.read("10001")
	assert.Equal(t, before, after)
	assert.Equal(t, rows, rowsAfter)
	assert.Equal(t, accounts, memory.Shared("wiki").Accounts())
}

// One account is protected: the others are cut off, and it is said that one is not.
func TestBreakGlassLeavesAProtectedAccountAlone(t *testing.T) {
	s := newSite(t)
	s.people()
	s.accounts()
	s.linkGeorgi()
	s.protects(configuration, "", "wiki", "gfacello")
	accounts := memory.Shared("wiki").Accounts()
	got := s.run("person", "suspend", "10001", "--reason", "x", "--break-glass")
	assert.Equal(t, service.ExitAttention, got.code, got.err)
	assert.Contains(t, got.stdout, "wiki: not done: protected: the account is protected")
	assert.Contains(t, got.stdout, "10001 is cut off in 1 of 2 apps")
	assert.Equal(t, accounts, memory.Shared("wiki").Accounts())

	got = s.run("person", "show", "10001")
	assert.Contains(t, got.stdout, "active, protected")
}

func TestAdoptLeavesAloneWhatIsProtected(t *testing.T) {
	for _, what := range []string{"the person", "the account"} {
		t.Run(what, func(t *testing.T) {
			s := newSite(t)
			s.newcomers()
			(&frontend{}).serve(t)
			chat := memory.Shared("chat")
			i := slices.IndexFunc(chat.Accounts(), func(a connector.Account) bool { return a.ExternalID == "10004" })
			if what == "the person" {
				s.protects(configuration, "10004", "", "")
			} else {
				s.protects(configuration, "", "chat", chat.Accounts()[i].Username)
			}
			before := chat.Accounts()
			got := s.run("app", "adopt", "chat", "--apply")
			assert.Zero(t, got.code, got.err)
			assert.Empty(t, s.linksIn("chat"))
			assert.Zero(t, chat.Calls(connector.OpAdopt))
			assert.Equal(t, before, chat.Accounts())
			got = s.run("app", "accounts", "chat")
			assert.Contains(t, got.stdout, ", protected")
		})
	}
}

func TestPlanSaysWhatIsProtected(t *testing.T) {
	s := planSite(t)
	s.says("events.jsonl", leaves("10001", "2026-01-31"), leaves("10002", "2026-01-31"))
	s.protects(planConfiguration, "10001", "", "")
	got := s.run("plan", "--events", "events.jsonl", "-o", "json")
	assert.Equal(t, service.ExitAttention, got.code, got.err)
	got = s.run("plan", "--events", "events.jsonl")
	var mine, other []string
	person := ""
	for _, line := range strings.Split(got.stdout, "\n") {
		if !strings.HasPrefix(line, " ") {
			person, _, _ = strings.Cut(line, " ")
		}
		switch person {
		case "10001":
			mine = append(mine, line)
		case "10002":
			other = append(other, line)
		}
	}
	assert.Contains(t, strings.Join(mine, "\n"), "disable: needs a human, protected, no automation touches it")
	assert.NotContains(t, strings.Join(mine, "\n"), "  - ", "nothing is said to be taken")
	assert.NotContains(t, strings.Join(other, "\n"), "protected")
	assert.Contains(t, strings.Join(other, "\n"), "  - ")

	got = s.run("person", "show", "10001")
	assert.Contains(t, got.stdout, "no automation touches their accounts")
	got = s.run("person", "show", "10002")
	assert.NotContains(t, got.stdout, "no automation")
}
