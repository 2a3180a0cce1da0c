package operator

import (
	"context"
	"errors"

	"github.com/tenurehq/tenure/erase"
	"github.com/tenurehq/tenure/ledger"
)

// Erasing describes an erasure that was done, or could be.
type Erasing struct {
	erase.Case
	Erased  ledger.Erased
	Applied bool
	// Unscrubbed is why bytes of what was erased may still be in the ledger's files.
	Unscrubbed error
}

// Data returns what the ledger holds of a person, by table.
func (v *Viewer) Data(ctx context.Context, personID string) (ledger.Person, []ledger.TableData, error) {
	person, err := v.Person(ctx, personID)
	if err != nil {
		return person, nil, err
	}
	data, err := v.Ledger.Data(ctx, personID)
	return person, data, err
}

// MayErase shows whether a person may be erased now, and what stands against it.
func (v *Viewer) MayErase(ctx context.Context, t erase.Terms, personID string) (Erasing, error) {
	if _, err := v.Person(ctx, personID); err != nil {
		return Erasing{}, err
	}
	c, err := erase.Look(ctx, v.Ledger, t, personID, v.Clock.Now())
	return Erasing{Case: c}, err
}

// Erase erases what the ledger holds of a person, if nothing stands against it: Against says
// what does. For a person who was erased before, it only makes sure that nothing is left in the
// ledger's files.
func (o *Operator) Erase(ctx context.Context, r Request, t erase.Terms, personID string) (Erasing, error) {
	if err := Erase.Check(r); err != nil {
		return Erasing{}, err
	}
	if _, err := o.Person(ctx, personID); err != nil {
		return Erasing{}, err
	}
	var out Erasing
	var err error
	out.Case, out.Erased, err = erase.Do(ctx, o.ledger, t, personID, r.Actor, r.Reason, o.Clock.Now())
	var stands *ledger.StandsAgainstError
	if errors.As(err, &stands) {
		return out, nil // Against says it
	}
	if err != nil {
		return out, err
	}
	out.Applied = true
	out.Unscrubbed = o.ledger.Scrub(ctx)
	return out, nil
}
