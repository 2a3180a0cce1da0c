package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service"
)

// forgettable makes Mary (10006), who left, and of whom nothing is open. Her name is in what was
// written about 10001, too.
func (s *site) forgettable() {
	s.t.Helper()
	s.write("pepper", "0123456789abcdef0123456789abcdef")
	text, err := os.ReadFile("tenure.yaml")
	require.NoError(s.t, err)
	s.write("tenure.yaml", string(text)+"privacy: {pepper: \"${file:pepper}\"}\n")
	l := s.ledger()
	defer func() { require.NoError(s.t, l.Close()) }()
	p := profile("Mary", "Sluis", "Clerk", "Sales", "2026-01-05")
	p.WorkEmail, p.Phone = "mary.sluis@example.com", "+31 20 555 0101"
	left := hr.Event{EventKey: hr.EventKey{Source: "workday", ID: "m-2"}, Type: hr.EventTerminated, PersonID: "10006", Recorded: at("2026-02-01 09:00:00"), Effective: date("2026-02-10"), Termination: &hr.Termination{LastDay: date("2026-02-10"), Reason: "moved to Utrecht"}}
	_, err = l.Record(s.t.Context(), []ledger.Received{
		{Event: hr.Event{EventKey: hr.EventKey{Source: "workday", ID: "m-1"}, Type: hr.EventHired, PersonID: "10006", Recorded: at("2026-01-02 09:00:00"), Effective: date("2026-01-05"), Profile: p}, At: at("2026-01-02 09:00:01"), Topic: "hr.events"},
		{Event: left, At: at("2026-02-01 09:00:01"), Topic: "hr.events"},
	})
	require.NoError(s.t, err)
	_, err = l.ClaimUsername(s.t.Context(), "10006", "msluis", 0)
	require.NoError(s.t, err)
	person, err := l.Person(s.t.Context(), "10006")
	require.NoError(s.t, err)
	person.GivenName, person.FamilyName, person.Status, person.AssessedAt = "Mary", "Sluis", hr.StatusEnded, at("2026-02-12 09:00:00")
	person.DueAt, person.DueWhat = time.Time{}, ""
	require.NoError(s.t, l.SaveAssessment(s.t.Context(), ledger.Assessment{Summary: person.Summary}))
}

func TestSomebodyIsShownAndErased(t *testing.T) {
	s := newSite(t)
	s.people()
	s.forgettable()
	got := s.run("person", "data", "10006", "--timeout", "1s")
	require.Equal(t, service.ExitDone, got.code, got.err)
	for _, want := range []string{"Mary", "Sluis", "msluis", "for ever: privacy.keep is not set", "Kafka topic hr.events", "Kafka topic vendor.dead", "Temporal", "backups of the ledger", "identifiers"} {
		assert.Contains(t, got.stdout, want)
	}
	whole := s.run("person", "data", "10006", "-o", "json", "--timeout", "1s")
	require.Equal(t, service.ExitDone, whole.code, whole.err)
	for _, want := range []string{"mary.sluis@example.com", "+31 20 555 0101", "moved to Utrecht", `"until": "erased with the person`, `"elsewhere"`} {
		assert.Contains(t, whole.stdout, want)
	}
	assert.Contains(t, s.run("person", "data", "10006", "-o", "yaml", "--timeout", "1s").stdout, "mary.sluis@example.com")

	got = s.run("person", "erase", "10001")
	assert.Equal(t, service.ExitAttention, got.code)
	assert.Contains(t, got.stdout, "by all that HR says, they are employed (active)")
	got = s.run("person", "erase", "10006")
	assert.Equal(t, service.ExitAttention, got.code)
	assert.Contains(t, got.err, "nothing stands against erasing person 10006, for good; nothing was done: --apply does it")
	s.refuses(service.ExitUsage, "--reason", "person", "erase", "10006", "--apply")
	s.refuses(service.ExitFailed, "without their name", "person", "erase", "10006", "--apply", "--reason", "Mary wants it")
	assert.Contains(t, s.run("person", "show", "10006").stdout, "Mary", "nothing was done so far")
	got = s.run("person", "erase", "10006", "--apply", "--dry-run", "--reason", "x")
	assert.Equal(t, service.ExitDone, got.code, got.err)

	got = s.run("person", "erase", "10006", "--apply", "--reason", "request 14")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.stdout, "of the record")
	assert.Contains(t, got.stdout, "identifiers")
	again := s.run("person", "erase", "10006", "--apply", "--reason", "request 14")
	require.Equal(t, service.ExitDone, again.code, again.err)
	for _, command := range []string{
		"person data 10006 --timeout 1s", "person data 10006 -o json --timeout 1s", "person show 10006", "person show 10006 -o json", "person list", "person list --status ended",
		"person timeline 10006", "person why 10006", "person access 10006", "person access 10006 --at 2026-02-01", "person evidence 10006", "plan --person 10006",
		"figures --from 2026-01-01", "status", "audit verify", "person list -o csv", "access who chat", "watch --from 2026-01-01 --no-follow", "finding list", "request list", "hold list --all", "task list", "review list", "access creep", "notice list --all",
	} {
		got := s.run(strings.Fields(command)...)
		assert.NotEqual(t, 2, got.code, "%s: %s", command, got.err)
		assert.NotContains(t, got.err, "panic", command)
		for _, name := range []string{"Mary", "Sluis", "msluis", "555 0101", "Utrecht"} {
			assert.NotContains(t, got.stdout+got.err, name, command)
		}
		if strings.HasPrefix(command, "person ") && !strings.Contains(command, "--status") {
			assert.Contains(t, strings.ReplaceAll(got.stdout, "erasedAt", "erased"), "erased", command)
		}
	}
}
