package connector

import "context"

type stepKey struct{}

// WithStep returns a context for the calls of one step. Its key is the same
// whenever the step is tried again, and no other step's: a connector whose app
// knows idempotency keys makes them from it.
func WithStep(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, stepKey{}, key)
}

// StepOf returns the key of the step that the calls are part of, or nothing.
func StepOf(ctx context.Context) string {
	key, _ := ctx.Value(stepKey{}).(string)
	return key
}
