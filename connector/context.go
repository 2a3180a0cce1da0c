package connector

import "context"

type stepKey struct{}

// WithStep returns a context for the calls of one step. All attempts at the step have the
// same key, and no other step has it. A connector whose app knows idempotency keys makes
// them from it.
func WithStep(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, stepKey{}, key)
}

// StepOf returns the key of the step that the calls are part of; empty if there is none.
func StepOf(ctx context.Context) string {
	key, _ := ctx.Value(stepKey{}).(string)
	return key
}

type operationKey struct{}

// WithOperation returns a context for a call that an earlier one has begun: the operation is
// that of its error of KindUnderway.
func WithOperation(ctx context.Context, operation string) context.Context {
	return context.WithValue(ctx, operationKey{}, operation)
}

// OperationOf returns what the app calls the operation that an earlier call has begun; empty
// if none has.
func OperationOf(ctx context.Context) string {
	operation, _ := ctx.Value(operationKey{}).(string)
	return operation
}

type recipientKey struct{}

// WithRecipient returns a context for deleting an account of an app that hands data over as it
// deletes (see Capabilities): the data goes to the account of this ID.
func WithRecipient(ctx context.Context, accountID string) context.Context {
	return context.WithValue(ctx, recipientKey{}, accountID)
}

// RecipientOf returns the ID of the account that gets the data of one that is deleted; empty if
// nobody does.
func RecipientOf(ctx context.Context) string {
	accountID, _ := ctx.Value(recipientKey{}).(string)
	return accountID
}

type formerKey struct{}

// WithFormerUsername returns a context for a Restore of an account that had this username
// when it was deleted. Nobody can read what is in a recycle bin, so that a guard needs it to
// see whether the account is protected.
func WithFormerUsername(ctx context.Context, username string) context.Context {
	return context.WithValue(ctx, formerKey{}, username)
}

// formerUsername returns the username of an account that is to be restored; empty if it is
// not known.
func formerUsername(ctx context.Context) string {
	username, _ := ctx.Value(formerKey{}).(string)
	return username
}

type sparingKey struct{}

// SparingEntitlements returns a context for reading an account whose entitlements are not
// needed. If a connector needs more requests to get them, it does not send those.
func SparingEntitlements(ctx context.Context) context.Context {
	return context.WithValue(ctx, sparingKey{}, true)
}

// SparesEntitlements reports whether the caller does not need the entitlements of the
// account that it reads.
func SparesEntitlements(ctx context.Context) bool {
	spares, _ := ctx.Value(sparingKey{}).(bool)
	return spares
}

type givenKey struct{}

// WithGiven returns a context for a Revoke of entitlements that the account is known to
// have, or that Tenure granted. If the app shows none of them, that proves that
// they are gone only while the app shows those of other accounts.
func WithGiven(ctx context.Context) context.Context {
	return context.WithValue(ctx, givenKey{}, true)
}

// Given reports whether the account may have the entitlements that are revoked, even if
// the app does not show them.
func Given(ctx context.Context) bool {
	given, _ := ctx.Value(givenKey{}).(bool)
	return given
}

type doubtsKey struct{}

// NotingDoubts returns a context for a change whose caller takes note if a request of it may yet
// be carried out although the call succeeds: its answer was lost, or said that it failed, and a
// connector sent it again. A connector does so only for such a caller, and only with a request
// that, made twice, leaves what it leaves when made once. note may be called from any goroutine.
func NotingDoubts(ctx context.Context, note func()) context.Context {
	return context.WithValue(ctx, doubtsKey{}, note)
}

// DoubtsOf returns how to tell the caller of a doubt: see NotingDoubts. It is nil if the caller
// takes no note of any.
func DoubtsOf(ctx context.Context) (note func()) {
	note, _ = ctx.Value(doubtsKey{}).(func())
	return note
}

type expectedKey struct{}

// Expecting returns a context for reading an account as proof that it has these entitlements. A
// connector that asks for them by requests of their own may ask for them first and, if one is
// missing, answer Lacking instead of asking for the rest: nothing is proven without it.
func Expecting(ctx context.Context, entitlements []string) context.Context {
	return context.WithValue(ctx, expectedKey{}, entitlements)
}

// ExpectedIn returns the entitlements that the caller expects to see; none if it has to know the
// account in any case.
func ExpectedIn(ctx context.Context) []string {
	entitlements, _ := ctx.Value(expectedKey{}).([]string)
	return entitlements
}
