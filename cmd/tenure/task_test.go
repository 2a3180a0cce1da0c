package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service"
)

// asked opens a task about Georgi that is overdue, and one about Bezalel that is due in
// the far future and needs a second person.
func (s *site) asked() {
	s.t.Helper()
	l := s.ledger()
	defer func() { require.NoError(s.t, l.Close()) }()
	for _, k := range []ledger.Task{
		{
			PersonID: "10002", App: "portal", Key: "portal/Disable/1", Kind: "Disable", Assignee: "partner-desk", SecondPerson: true,
			Work:  ledger.TaskWork{Account: "bsimmel", Revoke: []string{"buyers"}, Why: "access ended", Instructions: "by the portal's console"},
			DueAt: at("2999-01-01 00:00:00"),
		},
		{
			PersonID: "10001", App: "keys", Key: "keys/Provision/1", Kind: "Provision", Assignee: "facilities", EscalateTo: "it-leads",
			Work: ledger.TaskWork{
				Account: "gfacello", Enabled: true, Grant: []string{"lab", "main door"},
				Attributes: map[string]any{"title": "Senior Engineer", "floor": "3"}, Why: "everyone",
			},
			DueAt: at("2026-03-03 08:00:00"),
		},
	} {
		k.OpenedAt = at("2026-03-02 08:00:00")
		_, err := l.BeginStep(s.t.Context(), ledger.Attempt{PersonID: k.PersonID, App: k.App, Key: k.Key, Kind: k.Kind, At: k.OpenedAt, Deadline: k.OpenedAt.Add(time.Minute)})
		require.NoError(s.t, err)
		_, err = l.OpenTask(s.t.Context(), k)
		require.NoError(s.t, err)
	}
}

func TestTasksAsHumansSeeThem(t *testing.T) {
	s := newSite(t)
	s.people()
	assert.Equal(t, "nobody has been asked for anything\n", s.run("task", "list").stdout)
	s.asked()
	for name, c := range map[string]struct {
		args []string
		code int
	}{
		"task-list":     {[]string{"task", "list"}, service.ExitAttention},
		"task-assignee": {[]string{"task", "list", "--assignee", "partner-desk"}, service.ExitDone},
		"task-show":     {[]string{"task", "show", "2"}, service.ExitDone},
		"task-second":   {[]string{"task", "show", "1"}, service.ExitDone},
	} {
		got := s.run(c.args...)
		assert.Equal(t, c.code, got.code, got.err)
		golden(t, name, got.stdout)
		golden(t, name+".json", s.run(append(c.args, "-o", "json")...).stdout)
	}
	got := s.run("task", "list", "--state", "lost")
	assert.Equal(t, service.ExitUsage, got.code)
	assert.Contains(t, got.err, "--state lost: there is open, confirming, done")
}

func TestATaskIsCompleted(t *testing.T) {
	s := newSite(t)
	s.people()
	s.asked()
	f := &frontend{}
	f.serve(t)
	for _, c := range []struct {
		login string
		args  []string
		code  int
		want  string
	}{
		{"root", []string{"task", "done", "2"}, service.ExitUsage, "say with --proof how it can be seen"},
		{"root", []string{"task", "done", "two", "--proof", "x"}, service.ExitUsage, `"two" is no task's number`},
		{"root", []string{"task", "done", "99", "--proof", "x"}, service.ExitFailed, "there is no task 99"},
		{"root", []string{"task", "refuse", "2"}, service.ExitUsage, "say why with --reason"},
		{"root", []string{"task", "done", "2", "--proof", "ticket 42", "--operator", "ada"}, service.ExitDone, "task 2 of 10001 is done"},
		{"root", []string{"task", "refuse", "2", "--reason", "x", "--operator", "bob"}, service.ExitFailed, "task 2 is done already, by ada"},
		{"root", []string{"task", "done", "1", "--proof", "console", "--operator", "ada"}, service.ExitDone, "task 1 of 10002 has to be confirmed by a second person"},
		{"root", []string{"task", "done", "1", "--proof", "console", "--operator", "ada"}, service.ExitFailed, "task 1 has to be confirmed by somebody else than ada"},
		{"root", []string{"task", "done", "1", "--proof", "looked", "--operator", "bob"}, service.ExitFailed, "task 1 has to be confirmed from another login than root, from which ada did it"},
		{"bob", []string{"task", "done", "1", "--proof", "looked", "--operator", " ADA"}, service.ExitFailed, "task 1 has to be confirmed by somebody else than ada"},
		{"bob", []string{"task", "done", "1", "--proof", "looked", "--operator", "bob"}, service.ExitDone, "task 1 of 10002 is done"},
	} {
		logIn(t, c.login)
		got := s.run(c.args...)
		assert.Equal(t, c.code, got.code, c.args)
		assert.Contains(t, got.stdout+got.err, c.want)
	}
	assert.Equal(t, []string{"person:10001", "person:10002"}, f.nudged, "each once it is finished")
	assert.Equal(t, service.ExitDone, s.run("task", "list").code)
	shown := s.run("task", "show", "1").stdout
	assert.Contains(t, shown, "ada (login root)")
	assert.Contains(t, shown, "bob (login bob)")
}

// The word of the human is in the ledger, so the sweeper tells the run later.
func TestATaskIsCompletedWithoutTemporal(t *testing.T) {
	s := newSite(t)
	s.people()
	s.asked()
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	got := s.run("task", "refuse", "2", "--reason", "the lab is closed", "--operator", "ada")
	assert.Equal(t, service.ExitDone, got.code)
	assert.Contains(t, got.stdout, "task 2 of 10001 is refused")
	assert.Contains(t, got.err, "could not be told, and will be by the sweeper")
}
