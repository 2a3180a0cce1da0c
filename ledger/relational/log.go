package relational

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/ledger"
)

// digest scans a hash. Something that is none becomes the zero hash, which is the hash of nothing.
type digest struct{ to *audit.Hash }

func (h digest) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok {
		return fmt.Errorf("hash: %T", v)
	}
	*h.to = audit.Hash{}
	if len(b) == len(h.to) {
		copy(h.to[:], b)
	}
	return nil
}

const rowColumns = `a.seq, a.at, a.person_id, a.app, a.action, a.actor, a.login, a.key, a.attempt, a.salt, a.cause, a.detail`

func rowDest(r *audit.Row) []any {
	return []any{&r.Seq, &r.At, &r.Person, &r.App, &r.Action, &r.Actor, &r.Login, &r.Key, &r.Attempt, &r.Salt, &r.Cause, &r.Detail}
}

const (
	sizeQuery   = `SELECT coalesce(max(leaf) + 1, 0) FROM audit_leaves`
	newestQuery = `SELECT size, at, root, note FROM checkpoints ORDER BY size DESC LIMIT 1`
	epochQuery  = `SELECT coalesce(max(a.attempt), 1) FROM audit a JOIN audit_leaves l ON l.seq = a.seq
		WHERE a.person_id = '' AND a.key = ? AND a.action = ?`
)

func storedDest(c *audit.Stored) []any {
	return []any{&c.Size, instant{&c.At}, digest{&c.Root}, &c.Note}
}

// one scans a single number.
func one(n *int64) []any { return []any{n} }

// LogState implements ledger.Log.
func (s *Store) LogState(ctx context.Context) (ledger.LogState, error) {
	var state ledger.LogState
	err := s.engine.Snapshot(ctx, func(now Reader) error {
		state = ledger.LogState{}
		size, err := list(ctx, now, sizeQuery, nil, one)
		if err != nil {
			return err
		}
		epoch, err := list(ctx, now, epochQuery, []any{audit.KeyRestart, audit.ActionRestarted}, one)
		if err != nil {
			return err
		}
		newest, err := list(ctx, now, newestQuery, nil, storedDest)
		if len(newest) > 0 {
			state.Newest = &newest[0]
		}
		state.Size, state.Epoch = size[0], epoch[0]
		return err
	})
	return state, s.explain(err)
}

// LogTile implements ledger.Log.
func (s *Store) LogTile(ctx context.Context, level int, n int64) ([]byte, error) {
	tiles, err := list(ctx, s.engine, `SELECT data FROM audit_tiles WHERE level = ? AND n = ?`, []any{level, n},
		func(data *[]byte) []any { return []any{data} })
	if err != nil || len(tiles) == 0 {
		return nil, s.explain(err)
	}
	return tiles[0], nil
}

// Unsequenced implements ledger.Log.
func (s *Store) Unsequenced(ctx context.Context, after int64, limit int) ([]audit.Row, error) {
	rows, err := list(ctx, s.engine, unsequencedQuery, []any{after, max(limit, 0)}, rowDest)
	return rows, s.explain(err)
}

// Leaves are bounded too: otherwise PostgreSQL may join the two from the first leaf on.
const unsequencedQuery = `SELECT ` + rowColumns + ` FROM audit a
	WHERE a.seq > ?1 AND NOT EXISTS (SELECT 1 FROM audit_leaves l WHERE l.seq = a.seq AND l.seq > ?1) ORDER BY a.seq LIMIT ?2`

// LogHorizon implements ledger.Log.
func (s *Store) LogHorizon(ctx context.Context, before ledger.LogHorizon) (now ledger.LogHorizon, passed bool, err error) {
	// The number comes first: whoever was given it or a lower one had begun by then.
	seq, err := list(ctx, s.engine, table{name: "audit", counter: "seq"}.named(s.dialect.Counter), nil, one)
	if err != nil {
		return ledger.LogHorizon{}, false, s.explain(err)
	}
	now.Seq = seq[0]
	if s.dialect.Writers != "" {
		now.Writers, err = list(ctx, s.engine, s.dialect.Writers, nil, func(w *string) []any { return []any{w} })
	}
	passed = !slices.ContainsFunc(before.Writers, func(w string) bool { return slices.Contains(now.Writers, w) })
	return now, passed && err == nil, s.explain(err)
}

// AppendLeaves implements ledger.Log.
func (s *Store) AppendLeaves(ctx context.Context, l ledger.Lease, b ledger.LogBatch) error {
	if len(b.Leaves) == 0 {
		return nil
	}
	return s.write(ctx, func(t *Tx) error {
		var size int64
		if err := t.holds(l, func() error { return t.later(sizeQuery, nil, new(bool), &size) }); err != nil {
			return err
		}
		if size != b.From {
			last := b.Leaves[len(b.Leaves)-1]
			repeated, err := t.get(`SELECT 1 FROM audit_leaves WHERE leaf = ? AND seq = ? AND hash = ?`, []any{last.N, last.Seq, last.Hash[:]}, new(int))
			if err == nil && !repeated {
				err = ledger.ErrLogMoved
			}
			return err
		}
		if err := t.insertLeaves(b); err != nil {
			return err
		}
		for _, tile := range b.Tiles {
			if err := t.exec(`INSERT INTO audit_tiles (level, n, data) VALUES (?, ?, ?)
				ON CONFLICT (level, n) DO UPDATE SET data = excluded.data`, tile.Level, tile.N, tile.Data); err != nil {
				return err
			}
		}
		return nil
	})
}

// insertLeaves inserts leaves whose numbers follow each other, in one statement with as few
// parameters as for one: a parameter for each value costs more than the row.
func (t *Tx) insertLeaves(b ledger.LogBatch) error {
	seqs := make([]byte, 1, 12*len(b.Leaves))
	seqs[0] = '['
	texts, hashes := make([]byte, 0, len(audit.Hash{})*len(b.Leaves)), make([]byte, 0, len(audit.Hash{})*len(b.Leaves))
	for i, leaf := range b.Leaves {
		if leaf.N != b.From+int64(i) {
			return fmt.Errorf("leaf %d comes after %d others, the first of which is %d", leaf.N, i, b.From)
		}
		seqs = append(strconv.AppendInt(seqs, leaf.Seq, 10), ',')
		texts, hashes = append(texts, leaf.Text[:]...), append(hashes, leaf.Hash[:]...)
	}
	seqs[len(seqs)-1] = ']'
	part := func(parameter string) string {
		return `substr(CAST(` + parameter + ` AS ` + t.dialect.Bytes + `), CAST(1 + 32 * key AS INTEGER), 32)`
	}
	return t.exec(`INSERT INTO audit_leaves (leaf, seq, text, hash)
		SELECT ?2 + key, CAST(value AS BIGINT), `+part(`?3`)+`, `+part(`?4`)+` FROM `+t.dialect.Array+` AS leaves`, string(seqs), b.From, texts, hashes)
}

// SaveCheckpoint implements ledger.Log.
func (s *Store) SaveCheckpoint(ctx context.Context, l ledger.Lease, c audit.Stored) error {
	return s.write(ctx, func(t *Tx) error {
		if err := t.holds(l); err != nil {
			return err
		}
		return t.exec(`INSERT INTO checkpoints (size, at, root, note) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`, c.Size, c.At.UnixMicro(), c.Root[:], c.Note)
	})
}

// SavePublished implements ledger.Log.
func (s *Store) SavePublished(ctx context.Context, l ledger.Lease, p ledger.Published) error {
	return s.write(ctx, func(t *Tx) error {
		if err := t.holds(l); err != nil {
			return err
		}
		return t.exec(`INSERT INTO published (place, size, at, receipt) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`, p.Place, p.Size, p.At.UnixMicro(), p.Receipt)
	})
}

// SaveExported implements ledger.Log.
func (s *Store) SaveExported(ctx context.Context, l ledger.Lease, e ledger.Exported) error {
	return s.write(ctx, func(t *Tx) error {
		if err := t.holds(l); err != nil {
			return err
		}
		return t.exec(`INSERT INTO exported (place, size, at) VALUES (?, ?, ?)
			ON CONFLICT (place) DO UPDATE SET size = excluded.size, at = excluded.at WHERE excluded.size > exported.size`,
			e.Place, e.Size, e.At.UnixMicro())
	})
}

// Redact implements ledger.Log.
func (s *Store) Redact(ctx context.Context, r ledger.Redaction) error {
	return s.write(ctx, func(t *Tx) error { return t.redact(r) })
}

func (t *Tx) redact(r ledger.Redaction) error {
	seqs := slices.Compact(slices.Sorted(slices.Values(r.Seqs)))
	if len(seqs) == 0 {
		return nil
	}
	for _, seq := range seqs {
		var action string
		var leaf *int64
		found, err := t.get(`SELECT a.action, l.leaf FROM audit a LEFT JOIN audit_leaves l ON l.seq = a.seq WHERE a.seq = ?`, []any{seq}, &action, &leaf)
		switch {
		case err != nil:
			return err
		case !found:
			return ledger.ErrNotFound
		case leaf == nil:
			return ledger.ErrUnsequenced
		case action == audit.ActionRedacted, action == audit.ActionRestarted:
			return fmt.Errorf("%w: row %d tells of the record itself, and keeps its text", ledger.ErrRefused, seq)
		}
	}
	list, err := json.Marshal(seqs)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(list)
	key := "redaction:" + hex.EncodeToString(sum[:])
	row := ledger.AuditRow{At: r.At, Action: audit.ActionRedacted, Actor: r.Operator, Cause: r.Reason, Detail: map[string]any{"rows": seqs}}
	written, err := t.appendAudit(row, key)
	if err != nil || !written {
		return err
	}
	var by int64
	if _, err := t.get(`SELECT seq FROM audit WHERE person_id = '' AND key = ? AND action = ? AND actor = ? AND at = ? AND attempt = 0`,
		[]any{key, audit.ActionRedacted, r.Operator, r.At.UnixMicro()}, &by); err != nil {
		return err
	}
	for _, seq := range seqs {
		if err := t.exec(`INSERT INTO redactions (seq, by) VALUES (?, ?) ON CONFLICT DO NOTHING`, seq, by); err != nil {
			return err
		}
		if err := t.exec(`UPDATE audit SET cause = '', detail = NULL, salt = NULL WHERE seq = ?`, seq); err != nil {
			return err
		}
	}
	return nil
}

// RestartLog implements ledger.Log.
func (s *Store) RestartLog(ctx context.Context, r ledger.LogRestart) (restart audit.Restart, err error) {
	err = s.write(ctx, func(t *Tx) error {
		restart = audit.Restart{}
		var detail string
		repeated, err := t.get(`SELECT attempt, detail FROM audit WHERE person_id = '' AND key = ? AND action = ? AND actor = ? AND at = ?`,
			[]any{audit.KeyRestart, audit.ActionRestarted, r.Operator, r.At.UnixMicro()}, &restart.Epoch, &detail)
		if err != nil {
			return err
		}
		if repeated {
			return json.Unmarshal([]byte(detail), &restart)
		}
		if _, err := t.get(sizeQuery, nil, &restart.Size); err != nil {
			return err
		}
		if _, err := t.get(`SELECT coalesce(max(attempt), 1) + 1 FROM audit WHERE person_id = '' AND key = ? AND action = ?`,
			[]any{audit.KeyRestart, audit.ActionRestarted}, &restart.Epoch); err != nil {
			return err
		}
		row := ledger.AuditRow{At: r.At, Action: audit.ActionRestarted, Actor: r.Operator, Cause: r.Reason, Detail: map[string]any{"epoch": restart.Epoch, "size": restart.Size, "known": 0}}
		if r.Known != nil {
			restart.Lost, restart.Root = r.Known.Size, hex.EncodeToString(r.Known.Root[:])
			row.Detail["known"], row.Detail["root"] = restart.Lost, restart.Root
		}
		err = t.putAudit(row, audit.KeyRestart, restart.Epoch)
		return err
	})
	return restart, err
}

// Published implements ledger.LogReader.
func (s *Store) Published(ctx context.Context) ([]ledger.Published, error) {
	all, err := list(ctx, s.engine, publishedQuery, nil, publishedDest)
	return all, s.explain(err)
}

const publishedQuery = `SELECT place, size, at, receipt FROM published p
	WHERE size = (SELECT max(size) FROM published q WHERE q.place = p.place) ORDER BY place`

func publishedDest(p *ledger.Published) []any {
	return []any{&p.Place, &p.Size, instant{&p.At}, &p.Receipt}
}

// LeafOf implements ledger.LogReader.
func (s *Store) LeafOf(ctx context.Context, seq int64) (leaf int64, found bool, err error) {
	leaves, err := list(ctx, s.engine, `SELECT leaf FROM audit_leaves WHERE seq = ?`, []any{seq}, one)
	if err != nil || len(leaves) == 0 {
		return 0, false, s.explain(err)
	}
	return leaves[0], true, nil
}

// Exports implements ledger.LogReader.
func (s *Store) Exports(ctx context.Context) ([]ledger.Exported, error) {
	all, err := exports(ctx, s.engine)
	return all, s.explain(err)
}

func exports(ctx context.Context, now Reader) ([]ledger.Exported, error) {
	return list(ctx, now, `SELECT e.place, e.size, e.at, a.at FROM exported e
		LEFT JOIN audit_leaves l ON l.leaf = e.size LEFT JOIN audit a ON a.seq = l.seq ORDER BY e.place`, nil,
		func(e *ledger.Exported) []any { return []any{&e.Place, &e.Size, instant{&e.At}, instant{&e.Next}} })
}

// CountLog implements ledger.LogReader.
func (s *Store) CountLog(ctx context.Context) (ledger.LogCounts, error) {
	var counts ledger.LogCounts
	err := s.engine.Snapshot(ctx, func(now Reader) error {
		counts = ledger.LogCounts{}
		for query, to := range map[string]*int64{
			sizeQuery: &counts.Size,
			`SELECT count(*) FROM audit WHERE seq > (SELECT coalesce(max(seq), 0) FROM audit_leaves)`: &counts.Unsequenced,
		} {
			n, err := list(ctx, now, query, nil, one)
			if err != nil {
				return err
			}
			*to = n[0]
		}
		newest, err := list(ctx, now, newestQuery, nil, storedDest)
		if err != nil {
			return err
		}
		if len(newest) > 0 {
			counts.Checkpoint = &newest[0]
		}
		if counts.Published, err = list(ctx, now, publishedQuery, nil, publishedDest); err != nil {
			return err
		}
		counts.Exported, err = exports(ctx, now)
		return err
	})
	return counts, s.explain(err)
}

// ReadRecord implements ledger.LogReader.
func (s *Store) ReadRecord(ctx context.Context, f func(audit.Source) error) error {
	return s.explain(s.engine.Snapshot(ctx, func(now Reader) error { return f(record{now}) }))
}

// record is the record and its log as of one moment.
type record struct{ now Reader }

// Entries implements audit.Source.
func (r record) Entries(ctx context.Context, after int64, limit int) ([]audit.Entry, error) {
	type found struct {
		audit.Leaf
		seq, at, attempt                         *int64
		person, app, action, actor, login, cause *string
		key                                      *string
		row                                      audit.Row
		redacted                                 *int64
	}
	entries, err := list(ctx, r.now, `SELECT l.leaf, l.seq, l.text, l.hash, `+rowColumns+`, r.seq FROM audit_leaves l
		LEFT JOIN audit a ON a.seq = l.seq LEFT JOIN redactions r ON r.seq = l.seq WHERE l.leaf > ? ORDER BY l.leaf LIMIT ?`,
		[]any{after, limit}, func(f *found) []any {
			return []any{
				&f.N, &f.Seq, digest{&f.Text}, digest{&f.Hash},
				&f.seq, &f.at, &f.person, &f.app, &f.action, &f.actor, &f.login, &f.key, &f.attempt, &f.row.Salt, &f.cause, &f.row.Detail, &f.redacted,
			}
		})
	out := make([]audit.Entry, len(entries))
	for i, f := range entries {
		out[i].Leaf = f.Leaf
		if f.seq == nil {
			continue
		}
		row := f.row
		row.Seq, row.At, row.Attempt, row.Person, row.App, row.Action = *f.seq, *f.at, *f.attempt, *f.person, *f.app, *f.action
		row.Actor, row.Login, row.Key, row.Cause, row.Redacted = *f.actor, *f.login, *f.key, *f.cause, f.redacted != nil
		out[i].Row = &row
	}
	return out, err
}

// Tiles implements audit.Source.
func (r record) Tiles(ctx context.Context, level int, after int64, limit int) ([]audit.Tile, error) {
	return list(ctx, r.now, `SELECT level, n, data FROM audit_tiles WHERE level = ? AND n > ? ORDER BY n LIMIT ?`, []any{level, after, limit},
		func(t *audit.Tile) []any { return []any{&t.Level, &t.N, &t.Data} })
}

// Levels implements audit.Source.
func (r record) Levels(ctx context.Context) (int, error) {
	levels, err := list(ctx, r.now, `SELECT coalesce(max(level) + 1, 0) FROM audit_tiles`, nil, one)
	if err != nil {
		return 0, err
	}
	return int(levels[0]), nil
}

// Checkpoints implements audit.Source.
func (r record) Checkpoints(ctx context.Context, after int64, limit int) ([]audit.Stored, error) {
	return list(ctx, r.now, `SELECT size, at, root, note FROM checkpoints WHERE size > ? ORDER BY size LIMIT ?`, []any{after, limit}, storedDest)
}

// Waiting implements audit.Source.
func (r record) Waiting(ctx context.Context) (int64, error) {
	n, err := list(ctx, r.now, `SELECT count(*) FROM audit a WHERE NOT EXISTS (SELECT 1 FROM audit_leaves l WHERE l.seq = a.seq)`, nil, one)
	if err != nil {
		return 0, err
	}
	return n[0], nil
}
