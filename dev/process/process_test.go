package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

const patience = 10 * time.Second

// output holds what a child wrote; it can be read while the child runs.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) lines() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Fields(o.buf.String())
}

// child makes a process of this test binary that plays a part: see TestMain.
func child(t *testing.T, part string, change func(*Options)) (*Process, *output) {
	t.Helper()
	out := &output{}
	opts := Options{
		Name: part, Path: os.Args[0], Log: out, Grace: patience,
		Env: append(os.Environ(), partVariable+"="+part),
		Ready: func(context.Context) error {
			if len(out.lines()) == 0 {
				return errors.New("it has said nothing yet")
			}
			return nil
		},
	}
	if change != nil {
		change(&opts)
	}
	p := New(opts)
	t.Cleanup(p.Kill)
	return p, out
}

func answers(address string) bool {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func TestStartWaitsUntilReadyAndStopEndsIt(t *testing.T) {
	defer goleak.VerifyNone(t)
	p, out := child(t, "serve", nil)
	require.False(t, p.Running())
	require.NoError(t, p.Start(t.Context()))

	address := out.lines()[0]
	require.True(t, answers(address), "ready means that it serves")
	require.True(t, p.Running())
	require.NotZero(t, p.PID())
	require.ErrorIs(t, p.Start(t.Context()), ErrRunning)

	p.Stop()
	require.False(t, p.Running())
	require.Zero(t, p.PID())
	require.Zero(t, p.ExitCode(), "asked to end, it ends by itself")
	require.False(t, answers(address))
}

func TestKillAndStartAgain(t *testing.T) {
	defer goleak.VerifyNone(t)
	p, out := child(t, "serve", nil)
	require.NoError(t, p.Start(t.Context()))
	first := p.PID()

	p.Kill()
	require.Equal(t, -1, p.ExitCode(), "a signal ended it")
	require.False(t, answers(out.lines()[0]))

	require.NoError(t, p.Start(t.Context()))
	require.NotEqual(t, first, p.PID())
	require.Eventually(t, func() bool { return len(out.lines()) == 2 }, patience, 10*time.Millisecond)
	p.Stop()
	p.Stop() // of what does not run: nothing happens
}

func TestStopKillsWhatDoesNotListen(t *testing.T) {
	p, _ := child(t, "stubborn", func(o *Options) { o.Grace = 100 * time.Millisecond })
	require.NoError(t, p.Start(t.Context()))
	p.Stop()
	require.False(t, p.Running())
	require.Equal(t, -1, p.ExitCode())
}

func TestStartFails(t *testing.T) {
	never := func(o *Options) { o.Ready = func(context.Context) error { return errors.New("nobody answers") } }
	tests := map[string]struct {
		part   string
		change func(*Options)
		want   string
	}{
		"no such program":     {"serve", func(o *Options) { o.Path = "./no-such-program" }, "serve: fork/exec ./no-such-program: no such file"},
		"ends at once":        {"misconfigured", never, "it ended before it was ready: exit status 2"},
		"never becomes ready": {"serve", never, "it was not ready in time: nobody answers"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			p, _ := child(t, tc.part, tc.change)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			require.ErrorContains(t, p.Start(ctx), tc.want)
			require.False(t, p.Running(), "what did not start is not left behind")
		})
	}
}

func TestChildDiesWithAKilledParent(t *testing.T) {
	var out output
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), partVariable+"=parent")
	parent.Stdout, parent.Stderr = &out, &out
	parent.WaitDelay = time.Second // a child that lives on holds the output open
	require.NoError(t, parent.Start())
	require.Eventually(t, func() bool { return len(out.lines()) > 0 }, patience, 10*time.Millisecond)
	address := out.lines()[0]
	require.True(t, answers(address))

	require.NoError(t, parent.Process.Signal(syscall.SIGKILL))
	_ = parent.Wait()
	assert.Eventually(t, func() bool { return !answers(address) }, patience, 10*time.Millisecond)
}

func TestSuperviseStartsAgainWhatDied(t *testing.T) {
	defer goleak.VerifyNone(t)
	p, out := child(t, "serve", nil)
	p.pause = time.Millisecond
	require.NoError(t, p.Start(t.Context()))

	notices := make(chan string, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Supervise(t.Context(), func(line string) { notices <- line })
	}()
	require.NoError(t, syscall.Kill(p.PID(), syscall.SIGKILL))
	require.Equal(t, "serve ended (signal: killed): starting it again", <-notices)
	require.Eventually(t, func() bool { return p.Running() && len(out.lines()) == 2 }, patience, 10*time.Millisecond)

	p.Stop()
	<-done // what was asked to end is not started again
	require.False(t, p.Running())
}

func TestSuperviseLeavesAWrongConfigurationAlone(t *testing.T) {
	defer goleak.VerifyNone(t)
	p, _ := child(t, "misconfigured", func(o *Options) { o.Ready = nil })
	require.NoError(t, p.Start(t.Context()))
	var notices []string
	p.Supervise(t.Context(), func(line string) { notices = append(notices, line) })
	require.Equal(t, []string{"misconfigured says that its configuration is wrong, and is not started again"}, notices)
}

// TestAPausedProgramIsKilledWithItsGroup stalls a program that runs in a group of its
// own, lets it go on, and kills it while it is stalled.
func TestAPausedProgramIsKilledWithItsGroup(t *testing.T) {
	p, out := child(t, "serve", func(o *Options) { o.Group = true })
	require.NoError(t, p.Start(t.Context()))
	group, err := syscall.Getpgid(p.PID())
	require.NoError(t, err)
	require.Equal(t, p.PID(), group)

	require.NoError(t, p.Pause())
	require.Eventually(t, func() bool { return stateOf(t, p.PID()) == "T" }, patience, probeEvery, "it is not stalled")
	require.NoError(t, p.Resume())
	conn, err := net.Dial("tcp", out.lines()[0])
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.Eventually(t, func() bool { return stateOf(t, p.PID()) != "T" }, patience, probeEvery, "it does not go on")

	require.NoError(t, p.Pause())
	p.Kill()
	assert.False(t, p.Running())
	assert.ErrorContains(t, p.Pause(), "does not run")
}

// stateOf is the kernel's letter for what a process does: see proc(5).
func stateOf(t *testing.T, pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(t, err)
	_, after, _ := strings.Cut(string(text), ") ")
	return after[:1]
}
