package operator

import (
	"context"
	"fmt"
	"slices"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/ledger"
)

// RenameOf returns the renaming of a person to the username that policy gives them now
// or, if to is not empty, to that one. It changes nothing. Whoever may have no account yet is called
// as HR's record says, so that another name would not last: that is refused.
func (v *Viewer) RenameOf(ctx context.Context, personID, to string) (ledger.Rename, error) {
	rules, err := v.Apps.Rules(ctx)
	if err != nil {
		return ledger.Rename{}, err
	}
	person, err := v.Person(ctx, personID)
	if err != nil {
		return ledger.Rename{}, err
	}
	if !assess.MayHaveAccount(person) {
		return ledger.Rename{}, refuse(fmt.Sprintf("person %s has no account yet: until then, their username follows the name that HR gives", personID), "person show %s", personID)
	}
	now := v.Clock.Now()
	base, err := rules.UsernameOf(person, now)
	if err != nil {
		return ledger.Rename{}, err
	}
	rename := ledger.Rename{PersonID: personID, Base: base, Longest: v.Policy.LongestUsername(), At: now}
	if to != "" {
		if rename.Base, rename.Exact = v.Policy.Spelled(to), true; rename.Base != to {
			return rename, &UsernameError{Name: to, Longest: rename.Longest}
		}
	}
	for name, app := range rules.Apps {
		if app.Relabel {
			rename.Apps = append(rename.Apps, name)
		}
	}
	slices.Sort(rename.Apps)
	return rename, nil
}

// UsernameError means that the given name is not a valid username.
type UsernameError struct {
	Name    string
	Longest int
}

func (e *UsernameError) Error() string {
	return fmt.Sprintf("%q is no username: a-z, 0-9 and, inside, dot, dash and underscore, %d at most", e.Name, e.Longest)
}

// Rename gives somebody another username, and has their accounts renamed: see RenameOf.
func (o *Operator) Rename(ctx context.Context, r Request, rename ledger.Rename) (ledger.Renamed, error) {
	if err := Rename.Check(r); err != nil {
		return ledger.Renamed{}, err
	}
	rename.Operator, rename.Reason = r.Actor, r.Reason
	renamed, err := o.ledger.RenamePerson(ctx, rename)
	if err != nil {
		return renamed, err
	}
	return renamed, o.tell(ctx, "renamed", rename.PersonID)
}

// MayLink returns an error unless accounts may be carried over between the people with
// the two IDs. It changes nothing.
func (v *Viewer) MayLink(ctx context.Context, newID, oldID string) error {
	for _, id := range []string{newID, oldID} {
		if _, err := v.Person(ctx, id); err != nil {
			return err
		}
		if v.Policy.ProtectsPerson(id) {
			return refuse(fmt.Sprintf("person %s is protected (protected.persons in the configuration): nothing of theirs is carried over", id), "")
		}
	}
	return nil
}

// LinkPeople records that two person IDs are one human, and carries over to the new one
// what the old one has.
func (o *Operator) LinkPeople(ctx context.Context, r Request, newID, oldID string) (ledger.Carried, error) {
	if err := LinkPeople.Check(r); err != nil {
		return ledger.Carried{}, err
	}
	if err := o.MayLink(ctx, newID, oldID); err != nil {
		return ledger.Carried{}, err
	}
	return o.samePerson(ctx, o.ledger.LinkPeople, r, newID, oldID)
}

// UnlinkPeople undoes LinkPeople: what was carried over and is still there goes back.
func (o *Operator) UnlinkPeople(ctx context.Context, r Request, newID, oldID string) (ledger.Carried, error) {
	if err := UnlinkPeople.Check(r); err != nil {
		return ledger.Carried{}, err
	}
	for _, id := range []string{newID, oldID} {
		if _, err := o.Person(ctx, id); err != nil {
			return ledger.Carried{}, err
		}
	}
	return o.samePerson(ctx, o.ledger.UnlinkPeople, r, newID, oldID)
}

func (o *Operator) samePerson(ctx context.Context, do func(context.Context, ledger.SamePerson) (ledger.Carried, error),
	r Request, newID, oldID string,
) (ledger.Carried, error) {
	carried, err := do(ctx, ledger.SamePerson{NewID: newID, OldID: oldID, At: o.Clock.Now(), Operator: r.Actor, Reason: r.Reason})
	if err != nil {
		return carried, err
	}
	return carried, o.tell(ctx, "one human with two IDs", newID, oldID)
}
