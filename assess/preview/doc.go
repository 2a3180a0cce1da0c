// Package preview shows what Tenure would do: now, after events that HR has not sent yet, or
// by rules that are not in force yet.
//
// It decides with package assess, as the worker does. Then it continues as if all that was
// decided had been done, from one date that matters to the next. It changes nothing: it can
// read the ledger, and nothing else. It calls no app, so it cannot know that an account
// exists and would be adopted, or that a call would fail.
package preview
