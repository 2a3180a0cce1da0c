package operator

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/internal/visible"
	"github.com/tenurehq/tenure/ledger"
)

// PlacedHold describes a hold that was placed, and what it came too late for.
type PlacedHold struct {
	Hold     ledger.Hold
	Person   ledger.Summary
	Kept     []string       // apps in which the account is kept
	Disabled []string       // apps in which the account was disabled before, which destroys it there
	Deleted  []string       // apps in which the account was deleted before
	Bins     map[string]Bin // those of Deleted in which the account can be brought back
	Deleting []string       // apps in which a deletion had begun, and may be done
	// Unknown holds the errors of apps that could not be asked whether disabling destroys
	// an account.
	Unknown []error
}

// PlaceHold keeps a person's accounts from being deleted for good, until an instant.
func (o *Operator) PlaceHold(ctx context.Context, r Request, personID string, until time.Time) (PlacedHold, error) {
	if err := PlaceHold.Check(r); err != nil {
		return PlacedHold{}, err
	}
	now := o.Clock.Now()
	if !until.After(now) {
		return PlacedHold{}, refuse("a hold has to end in the future", "")
	}
	if _, err := o.Person(ctx, personID); err != nil {
		return PlacedHold{}, err
	}
	placed, err := o.ledger.PlaceHold(ctx, ledger.Hold{PersonID: personID, PlacedAt: now, ExpiresAt: until, Operator: r.Actor, Reason: r.Reason})
	if err != nil {
		return PlacedHold{}, err
	}
	person, err := o.Person(ctx, personID) // read again: from now on nothing is deleted
	if err != nil {
		return PlacedHold{}, err
	}
	p := PlacedHold{Hold: placed.Hold, Person: person.Summary, Deleting: placed.Deleting, Bins: o.Bins(ctx, person)}
	for _, link := range person.Links {
		switch {
		case link.State == ledger.LinkDeleted:
			p.Deleted = append(p.Deleted, link.App)
		case link.State == ledger.LinkDisabled && p.destroys(ctx, o.Apps, link.App):
			p.Disabled = append(p.Disabled, link.App)
		default:
			p.Kept = append(p.Kept, link.App)
		}
	}
	return p, o.tell(ctx, "held: "+placed.Hold.Name(), personID)
}

// destroys reports whether disabling an account in the app destroys it. If that is not
// known, it adds the error to p.Unknown: the hold is placed all the same.
func (p *PlacedHold) destroys(ctx context.Context, apps Apps, app string) bool {
	if apps.Find(app) != nil {
		return false
	}
	traits, err := apps.Traits(ctx, app)
	if err != nil {
		p.Unknown = append(p.Unknown, err)
	}
	return traits.Destroys
}

// ReleasedHolds describes the holds of one person that are, or would be, released.
type ReleasedHolds struct {
	Person  ledger.Summary
	Holds   []ledger.Hold
	Deletes []string // apps in which accounts are deleted at once because of it
	Applied bool
	InForce []ledger.Hold // those that still hold the person
}

// ReleaseHolds ends the hold with the name (h-3), or all holds of the person with the ID.
// If accounts would be deleted at once because of that, it acts only if deleteNow is set;
// otherwise it returns what would be deleted.
func (o *Operator) ReleaseHolds(ctx context.Context, r Request, name string, deleteNow bool) (ReleasedHolds, error) {
	if err := ReleaseHold.Check(r); err != nil {
		return ReleasedHolds{}, err
	}
	now := o.Clock.Now()
	holds, err := o.holds(ctx, name, now)
	if err != nil {
		return ReleasedHolds{}, err
	}
	held, err := o.Person(ctx, holds[0].PersonID)
	if err != nil {
		return ReleasedHolds{}, err
	}
	out := ReleasedHolds{Person: held.Summary}
	after := held
	after.Holds = slices.DeleteFunc(slices.Clone(held.Holds), func(h ledger.Hold) bool {
		return slices.ContainsFunc(holds, func(released ledger.Hold) bool { return released.ID == h.ID })
	})
	if out.Deletes, err = o.begin(ctx, held, after, now); err != nil {
		return out, err
	}
	if len(out.Deletes) > 0 && !deleteNow {
		out.Holds = holds
		return out, nil
	}
	out.Applied = true
	for _, h := range holds {
		released, err := o.ledger.ReleaseHold(ctx, ledger.HoldRelease{ID: h.ID, Operator: r.Actor, Reason: r.Reason, At: now})
		if err != nil {
			return out, err
		}
		if released.ReleasedBy != r.Actor || !released.ReleasedAt.Equal(now.Truncate(time.Microsecond)) {
			return out, &ReleasedBeforeError{released}
		}
		out.Holds = append(out.Holds, released)
	}
	person, err := o.Person(ctx, held.PersonID)
	if err != nil {
		return out, err
	}
	out.InForce = inForce(person.Holds, now)
	return out, o.tell(ctx, "a hold was released", held.PersonID)
}

// ReleasedBeforeError means that somebody else had released the hold before.
type ReleasedBeforeError struct{ Hold ledger.Hold }

func (e *ReleasedBeforeError) Error() string {
	return fmt.Sprintf("%s of %s was released before, by %s", e.Hold.Name(), e.Hold.PersonID, e.Hold.ReleasedBy)
}

// holds finds the hold with the name, or the holds in force of the person with the ID. It
// refuses if there are none.
func (v *Viewer) holds(ctx context.Context, name string, now time.Time) ([]ledger.Hold, error) {
	if id, ok := ledger.HoldID(name); ok {
		found, err := v.Ledger.Holds(ctx, ledger.HoldFilter{ID: id}, 0, 1)
		if err == nil && len(found) == 0 {
			err = refuse("there is no hold "+visible.Line(name), "hold list --all")
		}
		return found, err
	}
	person, err := v.Person(ctx, name)
	if err != nil {
		return nil, err
	}
	holds := inForce(person.Holds, now)
	if len(holds) == 0 {
		return nil, refuse(fmt.Sprintf("person %s is not held", visible.Line(name)), "hold list --all --person %s", name)
	}
	return holds, nil
}

func inForce(holds []ledger.Hold, now time.Time) []ledger.Hold {
	return slices.DeleteFunc(slices.Clone(holds), func(h ledger.Hold) bool { return !h.InForce(now) })
}
