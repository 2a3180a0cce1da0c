package relational

import (
	"context"
	"fmt"

	"github.com/tenurehq/tenure/ledger"
)

// receiverText returns a receiver as the database has it: empty if there is none.
func receiverText(r ledger.Receiver) (string, error) {
	if r == (ledger.Receiver{}) {
		return "", nil
	}
	return encoded(r)
}

// NoteReceiver implements ledger.Work.
func (s *Store) NoteReceiver(ctx context.Context, personID, app string, r ledger.Receiver) error {
	return s.write(ctx, func(t *Tx) error {
		if err := t.noteReceiver(personID, app, r); err != nil {
			return fmt.Errorf("note who is given the data of person %s in %s: %w", personID, app, err)
		}
		return nil
	})
}

func (t *Tx) noteReceiver(personID, app string, r ledger.Receiver) error {
	if err := t.lock(personID); err != nil {
		return err
	}
	link, err := t.link(personID, app)
	if err != nil {
		return err
	}
	same := link.Receiver.PersonID == r.PersonID && link.Receiver.AccountID == r.AccountID && link.Receiver.By == r.By
	if !link.State.HasAccount() || same {
		return nil
	}
	text, err := receiverText(r)
	if err != nil {
		return err
	}
	if err := t.exec(`UPDATE links SET receiver = nullif(?, '') WHERE person_id = ? AND app = ?`, text, personID, app); err != nil {
		return err
	}
	row := ledger.AuditRow{
		At: r.At, PersonID: personID, App: app, Action: ledger.AuditHandOverBegun, Actor: ledger.ActorTenure,
		Detail: map[string]any{"to": r.PersonID, "by": r.By},
	}
	if link.Receiver.PersonID != "" {
		row.Detail["insteadOf"] = link.Receiver.PersonID
	}
	err = t.putAudit(row, "receiver:"+app+"/"+r.PersonID, 0)
	return err
}
