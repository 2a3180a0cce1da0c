package scale

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Counts says what a database did. PostgreSQL's are of its own statistics of tables; SQLite keeps
// none, so that its are what the process asked of the file.
type Counts struct {
	// Of PostgreSQL: rows that were read by an index and by reading a whole table, rows that were
	// written, blocks that were looked at, and records of the write-ahead log.
	Fetched int64 `json:"rowsFetched,omitempty"`
	Scanned int64 `json:"rowsScanned,omitempty"`
	Written int64 `json:"rowsWritten,omitempty"`
	Blocks  int64 `json:"blocks,omitempty"`
	WAL     int64 `json:"walRecords,omitempty"`
	// Of SQLite: bytes that were read from the file, and written.
	Read  int64 `json:"bytesRead,omitempty"`
	Wrote int64 `json:"bytesWritten,omitempty"`
}

func (c Counts) minus(o Counts) Counts {
	return Counts{
		c.Fetched - o.Fetched, c.Scanned - o.Scanned, c.Written - o.Written, c.Blocks - o.Blocks, c.WAL - o.WAL, c.Read - o.Read, c.Wrote - o.Wrote,
	}
}

func (c Counts) by(n int64) Counts {
	return Counts{c.Fetched / n, c.Scanned / n, c.Written / n, c.Blocks / n, c.WAL / n, c.Read / n, c.Wrote / n}
}

// counts reads the counters. All sessions of the ledger have ended: PostgreSQL's sessions leave
// what they counted when they end.
func (s *store) counts(ctx context.Context) (c Counts, err error) {
	if s.kind == sqlite {
		return fileCounts()
	}
	for {
		var others int
		err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type IN ('client backend', 'autovacuum worker')`).Scan(&others)
		if err != nil {
			return c, err
		}
		if others == 0 {
			break
		}
		select {
		case <-ctx.Done():
			return c, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	err = s.db.QueryRowContext(ctx, `SELECT sum(coalesce(idx_tup_fetch, 0)), sum(seq_tup_read), sum(n_tup_ins + n_tup_upd + n_tup_del),
		(SELECT sum(heap_blks_read + heap_blks_hit + coalesce(idx_blks_read, 0) + coalesce(idx_blks_hit, 0)) FROM pg_statio_user_tables),
		(SELECT wal_records FROM pg_stat_wal) FROM pg_stat_user_tables`).Scan(&c.Fetched, &c.Scanned, &c.Written, &c.Blocks, &c.WAL)
	return c, err
}

// fileCounts reads what this process has read and written by system calls.
func fileCounts() (c Counts, err error) {
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return c, fmt.Errorf("counting what SQLite reads needs Linux: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return c, err
		}
		switch name {
		case "rchar":
			c.Read = n
		case "wchar":
			c.Wrote = n
		}
	}
	return c, nil
}
