package connector

import (
	"context"
	"fmt"
)

// Foreign reports whether an account that carries the person ID owner is known to be somebody
// else's than personID's. Either may be empty, and then it is not known.
func Foreign(owner, personID string) bool {
	return owner != "" && personID != "" && owner != personID
}

// Mark decides for Adopt about an account that carries the person ID owner: true, if it
// carries none and has to be marked with personID; false, if it is marked with it already.
// Another person's ID is an error of KindConflict, which names the app where it was found.
func Mark(op, owner, personID, app string) (bool, error) {
	if Foreign(owner, personID) {
		return false, &Error{
			Kind: KindConflict, Op: op,
			Message: fmt.Sprintf("the account carries another person's ID: find out in %s whose account it is", app),
		}
	}
	return owner != personID, nil
}

// Look is one way to look for a person's accounts.
type Look struct {
	By    MatchKey
	Value string // nothing is looked for if it is empty
	Find  func(ctx context.Context, value string) ([]Account, error)
}

// FirstMatches looks in one way after another, the strongest key first, until one finds an
// account that is not known to be somebody else's. An account that carries the person's ID is
// matched by it, however it was found.
func FirstMatches(ctx context.Context, personID string, looks ...Look) ([]Match, error) {
	for _, look := range looks {
		if look.Value == "" {
			continue
		}
		found, err := look.Find(ctx, look.Value)
		if err != nil {
			return nil, err
		}
		var matches []Match
		for _, account := range found {
			if Foreign(account.ExternalID, personID) {
				continue
			}
			by := look.By
			if account.ExternalID != "" && account.ExternalID == personID {
				by = ByExternalID
			}
			matches = append(matches, Match{Account: account, By: by})
		}
		if len(matches) > 0 {
			return matches, nil
		}
	}
	return nil, nil
}

// Whole returns a Look's Find for an app that shows users without all that an account has:
// find looks for users, and whole reads the account of each who is not known to be somebody
// else's than personID's.
func Whole[U any](personID string, find func(ctx context.Context, value string) ([]U, error), owner func(U) string, whole func(context.Context, U) (Account, error)) func(context.Context, string) ([]Account, error) {
	return func(ctx context.Context, value string) ([]Account, error) {
		users, err := find(ctx, value)
		if err != nil {
			return nil, err
		}
		var accounts []Account
		for _, user := range users {
			if Foreign(owner(user), personID) {
				continue
			}
			account, err := whole(ctx, user)
			if err != nil {
				return nil, err
			}
			accounts = append(accounts, account)
		}
		return accounts, nil
	}
}
