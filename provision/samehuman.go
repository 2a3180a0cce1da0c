package provision

import (
	"context"
	"errors"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/ledger"
)

// CodeSameHuman means that a person may have accounts already, under another ID.
const CodeSameHuman = "same_human"

// sameQuestion asks an operator whether two people are one human.
func sameQuestion(s assess.SameHuman) Attention {
	q := Attention{Key: assess.SameHumanKey(s.OldID), Code: CodeSameHuman}
	switch {
	case s.Unknown:
		q.Message = "HR says (event " + s.Event + ") that this person was " + s.OldID + " before, an ID that is not known: " +
			"let HR name the right ID, or skip this and accounts are made"
	case s.Event != "":
		q.Message = "HR says (event " + s.Event + ") that this person was " + s.OldID + " before, which is not certain"
	default:
		q.Message = "This person has the name, and an address or number, of " + s.OldID + ", who has accounts"
	}
	if !s.Unknown {
		q.Message += ": no account is made until it is known. If they are one human, carry the accounts over " +
			"(tenure person link, this ID and then that one); if they are two, skip this"
	}
	return q
}

// linkCertain links the person to the earlier IDs that HR named, where that is certain,
// and reports whether it has linked any. If the ledger refuses (because a step is under
// way, for example), the operator is asked meanwhile.
func (e *Engine) linkCertain(ctx context.Context, d decision) (linked bool, err error) {
	for _, s := range d.SameHumans {
		if !s.Certain {
			continue
		}
		_, err := e.Ledger.LinkPeople(ctx, ledger.SamePerson{
			NewID: d.Person.PersonID, OldID: s.OldID, At: d.Now, Operator: "tenure", Reason: "HR said so (event " + s.Event + ")",
		})
		var refused *ledger.IdentityError
		switch {
		case errors.As(err, &refused):
		case err != nil:
			return linked, err
		default:
			linked = true
		}
	}
	return linked, nil
}
