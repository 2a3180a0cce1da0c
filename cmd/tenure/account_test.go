package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service"
)

// binned adds an app with a recycle bin, the mail, and puts an account of somebody into the
// bin, an hour ago. It returns the account's ID.
func (s *site) binned(person string) string {
	s.t.Helper()
	text, err := os.ReadFile("tenure.yaml")
	require.NoError(s.t, err)
	s.write("tenure.yaml", strings.Replace(string(text), "  chat:\n", "  mail:\n    connector: memory\n    settings: {recycleBin: 720h}\n  chat:\n", 1))
	conn, err := memory.Kind.Open(s.t.Context(), connector.Env{App: "mail"}, connector.Settings{"recycleBin": "720h"})
	require.NoError(s.t, err)
	s.t.Cleanup(memory.Shared("mail").Reset)
	account, err := conn.Create(s.t.Context(), connector.Spec{PersonID: person, Username: "was-" + person, Active: true})
	require.NoError(s.t, err)
	require.NoError(s.t, conn.Delete(s.t.Context(), account.ID))
	l := s.ledger()
	defer func() { require.NoError(s.t, l.Close()) }()
	lately := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	s.link(l, ledger.Link{
		PersonID: person, App: "mail", Username: "was-" + person, State: ledger.LinkDeleted, DeletedAt: lately,
		Binned: ledger.Binned{AccountID: account.ID, At: lately},
	})
	return account.ID
}

func TestWhatWasDeletedIsShownAndBroughtBack(t *testing.T) {
	s := newSite(t)
	s.people()
	f := &frontend{}
	f.serve(t)
	id := s.binned("10002")

	shown := s.run("person", "show", "10002")
	assert.Contains(t, shown.stdout, "Deleted, and can be brought back")
	assert.Contains(t, shown.stdout, "tenure account restore")
	placed := s.run("hold", "place", "10002", "--until", "90d", "--reason", "matter 42", "--operator", "olga")
	assert.Contains(t, placed.err, "the account in mail can be brought back until")

	restore := []string{"account", "restore", "10002", "mail"}
	shown = s.run(restore...)
	require.Equal(t, service.ExitAttention, shown.code, shown.err)
	assert.Contains(t, shown.stdout, "it stays off")
	assert.Empty(t, memory.Shared("mail").Accounts(), "nothing was done")
	s.refuses(service.ExitUsage, "say why with --reason", append(restore, "--apply")...)
	s.refuses(service.ExitFailed, "was not deleted: it is active", "account", "restore", "10003", "wiki", "--reason", "x", "--apply")

	got := s.run(append(restore, "--reason", "matter 42 needs the mailbox", "--operator", "olga", "--apply")...)
	require.Zero(t, got.code, got.err)
	assert.Contains(t, got.stdout, "the account of 10002 in mail is back, disabled")
	account, there := memory.Shared("mail").Account(id)
	require.True(t, there)
	assert.False(t, account.Active)
	assert.Contains(t, f.nudged, "person:10002")
	s.refuses(service.ExitFailed, "was not deleted", append(restore, "--reason", "again", "--apply")...)
	assert.NotContains(t, s.run("person", "show", "10002").stdout, "can be brought back")
}

// Both dates are shown: when an account is deleted, and when it is gone for good.
func TestADeletionSaysWhenTheAccountIsGoneForGood(t *testing.T) {
	s := newSite(t)
	s.people()
	s.binned("10003")
	l, lately := s.ledger(), time.Now().Add(-time.Hour).UTC()
	s.link(l, ledger.Link{PersonID: "10002", App: "mail", AccountID: "77", State: ledger.LinkDisabled, DisabledAt: lately, StrippedAt: lately, ProvenAt: lately})
	require.NoError(t, l.Close())
	rows := strings.Split(strings.TrimSpace(s.run("deletion", "list", "--person", "10002", "--app", "mail", "-o", "csv").stdout), "\n")
	require.Len(t, rows, 2)
	kept, gone := columnOf(t, rows, "kept until"), columnOf(t, rows, "gone for good after")
	assert.Equal(t, kept.Add(30*24*time.Hour), gone)
}

// columnOf returns the instant in a column of the first row of a CSV list.
func columnOf(t *testing.T, rows []string, name string) time.Time {
	t.Helper()
	for i, column := range strings.Split(rows[0], ",") {
		if strings.EqualFold(column, name) {
			at, err := time.Parse(time.RFC3339, strings.Replace(strings.Split(rows[1], ",")[i], " ", "T", 1))
			require.NoError(t, err)
			return at
		}
	}
	t.Fatal("there is no column " + name + " in " + rows[0])
	return time.Time{}
}
