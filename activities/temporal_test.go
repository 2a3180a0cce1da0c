package activities

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/pace"
	"github.com/tenurehq/tenure/provision"
)

// Every row of the table in the comment of temporalError holds.
func TestWhatTemporalIsToldOfAnError(t *testing.T) {
	type told struct {
		code, message string
		final, benign bool
		again         time.Duration
	}
	away := errors.New("connection refused by ledger.internal")
	final := func(e *provision.Error) *provision.Error { e.Final = true; return e }
	for name, c := range map[string]struct {
		err  error
		want told
	}{
		"the code is the type":         {&provision.Error{Code: provision.CodeNotKept, Message: "why"}, told{code: "attribute_not_kept", message: "why"}},
		"final: a human has to look":   {&provision.Error{Code: provision.CodeNoRecipient, Message: "why", Final: true}, told{code: "no_recipient", message: "why", final: true}},
		"it says when to come again":   {&provision.Error{Code: provision.CodeNotKept, RetryAfter: time.Minute}, told{code: "attribute_not_kept", again: time.Minute}},
		"no turn is no error":          {&provision.Error{Code: provision.CodeBusy, NoTurn: true, RetryAfter: time.Second}, told{code: "busy", benign: true, again: time.Second}},
		"the ledger is away":           {provision.LedgerError(away), told{code: "ledger", message: "the ledger did not answer"}},
		"an error that is wrapped":     {fmt.Errorf("sweep: %w", provision.LedgerError(away)), told{code: "ledger", message: "the ledger did not answer"}},
		"an app that is down":          {provision.ErrorOf(&connector.Error{Kind: connector.KindUnavailable, Op: "read", Message: "no answer"}), told{code: "unavailable", message: "read: no answer"}},
		"an app that asks for a pause": {provision.ErrorOf(&connector.Error{Kind: connector.KindRateLimited, Op: "read", RetryAfter: time.Hour}), told{code: "rate_limited", message: "read: ", again: time.Hour}},
		"the same, of an urgent step": {
			provision.ErrorOf(&connector.Error{Kind: connector.KindRateLimited, Op: "read", RetryAfter: time.Hour}).Bounded(true, pace.UrgentPatience),
			told{code: "rate_limited", message: "read: ", again: pace.UrgentPatience},
		},
		"the rate is used up": {
			provision.ErrorOf(&pace.NoTurnError{After: time.Minute}),
			told{code: "rate_limited", message: (&pace.NoTurnError{After: time.Minute}).Error(), benign: true, again: time.Minute},
		},
		"no answer in time":        {provision.ErrorOf(context.DeadlineExceeded), told{code: "unavailable", message: "no answer in time"}},
		"a protected account":      {final(provision.ErrorOf(&connector.ProtectedError{})), told{code: "protected", message: (&connector.ProtectedError{}).Error(), final: true}},
		"another person's account": {final(provision.ErrorOf(&ledger.TakenError{App: "wiki", Owner: "2"})), told{code: "not_theirs", message: provision.ErrorOf(&ledger.TakenError{App: "wiki", Owner: "2"}).Message, final: true}},
		"what only a connector knows": {
			provision.ErrorOf(errors.New("ada@example.com is not there")),
			told{code: "unavailable", message: "the connector failed in an unexpected way"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got *temporal.ApplicationError
			require.ErrorAs(t, temporalError(c.err), &got)
			assert.Equal(t, c.want, told{
				code: got.Type(), message: got.Message(), final: got.NonRetryable(), again: got.NextRetryDelay(),
				benign: got.Category() == temporal.ApplicationErrorCategoryBenign,
			})
		})
	}
	assert.ErrorIs(t, temporalError(provision.LedgerError(away)), away, "the cause is kept")
	for _, other := range []error{nil, context.Canceled, errors.New("Temporal's own")} {
		assert.Equal(t, other, temporalError(other), "all other errors stay as they are")
	}
}
