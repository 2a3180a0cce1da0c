package scim

import "context"

// turn lets one at a time do what all wait for, such as asking for a token. Who
// waits heeds the context, as a mutex would not.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) end() { <-t }
