package ingest

import (
	"context"
	"database/sql"
	"os"
	"os/signal"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
)

// reopened is a ledger that a test can close and open again.
type reopened struct {
	path  string
	store atomic.Pointer[sqlite.Store]
}

func (l *reopened) open(t *testing.T) {
	t.Helper()
	store, err := sqlite.Open(context.Background(), l.path)
	require.NoError(t, err)
	l.store.Store(store)
}

func (l *reopened) close(t *testing.T) {
	t.Helper()
	require.NoError(t, l.store.Load().Close())
}

func (l *reopened) Record(ctx context.Context, events []ledger.Received) ([]ledger.Receipt, error) {
	return l.store.Load().Record(ctx, events)
}

func (l *reopened) Known(ctx context.Context, keys []hr.EventKey) ([]ledger.Known, error) {
	return l.store.Load().Known(ctx, keys)
}

func (l *reopened) MarkDelivered(ctx context.Context, seqs []int64) error {
	return l.store.Load().MarkDelivered(ctx, seqs)
}

func (l *reopened) RecordDeadLetter(ctx context.Context, d ledger.DeadLetter) (ledger.LetterReceipt, error) {
	return l.store.Load().RecordDeadLetter(ctx, d)
}

// The ledger in these tests is a real one, and so are its faults.
func TestLedgerFails(t *testing.T) {
	for name, harm := range map[string]func(t *testing.T, l *reopened) (mend func()){
		"it is gone, and back": func(t *testing.T, l *reopened) func() {
			t.Helper()
			l.close(t)
			return func() { l.open(t) }
		},
		"another process has it locked": func(t *testing.T, l *reopened) func() {
			t.Helper()
			db, err := sql.Open("sqlite", l.path)
			require.NoError(t, err)
			conn, err := db.Conn(t.Context())
			require.NoError(t, err)
			_, err = conn.ExecContext(t.Context(), "PRAGMA busy_timeout = 10000")
			require.NoError(t, err)
			_, err = conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
			require.NoError(t, err)
			return func() {
				_, err := conn.ExecContext(context.Background(), "ROLLBACK")
				require.NoError(t, err)
				require.NoError(t, conn.Close())
				require.NoError(t, db.Close())
			}
		},
		// A limit on the size of files is like a full disk to a program, except for the
		// number of the error.
		"the disk is full": func(t *testing.T, l *reopened) func() {
			t.Helper()
			var before syscall.Rlimit
			require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before))
			info, err := os.Stat(l.path + "-wal")
			require.NoError(t, err)
			signal.Ignore(syscall.SIGXFSZ)
			full := syscall.Rlimit{Cur: uint64(info.Size()), Max: before.Max}
			require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full))
			return func() {
				require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before))
				signal.Reset(syscall.SIGXFSZ)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newFakeRig(t, 2)
			l := &reopened{path: filepath.Join(t.TempDir(), "tenure.db")}
			l.open(t)
			c, stop := r.run(func(o *Options) { o.Intake, o.Tuning.Attempt = l, 300*time.Millisecond })
			defer func() { stop(); l.close(t) }()
			r.publish(notes(10, "1", "2", "3")...)
			r.awaitAllCommitted()

			mend := harm(t, l)
			r.publish(notesFrom(10, 10, "1", "2", "3")...)
			r.eventually(func() bool { return counter(t, c.metrics.retries, "ledger") > 3 }, "it tries again")
			assert.Len(t, r.nudger.nudges(""), 30, "nothing reaches Temporal before the ledger has it")
			mend()
			r.awaitAllCommitted()
			assert.Len(t, r.nudger.nudges(""), 60, "each once")
			assert.Zero(t, r.letterCount())
			for _, person := range []string{"1", "2", "3"} {
				p, err := l.store.Load().Person(t.Context(), person)
				require.NoError(t, err)
				assert.Len(t, p.Events, 20)
			}
		})
	}
}
