package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/service"
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

// An attribute that the app does not keep is named, and ignored if the configuration says
// so.
func TestAppTestNamesWhatIsNotKept(t *testing.T) {
	s := newSite(t)
	s.accounts()
	wiki := memory.Shared("wiki")
	mapped := func(more string) {
		s.write("tenure.yaml", strings.Replace(configuration, "  wiki:\n", "  wiki:\n    attributes: {title: person.jobTitle, department: person.department}\n"+more, 1))
	}
	mapped("")
	wiki.SetFaults(memory.Faults{Drop: []string{"title", connector.ExternalID}})
	defer wiki.SetFaults(memory.Faults{})

	got := s.run("app", "test", "wiki", "--write", "--patience", "1ms")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Regexp(t, `(?m)^failed +keep its attributes: .*ignore: \[title, externalId\]`, got.stdout)
	assert.Len(t, wiki.Accounts(), 3, "those that were there before")

	mapped("    ignore: [title, externalId]\n")
	got = s.run("app", "test", "wiki", "--write", "--patience", "1ms")
	assert.Zero(t, got.code, got.stdout)
	assert.Regexp(t, `(?m)^ok +keep its attributes`, got.stdout)
}
