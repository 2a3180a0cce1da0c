package operator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// Letter reads one dead letter.
func (v *Viewer) Letter(ctx context.Context, id int64) (ledger.DeadLetter, error) {
	found, err := v.Ledger.DeadLetters(ctx, ledger.LetterFilter{ID: id}, 0, 1)
	if err != nil {
		return ledger.DeadLetter{}, err
	}
	if len(found) == 0 {
		return ledger.DeadLetter{}, refuse(fmt.Sprintf("the ledger knows no dead letter %d: tenure dlq list --state all shows them, tenure dlq index looks for more", id), "")
	}
	return found[0], nil
}

// Discard decides that dead letters are not needed. It returns those that it discarded,
// as they are afterwards, and leaves alone those that are not pending. After a failure it
// can be called again for the others.
func (o *Operator) Discard(ctx context.Context, r Request, letters []ledger.DeadLetter) (discarded []ledger.DeadLetter, err error) {
	if err := Discard.Check(r); err != nil {
		return nil, err
	}
	var waiting []string // people whose runs wait for a decision about a letter
	defer func() {
		err = errors.Join(err, o.tell(ctx, "dead letter discarded", waiting...))
	}()
	for _, letter := range letters {
		if !letter.Pending() {
			continue
		}
		err := o.ledger.ActOnLetter(ctx, ledger.LetterAction{
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

// ErrGone means that Kafka does not have the record of a dead letter any more.
var ErrGone = errors.New("the record is gone")

// Records reads the records of dead letters, which are in Kafka.
type Records interface {
	// Open reads the record of a dead letter. The error is an ErrGone if there is none.
	Open(ctx context.Context, letter ledger.DeadLetter) (Record, error)
}

// Record is the record of one dead letter, as it would be sent again.
type Record interface {
	// Refusal returns why the record would be refused again, or why that cannot be
	// checked; nil if it can be read now.
	Refusal() error
	// Digest returns the digest of what would be sent, with its key and headers.
	Digest() string
	// Mended reports whether what would be sent differs from what was refused.
	Mended() bool
	// Send sends the record to the topic that it came from.
	Send(ctx context.Context, r Request, at time.Time) error
}

// Redriven says whether the record of a dead letter was sent again, or why not.
type Redriven struct {
	Sent    bool
	LeftOut string // why it was not sent
}

// Redrive sends the record of a dead letter again. It leaves out a record that is gone
// and, unless force is set, one that would be refused again.
func (o *Operator) Redrive(ctx context.Context, r Request, letter ledger.DeadLetter, records Records, force bool) (Redriven, error) {
	if err := Redrive.Check(r); err != nil {
		return Redriven{}, err
	}
	record, err := records.Open(ctx, letter)
	if errors.Is(err, ErrGone) {
		return Redriven{LeftOut: "it is gone from " + letter.At.String()}, nil
	}
	if err != nil {
		return Redriven{}, err
	}
	if refusal := record.Refusal(); refusal != nil && !force {
		return Redriven{LeftOut: "it " + refusal.Error()}, nil
	}
	now := o.Clock.Now()
	// Anybody who may write to the topic can claim that a record was sent again. So only
	// a sending that the ledger knows of beforehand counts.
	err = o.ledger.ActOnLetter(ctx, ledger.LetterAction{
		Verb: ledger.VerbAnnounce, ID: letter.ID, Operator: r.Actor, At: now, Sending: record.Digest(),
	})
	if err != nil {
		return Redriven{}, err
	}
	if err := record.Send(ctx, r, now); err != nil {
		return Redriven{}, err
	}
	// The record was sent, even if the caller gives up now. If this note is lost the record may be sent twice,
	// which is harmless.
	return Redriven{Sent: true}, o.ledger.ActOnLetter(context.WithoutCancel(ctx), ledger.LetterAction{
		Verb: ledger.VerbRedrive, ID: letter.ID, Operator: r.Actor, Reason: r.Reason, At: now,
		Detail: map[string]any{"mended": record.Mended(), "digest": letter.Digest},
	})
}

// Index records in the ledger a dead letter that was found in Kafka, and reports whether
// it is new to the ledger.
func (o *Operator) Index(ctx context.Context, letter ledger.DeadLetter) (isNew bool, err error) {
	receipt, err := o.ledger.RecordDeadLetter(ctx, letter)
	return err == nil && !receipt.Duplicate, err
}
