package relational

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

const linkColumns = `person_id, app, account_id, username, state, adopted, entitlements, attributes,
	created_at, disabled_at, stripped_at, handed_over_at, deleted_at, proven_at, doubt_until, rename_to, owner_was,
	creating_at, creating_username, creating, creating_account, contested, changed_at, gave_at,
	unsure_state, unsure_entitlements, binned_id, binned_at, receiver`

const linkQuery = `SELECT ` + linkColumns + ` FROM links WHERE person_id = ? AND app = ?`

// linkDest lists the fields that linkColumns are scanned into.
func linkDest(l *ledger.Link) []any {
	return []any{
		&l.PersonID, &l.App, &l.AccountID, &l.Username, &l.State, &l.Adopted, decode{&l.Entitlements}, &l.Attributes,
		instant{&l.CreatedAt}, instant{&l.DisabledAt}, instant{&l.StrippedAt}, instant{&l.HandedOverAt},
		instant{&l.DeletedAt}, instant{&l.ProvenAt}, instant{&l.DoubtUntil}, &l.RenameTo, &l.OwnerWas,
		instant{&l.Creating.At}, &l.Creating.Username, &l.Creating.State, &l.Creating.AccountID, &l.Contested,
		instant{&l.ChangedAt}, instant{&l.GaveAt}, &l.Unsure.State, decode{&l.Unsure.Entitlements},
		&l.Binned.AccountID, instant{&l.Binned.At}, decode{&l.Receiver},
	}
}

// planLink makes a missing link, and resets a deleted one, with the state planned. The
// account that may be in the app's recycle bin stays known.
func (t *Tx) planLink(personID, app, username string) error {
	return t.exec(`INSERT INTO links (person_id, app, username, state) VALUES (?, ?, ?, 'planned')
		ON CONFLICT (person_id, app) DO UPDATE SET
			username = excluded.username, state = excluded.state, account_id = '', adopted = 0,
			entitlements = NULL, attributes = '', created_at = NULL, disabled_at = NULL, stripped_at = NULL,
			handed_over_at = NULL, deleted_at = NULL, proven_at = NULL, doubt_until = NULL, rename_to = '', owner_was = '',
			creating_at = NULL, creating_username = '', creating = '', creating_account = '', contested = 0,
			unsure_state = 0, unsure_entitlements = NULL, receiver = NULL
		WHERE links.state = 'deleted'`,
		personID, app, username)
}

// putLink stores the link's new state. It refuses an account of another person.
func (t *Tx) putLink(l ledger.Link) error {
	var before standing
	if err := t.standing(l, &before); err != nil {
		return err
	}
	if err := t.flush(); err != nil {
		return err
	}
	return t.replaceLink(before, l)
}

// standing is what a link's new state depends on.
type standing struct {
	found bool
	link  ledger.Link // as it was; zero if there was none
	taken bool        // another person has the account
	owner string
}

func isLive(l ledger.Link) bool { return l.AccountID != "" && l.State != ledger.LinkDeleted }

// standing looks up what the new state depends on, when Tx.later does.
func (t *Tx) standing(l ledger.Link, s *standing) error {
	err := t.later(linkQuery, []any{l.PersonID, l.App}, &s.found, linkDest(&s.link)...)
	if err != nil || !isLive(l) {
		return err
	}
	return t.later(ownerQuery, []any{l.App, l.AccountID, l.PersonID}, &s.taken, &s.owner)
}

// replaceLink stores the link's new state.
func (t *Tx) replaceLink(before standing, l ledger.Link) error {
	old := before.link
	live := isLive(l)
	kept := live && old.AccountID == l.AccountID && old.State != ledger.LinkDeleted
	if live && !kept && before.taken {
		return &ledger.TakenError{App: l.App, Owner: before.owner}
	}
	l.Contested = kept && old.Contested
	if err := t.storeLink(l); err != nil {
		return err
	}
	if !old.Contested || l.Contested {
		return nil
	}
	return t.exec(`UPDATE links SET contested = 0 WHERE app = ?1 AND account_id = ?2 AND account_id <> '' AND contested = 1 AND 1 = (
		SELECT count(*) FROM links WHERE app = ?1 AND account_id = ?2 AND account_id <> '' AND state <> 'deleted')`, old.App, old.AccountID)
}

// ownerQuery finds another person who has an account. It names no empty account, as the index
// does: else all links of the app are read.
const ownerQuery = `SELECT person_id FROM links WHERE app = ? AND account_id = ? AND account_id <> '' AND state <> 'deleted' AND person_id <> ?
		ORDER BY person_id LIMIT 1`

// unowned fails with a *ledger.TakenError if the link's account is linked to another person.
func (t *Tx) unowned(l ledger.Link) error {
	taken := &ledger.TakenError{App: l.App}
	found, err := t.get(ownerQuery, []any{l.App, l.AccountID, l.PersonID}, &taken.Owner)
	if err == nil && found {
		return taken
	}
	return err
}

func (t *Tx) storeLink(l ledger.Link) error {
	entitlements, err := encoded(sorted(l.Entitlements))
	if err != nil {
		return err
	}
	unsure, err := encoded(sorted(l.Unsure.Entitlements))
	if err != nil {
		return err
	}
	receiver, err := receiverText(l.Receiver)
	if err != nil {
		return err
	}
	return t.exec(`INSERT INTO links (`+linkColumns+`) VALUES (?, ?, ?, ?, ?, ?, nullif(?, 'null'), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, 'null'), ?, ?, nullif(?, ''))
		ON CONFLICT (person_id, app) DO UPDATE SET
			account_id = excluded.account_id, username = excluded.username, state = excluded.state, adopted = excluded.adopted,
			entitlements = excluded.entitlements, attributes = excluded.attributes,
			created_at = excluded.created_at, disabled_at = excluded.disabled_at, stripped_at = excluded.stripped_at,
			handed_over_at = excluded.handed_over_at, deleted_at = excluded.deleted_at, proven_at = excluded.proven_at,
			doubt_until = excluded.doubt_until, rename_to = excluded.rename_to, owner_was = excluded.owner_was, creating_at = excluded.creating_at,
			creating_username = excluded.creating_username, creating = excluded.creating, creating_account = excluded.creating_account,
			contested = excluded.contested, changed_at = excluded.changed_at, gave_at = excluded.gave_at,
			unsure_state = excluded.unsure_state, unsure_entitlements = excluded.unsure_entitlements,
			binned_id = excluded.binned_id, binned_at = excluded.binned_at, receiver = excluded.receiver`,
		l.PersonID, l.App, l.AccountID, l.Username, l.State, l.Adopted, entitlements, l.Attributes,
		micros(l.CreatedAt), micros(l.DisabledAt), micros(l.StrippedAt), micros(l.HandedOverAt),
		micros(l.DeletedAt), micros(l.ProvenAt), micros(l.DoubtUntil), l.RenameTo, l.OwnerWas,
		micros(l.Creating.At), l.Creating.Username, l.Creating.State, l.Creating.AccountID, l.Contested,
		micros(l.ChangedAt), micros(l.GaveAt), l.Unsure.State, unsure,
		l.Binned.AccountID, micros(l.Binned.At), receiver)
}

// NoteCreation implements ledger.Work.
func (s *Store) NoteCreation(ctx context.Context, personID, app string, c ledger.Creation) error {
	return s.write(ctx, func(t *Tx) error {
		if err := t.noteCreation(personID, app, c); err != nil {
			return fmt.Errorf("note the creation of an account of person %s in %s: %w", personID, app, err)
		}
		return nil
	})
}

func (t *Tx) noteCreation(personID, app string, c ledger.Creation) error {
	if err := t.person(personID); err != nil {
		return err
	}
	return t.putCreation(personID, app, c)
}

// putCreation stores what is known about a creation, unless the link has an account.
func (t *Tx) putCreation(personID, app string, c ledger.Creation) error {
	return t.exec(`INSERT INTO links (person_id, app, state, creating_at, creating_username, creating, creating_account) VALUES (?, ?, 'planned', ?, ?, ?, ?)
		ON CONFLICT (person_id, app) DO UPDATE SET
			creating_at = excluded.creating_at, creating_username = excluded.creating_username, creating = excluded.creating,
			creating_account = excluded.creating_account
		WHERE links.account_id = ''`,
		personID, app, micros(c.At), c.Username, c.State, c.AccountID)
}

// mayChange notes on a link what an attempt may change of the account.
func (t *Tx) mayChange(now ledger.Changes, a ledger.Attempt) error {
	if a.May == nil {
		return nil
	}
	now.ChangedAt = latest(now.ChangedAt, a.Deadline)
	if a.Gives {
		now.GaveAt = latest(now.GaveAt, a.Deadline)
	}
	now.Unsure.State = now.Unsure.State || a.May.State
	now.Unsure.Entitlements = append(slices.Clone(a.May.Entitlements), now.Unsure.Entitlements...)
	return t.putChanges(a.PersonID, a.App, now)
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// putChanges stores what may have changed of an account.
func (t *Tx) putChanges(personID, app string, c ledger.Changes) error {
	names, err := encoded(sorted(c.Unsure.Entitlements))
	if err != nil {
		return err
	}
	return t.exec(`UPDATE links SET changed_at = ?, gave_at = ?, unsure_state = ?, unsure_entitlements = nullif(?, 'null')
		WHERE person_id = ? AND app = ?`,
		micros(c.ChangedAt), micros(c.GaveAt), c.Unsure.State, names, personID, app)
}

// link reads the link; zero if there is none.
func (t *Tx) link(personID, app string) (ledger.Link, error) {
	var l ledger.Link
	found, err := t.get(linkQuery, []any{personID, app}, linkDest(&l)...)
	if !found {
		return ledger.Link{}, err
	}
	return l, err
}
