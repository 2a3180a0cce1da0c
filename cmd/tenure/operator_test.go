package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/service"
)

// A container has no login names, and nothing may be done in nobody's name.
func TestNothingIsDoneInNobodysName(t *testing.T) {
	s := newSite(t)
	s.people()
	logIn(t, "")
	for _, command := range []string{
		"person suspend 10001 --reason x --no-wait",
		"person suspend 10001 --reason x --break-glass",
		"person reinstate 10003 --reason x --no-wait",
		"breaker release c-1 --reason x --apply",
		"breaker cancel c-1 --reason x --yes",
		"run retry 10001",
		"run skip 10001 --app chat --reason x",
		"run retry --app chat --apply",
		"run skip --app chat --reason x --apply",
		"hold place 10002 --until 90d --reason x",
		"hold release 10002 --reason x",
		"retention set 10002 --for 90d --reason x",
		"retention reset 10002 --reason x",
		"deletion approve 10002 --reason x --apply",
		"dlq discard 1 --reason x --yes",
		"dlq redrive 1 --reason x --apply",
		"task done 1 --proof x",
		"task refuse 1 --reason x",
		"app adopt wiki --apply",
		"ledger export out.jsonl",
		"ledger import out.jsonl",
	} {
		got := s.run(strings.Fields(command)...)
		assert.Equal(t, service.ExitUsage, got.code, command)
		assert.Contains(t, got.err, "say who you are with --operator or TENURE_OPERATOR", command)
		blank := s.run(append(strings.Fields(command), "--operator", " ")...)
		assert.Equal(t, service.ExitUsage, blank.code, command)
	}
	for _, tenure := range []string{"tenure", " Tenure "} {
		got := s.run("hold", "place", "10002", "--until", "90d", "--reason", "x", "--operator", tenure)
		assert.Equal(t, service.ExitUsage, got.code)
		assert.Contains(t, got.err, "tenure is what does things by itself: say who you are")
	}
	_, rows := s.read("10001")
	assert.Empty(t, rows)

	// What only shows asks nobody.
	assert.Equal(t, service.ExitAttention, s.run("run", "retry", "--app", "chat").code)
	t.Setenv("TENURE_OPERATOR", "ada")
	assert.Equal(t, service.ExitDone, s.run("ledger", "export", "out.jsonl").code)
}

// The name is what somebody says of themselves; the login is what the machine knows.
func TestTheLoginIsOnTheRecordBesideTheName(t *testing.T) {
	s := newSite(t)
	s.people()
	(&frontend{}).serve(t)
	logIn(t, "root")
	t.Setenv("SUDO_USER", "mallory")
	require.Equal(t, service.ExitDone, s.run("hold", "place", "10002", "--until", "90d", "--reason", "matter 43", "--operator", "ada").code)
	require.Equal(t, service.ExitDone, s.run("retention", "set", "10002", "--for", "90d", "--reason", "matter 43", "--operator", "ada").code)
	require.Equal(t, service.ExitDone, s.run("person", "suspend", "10001", "--reason", "x", "--no-wait", "--operator", "ada").code)
	const who = "ada (login root (sudo by mallory))"
	for _, args := range []string{"person show 10002", "hold list", "person timeline 10001", "person show 10001"} {
		got := s.run(strings.Fields(args)...)
		assert.Contains(t, got.stdout, who, args)
		assert.Contains(t, s.run(append(strings.Fields(args), "-o", "json")...).stdout, `"login": "root (sudo by mallory)"`, args)
	}
	require.Equal(t, service.ExitDone, s.run("run", "retry", "10001", "--app", "chat", "--operator", "ada").code)
	done := map[string]string{}
	for _, person := range []string{"10001", "10002"} {
		_, rows := s.read(person)
		for _, row := range rows {
			if row.Actor == "ada" {
				done[row.Action] = row.Login
			}
		}
	}
	const login = "root (sudo by mallory)"
	assert.Equal(t, map[string]string{"hold_placed": login, "retention_set": login, "suspend": login, "retry": login}, done)

	// An account without a name (a container) has a number.
	logIn(t, "")
	t.Setenv("SUDO_USER", "")
	require.Equal(t, service.ExitDone, s.run("hold", "place", "10003", "--until", "90d", "--reason", "matter 43", "--operator", "ada").code)
	assert.Contains(t, s.run("hold", "list").stdout, "ada (login uid ")
}

// What $USER and $LOGNAME say makes no difference.
func TestTheLoginIsNotWhatTheEnvironmentSays(t *testing.T) {
	before := machineLogin()
	t.Setenv("USER", "nobody") // who is there
	t.Setenv("LOGNAME", "nobody")
	assert.Equal(t, before, machineLogin())
}
