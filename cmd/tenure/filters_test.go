package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service"
)

// A misspelt filter selects nothing, which must not read as "all is well".
func TestFiltersAreCheckedAgainstWhatThereIs(t *testing.T) {
	s := newSite(t)
	s.people()
	for _, tc := range []struct {
		args []string
		says string
	}{
		{[]string{"run", "retry", "--app", "wiky", "--reason", "x"}, `did you mean "wiki"?`},
		{[]string{"run", "skip", "--app", "wiky", "--reason", "x"}, `did you mean "wiki"?`},
		{[]string{"run", "retry", "--code", "unavailabl", "--reason", "x"}, `did you mean "unavailable"?`},
		{[]string{"person", "list", "--status", "activ"}, `did you mean "active"?`},
		{[]string{"deletion", "list", "--app", "wiky"}, `did you mean "wiki"?`},
		{[]string{"deletion", "list", "--person", "4711"}, `no person "4711"`},
		{[]string{"task", "list", "--app", "wiky"}, `did you mean "wiki"?`},
		{[]string{"task", "list", "--person", "4711"}, `no person "4711"`},
		{[]string{"hold", "list", "--person", "4711"}, `no person "4711"`},
		{[]string{"dlq", "list", "--reason", "shema"}, `did you mean "schema"?`},
		{[]string{"replay", "--from", "36h", "--type", "terminatd"}, `did you mean "terminated"?`},
	} {
		got := s.run(append(tc.args, "--operator", "olga")[:len(tc.args)]...)
		assert.Equal(t, service.ExitUsage, got.code, "%v: %s%s", tc.args, got.stdout, got.err)
		assert.Contains(t, got.err, tc.says, "%v", tc.args)
	}
	// A code that only a question has is there as long as the question is.
	assert.Equal(t, service.ExitAttention, s.run("run", "retry", "--code", "hired_after_end", "--reason", "x").code)
}

// Nothing has come of what HR said, urgent or not: dlq list says so as status does.
func TestALetterThatIsOpenNeedsAttention(t *testing.T) {
	s := newSite(t)
	l := s.ledger()
	letter := ledger.DeadLetter{
		State: ledger.LetterOpen, Reason: "schema", Digest: "sha256:x", ReceivedAt: at("2026-03-01 00:00:00"),
		Origin: ledger.Position{Topic: "hr.events"}, At: ledger.Position{Topic: "hr.events.dlq"},
	}
	_, err := l.RecordDeadLetter(t.Context(), letter)
	require.NoError(t, err)
	assert.Equal(t, service.ExitAttention, s.run("dlq", "list").code)
	part, err := lettersPart(t.Context(), l)
	require.NoError(t, err)
	assert.Equal(t, partAttention, part.State)
	assert.Equal(t, service.ExitDone, s.run("dlq", "list", "--state", "applied").code)
	letter.Urgent, letter.At.Offset, letter.Origin.Offset = true, 1, 1
	_, err = l.RecordDeadLetter(t.Context(), letter)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	assert.Equal(t, service.ExitAttention, s.run("dlq", "list").code)
	assert.Equal(t, service.ExitDone, s.run("dlq", "list", "--state", "discarded").code)
}
