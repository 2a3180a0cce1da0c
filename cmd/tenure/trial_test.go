package main

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/github/githubtest"
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

// Where accounts belong to people, somebody lends theirs. It ends without access, and
// somebody who has access already keeps it.
func TestAppTestWithALoginThatIsLent(t *testing.T) {
	hub := githubtest.New(githubtest.Options{Org: "acme", Token: "ghp_secret", Teams: []string{"staff"}})
	hub.SetSwitches(githubtest.Switches{Pending: true})
	lender, member := hub.AddUser("second-account"), hub.AddMember("octocat")
	server := httptest.NewServer(hub)
	t.Cleanup(server.Close)
	s := newSite(t)
	s.write("tenure.yaml", strings.NewReplacer(
		"apps:\n", "apps:\n  code:\n    connector: github\n    settings: {url: \""+server.URL+"\", org: acme, token: \"${env:GITHUB_TOKEN}\", logins: {p-1: hired}}\n",
		"roles:\n", "roles:\n  - {name: coder, when: \"true\", grants: [{app: code, entitlements: [staff]}]}\n",
	).Replace(configuration))
	t.Setenv("GITHUB_TOKEN", "ghp_secret")
	write := func(more ...string) result {
		return s.run(append([]string{"app", "test", "code", "--write"}, more...)...)
	}

	got := write()
	assert.Equal(t, service.ExitUsage, got.code)
	assert.Contains(t, got.err, "--login LOGIN")
	assert.Empty(t, hub.Calls(), "nothing was tried")

	got = write("--login", "second-account")
	assert.Zero(t, got.code, got.stdout+got.err)
	assert.Regexp(t, `(?m)^ok +grant: \[staff\]`, got.stdout)
	assert.Regexp(t, `(?m)^ok +clean up: the login has no access any more`, got.stdout)
	state, _, _ := hub.State(lender)
	assert.Empty(t, state)

	got = write("--login", "octocat")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Regexp(t, `(?m)^failed +see that the login has no access: it has access, or is invited, already`, got.stdout)
	state, _, _ = hub.State(member)
	assert.Equal(t, "active", state, "nobody loses what the trial did not give")

	got = write("--login", "nobody-has-this")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Regexp(t, `(?m)^failed +create the account: .*GitHub has no user of the person's login`, got.stdout)

	for flags, want := range map[string]string{
		"code --write --login Hired": "name one that nobody of your company has",
		"code --login octocat":       "--login goes with --write",
		"wiki --write --login hired": "leave --login out",
	} {
		got = s.run(append([]string{"app", "test"}, strings.Fields(flags)...)...)
		assert.Equal(t, service.ExitUsage, got.code, flags)
		assert.Contains(t, got.err, want)
	}
}
