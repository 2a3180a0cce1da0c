package ledger

import (
	"context"
	"time"
)

// Reader is the part of a Ledger that changes nothing. Code that only shows something takes
// a Reader, so that it cannot write by mistake.
type Reader interface {
	Query
	Steps
	Census

	// Person is described at Work.
	Person(ctx context.Context, personID string) (Person, error)
	// Due is described at Work.
	Due(ctx context.Context, at time.Time, limit int) ([]DuePerson, error)
	// Backlog is described at Turns.
	Backlog(ctx context.Context) (Backlog, error)
	// Tasks is described at Tasks.
	Tasks(ctx context.Context, f TaskFilter, after int64, limit int) ([]Task, error)
	// Cohorts is described at Breaker.
	Cohorts(ctx context.Context, f CohortFilter) ([]Cohort, error)
	// Withdrawals is described at Breaker.
	Withdrawals(ctx context.Context, cohort int64, after string, limit int) ([]Withdrawal, error)
	// Holds is described at Holds.
	Holds(ctx context.Context, f HoldFilter, after int64, limit int) ([]Hold, error)
	// Retentions is described at Retentions.
	Retentions(ctx context.Context, personID string, after int64, limit int) ([]Retention, error)
	// Approvals is described at Approvals.
	Approvals(ctx context.Context, f ApprovalFilter, after ApprovalPlace, limit int) ([]Approval, error)
	// Exceptions is described at Exceptions.
	Exceptions(ctx context.Context, f ExceptionFilter, after int64, limit int) ([]Exception, error)
	// Namesakes is described at Identities.
	Namesakes(ctx context.Context, givenName, familyName string, limit int) ([]string, error)
	// CallWaits is described at Pacer.
	CallWaits(ctx context.Context) (map[string]time.Duration, error)
	// Leases is described at Leases.
	Leases(ctx context.Context) ([]Lease, error)
	// Licences is described at Licences.
	Licences(ctx context.Context) ([]Licence, error)
	// Identifiers is described at Identifiers.
	Identifiers(ctx context.Context, personID string) ([]Identifier, error)
	ScanReader
	RequestReader
	LogReader
	NoticeReader
	ReviewReader
	PrivacyReader
	// Ping is described at Ledger.
	Ping(ctx context.Context) error
}

var _ Reader = Ledger(nil)
