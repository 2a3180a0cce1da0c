// Package sequencer puts the rows of the audit record into its Merkle log, behind those who
// write them: it gives each row a leaf, makes checkpoints, and publishes them. Of all processes
// that run it, the one with the lease ledger.LeaseAudit does so.
package sequencer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/ledger"
)

// Place is somewhere outside the ledger where checkpoints are kept.
type Place interface {
	// Name identifies the place in the ledger.
	Name() string
	// Publish hands over a checkpoint, and returns what the place answered. It may be called
	// again with the same one.
	Publish(ctx context.Context, h Head) (receipt string, err error)
}

// Remembers is a Place that tells the newest checkpoint that it was given.
type Remembers interface {
	Place
	// Newest returns the newest note, or "" if there is none.
	Newest(ctx context.Context) (string, error)
}

// Head is a checkpoint to publish.
type Head struct {
	audit.Checkpoint
	Note string
	// Consistency proves that the tree has the first leaves of an older one of that size.
	Consistency func(ctx context.Context, old int64) (tlog.TreeProof, error)
}

// ErrAhead is wrapped by the error of a ledger that has lost what a place knows of.
var ErrAhead = errors.New("the ledger was restored from a backup, or rolled back: no checkpoint is made until somebody says so on the record (tenure audit restart)")

// Log is the part of a ledger that a Sequencer needs.
type Log interface {
	ledger.Log
	ledger.Leases
}

// Sequencer sequences the record of a ledger.
type Sequencer struct {
	Ledger Log
	Origin string      // name of the log
	Signer note.Signer // nil: checkpoints are not signed
	Places []Place
	// Every is the pause between two looks for new rows, and Checkpoint the least time
	// between two checkpoints.
	Every, Checkpoint time.Duration
	Clock             clock.Clock // says when a checkpoint was made
	Log               *zap.Logger
	// Failed is called for each failure to publish. It may be nil.
	Failed func(place string)

	holding ledger.Holding
	turn    turn
}

// term is for how long the lease is taken. After a crash, another process has to wait for so
// long before it goes on.
const term = time.Minute

// rowsAtOnce is the number of rows that get their leaves in one transaction: those of a tile. On
// SQLite writers wait for it, so it is small.
const rowsAtOnce = 256

// publishWithin bounds how long a place may take.
const publishWithin = 10 * time.Second

// anewEvery is how often rows are looked for from the first one on.
const anewEvery = 24 * time.Hour

// turn is what the holder of the lease knows. Whoever takes the lease knows nothing.
type turn struct {
	edge *audit.Edge // nil: it has to be read
	// Every row with a number up to low has a leaf. Mark is how far rows had been numbered at
	// a time after which some of them may still come to light.
	low        int64
	mark       ledger.LogHorizon
	anew       time.Time // when rows were looked for from the first one on
	checkpoint time.Time // when the last checkpoint was made
	published  map[string]int64
	checked    bool // places know of nothing that the ledger has lost
}

// Run sequences until ctx ends. It never fails: what fails is tried again.
func (s *Sequencer) Run(ctx context.Context) {
	tick := time.NewTicker(s.Every)
	defer tick.Stop()
	for failing := ""; ; {
		err := s.Step(ctx)
		switch {
		case err == nil || ctx.Err() != nil:
			failing = ""
		case err.Error() != failing: // once, however often it is tried
			failing = err.Error()
			s.Log.Warn("the audit record's log does not go on; it is tried again", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			s.holding.Leave(ctx)
			return
		case <-tick.C:
		}
	}
}

// Step does all that is to be done now, if this process has the lease or can take it. After an
// error it starts from what the ledger has.
func (s *Sequencer) Step(ctx context.Context) error {
	if held, err := s.take(ctx); err != nil || !held {
		return err
	}
	err := s.sequence(ctx)
	if err == nil {
		err = s.head(ctx)
	}
	switch {
	case err == nil:
		return s.publish(ctx)
	case errors.Is(err, ledger.ErrLeaseLost):
		s.holding.Lose()
		s.turn = turn{}
	case !errors.Is(err, ErrAhead): // what is known of the log may not hold any more
		s.turn = turn{}
	}
	return err
}

// take takes or prolongs the lease, and forgets what it knows if another had it meanwhile.
func (s *Sequencer) take(ctx context.Context) (held bool, err error) {
	if s.holding.Leases == nil {
		s.holding = ledger.Holding{Leases: s.Ledger, Name: ledger.LeaseAudit, Term: term}
	}
	held, anew, err := s.holding.Take(ctx)
	if err == nil && (!held || anew) {
		s.turn = turn{}
	}
	return held, err
}

// sequence gives a leaf to every row that has none.
func (s *Sequencer) sequence(ctx context.Context) error {
	t := &s.turn
	if t.edge == nil {
		if err := s.load(ctx); err != nil {
			return err
		}
	}
	if time.Since(t.anew) > anewEvery {
		if err := s.lookAnew(ctx); err != nil {
			return err
		}
	}
	// A row may become visible after one with a higher number. So the place from which rows are
	// looked for stays behind, until whoever could still write one before it is done. The rows
	// are read after that is known.
	now, passed, err := s.Ledger.LogHorizon(ctx, t.mark)
	if err != nil {
		return err
	}
	complete := t.low
	if passed {
		complete, t.mark = max(t.low, t.mark.Seq), now
	}
	if len(now.Writers) == 0 {
		complete = max(complete, now.Seq)
	}
	for after, waited := t.low, complete >= now.Seq; ; {
		// The first transaction ends where a tile does, so that those after it write full tiles.
		limit := rowsAtOnce + int(-t.edge.Size()&(rowsAtOnce-1))
		rows, err := s.Ledger.Unsequenced(ctx, after, limit)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		if err := s.add(ctx, rows); err != nil {
			return err
		}
		if len(rows) < limit {
			break
		}
		// Meanwhile those who could still write a row before these may have ended. If so, the few rows
		// that have leaves by now are looked at once more, and the many that follow are not looked at
		// in the next turn.
		if !waited {
			waited = true
			again, passed, err := s.Ledger.LogHorizon(ctx, now)
			if err != nil {
				return err
			}
			if passed {
				complete, t.mark = now.Seq, again
				continue
			}
		}
		after = rows[len(rows)-1].Seq
		if !s.holding.Old() {
			continue
		}
		if _, err := s.take(ctx); err != nil {
			return err
		}
		if t.edge == nil { // another has it, or had it meanwhile
			return ledger.ErrLeaseLost
		}
	}
	t.low = complete
	return nil
}

// load reads the edge of the log.
func (s *Sequencer) load(ctx context.Context) error {
	state, err := s.Ledger.LogState(ctx)
	if err != nil {
		return err
	}
	edge, err := audit.NewEdge(state.Size, func(level int, n int64) ([]byte, error) { return s.Ledger.LogTile(ctx, level, n) })
	if err != nil {
		if now, again := s.Ledger.LogState(ctx); again == nil && now.Size != state.Size {
			return ledger.ErrLogMoved // between the two reads, by another that has the lease
		}
		return err
	}
	s.turn.edge, s.turn.low, s.turn.mark, s.turn.anew = edge, 0, ledger.LogHorizon{}, time.Now()
	return nil
}

// lookAnew makes the next look begin at the first row. There ought to be nothing.
func (s *Sequencer) lookAnew(ctx context.Context) error {
	rows, err := s.Ledger.Unsequenced(ctx, 0, 1)
	if err != nil {
		return err
	}
	if len(rows) > 0 && rows[0].Seq <= s.turn.low {
		s.Log.Error("a row of the audit record came to light after it could have: it is in the log now", zap.Int64("row", rows[0].Seq))
	}
	s.turn.low, s.turn.mark, s.turn.anew = 0, ledger.LogHorizon{}, time.Now()
	return nil
}

// add adds the leaves of rows.
func (s *Sequencer) add(ctx context.Context, rows []audit.Row) error {
	edge := s.turn.edge.Clone()
	b := ledger.LogBatch{From: edge.Size()}
	for _, row := range rows {
		leaf := audit.NewLeaf(edge.Size(), row)
		b.Leaves = append(b.Leaves, leaf)
		edge.Add(leaf.Hash, func(full audit.Tile) { b.Tiles = append(b.Tiles, full) })
	}
	b.Tiles = append(b.Tiles, edge.Partial()...)
	if err := s.Ledger.AppendLeaves(ctx, s.holding.Lease(), b); err != nil {
		return err
	}
	s.turn.edge = edge
	return nil
}

// head makes a checkpoint, if the log has grown.
func (s *Sequencer) head(ctx context.Context) error {
	t := &s.turn
	if time.Since(t.checkpoint) < s.Checkpoint {
		return nil
	}
	state, err := s.Ledger.LogState(ctx)
	if err != nil {
		return err
	}
	if state.Size != t.edge.Size() {
		return ledger.ErrLogMoved
	}
	if state.Size == 0 || state.Newest != nil && state.Newest.Size >= state.Size {
		return nil
	}
	if !t.checked {
		if err := s.check(ctx, state); err != nil {
			return err
		}
		t.checked = true
	}
	c := audit.Checkpoint{Origin: audit.Origin(s.Origin, state.Epoch), Size: state.Size, Root: t.edge.Root(), At: s.Clock.Now().Truncate(time.Microsecond)}
	var signers []note.Signer
	if s.Signer != nil {
		signers = []note.Signer{s.Signer}
	}
	text, err := c.Sign(signers...)
	if err != nil {
		return err
	}
	if err := s.Ledger.SaveCheckpoint(ctx, s.holding.Lease(), audit.Stored{Size: c.Size, At: c.At, Root: c.Root, Note: text}); err != nil {
		return err
	}
	t.checkpoint = time.Now()
	return nil
}

// check compares the log with what places know of it. A log that has lost leaves must not go
// on as if it had not: there would be two of the same name.
func (s *Sequencer) check(ctx context.Context, state ledger.LogState) error {
	for _, place := range s.Places {
		remembers, ok := place.(Remembers)
		if !ok {
			continue
		}
		text, err := remembers.Newest(ctx)
		if err != nil || text == "" {
			continue // publishing says so
		}
		known, _, err := audit.Open(text, nil)
		if err != nil || known.Origin != audit.Origin(s.Origin, state.Epoch) {
			continue
		}
		if known.Size > state.Size {
			return fmt.Errorf("%s has a checkpoint of size %d, and the log has %d leaves: %w", place.Name(), known.Size, state.Size, ErrAhead)
		}
		root, err := tlog.TreeHash(known.Size, s.hashes(ctx, state.Size))
		if err != nil {
			return err
		}
		if root != known.Root {
			return fmt.Errorf("%s has a checkpoint of size %d with another root than the log: %w", place.Name(), known.Size, ErrAhead)
		}
	}
	return nil
}

func (s *Sequencer) hashes(ctx context.Context, size int64) tlog.HashReader {
	return audit.Hashes(size, func(level int, n int64) ([]byte, error) { return s.Ledger.LogTile(ctx, level, n) })
}

// publish hands the newest checkpoint to every place that has not got it.
func (s *Sequencer) publish(ctx context.Context) error {
	if len(s.Places) == 0 {
		return nil
	}
	state, err := s.Ledger.LogState(ctx)
	if err != nil || state.Newest == nil {
		return err
	}
	if s.turn.published == nil {
		published, err := s.Ledger.Published(ctx)
		if err != nil {
			return err
		}
		s.turn.published = map[string]int64{}
		for _, p := range published {
			s.turn.published[p.Place] = p.Size
		}
	}
	c, signature, err := audit.Open(state.Newest.Note, nil)
	if err != nil {
		return fmt.Errorf("the newest checkpoint: %w", err)
	}
	// A checkpoint from before there was a key, or the name, would spoil a file in which all are to verify.
	if s.Signer != nil && signature == audit.Unsigned || c.Origin != audit.Origin(s.Origin, state.Epoch) {
		return nil
	}
	head := Head{Checkpoint: c, Note: state.Newest.Note, Consistency: func(ctx context.Context, old int64) (tlog.TreeProof, error) {
		return tlog.ProveTree(c.Size, old, s.hashes(ctx, c.Size))
	}}
	failures := make([]error, len(s.Places))
	done := make([]*ledger.Published, len(s.Places))
	var places sync.WaitGroup
	for i, place := range s.Places {
		if s.turn.published[place.Name()] >= c.Size {
			continue
		}
		places.Go(func() { // a place that hangs keeps no other waiting
			ctx, cancel := context.WithTimeout(ctx, publishWithin)
			defer cancel()
			receipt, err := place.Publish(ctx, head)
			if err != nil {
				failures[i] = fmt.Errorf("a checkpoint could not be published to %s: %w", place.Name(), err)
				return
			}
			done[i] = &ledger.Published{Place: place.Name(), Size: c.Size, At: s.Clock.Now(), Receipt: receipt}
		})
	}
	places.Wait()
	for i, place := range s.Places {
		if failures[i] != nil && s.Failed != nil {
			s.Failed(place.Name())
		}
		if done[i] == nil {
			continue
		}
		if err := s.Ledger.SavePublished(ctx, s.holding.Lease(), *done[i]); err != nil {
			return err
		}
		s.turn.published[place.Name()] = c.Size
	}
	return errors.Join(failures...)
}
