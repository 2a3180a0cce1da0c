package activities

import (
	"errors"

	"go.temporal.io/sdk/temporal"

	"github.com/tenurehq/tenure/provision"
)

// temporalError translates an error of the engine into one of Temporal's. It returns all
// other errors unchanged.
//
//	Error.Code                  -> the application error's type
//	Error.Final                 -> non-retryable: the step needs attention, until an operator or the recheck
//	Error.RetryAfter            -> the delay of the next attempt
//	Error.NoTurn, Error.Settles -> benign: the SDK neither logs nor counts it as an error
func temporalError(err error) error {
	var f *provision.Error
	if !errors.As(err, &f) {
		return err
	}
	options := temporal.ApplicationErrorOptions{NonRetryable: f.Final, NextRetryDelay: f.RetryAfter, Cause: f.Unwrap()}
	if f.NoTurn || f.Settles > 0 {
		options.Category = temporal.ApplicationErrorCategoryBenign
	}
	return temporal.NewApplicationErrorWithOptions(f.Message, f.Code, options)
}
