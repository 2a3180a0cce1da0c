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

	"github.com/tenurehq/tenure/internal/service"
	"github.com/tenurehq/tenure/ledger"
)

// paper is what a command that runs writes on, while it is read.
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

// watching starts tenure watch; stop ends it as Ctrl-C does, and gives its exit code.
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

// waives has an operator waive a question about somebody.
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
			require.Eventually(t, func() bool { // it may not have found the end of the record yet
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

// late is a ledger in which a row of the audit record comes to light after others
// that have higher numbers.
type late struct {
	ledger.Ledger
	rows []ledger.AuditRow
}

func (l *late) Audit(_ context.Context, _ string, after int64, limit int) ([]ledger.AuditRow, error) {
	var rows []ledger.AuditRow
	for _, r := range l.rows {
		if r.Seq > after && len(rows) < limit {
			rows = append(rows, r)
		}
	}
	return rows, nil
}

func TestWatchShowsWhatComesToLightLate(t *testing.T) {
	l := &late{rows: []ledger.AuditRow{{Seq: 4}, {Seq: 5}, {Seq: 7}}}
	w := &watch{ledger: l}
	w.begin(4)
	news := func() (seqs []int64) {
		t.Helper()
		rows, err := w.news(t.Context())
		require.NoError(t, err)
		for _, r := range rows {
			seqs = append(seqs, r.Seq)
		}
		return seqs
	}
	assert.Equal(t, []int64{5, 7}, news())
	l.rows = []ledger.AuditRow{{Seq: 3}, {Seq: 4}, {Seq: 5}, {Seq: 6}, {Seq: 7}, {Seq: 8}}
	assert.Equal(t, []int64{6, 8}, news(), "what was there before the beginning is no news")
	assert.Empty(t, news())
	for seq := int64(9); seq <= 3*watchAgain; seq++ {
		l.rows = append(l.rows, ledger.AuditRow{Seq: seq})
	}
	assert.Len(t, news(), 3*watchAgain-8)
	assert.Empty(t, news())
	assert.LessOrEqual(t, len(w.shown), watchAgain)
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
