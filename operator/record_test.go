package operator

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/audit/export"
	"github.com/tenurehq/tenure/ledger"
)

// longRecord is a ledger whose record has so many rows that nobody can hold them in memory.
type longRecord struct {
	ledger.Ledger
	audit.Source
	size, most int64 // rows, and how many were read beyond those that were written
	written    int64
	broken     bool
}

func (l *longRecord) ReadRecord(_ context.Context, read func(audit.Source) error) error {
	err := read(l)
	if l.broken {
		err = read(l) // as PostgreSQL's does after a connection broke
	}
	return err
}

func (l *longRecord) Entries(_ context.Context, after int64, limit int) (entries []audit.Entry, err error) {
	for n := after + 1; n < l.size && len(entries) < limit; n++ {
		row := audit.Row{Seq: n + 1, Action: "created", Person: fmt.Sprint("p", n)}
		entries = append(entries, audit.Entry{Leaf: audit.NewLeaf(n, row), Row: &row})
		l.most = max(l.most, n-l.written)
	}
	return entries, nil
}

func (l *longRecord) Write(p []byte) (int, error) {
	for _, b := range p {
		if b == '\n' {
			l.written++
		}
	}
	return len(p), nil
}

func TestRowsAreExportedWhileTheyAreRead(t *testing.T) {
	l := &longRecord{size: 100_000}
	v := &Viewer{Ledger: l}
	done, err := v.ExportRows(t.Context(), RowsOf{Format: export.CEF, To: 1 << 62, Origin: "o", Version: "v"}, l)
	require.NoError(t, err)
	assert.Equal(t, RowsExported{Leaves: l.size, Messages: l.size}, done)
	assert.Equal(t, l.size, l.written)
	assert.Less(t, l.most, int64(1000), "no more is in memory than is being read and written")
	l.broken = true
	_, err = v.ExportRows(t.Context(), RowsOf{Format: export.CEF, To: 3}, l)
	require.ErrorContains(t, err, "export again", "no row is written twice")
	l.broken = false
	_, err = v.ExportRows(t.Context(), RowsOf{Format: export.CEF, To: 3}, full{})
	require.ErrorIs(t, err, errFull)
}

var errFull = errors.New("the disk is full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
