package brokertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"
)

const (
	// clusterID is any valid one (a UUID in base 64).
	clusterID = "dGVudXJlLXJlYWwtdGVzdA"
	// patience bounds the wait for a Java process on a small and busy machine.
	patience = 90 * time.Second
	tick     = 50 * time.Millisecond
	// attempts is how often Start tries again because another process took a port that it
	// had chosen.
	attempts = 3
)

// Cluster is a running cluster of one test: any error fails the test. Brokers are numbered
// from 0, and have these numbers as their IDs in Kafka too. Call its methods from the
// test's own goroutine.
type Cluster struct {
	t testing.TB
	*cluster
}

// cluster holds the brokers of a Cluster, which several tests may share.
type cluster struct {
	opts      Options
	dir       string
	brokers   []*broker
	transport *kafka.Transport
}

// Start runs a cluster until the test ends, and returns when it takes requests. If the
// test fails, it logs the ends of the brokers' logs.
func Start(t testing.TB, opts Options) *Cluster {
	t.Helper()
	inner, err := start(t.TempDir(), opts)
	require.NoError(t, err)
	c := &Cluster{t, inner}
	t.Cleanup(func() {
		c.showLogs()
		inner.close()
	})
	return c
}

var shared struct {
	sync.Mutex
	*cluster
	err error
}

// Shared returns one broker for all tests of the process: the first call starts it.
// Topics and groups must have names that no other test uses. TestMain must call
// CloseShared.
func Shared(t testing.TB) *Cluster {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil && shared.err == nil {
		var dir string
		if dir, shared.err = os.MkdirTemp("", "tenure-broker-"); shared.err == nil {
			if shared.cluster, shared.err = start(dir, Options{}); shared.err != nil {
				_ = os.RemoveAll(dir)
			}
		}
	}
	require.NoError(t, shared.err)
	c := &Cluster{t, shared.cluster}
	t.Cleanup(c.showLogs)
	return c
}

// CloseShared ends the shared broker, if there is one.
func CloseShared() {
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster != nil {
		shared.close()
		_ = os.RemoveAll(shared.dir)
		shared.cluster = nil
	}
}

func start(dir string, opts Options) (*cluster, error) {
	libs := os.Getenv(libsVariable)
	if found, _ := filepath.Glob(filepath.Join(libs, "kafka_*.jar")); libs == "" || len(found) == 0 {
		return nil, fmt.Errorf("%s=%q is no directory with Kafka's jars: run `make test-real`, which fetches them and sets it", libsVariable, libs)
	}
	if opts.Brokers == 0 {
		opts.Brokers = 1
	}
	if opts.Brokers != 1 && opts.Brokers != 3 {
		return nil, fmt.Errorf("%d brokers: only 1 or 3 make sense here", opts.Brokers)
	}
	var err error
	for attempt := range attempts {
		c := &cluster{opts: opts, dir: dir, transport: &kafka.Transport{MetadataTTL: 100 * time.Millisecond}}
		if err = c.launch(filepath.Join(dir, fmt.Sprint(attempt)), libs); err == nil {
			return c, nil
		}
		c.close()
		if !errors.Is(err, errPortTaken) {
			break
		}
	}
	return nil, err
}

func (c *cluster) launch(dir, libs string) error {
	all := make([]ports, c.opts.Brokers)
	for i := range all {
		var err error
		if all[i], err = freePorts(append(c.opts.listenerNames(), controllers)); err != nil {
			return err
		}
	}
	for i, mine := range all {
		b := &broker{id: i, dir: filepath.Join(dir, fmt.Sprint(i)), libs: libs, ports: mine}
		if err := os.MkdirAll(b.dir, 0o700); err != nil {
			return err
		}
		if err := b.configure(c.opts.properties(i, b.dir, all)); err != nil {
			return err
		}
		c.brokers = append(c.brokers, b)
	}
	if err := c.each(func(b *broker) error { return b.format(clusterID, c.opts.Format) }); err != nil {
		return err
	}
	if err := c.each((*broker).start); err != nil {
		return err
	}
	return c.each(c.await)
}

// each calls do for all brokers at once.
func (c *cluster) each(do func(*broker) error) error {
	errs := make([]error, len(c.brokers))
	var all sync.WaitGroup
	for i, b := range c.brokers {
		all.Go(func() { errs[i] = do(b) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// errPortTaken is the error of a port that another process took after it was chosen.
var errPortTaken = errors.New("a port is taken")

// await returns when the broker is part of the cluster and takes requests.
func (c *cluster) await(b *broker) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		err := c.ask(ctx, b)
		if err == nil {
			return nil
		}
		select {
		case <-b.ended:
			if strings.Contains(b.tail(), "java.net.BindException") {
				return fmt.Errorf("broker %d: %w", b.id, errPortTaken)
			}
			return fmt.Errorf("broker %d ended instead of starting:\n%s", b.id, b.tail())
		case <-ctx.Done():
			return fmt.Errorf("broker %d does not answer: %w\n%s", b.id, err, b.tail())
		case <-ticker.C:
		}
	}
}

// ask returns an error unless the broker answers that it is part of the cluster, and so
// can be used.
func (c *cluster) ask(ctx context.Context, b *broker) error {
	dialer := kafka.Dialer{Timeout: time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", b.ports.address(Plain))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(2 * time.Second))
	known, err := conn.Brokers()
	if err != nil {
		return err
	}
	for _, k := range known {
		if k.ID == b.id {
			_, err = conn.Controller()
			return err
		}
	}
	return errors.New("it is not in the cluster yet")
}

func (c *cluster) close() {
	c.transport.CloseIdleConnections()
	_ = c.each((*broker).kill)
}

// Brokers returns the addresses (host:port) of the plain listeners.
func (c *Cluster) Brokers() []string { return c.Addresses(Plain) }

// Addresses returns the addresses (host:port) of the listeners of that name, by broker.
func (c *Cluster) Addresses(listener string) []string {
	var all []string
	for _, b := range c.brokers {
		all = append(all, b.ports.address(listener))
	}
	return all
}

// Kill ends a broker at once (SIGKILL), and returns when it is gone. Its data stays.
func (c *Cluster) Kill(broker int) {
	c.t.Helper()
	require.NoError(c.t, c.brokers[broker].kill())
}

// Restart starts a broker that was killed, and returns when it takes requests.
func (c *Cluster) Restart(broker int) {
	c.t.Helper()
	b := c.brokers[broker]
	var err error
	require.Eventually(c.t, func() bool { // another process may have its port for a moment
		if err = b.start(); err == nil {
			err = c.await(b)
		}
		return !errors.Is(err, errPortTaken)
	}, 2*patience, time.Second, "broker %d: somebody took its port", broker)
	require.NoError(c.t, err)
}

// Pause stalls a broker (SIGSTOP): its connections stay open, and nothing comes
// through them, until Resume. It returns when the broker has stopped.
func (c *Cluster) Pause(broker int) {
	c.t.Helper()
	b := c.brokers[broker]
	require.NoError(c.t, b.signal(syscall.SIGSTOP))
	require.NoError(c.t, awaitStopped(b.cmd.Process.Pid))
}

// Resume ends a Pause.
func (c *Cluster) Resume(broker int) {
	c.t.Helper()
	require.NoError(c.t, c.brokers[broker].signal(syscall.SIGCONT))
}

func (c *Cluster) showLogs() {
	if !c.t.Failed() {
		return
	}
	for _, b := range c.brokers {
		c.t.Logf("the end of broker %d's log:\n%s", b.id, b.tail())
	}
}
