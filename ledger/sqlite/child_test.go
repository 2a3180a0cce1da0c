package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// The environment that makes the test binary a child process of a test's.
const (
	childTask = "LEDGER_TEST_CHILD"
	childPath = "LEDGER_TEST_PATH"
	childName = "LEDGER_TEST_NAME"
)

func TestMain(m *testing.M) {
	tasks := map[string]func(context.Context, string, string) error{"": nil, "open": openOnce, "write": writeForEver}
	task := tasks[os.Getenv(childTask)]
	if task == nil {
		os.Exit(m.Run())
	}
	if err := task(context.Background(), os.Getenv(childPath), os.Getenv(childName)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// openOnce waits for its input to end, then opens the ledger and writes to it.
func openOnce(ctx context.Context, path, name string) error {
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	s, err := Open(ctx, path)
	if err != nil {
		return err
	}
	return errors.Join(writeRound(ctx, s, name, 0), s.Close())
}

// writeForEver writes round after round, and prints the number of each when it
// is acknowledged.
func writeForEver(ctx context.Context, path, name string) error {
	s, err := Open(ctx, path)
	if err != nil {
		return err
	}
	for round := 0; ; round++ {
		if err := writeRound(ctx, s, name, round); err != nil {
			return err
		}
		fmt.Println(round)
	}
}

// eventsPerRound are recorded in one call.
const eventsPerRound = 3

// writeRound makes the calls that one HR event leads to, all about one person.
func writeRound(ctx context.Context, s *Store, person string, round int) error {
	now := time.Now()
	batch := make([]ledger.Received, eventsPerRound)
	for i := range batch {
		batch[i] = ledger.Received{At: now, Event: hr.Event{
			EventKey: hr.EventKey{Source: person, ID: fmt.Sprint(round, " ", i)}, PersonID: person,
		}}
	}
	if _, err := s.Record(ctx, batch); err != nil {
		return err
	}
	key := fmt.Sprint("step ", round)
	begun, err := s.BeginStep(ctx, ledger.Attempt{
		PersonID: person, App: "wiki", Key: key, At: now, Deadline: now.Add(time.Minute), Gives: true,
	})
	if err != nil {
		return err
	}
	return s.FinishStep(ctx, ledger.Outcome{
		PersonID: person, App: "wiki", Key: key, Attempt: begun.Attempt, At: now, State: ledger.StepDone,
		Link:  &ledger.Link{State: ledger.LinkActive, Attributes: fmt.Sprint(round)},
		Audit: &ledger.AuditRow{Action: "updated", Actor: "tenure", Cause: fmt.Sprint(round)},
	})
}

// child is a process of its own, running one of the tasks.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
	err *os.File
}

// start starts a child, which is killed when the test ends.
func start(t *testing.T, task, path, name string) *child {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childTask+"="+task, childPath+"="+path, childName+"="+name)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	stderr, err := os.CreateTemp(t.TempDir(), "stderr")
	require.NoError(t, err)
	cmd.Stderr = stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = stderr.Close()
	})
	return &child{cmd: cmd, in: in, out: bufio.NewScanner(out), err: stderr}
}

// said is what the child wrote to stderr.
func (c *child) said(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(c.err.Name())
	require.NoError(t, err)
	return string(b)
}
