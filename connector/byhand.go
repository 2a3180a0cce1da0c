package connector

import (
	"context"
	"time"
)

// Ask is how a human is asked.
type Ask struct {
	Assignee     string        // who is asked, as the company calls them
	Instructions string        // how it is done; may be empty
	Within       time.Duration // how long they have
	Remind       time.Duration // how often they are reminded until then, and after
	EscalateTo   string        // who is told when it is overdue; may be empty
	SecondPerson bool          // a second one has to confirm it
}

// GivenUp is the error of a call whose caller has gone, or nil: of connectors that
// call nobody.
func GivenUp(ctx context.Context, op string) error {
	if ctx.Err() == nil {
		return nil
	}
	return &Error{Kind: KindUnavailable, Op: op, Message: "the call was given up", Cause: ctx.Err()}
}

// Unseen is the error of looking for an account where nobody but a human can look.
func Unseen(ctx context.Context, op string) error {
	if err := GivenUp(ctx, op); err != nil {
		return err
	}
	return &Error{Kind: KindNotFound, Op: op, Message: "nobody but a human can look into this app"}
}
