package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"go.temporal.io/api/serviceerror"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/internal/remote"
	"github.com/tenurehq/tenure/ledger"
)

// whose names the culprit of an error that a record meets on its way.
type whose string

const (
	theRecords         whose = "record"         // this record can never pass: it becomes a dead letter at once
	theInfrastructures whose = "infrastructure" // nothing passes: records wait
	nobodyKnows        whose = "unknown"        // records wait, as for the infrastructure
)

// fault is a row of the table: if is returns true for an error, whose is its culprit.
type fault struct {
	what  string
	whose whose
	is    func(error) bool
}

// faults is the one table that says whose fault an error is. The first row that matches
// counts; if none does, it is nobodyKnows. Whatever the table says, a record that fails
// again and again while others pass is at fault itself: see suspicion.
var faults = []fault{
	{"time ran out, or the process ends", theInfrastructures, isAny(context.DeadlineExceeded, context.Canceled)},

	{"a decoder refuses the record", theRecords, isA[*source.Error]},
	{"a decoder asks for more after it was given all", theRecords, isA[*source.ThinError]},
	{"the HR system is away, too busy, or refuses the credentials", theInfrastructures, remoteIs(concernsAll)},
	{"the HR system refuses this person", theRecords, remoteIs(func(remote.Kind) bool { return true })},

	{"the ledger cannot be reached", theInfrastructures, isAny(ledger.ErrUnreachable)},
	{"the ledger cannot keep it", theRecords, isAny(ledger.ErrRefused)},

	{"Temporal cannot be reached, is too busy, or refuses the credentials", theInfrastructures, grpcIs(codes.Unavailable,
		codes.DeadlineExceeded, codes.Canceled, codes.ResourceExhausted, codes.Aborted, codes.Unauthenticated, codes.PermissionDenied)},
	{"the namespace is not there", theInfrastructures, isA[*serviceerror.NamespaceNotFound]},
	{"Temporal does not know Tenure's search attributes: they are new, or somebody took them away", theInfrastructures, isUnknownAttribute},
	{"Temporal takes no such request", theRecords, grpcIs(codes.InvalidArgument, codes.OutOfRange)},
	{"Temporal's client can write no such header", theRecords, says("non-printable ASCII")},

	{"the broker refuses the message", theRecords, broker.RefusesMessage},
	{"the broker is away, is moving things, or lacks a permission", theInfrastructures, isA[kafka.Error]},
}

// blame returns the culprit of an error, by the table.
func blame(err error) whose {
	var several kafka.WriteErrors
	if errors.As(err, &several) && len(several) == 1 && several[0] != nil {
		err = several[0]
	}
	i := slices.IndexFunc(faults, func(f fault) bool { return f.is(err) })
	if i < 0 {
		return nobodyKnows
	}
	return faults[i].whose
}

func isAny(targets ...error) func(error) bool {
	return func(err error) bool {
		return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
	}
}

func isA[E error](err error) bool {
	var target E
	return errors.As(err, &target)
}

func remoteIs(kind func(remote.Kind) bool) func(error) bool {
	return func(err error) bool {
		var failure *remote.Error
		return errors.As(err, &failure) && kind(failure.Kind)
	}
}

// grpcIs matches Temporal's answers with these codes, as errors of its API or of gRPC.
func grpcIs(wanted ...codes.Code) func(error) bool {
	return func(err error) bool {
		var answered serviceerror.ServiceError
		var plain interface{ GRPCStatus() *status.Status }
		switch {
		case errors.As(err, &answered):
			return slices.Contains(wanted, answered.Status().Code())
		case errors.As(err, &plain):
			return slices.Contains(wanted, plain.GRPCStatus().Code())
		}
		return false
	}
}

// isUnknownAttribute matches Temporal's answer to a search attribute that the namespace does not have.
// After it was added, each part of the server learns of it in its own time (seconds).
func isUnknownAttribute(err error) bool {
	return grpcIs(codes.InvalidArgument)(err) &&
		(says("no mapping defined for search attribute")(err) || says("search attribute ")(err) && says(" is not defined")(err))
}

func says(text string) func(error) bool {
	return func(err error) bool { return strings.Contains(err.Error(), text) }
}

// errElsewhere is the error of a record whose call failed because of another record.
var errElsewhere = fmt.Errorf("another record of the same call failed: %w", context.DeadlineExceeded)

// notPassedError is the error of a record that cannot pass a dependency.
type notPassedError struct {
	reason string // of the dead letter
	at     string // the dependency's name
	cause  error
}

func (e *notPassedError) Error() string {
	return fmt.Sprintf("%s: it does not pass %s: %v", e.reason, e.at, e.cause)
}

func (e *notPassedError) Unwrap() error { return e.cause }

// text returns the dead letter's text. It never quotes the cause, which may quote the
// record.
func (e *notPassedError) text(after time.Duration) string {
	if e.reason == source.ReasonGivenUp {
		return fmt.Sprintf("did not pass %s for %s while others did, and was given up; the starter's log has the error; redrive it when the cause is gone", e.at, after)
	}
	return "was refused by " + e.at + ": the starter's log has the error"
}

// suspicion decides when a record that keeps failing is at fault itself: it has failed
// for long enough, and others passed between its attempts again and again, the last
// time since its last attempt. A dependency that is away lets nobody pass.
type suspicion struct {
	after time.Duration

	began   time.Time // when the record first failed
	passes  uint64    // of other records, at the last attempt
	strikes int       // attempts that failed although another record had passed since the one before
}

// strikesNeeded is the number of attempts between which others have to pass. One is not
// enough: a dependency that comes and goes lets some pass too.
const strikesNeeded = 3

// failed notes a failed attempt, and reports whether to give up. Passes is the number
// of other records that have passed so far.
func (s *suspicion) failed(now time.Time, passes uint64) bool {
	if s.began.IsZero() {
		s.began, s.passes = now, passes
		return false
	}
	passed := passes > s.passes
	s.passes = passes
	if passed {
		s.strikes++
	}
	return passed && s.strikes >= strikesNeeded && now.Sub(s.began) >= s.after
}
