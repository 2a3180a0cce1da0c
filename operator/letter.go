package operator

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tenurehq/tenure/ledger"
)

// Letter reads one dead letter.
func (o *Operator) Letter(ctx context.Context, id int64) (ledger.DeadLetter, error) {
	found, err := o.Ledger.DeadLetters(ctx, ledger.LetterFilter{ID: id}, 0, 1)
	if err != nil {
		return ledger.DeadLetter{}, err
	}
	if len(found) == 0 {
		return ledger.DeadLetter{}, refuse(fmt.Sprintf("the ledger knows no dead letter %d: tenure dlq list --state all shows them, tenure dlq index looks for more", id), "")
	}
	return found[0], nil
}

// Discard decides that nothing has to come of dead letters, and returns those that it
// has discarded as they are then. One that is not pending stays as it is. If it fails it
// can be called again for the others.
func (o *Operator) Discard(ctx context.Context, r Request, letters []ledger.DeadLetter) (discarded []ledger.DeadLetter, err error) {
	if err := Discard.Check(r); err != nil {
		return nil, err
	}
	var waiting []string // people whose runs have asked what is to come of a letter
	defer func() {
		err = errors.Join(err, o.tell(ctx, "dead letter discarded", waiting...))
	}()
	for _, letter := range letters {
		if !letter.Pending() {
			continue
		}
		err := o.Ledger.ActOnLetter(ctx, ledger.LetterAction{
			Verb: ledger.VerbDiscard, ID: letter.ID, Operator: r.Actor, Reason: r.Reason, At: o.Clock.Now(),
		})
		if err != nil {
			return discarded, err
		}
		if letter.Urgent && letter.PersonID != "" && !slices.Contains(waiting, letter.PersonID) {
			waiting = append(waiting, letter.PersonID)
		}
		if letter, err = o.Letter(ctx, letter.ID); err != nil {
			return discarded, err
		}
		discarded = append(discarded, letter)
	}
	return discarded, nil
}

// Record is the record of one dead letter, as it would be sent again.
type Record interface {
	// Refusal returns why it would be refused again, or nil if it can be read now.
	Refusal() error
	// Digest returns the digest of what would be sent, with its key and headers.
	Digest() string
	// Send sends it to the topic where it was.
	Send(ctx context.Context, r Request) error
	// Detail is what goes on the record of it.
	Detail() map[string]any
}

// Redrive sends the record of a dead letter again, then notes that. If the note is lost
// the record may be sent twice, which is harmless, but never not at all.
func (o *Operator) Redrive(ctx context.Context, r Request, letter ledger.DeadLetter, record Record) error {
	if err := Redrive.Check(r); err != nil {
		return err
	}
	now := o.Clock.Now()
	// Whoever may write to the topic may say that a record was sent again: only what the
	// ledger was told of before counts.
	err := o.Ledger.ActOnLetter(ctx, ledger.LetterAction{
		Verb: ledger.VerbAnnounce, ID: letter.ID, Operator: r.Actor, At: now, Sending: record.Digest(),
	})
	if err != nil {
		return err
	}
	if err := record.Send(ctx, r); err != nil {
		return err
	}
	// It was sent, whoever gives up now.
	return o.Ledger.ActOnLetter(context.WithoutCancel(ctx), ledger.LetterAction{
		Verb: ledger.VerbRedrive, ID: letter.ID, Operator: r.Actor, Reason: r.Reason, At: now, Detail: record.Detail(),
	})
}

// Index lets the ledger know of a dead letter that was found in Kafka, and reports
// whether it is new to the ledger.
func (o *Operator) Index(ctx context.Context, letter ledger.DeadLetter) (isNew bool, err error) {
	receipt, err := o.Ledger.RecordDeadLetter(ctx, letter)
	return err == nil && !receipt.Duplicate, err
}
