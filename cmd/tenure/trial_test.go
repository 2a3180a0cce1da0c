package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/internal/service"
)

func TestAppTest(t *testing.T) {
	s := newSite(t)
	s.accounts()
	wiki := memory.Shared("wiki")

	got := s.run("app", "test", "wiki")
	assert.Zero(t, got.code, got.err)
	assert.Regexp(t, `(?m)^ok +sign in: as `, got.stdout)
	assert.Zero(t, wiki.Calls(connector.OpCreate))

	got = s.run("app", "test", "wiki", "--write")
	assert.Zero(t, got.code, got.err)
	assert.Regexp(t, `(?m)^ok +grant: \[staff\]`, got.stdout, "what a role gives there")
	assert.Regexp(t, `(?m)^ok +delete the account: gone for good`, got.stdout)
	assert.Len(t, wiki.Accounts(), 3, "those that were there before")

	wiki.SetFaults(memory.Faults{Kind: connector.KindForbidden})
	defer wiki.SetFaults(memory.Faults{})
	got = s.run("app", "test", "wiki")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Regexp(t, `(?m)^failed +sign in: `, got.stdout)
	assert.Contains(t, got.err, "app wiki: the app did not do what it should")

	got = s.run("app", "test", "wikki")
	assert.Equal(t, service.ExitUsage, got.code)
	assert.Contains(t, got.err, `"wiki"`)
}
