package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service"
)

// hired records that somebody is hired, who has no account yet.
func (s *site) hired(person string) {
	s.t.Helper()
	l := s.ledger()
	defer func() { require.NoError(s.t, l.Close()) }()
	_, err := l.Record(s.t.Context(), []ledger.Received{{At: at("2026-01-02 09:00:04"), Event: hr.Event{
		EventKey: hr.EventKey{Source: "workday", ID: "hired " + person}, Type: hr.EventHired, PersonID: person,
		Recorded: at("2026-01-02 09:00:03"), Effective: date("2026-01-05"), Profile: profile("Christian", "Koblick", "", "", "2026-01-05"),
	}}})
	require.NoError(s.t, err)
}

func TestTwoIDsOfOneHuman(t *testing.T) {
	s := newSite(t)
	s.people()
	s.left()
	s.hired("10004")
	f := &frontend{}
	f.serve(t)
	for _, wrong := range []struct {
		code int
		want string
		args []string
	}{
		{service.ExitUsage, "say why with --reason", []string{"link", "10001", "10002", "--apply"}},
		{service.ExitUsage, "say why with --reason", []string{"unlink", "10001", "10002"}},
		{service.ExitFailed, `the ledger knows no person "4711"`, []string{"link", "4711", "10002"}},
		{service.ExitFailed, "both IDs are the same", []string{"link", "10002", "10002"}},
		{service.ExitFailed, "person 10002 is not linked to 10001", []string{"unlink", "10001", "10002", "--reason", "x", "--operator", "ada"}},
		{service.ExitUsage, "is no username", []string{"rename", "10001", "--to", "Ada!"}},
		{service.ExitFailed, "somebody else's", []string{"rename", "10001", "--to", "bsimmel"}},
		{service.ExitFailed, "person 10004 has no account yet", []string{"rename", "10004", "--to", "cats"}},
	} {
		s.refuses(wrong.code, wrong.want, append([]string{"person"}, wrong.args...)...)
	}
	assert.Empty(t, f.nudged)

	seen := s.run("person", "link", "10003", "10002")
	require.Equal(t, service.ExitAttention, seen.code, seen.err)
	assert.Contains(t, seen.stdout, "10003 and 10002 would be one human: accounts carried over: chat")
	assert.Contains(t, seen.stdout, "both have an account, and keep it: wiki")
	assert.Contains(t, seen.err, "nothing was done: --apply does it")
	l := s.ledger()
	before, err := l.Person(t.Context(), "10002")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	assert.Len(t, before.Links, 2)

	done := s.run("person", "link", "10003", "10002", "--apply", "--reason", "a transfer", "--operator", "ada")
	require.Equal(t, 0, done.code, done.err)
	assert.Contains(t, done.stdout, "10003 and 10002 are one human: accounts carried over: chat")
	assert.ElementsMatch(t, []string{"person:10003", "person:10002"}, f.nudged)
	assert.Contains(t, s.run("person", "show", "10003").stdout, "10002")
	assert.Contains(t, s.run("person", "show", "10002").stdout, "10003")
	s.refuses(service.ExitFailed, "person 10002 is 10003 now", "person", "link", "10001", "10002")

	undone := s.run("person", "unlink", "10003", "10002", "--reason", "a namesake", "--operator", "ada")
	require.Equal(t, 0, undone.code, undone.err)
	assert.Contains(t, undone.stdout, "10003 and 10002 are two again: accounts carried over: chat")
}

func TestARenameIsShownAndDone(t *testing.T) {
	s := newSite(t)
	s.people()
	f := &frontend{}
	f.serve(t)
	seen := s.run("person", "rename", "10001", "--to", "georgi")
	require.Equal(t, service.ExitAttention, seen.code, seen.err)
	assert.Contains(t, seen.stdout, "10001 would be called georgi; accounts to be renamed: chat, wiki")
	assert.Contains(t, seen.stdout, "rename to georgi")
	done := s.run("person", "rename", "10001", "--to", "georgi", "--apply", "--reason", "asked for it", "--operator", "ada")
	require.Equal(t, 0, done.code, done.err)
	assert.Contains(t, done.stdout, "10001 is called georgi; accounts to be renamed: chat, wiki")
	assert.Equal(t, []string{"person:10001"}, f.nudged)
}
