package main

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/review"
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

var lineView = listView[lineEntry]{header: lineHeader, row: lineEntry.row, none: "none"}

// around is what holds a list of entries, and what is known before and after it.
type around struct {
	Before string         `json:"before"`
	Lines  []lineEntry    `json:"lines"`
	After  map[string]int `json:"after"`
}

// framed is lineView within a frame.
func framed(v *around) listView[lineEntry] {
	l := lineView
	l.frame = frame{
		value: func() any { return v }, list: "lines", title: "Lines",
		above: func(p *page) { p.note("before: %s", v.Before) },
		below: func(p *page) { p.note("after: %d", len(v.After)) },
	}
	return l
}

// A list that is shown page by page is the text of one that is shown at once. (A later page may have
// wider columns. None has here.)
func TestPagesAreOneList(t *testing.T) {
	for _, n := range []int{0, 1, ledger.PageSize, ledger.PageSize + 1, 2*ledger.PageSize + 7} {
		for _, f := range []format{formatJSON, formatYAML, formatCSV, formatTable} {
			c, out, _ := quiet(f)
			read := 0
			more, err := streamed(c, entries(n, &read), lineView)
			require.NoError(t, err)
			assert.False(t, more)

			whole, want, _ := quiet(f)
			all, err := ledger.Collect(entries(n, &read))
			require.NoError(t, err)
			all = append([]lineEntry{}, all...)
			rows := rowsOf(all, lineEntry.row)
			require.NoError(t, whole.printList(all, lineHeader, rows, func(p *page) {
				if p.table("", lineHeader, rows); n == 0 {
					p.note("none")
				}
			}))
			assert.Equal(t, want.String(), out.String(), "%d as %s", n, f)

			if f == formatCSV {
				continue // has no frame
			}
			// What is before the list is known before, what is after it only when it is read.
			c, out, _ = quiet(f)
			v := &around{Before: "a\n\"lines\": []\nlines: []", Lines: []lineEntry{}, After: map[string]int{}}
			_, err = streamed(c, viewsOf(entries(n, &read), every, func(e lineEntry) (lineEntry, error) {
				v.After[e.Text[:1]]++
				return e, nil
			}), framed(v))
			require.NoError(t, err)
			whole, want, _ = quiet(f)
			at := around{Before: v.Before, Lines: all, After: v.After}
			require.NoError(t, whole.print(at, func(p *page) {
				p.note("before: %s", v.Before)
				if p.table("Lines", lineHeader, rows); n == 0 {
					p.note("none")
				}
				p.note("after: %d", len(v.After))
			}))
			assert.Equal(t, want.String(), out.String(), "%d as %s, in a frame", n, f)
		}
	}
}

// What is behind the limit is not read, unless it tells something, and an error is not taken for
// the end.
func TestAStreamEnds(t *testing.T) {
	c, out, errs := quiet(formatCSV)
	c.limit = 3
	read := 0
	more, err := streamed(c, entries(1000, &read), lineView)
	require.NoError(t, err)
	assert.True(t, more)
	assert.Equal(t, 4, read)
	assert.Equal(t, 4, strings.Count(out.String(), "\n"), "with the header")
	assert.Equal(t, "3 are listed, and there are more: --limit 0 lists all\n", errs.String())

	c, _, errs = quiet(formatTable)
	c.limit = 3
	more, err = streamed(c, entries(3, &read), lineView)
	require.NoError(t, err)
	assert.False(t, more)
	assert.Empty(t, errs.String())

	c, out, errs = quiet(formatCSV)
	c.limit, read = 3, 0
	whole := lineView
	whole.whole = true
	more, err = streamed(c, entries(1000, &read), whole)
	require.NoError(t, err)
	assert.True(t, more)
	assert.Equal(t, 1000, read)
	assert.Equal(t, 4, strings.Count(out.String(), "\n"))
	assert.Equal(t, "3 of 1000 are listed: --limit 0 lists all\n", errs.String())

	broken := errors.New("the ledger is away")
	_, err = streamed(c, func(yield func(lineEntry, error) bool) { _ = yield(lineEntry{}, nil) && yield(lineEntry{}, broken) }, lineView)
	require.ErrorIs(t, err, broken)

	// If nothing could be read, nothing is shown, least of all an empty list.
	for _, f := range []format{formatTable, formatCSV, formatJSON, formatYAML} {
		for _, v := range []listView[lineEntry]{lineView, framed(&around{})} {
			c, out, _ = quiet(f)
			_, err = streamed(c, func(yield func(lineEntry, error) bool) { yield(lineEntry{}, broken) }, v)
			require.ErrorIs(t, err, broken)
			assert.Empty(t, out.String(), f)
		}
	}
}

// A list that breaks off does not pass for a whole one, whoever reads it: nothing parses it as one.
func TestACutListIsSeenToBeCut(t *testing.T) {
	broken := errors.New("the ledger is away")
	for _, n := range []int{1, ledger.PageSize, ledger.PageSize + 1} {
		for _, f := range []format{formatTable, formatCSV, formatJSON, formatYAML} {
			for name, v := range map[string]listView[lineEntry]{"plain": lineView, "in a frame": framed(&around{Lines: []lineEntry{}})} {
				c, out, _ := quiet(f)
				read := 0
				_, err := streamed(c, func(yield func(lineEntry, error) bool) {
					for e := range entries(n, &read) {
						if !yield(e, nil) {
							return
						}
					}
					yield(lineEntry{}, broken)
				}, v)
				require.ErrorIs(t, err, broken)
				assert.Equal(t, n, strings.Count(out.String(), "<a> &"), "what was read is shown")
				switch f {
				case formatJSON:
					assert.False(t, json.Valid(out.Bytes()), name)
				case formatYAML:
					var any any
					assert.Error(t, yaml.Unmarshal(out.Bytes(), &any), name)
					assert.Contains(t, out.String(), cutShort)
				case formatCSV:
					_, err := csv.NewReader(out).ReadAll()
					assert.Error(t, err, name)
				case formatTable:
					assert.Contains(t, out.String(), cutShort)
				}
			}
		}
	}
}

// pageWatch counts how many entries were read that are not shown yet, each of which is a line.
type pageWatch struct{ read, shown, held int }

func (w *pageWatch) Write(p []byte) (int, error) {
	w.held = max(w.held, w.read-w.shown)
	w.shown += bytes.Count(p, []byte("\n"))
	return len(p), nil
}

// However long a list is, no more than a page of it is held.
func TestAListHoldsAPage(t *testing.T) {
	for name, v := range map[string]listView[lineEntry]{"plain": lineView, "in a frame": framed(&around{})} {
		w := &pageWatch{}
		c := &cli{terminal: terminal{out: w, err: io.Discard}, output: formatCSV}
		_, err := streamed(c, entries(20*ledger.PageSize, &w.read), v)
		require.NoError(t, err)
		assert.LessOrEqual(t, w.held, ledger.PageSize, name)
	}
}

// A list that is sorted is what sorting it whole makes of it, however many entries are held; with a
// limit, it is the beginning.
func TestASortedListIsSortedWithoutHoldingIt(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOf(rapid.IntRange(0, 9)).Draw(t, "all")
		limit, most := rapid.IntRange(0, 5).Draw(t, "limit"), rapid.IntRange(1, 12).Draw(t, "most")
		type entry struct{ Key, Place int }
		order := func(a, b entry) int { return a.Key - b.Key }
		var want []entry
		for i, key := range all {
			want = append(want, entry{key, i})
		}
		got, err := ledger.Collect(inOrder(func(yield func(entry, error) bool) {
			for i, key := range all {
				if !yield(entry{key, i}, nil) {
					return
				}
			}
		}, limit, most, order))
		require.NoError(t, err)
		slices.SortStableFunc(want, order)
		if limit > 0 {
			want = want[:min(limit, len(want))]
		}
		assert.Equal(t, want, got)
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Empty(t, left, "nothing stays in a file")
	})
}

// What is sorted in a file comes out of it as it was.
func TestEntriesOfSortedListsAreWhatTheirJSONSays(t *testing.T) {
	at := time.Date(2026, 3, 1, 9, 0, 0, 123456000, time.UTC)
	throughFile(t, deletionView{Person: "1", Name: "Zoë", App: "wiki", Waits: "hold", Until: at, Retained: at, GoneAfter: at, Approval: "given", Why: "<why>"})
	throughFile(t, creepView{Person: "1", Name: "Zoë", Department: "IT", Creep: review.Creep{Entitlements: 3, Unexplained: 1, Share: 1.0 / 3, Which: []string{"wiki:a (kept)"}}})
	throughFile(t, taskView{
		ID: 1 << 60, Person: "1", Name: "Zoë", App: "keys", Step: "Provision", State: ledger.TaskOpen, Overdue: true, Assignee: "facility",
		EscalateTo: "it", OpenedAt: at, DueAt: at, Reminders: 2,
		Work:         ledger.TaskWork{Account: "zoe", Enabled: true, Grant: []string{"front"}, Attributes: map[string]any{"title": "Clerk", "floor": 3.0}, Why: "x"},
		SecondPerson: true, DoneBy: "a", DoneLogin: "b", Proof: "c", DoneAt: at, EndedBy: "d", EndedLogin: "e", Why: "f", EndedAt: at,
	})
}

func throughFile[V any](t *testing.T, entry V) {
	t.Helper()
	entries := func(yield func(V, error) bool) {
		if yield(entry, nil) {
			yield(entry, nil)
		}
	}
	got, err := ledger.Collect(inOrder(entries, 0, 1, func(V, V) int { return 0 }))
	require.NoError(t, err)
	assert.Equal(t, []V{entry, entry}, got)
}

// A sorted list that does not fit says where it would have been sorted.
func TestASortedListSaysThatItHasNoRoom(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "gone"))
	_, err := ledger.Collect(inOrder(func(yield func(int, error) bool) { yield(1, nil) }, 0, 1, cmp.Compare[int]))
	require.ErrorContains(t, err, "TMPDIR")
	require.ErrorIs(t, err, fs.ErrNotExist)
}
