package provision

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/set"
)

// grant gives entitlements, the licences last: they cost money, and may have run out. If the
// app refuses the licences for good, the other entitlements have been given, and the error is
// a *refusedError.
func (a *stepAttempt) grant(id string, names []string) error {
	licences, others := byLicence(names)
	if len(others) > 0 {
		if err := a.app.Grant(a.ctx, id, others); err != nil {
			return err
		}
	}
	if len(licences) == 0 {
		return nil
	}
	err := a.app.Grant(a.ctx, id, licences)
	if err == nil || ErrorOf(err).Retryable || connector.Is(err, connector.KindNotFound) {
		return err
	}
	return &refusedError{names: licences, err: a.licenceError(licences, err)}
}

// revoke takes entitlements that the account shows, or that Tenure gave it, the licences
// first: somebody else may wait for the seat. Whether or not these can be taken, it takes the
// others.
func (a *stepAttempt) revoke(id string, names []string) error {
	licences, others := byLicence(names)
	freed := a.take(id, licences)
	return errors.Join(a.take(id, others), freed)
}

// take revokes entitlements. Those that Tenure only may have given are taken by a call of their
// own: that the app shows nobody who has them is no contradiction.
func (a *stepAttempt) take(id string, names []string) error {
	unsure := set.Minus(a.link.Unsure.Entitlements, a.link.Entitlements)
	var failed error
	if given := set.Minus(names, unsure); len(given) > 0 {
		failed = a.app.Revoke(connector.WithGiven(a.ctx), id, given)
	}
	if maybe := set.Intersect(names, unsure); len(maybe) > 0 {
		failed = errors.Join(failed, a.app.Revoke(a.ctx, id, maybe))
	}
	return failed
}

// byLicence separates licences from other entitlements.
func byLicence(names []string) (licences, others []string) {
	for _, name := range names {
		if connector.KindOf(name) == connector.Licence {
			licences = append(licences, name)
		} else {
			others = append(others, name)
		}
	}
	return licences, others
}

// refusedError is the error for licences that the app does not give, while everything else
// that was asked for has been given.
type refusedError struct {
	names []string
	err   *Error
}

func (r *refusedError) Error() string { return r.err.Error() }

func (r *refusedError) Unwrap() error { return r.err }

// lacking returns the licences that the app has refused, or the error if it is another one.
func lacking(err error) ([]string, error) {
	var refused *refusedError
	if errors.As(err, &refused) {
		return refused.names, nil
	}
	return nil, err
}

// licenceError says why licences were refused: it asks the app whether a seat is free, if the
// app says that.
func (a *stepAttempt) licenceError(licences []string, err error) *Error {
	if full := a.withoutSeat(licences); len(full) > 0 {
		return &Error{
			Code: CodeNoSeat,
			Message: fmt.Sprintf("no seat is free of %s. The rest of the access was given. Buy seats, or free one: "+
				"'tenure app licences %s' shows who has them. It is tried again by itself", strings.Join(full, ", "), a.step.App),
		}
	}
	refused := *ErrorOf(err)
	refused.Message = "the rest of the access was given, but not " + strings.Join(licences, ", ") + ": " + refused.Message
	return &refused
}

// withoutSeat lists those of the licences of which the app says that all seats are used, with
// the numbers.
func (a *stepAttempt) withoutSeat(licences []string) (full []string) {
	if !a.app.Capabilities().ListEntitlements {
		return nil
	}
	for e, err := range a.app.Entitlements(a.ctx) {
		if err != nil {
			return nil // the app's own error has to do
		}
		if slices.Contains(licences, e.Name) && e.Seats.Total > 0 && e.Seats.Used >= e.Seats.Total {
			full = append(full, fmt.Sprintf("%s (%d of %d are used)", e.Name, e.Seats.Used, e.Seats.Total))
		}
	}
	return full
}
