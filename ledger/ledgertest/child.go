package ledgertest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// The environment variables that make a test binary a child process of a test.
const (
	childTask = "LEDGER_TEST_CHILD"
	childAt   = "LEDGER_TEST_AT"
	childName = "LEDGER_TEST_NAME"
)

// Task names what a child process does.
type Task string

const (
	// OpenOnce waits for its input to end, then opens the ledger and writes to it.
	OpenOnce Task = "open"
	// WriteForEver writes round after round, and prints the number of each when it
	// is acknowledged.
	WriteForEver Task = "write"
	// Leave waits for its input to end, then asks at once for the withdrawals of people who
	// leave, and prints how many of them were admitted.
	Leave Task = "leave"
)

// Main is for a store's TestMain: it runs the tests or, in a child process, the task.
func Main(m *testing.M, open func(ctx context.Context, at string) (ledger.Ledger, error)) {
	task := Task(os.Getenv(childTask))
	if task == "" {
		os.Exit(m.Run())
	}
	if err := task.do(context.Background(), open, os.Getenv(childAt), os.Getenv(childName)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func (task Task) do(ctx context.Context, open func(context.Context, string) (ledger.Ledger, error), at, name string) error {
	if task != WriteForEver {
		if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
			return err
		}
	}
	l, err := open(ctx, at)
	if err != nil {
		return err
	}
	if task == OpenOnce {
		return errors.Join(WriteRound(ctx, l, name, 0), l.Close())
	}
	if task == Leave {
		return errors.Join(leave(ctx, l, name), l.Close())
	}
	for round := 0; ; round++ {
		if err := WriteRound(ctx, l, name, round); err != nil {
			return errors.Join(err, l.Close())
		}
		fmt.Println(round)
	}
}

// Child is a child process that does a task in the ledger, about one person.
type Child struct {
	Cmd *exec.Cmd
	In  io.WriteCloser
	Out *bufio.Scanner
	err *os.File
}

// Start starts a child, which is killed when the test ends. at is the ledger's address.
func Start(t *testing.T, task Task, at, person string) *Child {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childTask+"="+string(task), childAt+"="+at, childName+"="+person)
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
	return &Child{Cmd: cmd, In: in, Out: bufio.NewScanner(out), err: stderr}
}

// Said returns what the child wrote to stderr.
func (c *Child) Said(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(c.err.Name())
	require.NoError(t, err)
	return string(b)
}
