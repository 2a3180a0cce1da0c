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

// whose says whom an error on the way of a record concerns.
type whose string

const (
	theRecords         whose = "record"         // this record cannot pass, however often: it becomes a dead letter at once
	theInfrastructures whose = "infrastructure" // nothing passes: it is waited for
	nobodyKnows        whose = "unknown"        // it is waited for, as the infrastructure is
)

// fault is a row of the table of errors.
type fault struct {
	what  string
	whose whose
	is    func(error) bool
}

// faults is the one table of whose an error is; the first row that fits holds. What
// fits none is unknown. Whatever the table says, a record that fails again and again
// while others pass is at fault itself: see suspicion.
var faults = []fault{
	{"time ran out, or the process ends", theInfrastructures, isAny(context.DeadlineExceeded, context.Canceled)},

	{"a decoder refuses the record", theRecords, isA[*source.Error]},
	{"a decoder asks for more after it was given all", theRecords, isA[*source.ThinError]},
	{"the HR system is away, too busy, or refuses the credentials", theInfrastructures, remoteIs(waits)},
	{"the HR system refuses this person", theRecords, remoteIs(func(remote.Kind) bool { return true })},

	{"the ledger cannot be reached", theInfrastructures, isAny(ledger.ErrUnreachable)},
	{"the ledger cannot keep it", theRecords, isAny(ledger.ErrRefused)},

	{"Temporal cannot be reached, is too busy, or refuses the credentials", theInfrastructures, grpcIs(codes.Unavailable,
		codes.DeadlineExceeded, codes.Canceled, codes.ResourceExhausted, codes.Aborted, codes.Unauthenticated, codes.PermissionDenied)},
	{"the namespace is not there", theInfrastructures, isA[*serviceerror.NamespaceNotFound]},
	{"Temporal takes no such request", theRecords, grpcIs(codes.InvalidArgument, codes.OutOfRange)},
	{"Temporal's client can write no such header", theRecords, says("non-printable ASCII")},

	{"the broker takes no such message", theRecords, broker.RefusesMessage},
	{"the broker is away, is moving things, or lacks a permission", theInfrastructures, isA[kafka.Error]},
}

// blame looks an error up in the table.
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

// grpcIs looks at what Temporal answered, as its API's errors or as gRPC's own.
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

func says(text string) func(error) bool {
	return func(err error) bool { return strings.Contains(err.Error(), text) }
}

// errElsewhere is given to whoever was in one call with somebody whose fault it was.
var errElsewhere = fmt.Errorf("another record of the same call failed: %w", context.DeadlineExceeded)

// notPassedError says that a record cannot pass a dependency.
type notPassedError struct {
	reason string // as a dead letter has it
	at     string // the dependency's name
	cause  error
}

func (e *notPassedError) Error() string {
	return fmt.Sprintf("%s: it does not pass %s: %v", e.reason, e.at, e.cause)
}

func (e *notPassedError) Unwrap() error { return e.cause }

// text says, for the dead letter, what happened. It never quotes the cause, which may
// quote the record.
func (e *notPassedError) text(after time.Duration) string {
	if e.reason == source.ReasonGivenUp {
		return fmt.Sprintf("did not pass %s for %s while others did, and was given up; the starter's log has the error; redrive it when the cause is gone", e.at, after)
	}
	return "was refused by " + e.at + ": the starter's log has the error"
}

// suspicion decides when a record that fails is at fault itself: it has failed for
// long enough, others have passed between its attempts again and again, and one has
// since the last. A dependency that is away lets nobody pass.
type suspicion struct {
	after time.Duration

	began   time.Time // of failing
	passes  uint64    // of others, as of the last attempt
	strikes int       // attempts that failed since another passed
}

// strikesNeeded is how often others have to pass between attempts: a dependency that
// comes and goes lets some pass too.
const strikesNeeded = 3

// failed notes that an attempt has failed, and reports whether to give up. passes is
// how many others have passed by now.
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
