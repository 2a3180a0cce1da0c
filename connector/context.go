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

type sparingKey struct{}

// SparingEntitlements returns a context for reading an account whose entitlements nobody
// needs to know: a connector whose app tells them only if it is asked once more need not
// ask.
func SparingEntitlements(ctx context.Context) context.Context {
	return context.WithValue(ctx, sparingKey{}, true)
}

// SparesEntitlements reports whether the entitlements of an account that is read are not
// needed.
func SparesEntitlements(ctx context.Context) bool {
	spares, _ := ctx.Value(sparingKey{}).(bool)
	return spares
}

type givenKey struct{}

// WithGiven returns a context for a Revoke of entitlements that the account is known to
// have, or that Tenure may have given it: that the app shows none of them proves that they
// are gone only where it shows those of other accounts.
func WithGiven(ctx context.Context) context.Context {
	return context.WithValue(ctx, givenKey{}, true)
}

// Given reports whether the account may have the entitlements that are revoked, though the
// app does not show them.
func Given(ctx context.Context) bool {
	given, _ := ctx.Value(givenKey{}).(bool)
	return given
}
