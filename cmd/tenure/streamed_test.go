package main

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

type lineEntry struct {
	ID   int    `json:"id"`
	Text string `json:"text"`
}

const lineHeader = "id,text"

func (e lineEntry) row() []string { return []string{fmt.Sprint(e.ID), e.Text} }

// entries yields so many entries, and counts in read how many were asked for.
func entries(n int, read *int) iter.Seq2[lineEntry, error] {
	return func(yield func(lineEntry, error) bool) {
		for i := range n {
			*read++
			if !yield(lineEntry{ID: 1000 + i, Text: "<a> & =" + strings.Repeat("x", i%9)}, nil) {
				return
			}
		}
	}
}

// quiet returns a cli, and what it writes.
func quiet(f format) (c *cli, out, errs *bytes.Buffer) {
	out, errs = &bytes.Buffer{}, &bytes.Buffer{}
	return &cli{terminal: terminal{out: out, err: errs}, output: f}, out, errs
}

// A list that is shown page by page is the text of one that is shown at once. (A later page may have
// wider columns. None has here.)
func TestPagesAreOneList(t *testing.T) {
	for _, n := range []int{0, 1, ledger.PageSize, ledger.PageSize + 1, 2*ledger.PageSize + 7} {
		for _, f := range []format{formatJSON, formatYAML, formatCSV, formatTable} {
			c, out, _ := quiet(f)
			read := 0
			more, err := streamed(c, entries(n, &read), lineHeader, lineEntry.row, "none")
			require.NoError(t, err)
			assert.False(t, more)

			whole, want, _ := quiet(f)
			all, err := ledger.Collect(entries(n, &read))
			require.NoError(t, err)
			require.NoError(t, showList(whole, append([]lineEntry{}, all...), lineHeader, lineEntry.row, "none"))
			assert.Equal(t, want.String(), out.String(), "%d as %s", n, f)
		}
	}
}

// What is behind the limit is not read, and an error is not taken for the end.
func TestAStreamEnds(t *testing.T) {
	c, out, errs := quiet(formatCSV)
	c.limit = 3
	read := 0
	more, err := streamed(c, entries(1000, &read), lineHeader, lineEntry.row, "none")
	require.NoError(t, err)
	assert.True(t, more)
	assert.Equal(t, 4, read)
	assert.Equal(t, 4, strings.Count(out.String(), "\n"), "with the header")
	assert.Equal(t, "3 are listed, and there are more: --limit 0 lists all\n", errs.String())

	c, _, errs = quiet(formatTable)
	c.limit = 3
	more, err = streamed(c, entries(3, &read), lineHeader, lineEntry.row, "none")
	require.NoError(t, err)
	assert.False(t, more)
	assert.Empty(t, errs.String())

	broken := errors.New("the ledger is away")
	_, err = streamed(c, func(yield func(lineEntry, error) bool) { _ = yield(lineEntry{}, nil) && yield(lineEntry{}, broken) }, lineHeader, lineEntry.row, "none")
	require.ErrorIs(t, err, broken)
}
