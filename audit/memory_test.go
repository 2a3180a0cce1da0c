package audit

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// memory is a record and its log, as a ledger keeps them.
type memory struct {
	rows        []Row
	leaves      []Leaf
	tiles       []Tile
	checkpoints []Stored

	sorted []Leaf // leaves, for one look
	bySeq  map[int64]int
}

func after[T any](list []T, place func(T) int64, after int64, limit int) []T {
	var out []T
	for _, one := range list {
		if place(one) > after {
			out = append(out, one)
		}
	}
	slices.SortStableFunc(out, func(a, b T) int { return cmp.Compare(place(a), place(b)) })
	return out[:min(len(out), limit)]
}

func (m *memory) Entries(_ context.Context, from int64, limit int) ([]Entry, error) {
	if from == math.MinInt64 || m.sorted == nil { // another look begins
		m.sorted = after(m.leaves, func(l Leaf) int64 { return l.N }, math.MinInt64, len(m.leaves))
		m.bySeq = map[int64]int{}
		for i, r := range m.rows {
			m.bySeq[r.Seq] = i
		}
	}
	i, _ := slices.BinarySearchFunc(m.sorted, from, func(l Leaf, from int64) int { return cmp.Or(cmp.Compare(l.N, from), -1) })
	var out []Entry
	for _, l := range m.sorted[i:min(len(m.sorted), i+limit)] {
		e := Entry{Leaf: l}
		if i, ok := m.bySeq[l.Seq]; ok {
			e.Row = &m.rows[i]
		}
		out = append(out, e)
	}
	return out, nil
}

func (m *memory) Tiles(_ context.Context, level int, from int64, limit int) ([]Tile, error) {
	var of []Tile
	for _, t := range m.tiles {
		if t.Level == level {
			of = append(of, t)
		}
	}
	return after(of, func(t Tile) int64 { return t.N }, from, limit), nil
}

func (m *memory) Levels(context.Context) (levels int, err error) {
	for _, t := range m.tiles {
		levels = max(levels, t.Level+1)
	}
	return levels, nil
}

func (m *memory) Checkpoints(_ context.Context, from int64, limit int) ([]Stored, error) {
	return after(m.checkpoints, func(c Stored) int64 { return c.Size }, from, limit), nil
}

func (m *memory) Waiting(context.Context) (int64, error) {
	return int64(len(m.rows)) - int64(len(m.leaves)), nil
}

func (m *memory) clone() *memory {
	c := &memory{rows: slices.Clone(m.rows), leaves: slices.Clone(m.leaves), checkpoints: slices.Clone(m.checkpoints)}
	for i, r := range c.rows {
		c.rows[i].Salt = bytes.Clone(r.Salt)
		if r.Detail != nil {
			detail := *r.Detail
			c.rows[i].Detail = &detail
		}
	}
	for _, t := range m.tiles {
		t.Data = bytes.Clone(t.Data)
		c.tiles = append(c.tiles, t)
	}
	return c
}

const testOrigin = "example.com/audit"

func testRow(n int) Row {
	r := Row{
		Seq: int64(n)*2 + 1, At: 1790000000000000 + int64(n), Person: fmt.Sprint(10000 + n%7), App: "wiki", Action: "disabled", Actor: "tenure",
		Key: fmt.Sprint("k", n), Attempt: int64(n % 3), Text: Text{Salt: bytes.Repeat([]byte{byte(n)}, SaltSize), Cause: fmt.Sprint("event ", n)},
	}
	if n%2 == 1 {
		detail := fmt.Sprintf(`{"n":%d}`, n)
		r.Detail, r.Actor, r.Login = &detail, "olga", "olga@ops1"
	}
	if n%10 == 5 {
		r.Salt = nil // from before there was a log
	}
	return r
}

// grow sequences rows, and makes a checkpoint after each of every leaves.
func (m *memory) grow(rows []Row, every int, signers ...note.Signer) {
	edge := &Edge{}
	for _, l := range m.leaves {
		edge.Add(l.Hash, func(Tile) {})
	}
	m.tiles = slices.DeleteFunc(m.tiles, func(t Tile) bool { return t.Width() < tileWidth })
	epoch := int64(1)
	for _, r := range m.rows {
		if again, is := r.Restarts(); is {
			epoch = again.Epoch
		}
	}
	for i, r := range rows {
		m.rows = append(m.rows, r)
		if again, is := r.Restarts(); is {
			epoch = again.Epoch
		}
		l := NewLeaf(edge.Size(), r)
		m.leaves = append(m.leaves, l)
		edge.Add(l.Hash, func(t Tile) { m.tiles = append(m.tiles, t) })
		if edge.Size()%int64(every) == 0 || i == len(rows)-1 {
			at := time.UnixMicro(r.At).UTC()
			c := Checkpoint{Origin: Origin(testOrigin, epoch), Size: edge.Size(), Root: edge.Root(), At: at}
			text, err := c.Sign(signers...)
			if err != nil {
				panic(err)
			}
			m.checkpoints = append(m.checkpoints, Stored{Size: c.Size, At: at, Root: c.Root, Note: text})
		}
	}
	m.tiles = append(m.tiles, edge.Partial()...)
}

func testRows(from, n int) []Row {
	rows := make([]Row, n)
	for i := range rows {
		rows[i] = testRow(from + i)
	}
	return rows
}
