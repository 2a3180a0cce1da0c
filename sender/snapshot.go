package sender

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/snapshot"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ledger"
)

// Snapshot describes a file of everybody whom HR knows, and how to compare it.
type Snapshot struct {
	File        string    // its name, for problems
	AsOf        time.Time // when it was taken
	Source      string    // the HR system whose snapshot it is
	Mapping     snapshot.Mapping
	Covers      func(personID string, p *hr.Profile) (bool, error) // see snapshot.Options
	OnlyPresent bool                                               // people who are not in the file do not count as gone
	Rehire      []string                                           // people who have left, and came back
	MostLeavers func(employed int) int                             // how many people may leave
	Rows        int                                                // that the file has if it is whole; 0 if that is not known
	Step        func()                                             // is called for each person compared
}

// Ledger is the part of a ledger with which a snapshot is compared.
type Ledger interface {
	Person(ctx context.Context, personID string) (ledger.Person, error)
	People(ctx context.Context, after string, limit int) ([]ledger.Summary, error)
}

// Comparison holds the result of a comparison.
type Comparison struct {
	File          string
	AsOf          time.Time
	Source        string
	Totals        snapshot.Totals
	Limit         int // how many people may leave
	Rows          int // that the file has if it is whole; 0 if that is not known
	Changes       []snapshot.Change
	Questions     []snapshot.Question
	Problems      []*snapshot.Error // bad rows
	InfersLeavers bool              // people who are not in the file count as gone
}

// RehireError means that somebody named in Snapshot.Rehire has not left, or is not at work by
// the snapshot.
type RehireError struct{ PersonID string }

func (e *RehireError) Error() string {
	return fmt.Sprintf("person %s is not somebody who has left and is at work by the snapshot", e.PersonID)
}

// With compares the snapshot with the ledger. It reads the ledger once, one person at a
// time.
func (s Snapshot) With(ctx context.Context, l Ledger, file io.Reader) (*Comparison, error) {
	opts := snapshot.Options{AsOf: s.AsOf, Source: s.Source, OnlyPresent: s.OnlyPresent, Covers: s.Covers, Rehire: map[string]bool{}}
	for _, id := range s.Rehire {
		opts.Rehire[id] = true
	}
	r, err := snapshot.New(opts)
	if err != nil {
		return nil, err
	}
	text, err := rereadable(file)
	if err == nil {
		err = countRows(text, s.Mapping, r)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.File, err)
	}
	problems, err := s.rows(ctx, l, text, r)
	if err != nil {
		return nil, err
	}
	if r.Totals().Rows == 0 {
		return nil, fmt.Errorf("%s: nobody is in the file", s.File)
	}
	if err := s.everybodyElse(ctx, l, r); err != nil {
		return nil, err
	}
	c := &Comparison{
		File: s.File, AsOf: s.AsOf, Source: s.Source, Totals: r.Totals(), Limit: s.MostLeavers(r.Totals().Employed), Rows: s.Rows,
		Changes: r.Changes(), Questions: r.Questions(), Problems: problems, InfersLeavers: r.Infers(),
	}
	return c, c.rehires(s.Rehire)
}

// rehires returns an error unless all named people are rehired.
func (c *Comparison) rehires(named []string) error {
	for _, id := range named {
		if !slices.ContainsFunc(c.Changes, func(f snapshot.Change) bool {
			return f.PersonID == id && f.Events[0].Type == hr.EventRehired
		}) {
			return &RehireError{id}
		}
	}
	return nil
}

// Refusal is the reason why a snapshot should not be sent; empty if it may be sent.
type Refusal string

// The reasons not to send a snapshot.
const (
	OtherRows      Refusal = "other rows"       // the file has more or fewer rows than the whole file should have
	BadRows        Refusal = "bad rows"         // rows cannot be read
	TooManyLeavers Refusal = "too many leavers" // more people would leave than allowed
)

// Refused returns why the changes should not be sent. With skipInvalid set, bad rows are no
// reason.
func (c *Comparison) Refused(skipInvalid bool) Refusal {
	switch {
	case c.Rows > 0 && c.Totals.Rows != c.Rows:
		return OtherRows
	case c.Totals.Bad > 0 && !skipInvalid:
		return BadRows
	case c.Totals.Leavers > c.Limit:
		return TooManyLeavers
	}
	return ""
}

// Messages returns the messages that carry the events of all changes.
func (c *Comparison) Messages() ([]broker.Message, error) {
	var messages []broker.Message
	for _, f := range c.Changes {
		for _, e := range f.Events {
			value, err := cloudevents.Encode(e)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: person %s: %w", c.File, f.Line, f.PersonID, err)
			}
			messages = append(messages, Event{key: e.PersonID, value: value, contentType: structured}.Message())
		}
	}
	return messages, nil
}

// rereadable returns a file that can be read from its beginning again: the file itself or,
// for a pipe, a copy of its content.
func rereadable(file io.Reader) (io.ReadSeeker, error) {
	if f, ok := file.(io.ReadSeeker); ok {
		if _, err := f.Seek(0, io.SeekStart); err == nil {
			return f, nil
		}
	}
	text, err := io.ReadAll(file)
	return bytes.NewReader(text), err
}

// countRows counts the rows of each person in a file, and goes back to its beginning. Faults
// of rows are reported when they are read again.
func countRows(file io.ReadSeeker, m snapshot.Mapping, r *snapshot.Reconciliation) error {
	for row, err := range snapshot.Rows(file, m) {
		var bad *snapshot.Error
		if err != nil && !errors.As(err, &bad) {
			return err
		}
		r.Count(row)
	}
	_, err := file.Seek(0, io.SeekStart)
	return err
}

// rows compares everybody who is in the file, and returns the rows that are bad.
func (s Snapshot) rows(ctx context.Context, l Ledger, file io.Reader, r *snapshot.Reconciliation) ([]*snapshot.Error, error) {
	problems := []*snapshot.Error{}
	for row, err := range snapshot.Rows(file, s.Mapping) {
		var bad *snapshot.Error
		if err == nil {
			var events []hr.Event
			if events, err = eventsOf(ctx, l, row.PersonID); err != nil {
				return nil, err
			}
			err = r.Row(row, events)
		} else if errors.As(err, &bad) {
			r.Bad()
		}
		switch {
		case errors.As(err, &bad) && bad.Fatal:
			return nil, fmt.Errorf("%s:%w", s.File, err)
		case errors.As(err, &bad):
			problems = append(problems, bad)
		case err != nil:
			return nil, fmt.Errorf("%s: %w", s.File, err)
		}
		s.Step()
	}
	return problems, nil
}

// everybodyElse compares the people whom only the ledger knows.
func (s Snapshot) everybodyElse(ctx context.Context, l Ledger, r *snapshot.Reconciliation) error {
	for person, err := range ledger.AllPeople(ctx, l, "") {
		if err != nil {
			return err
		}
		if r.Saw(person.PersonID) {
			continue
		}
		events, err := eventsOf(ctx, l, person.PersonID)
		if err != nil {
			return err
		}
		if err := r.Absent(person.PersonID, events); err != nil {
			return err
		}
		s.Step()
	}
	return nil
}

// eventsOf returns the events of a person: none, if the ledger does not know them.
func eventsOf(ctx context.Context, l Ledger, personID string) ([]hr.Event, error) {
	person, err := l.Person(ctx, personID)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, nil
	}
	return assess.EventsOf(person), err
}
