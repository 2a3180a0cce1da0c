package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/internal/service"
)

// A container has no login names, and nothing may be done in nobody's name.
func TestNothingIsDoneInNobodysName(t *testing.T) {
	s := newSite(t)
	s.people()
	known := loginName
	t.Cleanup(func() { loginName = known })
	loginName = func() string { return "" }
	for _, command := range []string{
		"person suspend 10001 --reason x --no-wait",
		"person suspend 10001 --reason x --break-glass",
		"person reinstate 10003 --reason x --no-wait",
		"breaker release c-1 --reason x --yes",
		"breaker cancel c-1 --reason x --yes",
		"run retry 10001",
		"run skip 10001 --app chat --reason x",
		"run retry --app chat --apply",
		"run skip --app chat --reason x --apply",
		"hold place 10002 --until 90d --reason x",
		"hold release 10002 --reason x",
		"retention set 10002 --for 90d --reason x",
		"retention reset 10002 --reason x",
		"deletion approve 10002 --reason x",
		"dlq discard 1 --reason x --yes",
		"dlq redrive 1 --reason x --yes",
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
	_, rows := s.read("10001")
	assert.Empty(t, rows)

	// What only shows asks nobody.
	assert.Equal(t, service.ExitAttention, s.run("run", "retry", "--app", "chat").code)
	t.Setenv("TENURE_OPERATOR", "ada")
	assert.Equal(t, service.ExitDone, s.run("ledger", "export", "out.jsonl").code)
}
