package relational

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// quiet fails if an attempt at a step of these people is under way, because its outcome would
// overwrite the changes.
func (t *Tx) quiet(at time.Time, ids ...string) error {
	for _, id := range ids {
		var app string
		var until time.Time
		busy, err := t.get(`SELECT app, deadline FROM attempts WHERE person_id = ? AND deadline > ? ORDER BY deadline DESC LIMIT 1`,
			[]any{id, at.UnixMicro()}, &app, instant{&until})
		if err != nil {
			return err
		}
		if busy {
			return ledger.Cannot("a step of person %s in %s is under way, or its outcome is not known: try again after %s",
				id, app, until.UTC().Format(time.RFC3339))
		}
	}
	return nil
}

// LinkPeople implements ledger.Identities.
func (s *Store) LinkPeople(ctx context.Context, p ledger.SamePerson) (ledger.Carried, error) {
	return s.identify(ctx, p, (*Tx).linkPeople)
}

// UnlinkPeople implements ledger.Identities.
func (s *Store) UnlinkPeople(ctx context.Context, p ledger.SamePerson) (ledger.Carried, error) {
	return s.identify(ctx, p, (*Tx).unlinkPeople)
}

func (s *Store) identify(ctx context.Context, p ledger.SamePerson, do func(*Tx, ledger.SamePerson) (ledger.Carried, error)) (out ledger.Carried, err error) {
	if p.Operator == "" || p.Reason == "" {
		return out, errors.New("ledger: linking two people needs the operator and the reason")
	}
	if p.NewID == p.OldID {
		return out, ledger.Cannot("both IDs are the same")
	}
	return written(ctx, s, "", func(t *Tx) (ledger.Carried, error) { return do(t, p) })
}

// same holds a row of same_people that is in force.
type same struct {
	id, at         int64
	newID, carried string
	username       string
}

func (t *Tx) sameAs(oldID string) (row same, found bool, err error) {
	found, err = t.get(`SELECT id, at, new_id, carried, username FROM same_people WHERE old_id = ? AND ended_at IS NULL`,
		[]any{oldID}, &row.id, &row.at, &row.newID, &row.carried, &row.username)
	return row, found, err
}

// bothKnown locks both people. It fails if the ledger does not know one of them, or if an
// attempt at a step of either is under way.
func (t *Tx) bothKnown(p ledger.SamePerson) error {
	if err := t.lock(p.NewID, p.OldID); err != nil {
		return err
	}
	for _, id := range []string{p.NewID, p.OldID} {
		if found, err := t.get(`SELECT 1 FROM people WHERE id = ?`, []any{id}, new(int)); !found || err != nil {
			return errors.Join(err, fmt.Errorf("person %s: %w", id, ledger.ErrNotFound))
		}
	}
	return nil
}

func (t *Tx) linkPeople(p ledger.SamePerson) (out ledger.Carried, err error) {
	if err := t.bothKnown(p); err != nil {
		return out, err
	}
	is, found, err := t.sameAs(p.OldID)
	switch {
	case err != nil:
		return out, err
	case found && is.newID == p.NewID:
		out.Username = is.username
		if err := (decode{&out.Apps}).Scan(is.carried); err != nil {
			return out, err
		}
		if len(out.Apps) == 0 {
			out.Apps = nil
		}
		return out, nil
	case found:
		return out, ledger.Cannot("person %s is %s now: undo that link first, or link to that person", p.OldID, is.newID)
	}
	if of, found, err := t.sameAs(p.NewID); found || err != nil {
		if err == nil {
			err = ledger.Cannot("person %s is %s now: link %[2]s and %s", p.NewID, of.newID, p.OldID)
		}
		return out, err
	}
	if err := t.quiet(p.At, p.NewID, p.OldID); err != nil {
		return out, err
	}
	if out.Username, err = t.carryUsername(p); err != nil {
		return out, err
	}
	if err := t.carryLinks(p, &out); err != nil {
		return out, err
	}
	apps, err := encoded(append([]string{}, out.Apps...))
	if err != nil {
		return out, err
	}
	err = t.exec(`INSERT INTO same_people (new_id, old_id, at, operator, reason, carried, username) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		p.NewID, p.OldID, micros(p.At), p.Operator, p.Reason, apps, out.Username)
	if err != nil {
		return out, err
	}
	// People whose accounts the old ID had taken over are carried to the new ID now.
	if err := t.exec(`UPDATE people SET carried_to = ?1 WHERE id = ?2 OR carried_to = ?2`, p.NewID, p.OldID); err != nil {
		return out, err
	}
	return out, t.bothDecided(p, "link", out)
}

// carryUsername gives the new ID the old one's username, unless an account may have the
// username that the new ID holds already.
func (t *Tx) carryUsername(p ledger.SamePerson) (string, error) {
	var name string
	if _, err := t.get(`SELECT coalesce(username, '') FROM people WHERE id = ?`, []any{p.OldID}, &name); err != nil || name == "" {
		return "", err
	}
	if inUse, err := t.usernameInUse(p.NewID); inUse || err != nil {
		return "", err
	}
	return name, t.moveUsername(name, p.OldID, p.NewID)
}

func (t *Tx) moveUsername(name, from, to string) error {
	if err := t.exec(`UPDATE people SET username = NULL, username_key = NULL WHERE id = ?`, from); err != nil {
		return err
	}
	return t.giveUsername(to, name)
}

// carryLinks moves the accounts of the old ID to the new one, app by app.
func (t *Tx) carryLinks(p ledger.SamePerson, out *ledger.Carried) error {
	links, err := collect(t, `SELECT `+linkColumns+` FROM links WHERE person_id = ? AND state IN ('active', 'disabled') ORDER BY app`,
		[]any{p.OldID}, linkDest)
	if err != nil {
		return err
	}
	for _, l := range links {
		own, err := t.link(p.NewID, l.App)
		if err != nil {
			return err
		}
		tried, err := t.get(`SELECT 1 FROM steps WHERE person_id = ? AND app = ? AND kind = ? AND attempts > 0 AND code <> ?`,
			[]any{p.NewID, l.App, kindProvision, codeInvalid}, new(int))
		if err != nil {
			return err
		}
		if own.State.HasAccount() || own.State == ledger.LinkPlanned && tried {
			out.Left = append(out.Left, l.App)
			continue
		}
		if err := t.moveLink(l, p.OldID, p.NewID, p.At); err != nil {
			return err
		}
		out.Apps = append(out.Apps, l.App)
	}
	return nil
}

// moveLink gives a link to another person, and ends the steps, approvals and tasks about it.
func (t *Tx) moveLink(l ledger.Link, from, to string, at time.Time) error {
	for _, id := range []string{from, to} {
		err := t.exec(`UPDATE steps SET state = 'superseded', finished_at = ?
			WHERE person_id = ? AND app = ? AND state IN ('open', 'attention', 'skipped')`, micros(at), id, l.App)
		if err != nil {
			return err
		}
		if err := t.exec(`UPDATE approvals SET state = 'over' WHERE person_id = ? AND app = ? AND state IN ('asked', 'approved')`, id, l.App); err != nil {
			return err
		}
		if err := t.withdrawTasksIf(id, at, func(k ledger.Task) bool { return k.App == l.App }); err != nil {
			return err
		}
	}
	if err := t.exec(`DELETE FROM links WHERE person_id = ? AND app = ?`, to, l.App); err != nil {
		return err
	}
	switch l.OwnerWas {
	case to:
		l.OwnerWas = "" // it never lost that ID
	case "":
		l.OwnerWas = from
	}
	return t.exec(`UPDATE links SET person_id = ?, owner_was = ? WHERE person_id = ? AND app = ?`, to, l.OwnerWas, from, l.App)
}

func (t *Tx) unlinkPeople(p ledger.SamePerson) (out ledger.Carried, err error) {
	if err := t.bothKnown(p); err != nil {
		return out, err
	}
	is, found, err := t.sameAs(p.OldID)
	if err != nil {
		return out, err
	}
	if !found || is.newID != p.NewID {
		return out, ledger.Cannot("person %s is not linked to %s", p.OldID, p.NewID)
	}
	if of, found, err := t.sameAs(p.NewID); found || err != nil {
		if err == nil {
			err = ledger.Cannot("person %s is %s now: undo that link first", p.NewID, of.newID)
		}
		return out, err
	}
	if err := t.quiet(p.At, p.NewID, p.OldID); err != nil {
		return out, err
	}
	var apps []string
	if err := (decode{&apps}).Scan(is.carried); err != nil {
		return out, err
	}
	for _, app := range apps {
		l, err := t.link(p.NewID, app)
		if err != nil {
			return out, err
		}
		if !l.State.HasAccount() {
			continue // it was deleted since
		}
		if err := t.moveLink(l, p.NewID, p.OldID, p.At); err != nil {
			return out, err
		}
		out.Apps = append(out.Apps, app)
	}
	var held string
	if _, err := t.get(`SELECT coalesce(username, '') FROM people WHERE id = ?`, []any{p.NewID}, &held); err != nil {
		return out, err
	}
	if is.username != "" && held == is.username {
		out.Username = held
		if err := t.moveUsername(held, p.NewID, p.OldID); err != nil {
			return out, err
		}
	}
	err = t.exec(`UPDATE same_people SET ended_at = ?, ended_by = ?, end_reason = ? WHERE id = ?`, micros(p.At), p.Operator, p.Reason, is.id)
	if err != nil {
		return out, err
	}
	if err := t.comesBack(p.OldID); err != nil {
		return out, err
	}
	return out, t.bothDecided(p, "unlink", out)
}

// comesBack records that the old ID has its own accounts again, and those of the IDs that it
// had taken over.
func (t *Tx) comesBack(oldID string) error {
	if err := t.exec(`UPDATE people SET carried_to = '' WHERE id = ?`, oldID); err != nil {
		return err
	}
	earlier, err := t.earlier(oldID)
	if err != nil {
		return err
	}
	for _, id := range earlier {
		if err := t.exec(`UPDATE people SET carried_to = ? WHERE id = ?`, oldID, id); err != nil {
			return err
		}
	}
	return nil
}

// earlier returns the IDs whose accounts this one has taken over, directly or not, sorted.
func (t *Tx) earlier(id string) ([]string, error) {
	all, wave := []string{}, []string{id}
	for len(wave) > 0 {
		var next []string
		for _, of := range wave {
			ids, err := collect(t, `SELECT old_id FROM same_people WHERE new_id = ? AND ended_at IS NULL`, []any{of},
				func(id *string) []any { return []any{id} })
			if err != nil {
				return nil, err
			}
			next = append(next, ids...)
		}
		all, wave = append(all, next...), next
	}
	slices.Sort(all)
	return all, nil
}

func (t *Tx) bothDecided(p ledger.SamePerson, what string, out ledger.Carried) error {
	for _, row := range []ledger.AuditRow{
		{PersonID: p.NewID, Action: what + "ed", Detail: map[string]any{"old": p.OldID, "apps": out.Apps, "left": out.Left}},
		{PersonID: p.OldID, Action: what + "ed", Detail: map[string]any{"new": p.NewID, "apps": out.Apps, "left": out.Left}},
	} {
		row.At, row.Actor, row.Cause = p.At, p.Operator, p.Reason
		if err := t.decided(row, what+":"+p.NewID+":"+p.OldID); err != nil {
			return err
		}
	}
	return nil
}

// Namesakes implements ledger.Identities.
func (s *Store) Namesakes(ctx context.Context, givenName, familyName string, limit int) ([]string, error) {
	ids, err := list(ctx, s.engine, `SELECT id FROM people
		WHERE lower(family_name) = lower(?) AND lower(given_name) = lower(?) ORDER BY id LIMIT ?`,
		[]any{indexable(familyName), indexable(givenName), max(limit, 0)}, func(id *string) []any { return []any{id} })
	return ids, s.explain(err)
}
