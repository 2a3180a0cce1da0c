package ledgertest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	auditlog "github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/ledger"
)

// takeAudit takes the lease of the audit record's log.
func takeAudit(t *testing.T, l ledger.Ledger, holder string) ledger.Lease {
	t.Helper()
	lease, held, err := l.TakeLease(t.Context(), ledger.LeaseAudit, holder, time.Minute)
	require.NoError(t, err)
	require.True(t, held)
	return lease
}

// LogEdge reads the right edge of the log.
func LogEdge(ctx context.Context, l ledger.Log) (*auditlog.Edge, error) {
	state, err := l.LogState(ctx)
	if err != nil {
		return nil, err
	}
	return auditlog.NewEdge(state.Size, func(level int, n int64) ([]byte, error) { return l.LogTile(ctx, level, n) })
}

// Batch returns the leaves and tiles of rows behind an edge, which it moves.
func Batch(edge *auditlog.Edge, rows []auditlog.Row) ledger.LogBatch {
	b := ledger.LogBatch{From: edge.Size()}
	for _, r := range rows {
		leaf := auditlog.NewLeaf(edge.Size(), r)
		b.Leaves = append(b.Leaves, leaf)
		edge.Add(leaf.Hash, func(full auditlog.Tile) { b.Tiles = append(b.Tiles, full) })
	}
	b.Tiles = append(b.Tiles, edge.Partial()...)
	return b
}

// sequence gives every row a leaf, and makes a checkpoint.
func sequence(t *testing.T, l ledger.Ledger, lease ledger.Lease, limit int) {
	t.Helper()
	for {
		edge, err := LogEdge(t.Context(), l)
		require.NoError(t, err)
		rows, err := l.Unsequenced(t.Context(), 0, limit)
		require.NoError(t, err)
		if len(rows) == 0 {
			return
		}
		require.NoError(t, l.AppendLeaves(t.Context(), lease, Batch(edge, rows)))
		checkpoint(t, l, lease, edge)
	}
}

func checkpoint(t *testing.T, l ledger.Ledger, lease ledger.Lease, edge *auditlog.Edge) auditlog.Stored {
	t.Helper()
	c := auditlog.Checkpoint{Origin: "test/audit", Size: edge.Size(), Root: edge.Root(), At: at(int(edge.Size()))}
	state, err := l.LogState(t.Context())
	require.NoError(t, err)
	c.Origin = auditlog.Origin(c.Origin, state.Epoch)
	note, err := c.Sign()
	require.NoError(t, err)
	stored := auditlog.Stored{Size: c.Size, At: c.At, Root: c.Root, Note: note}
	require.NoError(t, l.SaveCheckpoint(t.Context(), lease, stored))
	return stored
}

// Verify verifies the record of a ledger.
func Verify(t testing.TB, l ledger.LogReader, kept ...string) *auditlog.Report {
	t.Helper()
	var report *auditlog.Report
	require.NoError(t, l.ReadRecord(t.Context(), func(s auditlog.Source) (err error) {
		report, err = auditlog.Verify(t.Context(), s, auditlog.Options{Kept: kept})
		return err
	}))
	return report
}

// written writes audit rows.
func written(t *testing.T, l ledger.Ledger, n int) {
	t.Helper()
	before := len(audit(t, l, ""))
	for i := range n {
		require.NoError(t, WriteRound(t.Context(), l, fmt.Sprint("p", before+i), 0))
	}
}

// logged gives every row a leaf, erases the text of one, and publishes a checkpoint.
func logged(t *testing.T, l ledger.Ledger) {
	t.Helper()
	lease := takeAudit(t, l, "a")
	sequence(t, l, lease, 100)
	rows := audit(t, l, "")
	require.NoError(t, l.Redact(t.Context(), ledger.Redaction{Seqs: []int64{rows[1].Seq}, Operator: "ops", Reason: "x", At: at(15)}))
	sequence(t, l, lease, 100)
	require.NoError(t, l.SavePublished(t.Context(), lease, ledger.Published{Place: "file", Size: int64(len(rows)), At: at(15), Receipt: "x"}))
	sends, _, err := l.TakeLease(t.Context(), ledger.LeaseExport("siem"), "worker 1", ledger.LongestLease)
	require.NoError(t, err)
	require.NoError(t, l.SaveExported(t.Context(), sends, ledger.Exported{Place: "siem", Size: 1, At: at(15)}))
}

var logTests = tests{
	"EveryRowGetsOneLeafInOrder": func(t *testing.T, l ledger.Ledger) {
		lease := takeAudit(t, l, "a")
		written(t, l, 7)
		sequence(t, l, lease, 3)
		written(t, l, 600)
		sequence(t, l, lease, 1000)
		report := Verify(t, l)
		assert.Empty(t, report.Findings)
		assert.EqualValues(t, 607, report.Leaves)
		assert.EqualValues(t, 607, report.Covered)
		assert.Zero(t, report.Waiting)
		var seqs []int64
		require.NoError(t, l.ReadRecord(t.Context(), func(s auditlog.Source) error {
			entries, err := s.Entries(t.Context(), -1, 1000)
			seqs = nil
			require.NoError(t, err)
			for i, e := range entries {
				assert.EqualValues(t, i, e.N)
				assert.Len(t, e.Row.Salt, auditlog.SaltSize)
				assert.True(t, i == 0 || e.Row.Seq > entries[i-1].Row.Seq)
				seqs = append(seqs, e.Row.Seq)
			}
			return err
		}))
		leaf, found, err := l.LeafOf(t.Context(), seqs[606])
		require.NoError(t, err)
		assert.Equal(t, []any{int64(606), true}, []any{leaf, found})
		_, found, err = l.LeafOf(t.Context(), 1<<40)
		require.NoError(t, err)
		assert.False(t, found)
	},
	"ARowIsReadAsItIsStored": func(t *testing.T, l ledger.Ledger) {
		o := outcome("p1", "wiki", "a", 3, ledger.StepDone)
		o.Attempt = 0
		o.Audit = &ledger.AuditRow{Action: "created", Actor: "tenure", Cause: "b\x00a\xffd", Detail: map[string]any{"n": 1, "s": "é<\u2028"}}
		require.NoError(t, l.FinishStep(t.Context(), o))
		rows, err := l.Unsequenced(t.Context(), 0, 10)
		require.NoError(t, err)
		require.Len(t, rows, 1)
		r := rows[0]
		require.NotNil(t, r.Detail)
		assert.Equal(t, `{"n":1,"s":"é\u003c\u2028"}`, *r.Detail)
		assert.Equal(t, "b\uFFFDa\uFFFDd", r.Cause, "what not every database can store is stored by none")
		r.Text = auditlog.Text{}
		assert.Equal(t, auditlog.Row{Seq: r.Seq, At: at(3).UnixMicro(), Person: "p1", App: "wiki", Action: "created", Actor: "tenure", Key: "a"}, r)
	},
	"AFormerHolderAddsNothing": func(t *testing.T, l ledger.Ledger) {
		former := takeAudit(t, l, "a")
		written(t, l, 1)
		sequence(t, l, former, 10)
		written(t, l, 1)
		require.NoError(t, l.DropLease(t.Context(), former))
		takeAudit(t, l, "b")
		edge, err := LogEdge(t.Context(), l)
		require.NoError(t, err)
		rows, err := l.Unsequenced(t.Context(), 0, 10)
		require.NoError(t, err)
		require.Len(t, rows, 1)
		require.ErrorIs(t, l.AppendLeaves(t.Context(), former, Batch(edge, rows)), ledger.ErrLeaseLost)
		require.ErrorIs(t, l.SaveCheckpoint(t.Context(), former, auditlog.Stored{Size: 2, At: at(1)}), ledger.ErrLeaseLost)
		require.ErrorIs(t, l.SavePublished(t.Context(), former, ledger.Published{Place: "file", Size: 1, At: at(1)}), ledger.ErrLeaseLost)
		require.ErrorIs(t, l.SaveExported(t.Context(), former, ledger.Exported{Place: "siem", Size: 1, At: at(1)}), ledger.ErrLeaseLost)
		report := Verify(t, l)
		assert.Empty(t, report.Findings)
		assert.Equal(t, [2]int64{1, 1}, [2]int64{report.Leaves, report.Waiting})
	},
	"LeavesAreAddedWhereTheLogEnds": func(t *testing.T, l ledger.Ledger) {
		lease := takeAudit(t, l, "a")
		written(t, l, 4)
		rows, err := l.Unsequenced(t.Context(), 0, 10)
		require.NoError(t, err)
		edge := &auditlog.Edge{}
		first := Batch(edge, rows[:2])
		require.NoError(t, l.AppendLeaves(t.Context(), lease, first))
		require.NoError(t, l.AppendLeaves(t.Context(), lease, first), "repeated")
		require.NoError(t, l.AppendLeaves(t.Context(), lease, ledger.LogBatch{}))
		require.ErrorIs(t, l.AppendLeaves(t.Context(), lease, Batch(&auditlog.Edge{}, rows[2:])), ledger.ErrLogMoved, "from another beginning")
		ahead := Batch(edge.Clone(), rows[2:])
		ahead.From++
		require.ErrorIs(t, l.AppendLeaves(t.Context(), lease, ahead), ledger.ErrLogMoved)
		twice := Batch(edge.Clone(), []auditlog.Row{rows[2], rows[1]})
		require.Error(t, l.AppendLeaves(t.Context(), lease, twice), "a row has one leaf")
		assert.EqualValues(t, 2, Verify(t, l).Leaves, "all of them or none")
		require.NoError(t, l.AppendLeaves(t.Context(), lease, Batch(edge, rows[2:])))
		assert.Empty(t, Verify(t, l).Findings)
	},
	"UnsequencedRowsAreListedInPages": func(t *testing.T, l ledger.Ledger) {
		lease := takeAudit(t, l, "a")
		written(t, l, 5)
		first, err := l.Unsequenced(t.Context(), 0, 2)
		require.NoError(t, err)
		second, err := l.Unsequenced(t.Context(), first[1].Seq, 2)
		require.NoError(t, err)
		require.NoError(t, l.AppendLeaves(t.Context(), lease, Batch(&auditlog.Edge{}, second)))
		left, err := l.Unsequenced(t.Context(), 0, 10)
		require.NoError(t, err)
		assert.Equal(t, []int64{first[0].Seq, first[1].Seq, second[1].Seq + 1}, []int64{left[0].Seq, left[1].Seq, left[2].Seq})
		none, err := l.Unsequenced(t.Context(), left[2].Seq, 10)
		require.NoError(t, err)
		assert.Empty(t, none)
	},
	"TheHorizonIsPassedWhenNobodyWrites": func(t *testing.T, l ledger.Ledger) {
		written(t, l, 3)
		mark, _, err := l.LogHorizon(t.Context(), ledger.LogHorizon{})
		require.NoError(t, err)
		rows, err := l.Unsequenced(t.Context(), 0, 10)
		require.NoError(t, err)
		assert.Equal(t, rows[2].Seq, mark.Seq)
		require.Eventually(t, func() bool { // others use the server too
			_, passed, err := l.LogHorizon(t.Context(), mark)
			return assert.NoError(t, err) && passed
		}, time.Minute, 10*time.Millisecond)
	},
	"StateAndCounts": func(t *testing.T, l ledger.Ledger) {
		state, err := l.LogState(t.Context())
		require.NoError(t, err)
		assert.Equal(t, ledger.LogState{Epoch: 1}, state)
		lease := takeAudit(t, l, "a")
		written(t, l, 3)
		sequence(t, l, lease, 2)
		written(t, l, 1)
		state, err = l.LogState(t.Context())
		require.NoError(t, err)
		require.NotNil(t, state.Newest)
		assert.EqualValues(t, 3, state.Size)
		assert.EqualValues(t, 3, state.Newest.Size)
		assert.Equal(t, at(3), state.Newest.At)
		for _, p := range []ledger.Published{
			{Place: "file", Size: 2, At: at(9), Receipt: "x"}, {Place: "file", Size: 3, At: at(10), Receipt: "y"}, {Place: "file", Size: 3, At: at(11)}, {Place: "a topic", Size: 2, At: at(12)},
		} {
			require.NoError(t, l.SavePublished(t.Context(), lease, p))
		}
		counts, err := l.CountLog(t.Context())
		require.NoError(t, err)
		want := []ledger.Published{{Place: "a topic", Size: 2, At: at(12)}, {Place: "file", Size: 3, At: at(10), Receipt: "y"}}
		assert.Equal(t, ledger.LogCounts{Size: 3, Unsequenced: 1, Checkpoint: state.Newest, Published: want}, counts)
		published, err := l.Published(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, published)
		export, _, err := l.TakeLease(t.Context(), ledger.LeaseExport("siem"), "b", time.Minute)
		require.NoError(t, err)
		for _, e := range []ledger.Exported{{Place: "siem", Size: 2, At: at(9)}, {Place: "siem", Size: 1, At: at(10)}, {Place: "all", Size: 3, At: at(11)}} {
			require.NoError(t, l.SaveExported(t.Context(), export, e))
		}
		exports, err := l.Exports(t.Context())
		require.NoError(t, err)
		require.Len(t, exports, 2)
		assert.False(t, exports[1].Next.IsZero())
		assert.Equal(t, []ledger.Exported{{Place: "all", Size: 3, At: at(11)}, {Place: "siem", Size: 2, At: at(9), Next: exports[1].Next}}, exports, "a place never forgets what it has")
		counts, err = l.CountLog(t.Context())
		require.NoError(t, err)
		assert.Equal(t, exports, counts.Exported)
		again := *state.Newest
		again.Note = "another"
		require.NoError(t, l.SaveCheckpoint(t.Context(), lease, again))
		now, err := l.LogState(t.Context())
		require.NoError(t, err)
		assert.Equal(t, state.Newest, now.Newest, "a checkpoint is never changed")
		tile, err := l.LogTile(t.Context(), 0, 0)
		require.NoError(t, err)
		assert.Len(t, tile, 3*32)
		tile, err = l.LogTile(t.Context(), 0, 1)
		require.NoError(t, err)
		assert.Empty(t, tile)
	},
	"ATextIsErasedAndTheLogHolds": func(t *testing.T, l ledger.Ledger) {
		lease := takeAudit(t, l, "a")
		record(t, l, received("p1", "e1", 0))
		require.NoError(t, l.Act(t.Context(), ledger.Action{
			Verb: ledger.VerbSkip, PersonID: "p1", Key: "conflict", Conflict: true, Operator: "ops", Reason: "she is ill", At: at(1),
		}))
		rows, err := l.Unsequenced(t.Context(), 0, 10)
		require.NoError(t, err)
		require.Len(t, rows, 1)
		written(t, l, 3)
		rows, err = l.Unsequenced(t.Context(), 0, 10)
		require.NoError(t, err)
		redaction := ledger.Redaction{Seqs: []int64{rows[0].Seq, rows[0].Seq}, Operator: "dpo", Reason: "erasure", At: at(5)}
		require.ErrorIs(t, l.Redact(t.Context(), redaction), ledger.ErrUnsequenced)
		sequence(t, l, lease, 10)
		redaction.Seqs = append(redaction.Seqs, rows[3].Seq+100)
		require.ErrorIs(t, l.Redact(t.Context(), redaction), ledger.ErrNotFound)
		assert.Equal(t, "she is ill", audit(t, l, "")[0].Cause, "nothing was erased")
		redaction.Seqs = redaction.Seqs[:1]
		require.NoError(t, l.Redact(t.Context(), redaction))
		require.NoError(t, l.Redact(t.Context(), redaction), "repeated")
		require.NoError(t, l.Redact(t.Context(), ledger.Redaction{}))
		now := audit(t, l, "")
		assert.Empty(t, now[0].Cause)
		assert.Nil(t, now[0].Detail)
		assert.Equal(t, "ops", now[0].Actor)
		require.Len(t, now, 5)
		assert.Equal(t, ledger.AuditRow{
			Seq: now[4].Seq, At: at(5), Action: auditlog.ActionRedacted, Actor: "dpo", Cause: "erasure", Detail: map[string]any{"rows": []any{float64(rows[0].Seq)}},
		}, now[4])
		assert.Equal(t, map[auditlog.Kind]int64{auditlog.Unrecorded: 1}, Verify(t, l).Counts, "what says so is not in the log yet")
		sequence(t, l, lease, 10)
		report := Verify(t, l)
		assert.Empty(t, report.Findings)
		assert.EqualValues(t, 1, report.Redacted)
		redaction.Seqs = []int64{now[4].Seq}
		require.ErrorIs(t, l.Redact(t.Context(), redaction), ledger.ErrRefused, "a row that says what was erased is not erased")
	},
	"ARestartBeginsAnEpoch": func(t *testing.T, l ledger.Ledger) {
		lease := takeAudit(t, l, "a")
		written(t, l, 3)
		sequence(t, l, lease, 10)
		known := auditlog.Checkpoint{Origin: "test/audit", Size: 5, Root: auditlog.Hash{1}}
		restart := ledger.LogRestart{Operator: "ops", Reason: "restored", At: at(1), Known: &known}
		r, err := l.RestartLog(t.Context(), restart)
		require.NoError(t, err)
		want := auditlog.Restart{Epoch: 2, Size: 3, Lost: 5, Root: "01" + fmt.Sprintf("%062d", 0)}
		assert.Equal(t, want, r)
		again, err := l.RestartLog(t.Context(), restart)
		require.NoError(t, err)
		assert.Equal(t, r, again, "repeated")
		state, err := l.LogState(t.Context())
		require.NoError(t, err)
		assert.EqualValues(t, 1, state.Epoch, "the row that says so has no leaf yet")
		sequence(t, l, lease, 10)
		state, err = l.LogState(t.Context())
		require.NoError(t, err)
		assert.EqualValues(t, 2, state.Epoch)
		report := Verify(t, l)
		assert.Empty(t, report.Findings)
		assert.EqualValues(t, 2, report.Epochs)
		assert.Equal(t, "test/audit/2", report.Origin)
		r, err = l.RestartLog(t.Context(), ledger.LogRestart{Operator: "ops", Reason: "restored", At: at(2)})
		require.NoError(t, err)
		assert.Equal(t, auditlog.Restart{Epoch: 3, Size: 4}, r)
	},
}
