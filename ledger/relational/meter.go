package relational

import "sync/atomic"

// Spent is what was asked of a database since it was opened.
type Spent struct {
	Writes     int64 `json:"writes"`     // transactions that write: one for each call of the ledger
	Commits    int64 `json:"commits"`    // commits that were synced; calls may share one
	Reads      int64 `json:"reads"`      // transactions that only read, and queries that are none
	Statements int64 `json:"statements"` // in all of these
	RoundTrips int64 `json:"roundTrips"` // to a server; zero if the database is a file
}

// Minus returns what was asked after an earlier moment.
func (s Spent) Minus(before Spent) Spent {
	return Spent{
		s.Writes - before.Writes, s.Commits - before.Commits, s.Reads - before.Reads,
		s.Statements - before.Statements, s.RoundTrips - before.RoundTrips,
	}
}

// Meter counts what an engine asks of its database. Its zero value is ready.
type Meter struct{ Writes, Commits, Reads, Statements, RoundTrips atomic.Int64 }

// Spent returns what was counted so far.
func (m *Meter) Spent() Spent {
	return Spent{m.Writes.Load(), m.Commits.Load(), m.Reads.Load(), m.Statements.Load(), m.RoundTrips.Load()}
}
