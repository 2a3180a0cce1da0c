// Package health reports whether all of Tenure is there and at work, and what needs
// somebody. It asks Temporal, Kafka and the ledger, judges every part by what they answer,
// and says what to do about it. It changes nothing.
//
// The command line shows the result ("tenure status"), and so can every other front end.
package health

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/ingest/group"
	"github.com/tenurehq/tenure/ledger"
)

// State is the state of a part.
type State string

// The states of a part, from the best to the worst.
const (
	OK        State = "ok"
	Note      State = "note"      // well enough, and worth knowing
	Attention State = "attention" // somebody has to do something
	Away      State = "away"      // it does not answer, so its state is unknown
)

// Part describes one part of Tenure.
type Part struct {
	Part    string         `json:"part"`
	State   State          `json:"state"`
	Text    string         `json:"text"`
	Do      string         `json:"do,omitempty"`      // what to do: a command, where there is one
	Numbers map[string]int `json:"numbers,omitempty"` // counts, by the name of what was counted
}

// Tenure says where to look at the parts of Tenure, and what is expected of them. Temporal,
// Kafka and Ledger each return an error if what they stand for cannot be reached.
type Tenure struct {
	// Temporal calls use with what Temporal knows.
	Temporal func(ctx context.Context, use func(Runs) error) error
	// NoKafka says why the configuration is not good enough to ask Kafka. It is nil if it is.
	NoKafka error
	// Kafka returns how the starters' consumer group stands.
	Kafka func(context.Context) (group.Status, error)
	// Ledger calls use with the ledger. It does not create a missing one.
	Ledger func(ctx context.Context, use func(ledger.Reader) error) error

	Apps         []string      // the apps of the configuration
	Group        string        // the starters' consumer group
	SweepEvery   time.Duration // how often the sweeper is to be started
	OverdueAfter time.Duration // how late a person may be before somebody has to look
	// EnoughSeats says, by app, how many free seats of each licence are enough.
	EnoughSeats map[string]ledger.EnoughSeats
	Clock       clock.Clock
}

// Parts looks at all parts at once. A part that does not answer hides no other.
func (t Tenure) Parts(ctx context.Context) []Part {
	looks := []func(context.Context) []Part{t.temporalParts, t.kafkaParts, t.ledgerParts}
	found := make([][]Part, len(looks))
	var all sync.WaitGroup
	for i, look := range looks {
		all.Go(func() { found[i] = look(ctx) })
	}
	all.Wait()
	return slices.Concat(found...)
}

// Needy lists the names of the parts that need somebody.
func Needy(parts []Part) (names []string) {
	for _, p := range parts {
		if p.State == Attention || p.State == Away {
			names = append(names, p.Part)
		}
	}
	return names
}

// away describes parts that do not answer.
func away(err error, do string, names ...string) []Part {
	text := err.Error()
	if errors.Is(err, context.DeadlineExceeded) {
		text = "no answer in time: " + text
	}
	parts := make([]Part, len(names))
	for i, name := range names {
		parts[i] = Part{Part: name, State: Away, Text: text, Do: do}
	}
	return parts
}
