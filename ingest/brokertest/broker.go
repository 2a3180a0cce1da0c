package brokertest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// libsVariable names the directory with Kafka's jars.
const libsVariable = "TENURE_REAL_KAFKA_LIBS"

// broker is one broker of a cluster, with a directory of its own.
type broker struct {
	id    int
	dir   string
	libs  string
	ports ports

	mu    sync.Mutex
	cmd   *exec.Cmd     // of the present or last run; nil before the first
	ended chan struct{} // closed when that run has ended
}

func (b *broker) properties() string { return filepath.Join(b.dir, "server.properties") }
func (b *broker) log() string        { return filepath.Join(b.dir, "broker.log") }

// configure writes the broker's properties.
func (b *broker) configure(properties map[string]string) error {
	var lines []string
	for key, value := range properties {
		lines = append(lines, key+"="+value+"\n")
	}
	slices.Sort(lines)
	return os.WriteFile(b.properties(), []byte(strings.Join(lines, "")), 0o600)
}

// java runs one of Kafka's programs, with little memory and with flags that make it start
// fast.
func (b *broker) java(args ...string) *exec.Cmd {
	return exec.Command("java", append([]string{
		"-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
		"-cp", filepath.Join(b.libs, "*"),
	}, args...)...)
}

// format prepares the broker's storage.
func (b *broker) format(cluster string, more []string) error {
	args := append([]string{"kafka.tools.StorageTool", "format", "-t", cluster, "-c", b.properties()}, more...)
	said, err := b.java(args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("broker %d cannot format its storage: %w\n%s", b.id, err, said)
	}
	return nil
}

// start runs the broker, and returns at once.
func (b *broker) start() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended != nil && !closed(b.ended) {
		return fmt.Errorf("broker %d runs already", b.id)
	}
	log, err := os.OpenFile(b.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the child has a descriptor of its own
	cmd := b.java("kafka.Kafka", b.properties())
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = dieWithParent()

	ended, started := make(chan struct{}), make(chan error)
	go func() {
		// On Linux a child dies with the thread that made it, not the process: this
		// goroutine keeps its thread for as long as the child lives.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(ended)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // a broker that was killed is no error
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("broker %d cannot be started: %w", b.id, err)
	}
	b.cmd, b.ended = cmd, ended
	return nil
}

// signal sends a signal to the running broker.
func (b *broker) signal(s os.Signal) error {
	if !b.running() {
		return fmt.Errorf("broker %d does not run", b.id)
	}
	return b.cmd.Process.Signal(s)
}

// kill ends the broker and returns when it is gone. It is no error if the broker was gone
// before.
func (b *broker) kill() error {
	if b.ended == nil {
		return nil
	}
	if err := b.cmd.Process.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-b.ended
	return nil
}

func (b *broker) running() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ended != nil && !closed(b.ended)
}

// tail returns the end of the broker's log.
func (b *broker) tail() string {
	const most = 8 << 10
	text, err := os.ReadFile(b.log())
	if err != nil {
		return err.Error()
	}
	return string(bytes.ToValidUTF8(text[max(0, len(text)-most):], nil))
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
