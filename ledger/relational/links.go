package relational

import "github.com/tenurehq/tenure/ledger"

const linkColumns = `person_id, app, account_id, username, state, adopted, entitlements, attributes,
	created_at, disabled_at, stripped_at, handed_over_at, deleted_at, proven_at, doubt_until, rename_to, owner_was`

// linkDest is where linkColumns are scanned to.
func linkDest(l *ledger.Link) []any {
	return []any{
		&l.PersonID, &l.App, &l.AccountID, &l.Username, &l.State, &l.Adopted, decode{&l.Entitlements}, &l.Attributes,
		instant{&l.CreatedAt}, instant{&l.DisabledAt}, instant{&l.StrippedAt}, instant{&l.HandedOverAt},
		instant{&l.DeletedAt}, instant{&l.ProvenAt}, instant{&l.DoubtUntil}, &l.RenameTo, &l.OwnerWas,
	}
}

// planLink makes a missing link, and sets a deleted one back, to planned.
func (t *Tx) planLink(personID, app, username string) error {
	return t.exec(`INSERT INTO links (person_id, app, username, state) VALUES (?, ?, ?, 'planned')
		ON CONFLICT (person_id, app) DO UPDATE SET
			username = excluded.username, state = excluded.state, account_id = '', adopted = 0,
			entitlements = NULL, attributes = '', created_at = NULL, disabled_at = NULL, stripped_at = NULL,
			handed_over_at = NULL, deleted_at = NULL, proven_at = NULL, doubt_until = NULL, rename_to = '', owner_was = ''
		WHERE links.state = 'deleted'`,
		personID, app, username)
}

// putLink stores the link's new state.
func (t *Tx) putLink(l ledger.Link) error {
	entitlements, err := encoded(sorted(l.Entitlements))
	if err != nil {
		return err
	}
	return t.exec(`INSERT INTO links (`+linkColumns+`) VALUES (?, ?, ?, ?, ?, ?, nullif(?, 'null'), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (person_id, app) DO UPDATE SET
			account_id = excluded.account_id, username = excluded.username, state = excluded.state, adopted = excluded.adopted,
			entitlements = excluded.entitlements, attributes = excluded.attributes,
			created_at = excluded.created_at, disabled_at = excluded.disabled_at, stripped_at = excluded.stripped_at,
			handed_over_at = excluded.handed_over_at, deleted_at = excluded.deleted_at, proven_at = excluded.proven_at,
			doubt_until = excluded.doubt_until, rename_to = excluded.rename_to, owner_was = excluded.owner_was`,
		l.PersonID, l.App, l.AccountID, l.Username, l.State, l.Adopted, entitlements, l.Attributes,
		micros(l.CreatedAt), micros(l.DisabledAt), micros(l.StrippedAt), micros(l.HandedOverAt),
		micros(l.DeletedAt), micros(l.ProvenAt), micros(l.DoubtUntil), l.RenameTo, l.OwnerWas)
}

// link reads the link; zero if there is none.
func (t *Tx) link(personID, app string) (ledger.Link, error) {
	var l ledger.Link
	found, err := t.get(`SELECT `+linkColumns+` FROM links WHERE person_id = ? AND app = ?`,
		[]any{personID, app}, linkDest(&l)...)
	if !found {
		return ledger.Link{}, err
	}
	return l, err
}
