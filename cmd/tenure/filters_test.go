package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator/health"
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
		{[]string{"notice", "list", "--state", "faild"}, `did you mean "failed"?`},
		{[]string{"notice", "list", "--kind", "request.askd"}, `did you mean "request.asked"?`},
		{[]string{"hold", "list", "--person", "4711"}, `no person "4711"`},
		{[]string{"dlq", "list", "--reason", "shema"}, `did you mean "schema"?`},
		{[]string{"replay", "--from", "36h", "--type", "terminatd"}, `did you mean "terminated"?`},
	} {
		got := s.run(append(tc.args, "--operator", "olga")[:len(tc.args)]...)
		assert.Equal(t, service.ExitUsage, got.code, "%v: %s%s", tc.args, got.stdout, got.err)
		assert.Contains(t, got.err, tc.says, "%v", tc.args)
	}
	// A code that only a question has is known for as long as the question is open.
	assert.Equal(t, service.ExitAttention, s.run("run", "retry", "--code", "hired_after_end", "--reason", "x").code)
}

// An open dead letter, urgent or not, means that an event had no effect. dlq list asks
// for attention, as status does.
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
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	assert.Equal(t, health.Attention, s.status(service.ExitAttention)["dead letters"].State)
	assert.Equal(t, service.ExitDone, s.run("dlq", "list", "--state", "applied").code)
	letter.Urgent, letter.At.Offset, letter.Origin.Offset = true, 1, 1
	_, err = l.RecordDeadLetter(t.Context(), letter)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	assert.Equal(t, service.ExitAttention, s.run("dlq", "list").code)
	assert.Equal(t, service.ExitDone, s.run("dlq", "list", "--state", "discarded").code)
}

// walk calls f for every command that does something.
func walk(cmd *cobra.Command, f func(*cobra.Command)) {
	for _, verb := range cmd.Commands() {
		if verb.HasSubCommands() {
			walk(verb, f)
		} else if verb.Name() != "help" && verb.Parent().Name() != "completion" {
			f(verb)
		}
	}
}

// filters returns the flags of a command that select something: their usage says so.
func filters(cmd *cobra.Command) (names []string) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		usage := strings.TrimPrefix(strings.TrimPrefix(f.Usage, "of everybody: "), "or ")
		if strings.HasPrefix(usage, "only ") && f.Value.Type() != "bool" {
			names = append(names, f.Name)
		}
	})
	return names
}

// freeTexts lists the filters that take any text, and why.
var freeTexts = map[string]string{
	"tenure person list --name":   "part of a name",
	"tenure person list --after":  "a place in the list, whether somebody is there or not",
	"tenure run retry --key":      "one person's step, which their run knows",
	"tenure run skip --key":       "one person's step, which their run knows",
	"tenure dlq index --topic":    "Kafka says whether it is there",
	"tenure figures --department": "one of the past, in which nobody is any more",
}

// It is an error to give a filter something that does not exist: selecting nothing would
// read as "all is well".
func TestEveryFilterIsCheckedAgainstWhatThereIs(t *testing.T) {
	s := newSite(t)
	s.people()
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	with := map[string][]string{ // what else a command needs
		"tenure replay":           {"--from", "36h"},
		"tenure run retry":        {"--reason", "x"},
		"tenure run skip":         {"--reason", "x"},
		"tenure dlq redrive":      {"--wait", "1ms"},
		"tenure dlq discard":      {"--reason", "x", "--apply"},
		"tenure breaker release":  {"c-1", "--reason", "x", "--apply"},
		"tenure breaker cancel":   {"c-1", "--reason", "x", "--apply"},
		"tenure app adopt":        {"wiki"},
		"tenure deletion approve": {"10002", "--reason", "x"},
		"tenure retention set":    {"10002", "--reason", "x", "--for", "60d"},
		"tenure retention reset":  {"10002", "--reason", "x", "--apply"},
		"tenure app accounts":     {"wiki"},
		"tenure review show":      {"v-1"},
		"tenure review decide":    {"v-1", "keep", "1", "--as", "10001"},
		"tenure audit pack":       {"quarter", "--month", "2026-03"},
		"tenure watch":            {"--from", "36h", "--no-follow"},
	}
	checked := 0
	walk((&cli{}).root(), func(cmd *cobra.Command) {
		for _, name := range filters(cmd) {
			if freeTexts[cmd.CommandPath()+" --"+name] != "" {
				continue
			}
			more := with[cmd.CommandPath()]
			if i := slices.Index(more, "--"+name); i >= 0 {
				more = slices.Delete(slices.Clone(more), i, i+2)
			}
			args := slices.Concat(strings.Fields(cmd.CommandPath())[1:], more, []string{"--" + name, "no-such-thing"})
			got := s.run(args...)
			assert.Equal(t, service.ExitUsage, got.code, "%v: %s%s", args, got.stdout, got.err)
			assert.Contains(t, got.err, "no-such-thing", "%v", args)
			checked++
		}
	})
	assert.Greater(t, checked, 35, "the flags are found by their usage")
}
