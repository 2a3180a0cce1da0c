package main

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	workflowpb "go.temporal.io/api/workflow/v1"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service"
)

// paper takes the output of a command, and can be read while the command runs.
type paper struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.Write(b)
}

func (p *paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.String()
}

// watching starts tenure watch. stop ends it as Ctrl-C does, and returns its exit code.
func (s *site) watching(tty bool, args ...string) (out *paper, stop func() int) {
	s.t.Helper()
	out = &paper{}
	ctx, cancel := context.WithCancel(s.t.Context())
	ended := make(chan int)
	go func() {
		ended <- execute(ctx, terminal{in: strings.NewReader(""), out: out, err: out, outTTY: tty},
			append([]string{"watch", "--every", "10ms"}, args...))
	}()
	return out, func() int { cancel(); return <-ended }
}

// waives lets an operator waive a question about somebody.
func waives(t *testing.T, l ledger.Ledger, person, reason string, minute int) {
	t.Helper()
	require.NoError(t, l.Act(t.Context(), ledger.Action{
		Verb: ledger.VerbSkip, PersonID: person, Key: "conflict/hired_after_end/e-5", Conflict: true,
		Operator: "ops", Reason: reason, At: at("2026-03-03 08:00:00").Add(time.Duration(minute) * time.Minute),
	}))
}

func TestWatchFollowsWhatIsDoneFromNowOn(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"text": {nil, "Z  10001  skip  now  by ops\n"},
		"json": {[]string{"-o", "json"}, `"person":"10001","action":"skip","actor":"ops","cause":"now"`},
		"yaml": {[]string{"-o", "yaml"}, "person: \"10001\"\naction: skip\nactor: ops\ncause: now\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.people()
			l := s.ledger()
			waives(t, l, "10001", "before", 0)
			out, stop := s.watching(false, append(c.args, "--person", "10001")...)
			minute := 0
			require.Eventually(t, func() bool { // the command may not have found the end of the record yet
				minute++
				waives(t, l, "10002", "now", minute)
				waives(t, l, "10001", "now", minute)
				return strings.Contains(out.String(), c.want)
			}, 10*time.Second, 20*time.Millisecond, out)
			assert.Equal(t, service.ExitDone, stop())
			assert.NotContains(t, out.String(), "before")
			assert.NotContains(t, out.String(), "10002")
			require.NoError(t, l.Close())
		})
	}
}

func TestWatchShowsWhatWasDone(t *testing.T) {
	s := newSite(t)
	s.people()
	l := s.ledger()
	for minute, reason := range []string{"long ago", "first", "second"} {
		waives(t, l, "10001", reason, minute)
		waives(t, l, "10002", reason, minute)
	}
	since := []string{"watch", "--from", "2026-03-03T08:01:00Z", "--no-follow"}

	got := s.run(append(since, "--person", "10001")...)
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Equal(t, "2026-03-03 08:01:00Z  10001  skip  first  by ops\n2026-03-03 08:02:00Z  10001  skip  second  by ops\n", got.stdout)
	assert.Equal(t, 4, strings.Count(s.run(since...).stdout, "by ops"), "everybody's")
	onTerminal := s.runWith(terminal{outTTY: true}, since...)
	assert.Equal(t, 4, strings.Count(onTerminal.stdout, "by ops"), "no screen of the present")

	lines := strings.Split(strings.TrimSpace(s.run(append(since, "-o", "json")...).stdout), "\n")
	require.Len(t, lines, 4, "one row a line")
	assert.Contains(t, lines[3], `"person":"10002","action":"skip","actor":"ops","cause":"second"`)
	assert.Equal(t, 4, strings.Count(s.run(append(since, "-o", "yaml")...).stdout, "---\n"))

	nothing := s.run("watch", "--from", "2026-03-04", "--no-follow")
	assert.Equal(t, service.ExitDone, nothing.code)
	assert.Empty(t, nothing.stdout)
	assert.Equal(t, "nothing of the kind is on the record\n", nothing.err)
	for flag, want := range map[string]string{"--no-follow": "say since when with --from", "--from=soon": "--from soon is no time"} {
		wrong := s.run("watch", flag)
		assert.Equal(t, service.ExitUsage, wrong.code, flag)
		assert.Contains(t, wrong.err, want)
	}

	// Without --no-follow it goes on with what is done from then on.
	out, stop := s.watching(true, "--from", "2026-03-03T08:02:00Z", "--person", "10001")
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "second") }, 10*time.Second, 10*time.Millisecond)
	waives(t, l, "10001", "third", 3)
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "third") }, 10*time.Second, 10*time.Millisecond)
	assert.Equal(t, service.ExitDone, stop())
	assert.Equal(t, 2, strings.Count(out.String(), "by ops"), "each once")
	require.NoError(t, l.Close())
}

func TestWatchIsAScreenOnATerminal(t *testing.T) {
	s := newSite(t)
	s.people()
	l := s.ledger()
	waives(t, l, "10001", "no need of it", 0)
	require.NoError(t, l.Close())
	f := &frontend{runs: []*workflowpb.WorkflowExecutionInfo{
		run("person:10002", "Leaver", "2026-03-02 00:00:00", map[string]any{"TenureStage": "held", "TenureCohort": []string{"c-1"}}),
		run("person:10001", "Leaver", "2026-03-01 00:00:00", map[string]any{
			"TenureStage": "attention", "TenureUrgency": "urgent", "TenureAttention": []string{"chat"},
			"TenureNextAction": "delete wiki", "TenureNextDue": at("2026-03-30 23:00:00"),
		}),
	}}
	f.serve(t)
	t.Setenv("NO_COLOR", "1")
	out, stop := s.watching(true)
	require.Eventually(t, func() bool { return strings.Count(out.String(), "no need of it") > 1 }, 10*time.Second, 10*time.Millisecond, "drawn again and again")
	assert.Equal(t, service.ExitDone, stop())
	screen := out.String()
	assert.True(t, strings.HasPrefix(screen, "\x1b[?1049h"), "a screen of its own")
	assert.True(t, strings.HasSuffix(screen, "\x1b[?1049l"), "which is left again")
	for _, want := range []string{"10001   Leaver  attention", "2026-03-30 23:00:00Z  10001   delete wiki", "by ops"} {
		assert.Contains(t, screen, want)
	}
	once := strings.Split(screen, "\x1b[H\x1b[2J")[1]
	assert.Regexp(t, `(?s)10001 +Leaver +attention.*10002 +Leaver +held c-1`, once, "what needs attention is above what is held")
	assert.Contains(t, f.queries[0], "TenureStage != 'scheduled'")
	assert.Contains(t, strings.Join(f.queries, "\n"), "TenureNextDue < '")
}

func TestWatchGoesOnWithoutTemporal(t *testing.T) {
	s := newSite(t)
	s.people()
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	out, stop := s.watching(true)
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "Done\n") }, 30*time.Second, 10*time.Millisecond)
	assert.Equal(t, service.ExitDone, stop())
	assert.Contains(t, out.String(), "cannot be told: asking Temporal for the open runs")
}
