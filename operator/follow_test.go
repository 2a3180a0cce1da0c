package operator

import (
	"cmp"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// news returns the rows that are new to a follower.
func news(t *testing.T, w *Follower) (seqs []int64) {
	t.Helper()
	require.NoError(t, w.Each(t.Context(), func(r ledger.AuditRow) error {
		seqs = append(seqs, r.Seq)
		return nil
	}))
	return seqs
}

// Rows are numbered as they are written, which is not exactly the order of time. A
// Follower finds the rows since an instant all the same.
func TestAFollowerFindsWhatWasWrittenOutOfOrder(t *testing.T) {
	begin := time.Date(2026, time.March, 3, 8, 0, 0, 0, time.UTC)
	l := &late{}
	for seq := int64(1); seq <= 5*seenAgain; seq++ {
		l.rows = append(l.rows, ledger.AuditRow{Seq: seq, At: begin.Add(time.Duration(seq) * time.Second)})
	}
	l.rows[1].At = begin.Add(16 * time.Hour)
	w := FollowFrom(l, "", begin.Add((5*seenAgain-2)*time.Second))
	seqs := news(t, w)
	assert.Equal(t, []int64{5*seenAgain - 2, 5*seenAgain - 1, 5 * seenAgain, 2}, seqs, "by time")
	assert.LessOrEqual(t, len(w.seen), seenAgain)
	assert.Less(t, l.read, 2*seenAgain, "the record is not read from its beginning")
	l.rows = append(l.rows, ledger.AuditRow{Seq: 5*seenAgain + 1, At: begin.Add(time.Hour * 24)}, ledger.AuditRow{Seq: 5*seenAgain + 2, At: begin})
	assert.Equal(t, []int64{5*seenAgain + 1}, news(t, w), "once, and not what was done before")
}

// late is a ledger in which a row of the audit record becomes visible after rows with
// higher numbers.
type late struct {
	ledger.Reader
	rows []ledger.AuditRow
	read int // by number
}

func (l *late) AuditSince(_ context.Context, after ledger.AuditPlace, limit int) ([]ledger.AuditRow, error) {
	rows := slices.Clone(l.rows)
	place := func(r ledger.AuditRow) ledger.AuditPlace { return ledger.AuditPlace{At: r.At, Seq: r.Seq} }
	order := func(a, b ledger.AuditPlace) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Seq, b.Seq)) }
	slices.SortFunc(rows, func(a, b ledger.AuditRow) int { return order(place(a), place(b)) })
	rows = slices.DeleteFunc(rows, func(r ledger.AuditRow) bool { return order(place(r), after) <= 0 })
	return rows[:min(limit, len(rows))], nil
}

func (l *late) Audit(_ context.Context, _ string, after int64, limit int) ([]ledger.AuditRow, error) {
	var rows []ledger.AuditRow
	for _, r := range l.rows {
		if r.Seq > after && len(rows) < limit {
			rows = append(rows, r)
		}
	}
	l.read += len(rows)
	return rows, nil
}

func TestAFollowerShowsWhatComesToLightLate(t *testing.T) {
	l := &late{rows: []ledger.AuditRow{{Seq: 4}, {Seq: 5}, {Seq: 7}}}
	w := FollowAfter(l, "", 4)
	assert.Equal(t, []int64{5, 7}, news(t, w))
	l.rows = []ledger.AuditRow{{Seq: 3}, {Seq: 4}, {Seq: 5}, {Seq: 6}, {Seq: 7}, {Seq: 8}}
	assert.Equal(t, []int64{6, 8}, news(t, w), "what was there before the beginning is no news")
	assert.Empty(t, news(t, w))
	for seq := int64(9); seq <= 3*seenAgain; seq++ {
		l.rows = append(l.rows, ledger.AuditRow{Seq: seq})
	}
	assert.Len(t, news(t, w), 3*seenAgain-8)
	assert.Empty(t, news(t, w))
	assert.LessOrEqual(t, len(w.seen), seenAgain)
}
