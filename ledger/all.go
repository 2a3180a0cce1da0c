package ledger

import (
	"context"
	"iter"
	"time"
)

// PageSize is the number of entries that AllPeople, AllTasks and so on read at once.
const PageSize = 500

// all yields the entries of a list after a place. It reads them page by page. If reading
// fails, it yields the error and ends.
func all[T, P any](after P, read func(after P) ([]T, error), place func(T) P) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			page, err := read(after)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, entry := range page {
				after = place(entry)
				if !yield(entry, nil) {
					return
				}
			}
			if len(page) < PageSize {
				return
			}
		}
	}
}

// Collect returns the entries of one of the sequences below.
func Collect[T any](entries iter.Seq2[T, error]) ([]T, error) {
	var list []T
	for entry, err := range entries {
		if err != nil {
			return nil, err
		}
		list = append(list, entry)
	}
	return list, nil
}

// AllPeople yields everybody after the given ID, by ID. Those who stand for accounts that are
// nobody's are no people: see AllOrphans.
func AllPeople(ctx context.Context, l People, after string) iter.Seq2[Summary, error] {
	return func(yield func(Summary, error) bool) {
		for s, err := range everybody(ctx, l, after) {
			if err == nil && IsOrphan(s.PersonID) {
				continue
			}
			if !yield(s, err) {
				return
			}
		}
	}
}

// everybody yields all that have a place among people, after the given ID, by ID.
func everybody(ctx context.Context, l People, after string) iter.Seq2[Summary, error] {
	return all(after, func(after string) ([]Summary, error) { return l.People(ctx, after, PageSize) },
		func(s Summary) string { return s.PersonID })
}

// LinkReader reads links.
type LinkReader interface {
	// Links is described at Query.
	Links(ctx context.Context, f LinkFilter) ([]Link, error)
}

// AllLinks yields the links that match the filter, by person and app. It reads them page by page.
func AllLinks(ctx context.Context, l LinkReader, f LinkFilter) iter.Seq2[Link, error] {
	f.Limit = PageSize
	return all(f.After, func(after LinkPlace) ([]Link, error) {
		f.After = after
		return l.Links(ctx, f)
	}, func(l Link) LinkPlace { return LinkPlace{l.PersonID, l.App} })
}

// AllCohorts yields the cohorts that match the filter, by ID. It reads them page by page.
func AllCohorts(ctx context.Context, l Reader, f CohortFilter) iter.Seq2[Cohort, error] {
	f.Limit = PageSize
	return all(f.After, func(after int64) ([]Cohort, error) {
		f.After = after
		return l.Cohorts(ctx, f)
	}, func(c Cohort) int64 { return c.ID })
}

// AllWithdrawals yields what a cohort holds or has held, by person and key. It reads a page of
// people at a time.
func AllWithdrawals(ctx context.Context, l Reader, cohort int64) iter.Seq2[Withdrawal, error] {
	return all("", func(after string) ([]Withdrawal, error) { return l.Withdrawals(ctx, cohort, after, PageSize) },
		func(w Withdrawal) string { return w.PersonID }) // each of a page's people has one at least
}

// AllSteps yields the steps that match the filter, by person and key.
func AllSteps(ctx context.Context, l Steps, f StepFilter) iter.Seq2[Step, error] {
	return all(StepPlace{}, func(after StepPlace) ([]Step, error) { return l.Steps(ctx, f, after, PageSize) },
		func(s Step) StepPlace { return StepPlace{PersonID: s.PersonID, Key: s.Key} })
}

// AllEvents yields the events that match the filter, by sequence number.
func AllEvents(ctx context.Context, l Reader, f EventFilter) iter.Seq2[StoredEvent, error] {
	return all(0, func(after int64) ([]StoredEvent, error) { return l.Events(ctx, f, after, PageSize) },
		func(e StoredEvent) int64 { return e.Seq })
}

// AllAudit yields the audit rows of one person or (empty) of everybody, oldest first,
// after the given sequence number.
func AllAudit(ctx context.Context, l Reader, personID string, after int64) iter.Seq2[AuditRow, error] {
	return all(after, func(after int64) ([]AuditRow, error) { return l.Audit(ctx, personID, after, PageSize) },
		func(r AuditRow) int64 { return r.Seq })
}

// AllAuditSince yields the audit rows of everybody from an instant on, by time.
func AllAuditSince(ctx context.Context, l Query, from time.Time) iter.Seq2[AuditRow, error] {
	return all(AuditPlace{At: from}, func(after AuditPlace) ([]AuditRow, error) { return l.AuditSince(ctx, after, PageSize) },
		func(r AuditRow) AuditPlace { return AuditPlace{At: r.At, Seq: r.Seq} })
}

// AllTasks yields the tasks that match the filter, by ID.
func AllTasks(ctx context.Context, l Reader, f TaskFilter) iter.Seq2[Task, error] {
	return all(0, func(after int64) ([]Task, error) { return l.Tasks(ctx, f, after, PageSize) },
		func(t Task) int64 { return t.ID })
}

// AllHolds yields the holds that match the filter, by ID, after the given ID.
func AllHolds(ctx context.Context, l Reader, f HoldFilter, after int64) iter.Seq2[Hold, error] {
	return all(after, func(after int64) ([]Hold, error) { return l.Holds(ctx, f, after, PageSize) },
		func(h Hold) int64 { return h.ID })
}

// AllExceptions yields the exceptions that match the filter, by ID, after the given ID.
func AllExceptions(ctx context.Context, l Reader, f ExceptionFilter, after int64) iter.Seq2[Exception, error] {
	return all(after, func(after int64) ([]Exception, error) { return l.Exceptions(ctx, f, after, PageSize) },
		func(x Exception) int64 { return x.ID })
}

// AllRequests yields the requests that match the filter, by ID, after the given ID.
func AllRequests(ctx context.Context, l interface {
	Requests(ctx context.Context, f RequestFilter, after int64, limit int) ([]Request, error)
}, f RequestFilter, after int64) iter.Seq2[Request, error] {
	return all(after, func(after int64) ([]Request, error) { return l.Requests(ctx, f, after, PageSize) },
		func(r Request) int64 { return r.ID })
}

// AllStandIns yields the stand-ins that match the filter, by ID, after the given ID.
func AllStandIns(ctx context.Context, l RequestReader, f StandInFilter, after int64) iter.Seq2[StandIn, error] {
	return all(after, func(after int64) ([]StandIn, error) { return l.StandIns(ctx, f, after, PageSize) },
		func(s StandIn) int64 { return s.ID })
}

// AllDeadLetters yields the dead letters that match the filter, by ID, after the given ID.
func AllDeadLetters(ctx context.Context, l Reader, f LetterFilter, after int64) iter.Seq2[DeadLetter, error] {
	return all(after, func(after int64) ([]DeadLetter, error) { return l.DeadLetters(ctx, f, after, PageSize) },
		func(d DeadLetter) int64 { return d.ID })
}

// AllFindings yields the findings that match the filter, by ID.
func AllFindings(ctx context.Context, l ScanReader, f FindingFilter) iter.Seq2[Finding, error] {
	return all(0, func(after int64) ([]Finding, error) { return l.Findings(ctx, f, after, PageSize) },
		func(f Finding) int64 { return f.ID })
}

// AllListed yields the accounts of an app that a scan has seen, by account ID: see Listing.
func AllListed(ctx context.Context, l ScanReader, app string, scan int64) iter.Seq2[Observed, error] {
	return all("", func(after string) ([]Observed, error) { return l.Listing(ctx, app, scan, after, PageSize) },
		func(o Observed) string { return o.AccountID })
}

// AllRepetitions yields the records that said again what another record had said, received in a
// time, by ID.
func AllRepetitions(ctx context.Context, l Query, from, until time.Time) iter.Seq2[Repetition, error] {
	return all(0, func(after int64) ([]Repetition, error) { return l.Repetitions(ctx, from, until, after, PageSize) },
		func(r Repetition) int64 { return r.ID })
}

// AllNotices yields the notices that match the filter, by ID, after the given ID.
func AllNotices(ctx context.Context, l NoticeReader, f NoticeFilter, after int64) iter.Seq2[Notice, error] {
	return all(after, func(after int64) ([]Notice, error) { return l.Notices(ctx, f, after, PageSize) },
		func(n Notice) int64 { return n.ID })
}

// AllReviews yields the reviews that match the filter, by ID, after the given ID.
func AllReviews(ctx context.Context, l ReviewReader, f ReviewFilter, after int64) iter.Seq2[Review, error] {
	return all(after, func(after int64) ([]Review, error) { return l.Reviews(ctx, f, after, PageSize) },
		func(r Review) int64 { return r.ID })
}

// AllReviewItems yields the items that match the filter, by number.
func AllReviewItems(ctx context.Context, l ReviewReader, f ItemFilter) iter.Seq2[ReviewItem, error] {
	return all(0, func(after int64) ([]ReviewItem, error) { return l.ReviewItems(ctx, f, after, PageSize) },
		func(i ReviewItem) int64 { return i.Item })
}

// AllReviewAccesses yields what matches the filter, by person, app, account and entitlement.
func AllReviewAccesses(ctx context.Context, l ReviewReader, f AccessFilter) iter.Seq2[ReviewAccess, error] {
	return all(AccessPlace{}, func(after AccessPlace) ([]ReviewAccess, error) { return l.ReviewAccesses(ctx, f, after, PageSize) },
		func(a ReviewAccess) AccessPlace { return a.AccessPlace })
}
