package provision

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/backoff"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/pace"
	"github.com/tenurehq/tenure/plan"
)

const (
	// cutOffAttempt bounds one attempt at cutting off in one app.
	cutOffAttempt = time.Minute
	// FinishTime is the part of an attempt's time that is kept for storing its outcome.
	FinishTime = 5 * time.Second
)

// cutOffPauses bounds the pauses between attempts at cutting off in one app.
var cutOffPauses = backoff.Range{Min: time.Second, Max: 10 * time.Second}

// CutOffRequest asks to cut one person off without Temporal.
type CutOffRequest struct {
	PersonID string
	Operator string
	Reason   string
	Why      map[string]error // by app: why its connector could not be opened
}

// CutOffResult is the outcome of cutting off in one app.
type CutOffResult struct {
	App     string
	Link    ledger.Link // the proven link; zero if there is no proof
	Code    string      // why there is none: an error code
	Message string
}

// CutOff disables one person's accounts in all apps at once, from this process. It is for
// when there is no Temporal, and does what runs do, by the same code: with write-ahead
// intents, proofs and audit rows. The ledger must already hold the suspension. A run that
// comes later finds the steps done.
//
// It tries again what fails and may still succeed, until ctx ends, and calls tell once for
// each app, when it is done with that app.
func (e *Engine) CutOff(ctx context.Context, req CutOffRequest, tell func(CutOffResult)) error {
	d, err := e.decide(ctx, req.PersonID)
	if err != nil {
		return err
	}
	ended := map[string]chan struct{}{}
	steps := slices.DeleteFunc(slices.Clone(d.Plan.Steps), func(s plan.Step) bool { return s.Kind != plan.Disable })
	for _, s := range steps {
		ended[s.Key] = make(chan struct{})
	}
	var all sync.WaitGroup
	for _, s := range steps {
		all.Go(func() {
			defer close(ended[s.Key])
			for _, key := range s.Follows {
				if before, ok := ended[key]; ok {
					<-before
				}
			}
			tell(e.cutOff(ctx, req, s))
		})
	}
	all.Wait()
	return nil
}

// cutOff cuts off in one app.
func (e *Engine) cutOff(ctx context.Context, req CutOffRequest, s plan.Step) CutOffResult {
	result := CutOffResult{App: s.App}
	if err := req.Why[s.App]; err != nil {
		result.Code, result.Message = CodeUnknownApp, err.Error()
		return result
	}
	for pauses := cutOffPauses.Start(); ; {
		got, link, err := e.cutOffOnce(ctx, req, s)
		switch {
		case err == nil && got == ResultWaiting:
			result.Code, result.Message = CodeWaiting, "a human was asked to do it: see tenure task list --person "+req.PersonID
			return result
		case err == nil && got == ResultUnderway: // it is looked at again
			result.Code, result.Message = string(connector.KindUnderway), "the app has begun it and is not done yet"
		case err == nil:
			result.Link = link // zero if superseded: the ledger no longer asks for the step
			return result
		}
		var failed *Error
		if errors.As(err, &failed) {
			result.Code, result.Message = failed.Code, failed.Message
		} else if err != nil {
			result.Code, result.Message = CodeLedger, err.Error()
		}
		if failed != nil && failed.Final {
			return result
		}
		if pauses.Wait(ctx, 0) != nil {
			return result
		}
	}
}

// cutOffOnce makes one attempt, which is completed even if ctx ends.
func (e *Engine) cutOffOnce(ctx context.Context, req CutOffRequest, s plan.Step) (Result, ledger.Link, error) {
	deadline := time.Now().Add(cutOffAttempt)
	call, cancel := context.WithDeadline(pace.Urgent(context.WithoutCancel(ctx)), deadline.Add(FinishTime))
	defer cancel()
	return e.Apply(call, Attempt{
		PersonID: req.PersonID, Step: s,
		Deadline: deadline,
		Token:    "break-glass/" + s.Key,
		Actor:    req.Operator,
		Detail:   map[string]any{"breakGlass": true, "reason": req.Reason},
	})
}
