package main

import (
	"bufio"
	"cmp"
	"container/heap"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
)

// sortedInMemory is how many entries of a list that is sorted are held. The others wait in a file.
const sortedInMemory = 2000

// inOrder yields the entries of a list when all are read and sorted; with a limit, the first ones. It
// holds no more than most of them, or twice the limit if that is less. Others are kept in a temporary
// file that has no name, as JSON: the entries have to be what their JSON says.
func inOrder[V any](entries iter.Seq2[V, error], limit, most int, order func(a, b V) int) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		s := sorter[V]{limit: limit, most: most, order: order}
		defer s.close()
		for entry, err := range entries {
			if err == nil {
				err = s.add(entry)
			}
			if err != nil {
				yield(entry, err)
				return
			}
		}
		for entry, err := range s.sorted() {
			if !yield(entry, err) {
				return
			}
		}
	}
}

// sorter sorts more entries than it holds: those that it cannot hold are written in runs, each sorted,
// which are merged at the end.
type sorter[V any] struct {
	limit int // how many are wanted; 0: all
	most  int // how many are held
	order func(a, b V) int

	held []V
	file *os.File // of the runs; nil if there is none
	runs []int64  // where each run begins
	end  int64    // where the last one ends
}

func (s *sorter[V]) add(entry V) error {
	s.held = append(s.held, entry)
	switch fits := s.limit > 0 && 2*s.limit <= s.most; {
	case fits && len(s.held) == 2*s.limit:
		slices.SortStableFunc(s.held, s.order)
		s.held = s.held[:s.limit]
	case !fits && len(s.held) == s.most:
		if err := s.write(); err != nil {
			return fmt.Errorf("the list is longer than what is held of it, and cannot be sorted in a file in %s (TMPDIR): %w", os.TempDir(), err)
		}
	}
	return nil
}

// write writes what is held as a run, and holds nothing any more.
func (s *sorter[V]) write() error {
	if s.file == nil {
		file, err := os.CreateTemp("", "tenure-sort-")
		if err != nil {
			return err
		}
		s.file = file
		if err := os.Remove(file.Name()); err != nil { // it goes when this process does
			return err
		}
	}
	slices.SortStableFunc(s.held, s.order)
	out := bufio.NewWriter(s.file)
	enc := json.NewEncoder(out)
	for _, entry := range s.held {
		if err := enc.Encode(entry); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	end, err := s.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	s.runs, s.end, s.held = append(s.runs, s.end), end, s.held[:0]
	return nil
}

// sorted yields all entries in order, no more than are wanted.
func (s *sorter[V]) sorted() iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		var none V
		slices.SortStableFunc(s.held, s.order)
		sources := merger[V]{order: s.order}
		for i, next := range s.sources() {
			switch first, err := next(); {
			case err == nil:
				sources.of = append(sources.of, sortedRun[V]{run: i, first: first, next: next})
			case !errors.Is(err, io.EOF):
				yield(none, err)
				return
			}
		}
		heap.Init(&sources)
		for n := 0; len(sources.of) > 0 && (s.limit == 0 || n < s.limit); n++ {
			least := &sources.of[0]
			if !yield(least.first, nil) {
				return
			}
			switch first, err := least.next(); {
			case err == nil:
				least.first = first
				heap.Fix(&sources, 0)
			case errors.Is(err, io.EOF):
				heap.Pop(&sources)
			default:
				yield(none, err)
				return
			}
		}
	}
}

// sources returns what gives the entries of each run one by one, and then those that are held. They
// end with io.EOF.
func (s *sorter[V]) sources() []func() (V, error) {
	var all []func() (V, error)
	for i, from := range s.runs {
		to := s.end
		if i+1 < len(s.runs) {
			to = s.runs[i+1]
		}
		dec := json.NewDecoder(io.NewSectionReader(s.file, from, to-from))
		all = append(all, func() (entry V, err error) {
			err = dec.Decode(&entry)
			return entry, err
		})
	}
	return append(all, func() (entry V, err error) {
		if len(s.held) == 0 {
			return entry, io.EOF
		}
		entry, s.held = s.held[0], s.held[1:]
		return entry, nil
	})
}

func (s *sorter[V]) close() {
	if s.file != nil {
		_ = s.file.Close()
	}
}

// sortedRun gives the entries of a run, of which the first is known.
type sortedRun[V any] struct {
	run   int
	first V
	next  func() (V, error)
}

// merger is a heap of sources by their first entries. Of equal ones, that of the earlier run is first.
type merger[V any] struct {
	of    []sortedRun[V]
	order func(a, b V) int
}

func (m *merger[V]) Len() int { return len(m.of) }

func (m *merger[V]) Less(i, j int) bool {
	a, b := m.of[i], m.of[j]
	return cmp.Or(m.order(a.first, b.first), a.run-b.run) < 0
}

func (m *merger[V]) Swap(i, j int) { m.of[i], m.of[j] = m.of[j], m.of[i] }

// Push is never called: sources only come to an end.
func (m *merger[V]) Push(any) { panic("no source is added") }

// Pop removes the last source.
func (m *merger[V]) Pop() any {
	last := len(m.of) - 1
	m.of = m.of[:last]
	return nil
}
