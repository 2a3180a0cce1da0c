// Package preview shows what Tenure would do: about the present state, about
// events that HR has not sent yet, by rules that are not in force yet.
//
// It decides with package assess, as the worker does, and then goes on as if all
// that was decided had been done, from one date that matters to the next. Nothing
// is touched: it can read the ledger and nothing else. It knows no app, so that it
// cannot know whether an account is there to be adopted, or a call would fail.
package preview
