package worker

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/audit/export"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/ledgertest"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/service"
)

// childConfig names the configuration of a test binary that is a child process of a test: it
// does with the audit record what a worker does.
const childConfig = "WORKER_TEST_CONFIG"

func TestMain(m *testing.M) {
	path := os.Getenv(childConfig)
	if path == "" {
		os.Exit(m.Run())
	}
	if err := keepRecord(path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// keepRecord puts the record into its log, and exports it, until it is stopped.
func keepRecord(path string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cfg, err := config.LoadFor(path, config.PartLedger)
	if err != nil {
		return err
	}
	store, err := sqlite.Open(ctx, ledgerOf(path))
	if err != nil {
		return err
	}
	logger := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(os.Stderr), zap.InfoLevel))
	m := newAuditMetrics(prometheus.NewRegistry(), store, clock.Real(), placesOf(cfg.Audit), exportsOf(cfg.Audit), logger)
	end, err := sequencing(ctx, cfg, Options{Ledger: store, Log: logger}, m)
	if err != nil {
		return err
	}
	<-ctx.Done()
	if err := end(); err != nil {
		return err
	}
	return store.Close()
}

// ledgerOf returns where the ledger of a configuration is: beside it.
func ledgerOf(path string) string { return filepath.Join(filepath.Dir(path), "tenure.db") }

// keeper is a ledger, and a process that keeps its record as a configuration says.
type keeper struct {
	t      *testing.T
	store  *sqlite.Store
	path   string // of the configuration
	log    string // of the processes
	rows   int
	child  *exec.Cmd
	config *config.Config
}

// newKeeper makes a ledger, with a section audit and what else is to be in the configuration.
func newKeeper(t *testing.T, sections string) *keeper {
	t.Helper()
	dir := t.TempDir()
	k := &keeper{t: t, path: filepath.Join(dir, "tenure.yaml"), log: filepath.Join(dir, "log")}
	require.NoError(t, os.WriteFile(k.path, []byte("ledger: {url: \"sqlite:tenure.db\"}\n"+sections), 0o600))
	var err error
	k.config, err = config.LoadFor(k.path, config.PartLedger)
	require.NoError(t, err)
	k.open()
	t.Cleanup(func() {
		k.kill()
		require.NoError(t, k.store.Close())
		if t.Failed() {
			t.Log(k.said())
		}
	})
	return k
}

func (k *keeper) open() {
	k.t.Helper()
	var err error
	k.store, err = sqlite.Open(context.Background(), ledgerOf(k.path))
	require.NoError(k.t, err)
}

// start starts a process, as if the lease of one that was killed had run out.
func (k *keeper) start() {
	k.t.Helper()
	leases, err := k.store.Leases(k.t.Context())
	require.NoError(k.t, err)
	for _, lease := range leases {
		require.NoError(k.t, k.store.DropLease(k.t.Context(), lease))
	}
	exe, err := os.Executable()
	require.NoError(k.t, err)
	log, err := os.OpenFile(k.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(k.t, err)
	defer log.Close()
	k.child = exec.Command(exe)
	k.child.Env = append(os.Environ(), childConfig+"="+k.path)
	k.child.Stderr = log
	require.NoError(k.t, k.child.Start())
}

// kill ends the process at once, wherever it is.
func (k *keeper) kill() {
	if k.child == nil {
		return
	}
	_ = k.child.Process.Kill()
	_ = k.child.Wait()
	k.child = nil
}

// stop ends the process as whoever runs it does.
func (k *keeper) stop() {
	k.t.Helper()
	require.NoError(k.t, k.child.Process.Signal(syscall.SIGTERM))
	require.NoError(k.t, k.child.Wait(), "%s", k.said())
	k.child = nil
}

func (k *keeper) said() string {
	text, _ := os.ReadFile(k.log)
	return string(text)
}

func (k *keeper) write(n int) {
	k.t.Helper()
	for range n {
		require.NoError(k.t, ledgertest.WriteRound(k.t.Context(), k.store, fmt.Sprint("p", k.rows), 0))
		k.rows++
	}
}

func (k *keeper) await(what string, is func() bool) {
	k.t.Helper()
	require.Eventually(k.t, is, 2*time.Minute, 5*time.Millisecond, "%s", what)
}

// lag returns the metrics of how far a place is behind.
func (k *keeper) lag(place string) (leaves, age float64) {
	k.t.Helper()
	reg := prometheus.NewRegistry()
	newAuditMetrics(reg, k.store, clock.Real(), nil, exportsOf(k.config.Audit), zap.NewNop())
	got := gauges(k.t, reg)
	return got["tenure_audit_export_lag_leaves "+place], got["tenure_audit_export_age_seconds "+place]
}

// expected returns the messages of all leaves, in their order, as they are to arrive.
func (k *keeper) expected(x config.AuditExport) (texts []string, first map[string]int) {
	k.t.Helper()
	first = map[string]int{}
	format, _ := export.Named(x.Format)
	require.NoError(k.t, k.store.ReadRecord(k.t.Context(), func(s audit.Source) error {
		for after := int64(-1); ; {
			entries, err := s.Entries(k.t.Context(), after, 100)
			if err != nil || len(entries) == 0 {
				return err
			}
			for _, e := range entries {
				for _, m := range format.Render(export.Of(k.config.Audit.Origin, e), service.Version()) {
					first[string(m.Text)] = len(texts)
					texts = append(texts, string(m.Text))
				}
			}
			after = entries[len(entries)-1].N
		}
	}))
	return texts, first
}

// noKafka is the configuration of brokers that nobody asks.
const noKafka = "kafka: {brokers: [\"localhost:1\"]}\n"

// destination is where a record is exported to, in a test.
type destination struct {
	export string // the configuration's entry, without a name
	// received returns what has arrived, in its order.
	received func() []string
	// away makes the place unreachable, and back reachable again. Both may be nil.
	away, back func()
	// cut says that the place may have lines that were cut.
	cut bool
}

// requireExported requires that a record arrives, in its order and whole, however often the
// process that sends it is killed, and the place is away.
func requireExported(t *testing.T, other string, d destination) {
	t.Helper()
	k := newKeeper(t, other+"audit:\n  origin: example.com/tenure\n  every: 20ms\n  export:\n    - {name: there, "+d.export+"}\n")
	place := k.config.Audit.Export[0]
	// Killed at some point of sending, again and again.
	for range 4 {
		had := len(d.received())
		k.start()
		var writing sync.WaitGroup
		writing.Go(func() { k.write(300) })
		more := 1 + rand.IntN(250)
		k.await("some rows arrive", func() bool { return len(d.received()) >= had+more })
		k.kill()
		writing.Wait()
	}
	// Whoever goes on has all that is left. The place is away meanwhile.
	if d.away != nil {
		d.away()
		k.start()
		k.write(300)
		k.await("it is said that the place is away", func() bool {
			return strings.Contains(k.said(), "the audit record is not exported to a place")
		})
		k.await("all rows are in the log", func() bool { return k.counts().Size == int64(k.rows) })
		leaves, age := k.lag("there")
		assert.GreaterOrEqual(t, leaves, 300.0)
		assert.Positive(t, age)
		k.kill()
		d.back()
	}
	k.start()
	k.write(300)
	k.await("all rows have arrived", func() bool {
		c := k.counts()
		return c.Size == int64(k.rows) && len(c.Exported) == 1 && c.Exported[0].Size == c.Size
	})
	k.stop()
	leaves, age := k.lag("there")
	assert.Equal(t, []float64{0, 0}, []float64{leaves, age})
	requireInOrder(k, place, d)
}

func (k *keeper) counts() ledger.LogCounts {
	k.t.Helper()
	counts, err := k.store.CountLog(k.t.Context())
	require.NoError(k.t, err)
	return counts
}

// requireInOrder requires that what has arrived is the record: each message for the first time in its
// order, none left out, and nothing else.
func requireInOrder(k *keeper, place config.AuditExport, d destination) {
	k.t.Helper()
	all, at := k.expected(place)
	next, repeated := 0, 0
	got := d.received()
	for i, text := range got {
		n, known := at[text]
		if !known && d.cut {
			require.Contains(k.t, strings.Join(all, "\n"), "\n"+text, "a line that was cut is the beginning of another")
			continue
		}
		require.True(k.t, known, "message %d is none of the record: %q", i, text)
		require.LessOrEqual(k.t, n, next, "message %d is of leaf %d, and that of leaf %d did not come before it: it is message %d", i, n, next, slices.Index(got, all[next]))
		if n < next {
			repeated++
		}
		next = max(next, n+1)
	}
	require.Equal(k.t, len(all), next, "messages are missing")
	k.t.Logf("%d rows, %d messages, %d of them came again", k.rows, len(all), repeated)
}

// linesOf returns the lines of a file, without one that is being written.
func linesOf(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		require.ErrorIs(t, err, os.ErrNotExist)
		return nil
	}
	lines := strings.Split(string(text), "\n")
	return lines[:len(lines)-1]
}

func TestTheRecordIsExportedToAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	requireExported(t, noKafka, destination{export: "format: jsonl, file: " + path, received: func() []string { return linesOf(t, path) }, cut: true})
}

func TestTheRecordIsExportedOverHTTPS(t *testing.T) {
	var mu sync.Mutex
	var lines []string
	away := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // whoever sent it was killed
		}
		mu.Lock()
		defer mu.Unlock()
		if away {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		lines = append(lines, strings.Split(strings.TrimSuffix(string(body), "\n"), "\n")...)
	}))
	defer server.Close()
	set := func(to bool) func() {
		return func() {
			mu.Lock()
			defer mu.Unlock()
			away = to
		}
	}
	requireExported(t, noKafka, destination{
		export: "format: cef, https: \"" + server.URL + "\"", away: set(true), back: set(false),
		received: func() []string {
			mu.Lock()
			defer mu.Unlock()
			return append([]string{}, lines...)
		},
	})
}
