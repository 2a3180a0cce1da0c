package relational

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ClaimUsername implements ledger.Work.
func (s *Store) ClaimUsername(ctx context.Context, personID, base string) (string, error) {
	if base == "" {
		return "", fmt.Errorf("ledger: claim a username for person %s: %w", personID, errors.New("no username given"))
	}
	var username string
	err := s.write(ctx, func(t *Tx) (err error) {
		username, err = t.claimUsername(personID, base)
		return err
	})
	if err != nil {
		return "", err
	}
	return username, nil
}

// claimUsername looks and writes under a lock: nobody can claim the same name in
// between, and the column is unique all the same.
func (t *Tx) claimUsername(personID, base string) (string, error) {
	if err := t.person(personID); err != nil {
		return "", err
	}
	var held string
	found, err := t.get(`SELECT username FROM people WHERE id = ? AND username IS NOT NULL`, []any{personID}, &held)
	if found || err != nil {
		return held, err
	}
	if t.dialect.LockUsernames != "" {
		if err := t.exec(t.dialect.LockUsernames); err != nil {
			return "", err
		}
	}
	for n := 1; ; n++ {
		name := base
		if n > 1 {
			name += strconv.Itoa(n)
		}
		taken, err := t.get(`SELECT 1 FROM people WHERE username_key = ?`, []any{usernameKey(name)}, new(int))
		if err != nil {
			return "", err
		}
		if !taken {
			return name, t.exec(`UPDATE people SET username = ?, username_key = ? WHERE id = ?`,
				name, usernameKey(name), personID)
		}
	}
}

// usernameKey is equal for usernames that are the same.
func usernameKey(name string) string { return strings.ToLower(name) }
