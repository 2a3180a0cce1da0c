package relational

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/internal/username"
	"github.com/tenurehq/tenure/ledger"
)

// ClaimUsername implements ledger.Work.
func (s *Store) ClaimUsername(ctx context.Context, personID, base string, longest int) (string, error) {
	if base == "" {
		return "", fmt.Errorf("ledger: claim a username for person %s: %w", personID, errors.New("no username given"))
	}
	return written(ctx, s, "", func(t *Tx) (string, error) { return t.claimUsername(personID, base, longest) }) //nolint:contextcheck // a transaction has its context
}

// claimUsername looks for a free name and stores it under a lock, so that nobody can claim
// the same name in between. The column is unique as well.
func (t *Tx) claimUsername(personID, base string, longest int) (string, error) {
	if err := t.person(personID); err != nil {
		return "", err
	}
	var held string
	found, err := t.get(`SELECT username FROM people WHERE id = ? AND username IS NOT NULL`, []any{personID}, &held)
	if err != nil || found && username.MadeOf(held, base, longest) {
		return held, err
	}
	if found {
		if inUse, err := t.usernameInUse(personID); inUse || err != nil {
			return held, err
		}
	}
	name, err := t.freeUsername(personID, base, longest)
	if err != nil {
		return "", err
	}
	return name, t.giveUsername(personID, name)
}

// usernameInUse reports whether an account has, or may have, the username that the person
// holds. It reports false only if it is known of every attempt to create one that the app
// refused its content.
func (t *Tx) usernameInUse(personID string) (bool, error) {
	return t.get(`SELECT 1 WHERE
		EXISTS (SELECT 1 FROM links WHERE person_id = ?1 AND (state <> 'planned' OR account_id <> '' OR doubt_until IS NOT NULL OR creating <> ''))
		OR EXISTS (SELECT 1 FROM attempts WHERE person_id = ?1 AND gives = 1)
		OR EXISTS (SELECT 1 FROM steps WHERE person_id = ?1 AND kind = ?2 AND attempts > 0 AND code <> ?3)
		OR EXISTS (SELECT 1 FROM tasks WHERE person_id = ?1)`,
		[]any{personID, kindProvision, codeInvalid}, new(int))
}

// What the ledger has to know about steps that create accounts: their kind, plan.Provision,
// and the code of an attempt whose content the app refused.
const (
	kindProvision = "Provision"
	codeInvalid   = "invalid"
)

// giveUsername stores a username, also in links without an account yet. Steps that were
// refused with another username are superseded, so that they are tried again.
func (t *Tx) giveUsername(personID, name string) error {
	if err := t.exec(`UPDATE people SET username = ?, username_key = ? WHERE id = ?`, name, usernameKey(name), personID); err != nil {
		return err
	}
	if err := t.noteIdentifiers(time.Now(), ledger.Identifier{Kind: ledger.IdentifiesUsername, Value: name, PersonID: personID}); err != nil {
		return err
	}
	if err := t.exec(`UPDATE links SET username = ? WHERE person_id = ? AND state = 'planned'`, name, personID); err != nil {
		return err
	}
	return t.exec(`UPDATE steps SET state = 'superseded' WHERE person_id = ? AND kind = ? AND code = ? AND state IN ('open', 'attention')`,
		personID, kindProvision, codeInvalid)
}

// usernameKey returns a text that is equal for usernames that differ only in case.
func usernameKey(name string) string { return strings.ToLower(name) }

// RenamePerson implements ledger.Identities.
func (s *Store) RenamePerson(ctx context.Context, r ledger.Rename) (renamed ledger.Renamed, err error) {
	if r.Operator == "" || r.Reason == "" || r.Base == "" {
		return renamed, errors.New("ledger: a rename needs the new username, the operator and the reason")
	}
	return written(ctx, s, "", func(t *Tx) (ledger.Renamed, error) { return t.rename(r) }) //nolint:contextcheck // a transaction has its context
}

func (t *Tx) rename(r ledger.Rename) (out ledger.Renamed, err error) {
	if err := t.known(r.PersonID); err != nil {
		return out, err
	}
	if err := t.quiet(r.At, r.PersonID); err != nil {
		return out, err
	}
	var held string
	if _, err := t.get(`SELECT coalesce(username, '') FROM people WHERE id = ?`, []any{r.PersonID}, &held); err != nil {
		return out, err
	}
	if out.Username, err = t.freeUsername(r.PersonID, r.Base, r.Longest); err != nil {
		return out, err
	}
	if r.Exact && !strings.EqualFold(out.Username, r.Base) {
		return out, ledger.Cannot("the username is somebody else's, or was, or is too long")
	}
	links, err := collect(t, `SELECT `+linkColumns+` FROM links WHERE person_id = ? AND state IN ('active', 'disabled') ORDER BY app`,
		[]any{r.PersonID}, linkDest)
	if err != nil {
		return out, err
	}
	if err := t.giveUsername(r.PersonID, out.Username); err != nil {
		return out, err
	}
	for _, l := range links {
		switch {
		case l.Username == out.Username && l.RenameTo == "":
		case !slices.Contains(r.Apps, l.App):
			out.Left = append(out.Left, l.App)
		default:
			out.Apps = append(out.Apps, l.App)
			to := out.Username
			if l.Username == to {
				to = ""
			}
			if err := t.exec(`UPDATE links SET rename_to = ? WHERE person_id = ? AND app = ?`, to, r.PersonID, l.App); err != nil {
				return out, err
			}
		}
	}
	if held == out.Username && len(out.Apps) == 0 {
		return out, nil
	}
	return out, t.decided(ledger.AuditRow{
		At: r.At, PersonID: r.PersonID, Action: "rename", Actor: r.Operator, Cause: r.Reason,
		Detail: map[string]any{"apps": out.Apps, "left": out.Left},
	}, "rename")
}

// freeUsername returns the first username made of base that nobody else holds.
func (t *Tx) freeUsername(personID, base string, longest int) (string, error) {
	if t.dialect.LockUsernames != "" {
		if err := t.exec(t.dialect.LockUsernames); err != nil {
			return "", err
		}
	}
	reserved, err := reserves(context.Background(), t.reading(), t.pepper)
	if err != nil {
		return "", fmt.Errorf("find a free username: %w", err)
	}
	for n := 1; ; n++ {
		name := username.Numbered(base, n, longest)
		taken, err := t.get(`SELECT 1 FROM people WHERE username_key = ? AND id <> ?`, []any{usernameKey(name), personID}, new(int))
		if !taken && err == nil {
			taken, err = reserved(string(ledger.IdentifiesUsername), "", identifierKey(ledger.IdentifiesUsername, name))
		}
		if !taken || err != nil {
			return name, err
		}
	}
}
