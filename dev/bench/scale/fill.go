package scale

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/audit/sequencer"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/ledger"
)

// Sizes tells how many bytes of the ledger each thing takes, with its indexes.
type Sizes struct {
	Store     string        `json:"store"`
	People    int           `json:"people"`
	Audit     int64         `json:"auditRows"`
	Total     int64         `json:"total"`   // bytes
	Worker    int64         `json:"worker"`  // bytes of each person at work, with the record of their joining, without its leaves
	Leaver    int64         `json:"leaver"`  // bytes of each retained leaver, with the record of their joining and leaving
	Row       int64         `json:"row"`     // bytes of each row of the audit record, of which:
	RowLeaf   int64         `json:"rowLeaf"` // bytes of its leaf, and of its part of the tiles
	Filled    time.Duration `json:"filled"`
	Sequenced time.Duration `json:"sequenced"`
}

// fill makes a company of this many people, a multiple of ten, and measures how much each takes.
func (s *store) fill(ctx context.Context, people int, tell func(string, ...any)) (_ *house, z Sizes, err error) {
	z = Sizes{Store: s.kind, People: people}
	var h *house
	began := time.Now()
	if err := s.with(ctx, func(l ledger.Ledger) (err error) {
		if h, err = openHouse(ctx, l); err != nil {
			return err
		}
		return h.found(ctx)
	}); err != nil {
		return nil, z, err
	}
	copies := people/familySize - 1
	var sizes [4]int64
	var audit [3]int64
	if sizes[0], err = s.size(ctx); err != nil {
		return nil, z, err
	}
	for i, mark := range []string{workerMark, leaverMark} {
		if audit[i], err = s.rows(ctx, "audit"); err != nil {
			return nil, z, err
		}
		if err := s.multiply(ctx, mark, copies); err != nil {
			return nil, z, err
		}
		if sizes[i+1], err = s.size(ctx); err != nil {
			return nil, z, err
		}
	}
	if audit[2], err = s.rows(ctx, "audit"); err != nil {
		return nil, z, err
	}
	z.Filled = time.Since(began)
	tell("%s: %d people with %d rows of the audit record in %s", s.kind, people, audit[2], z.Filled.Round(time.Second))
	began = time.Now()
	if err := s.sequence(ctx); err != nil {
		return nil, z, err
	}
	z.Sequenced = time.Since(began)
	if sizes[3], err = s.size(ctx); err != nil {
		return nil, z, err
	}
	each := func(bytes int64, n int64) int64 { return bytes / max(n, 1) }
	z.Audit, z.Total = audit[2], sizes[3]
	z.Worker, z.Leaver = each(sizes[1]-sizes[0], int64(copies*workers)), each(sizes[2]-sizes[1], int64(copies*leavers))
	z.RowLeaf = each(sizes[3]-sizes[2], z.Audit)
	if z.Row, err = s.rowSize(ctx); err != nil {
		return nil, z, err
	}
	z.Row += z.RowLeaf
	if err := s.afflict(ctx); err != nil {
		return nil, z, err
	}
	return h, z, s.settled(ctx)
}

// rowSize is the number of bytes of a row of the audit record, with its indexes and without its
// leaf.
func (s *store) rowSize(ctx context.Context) (n int64, err error) {
	query := `SELECT sum(pgsize) / (SELECT count(*) FROM audit) FROM dbstat WHERE name IN (SELECT name FROM sqlite_master WHERE tbl_name = 'audit')`
	if s.kind == postgreSQL {
		query = `SELECT pg_total_relation_size('audit') / (SELECT count(*) FROM audit)`
	}
	err = s.db.QueryRowContext(ctx, query).Scan(&n)
	return n, err
}

// sequence gives every row of the audit record its leaf, as a worker does.
func (s *store) sequence(ctx context.Context) error {
	return s.with(ctx, func(l ledger.Ledger) error {
		q := &sequencer.Sequencer{
			Ledger: l, Origin: "scale", Every: time.Second, Checkpoint: time.Hour, Clock: clock.Real(), Log: zap.NewNop(),
		}
		if err := q.Step(ctx); err != nil {
			return fmt.Errorf("sequencing: %w", err)
		}
		return nil
	})
}
