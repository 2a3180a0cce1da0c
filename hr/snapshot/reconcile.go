package snapshot

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// Options describes a snapshot.
type Options struct {
	AsOf        time.Time // when it was taken; events of the same second or later are newer
	Source      string    // source of the events made: the HR system of the snapshot
	OnlyPresent bool      // people who are not in the file do not count as gone
	// Covers reports whether the snapshot covers a person, by their profile. If it is nil, the
	// snapshot covers those whose profile in force came from Source.
	Covers func(personID string, p *hr.Profile) (bool, error)
	// Rehire holds people who had left and are back, as an operator has confirmed.
	Rehire map[string]bool

	infers  bool // people who are not in the file count as gone
	counted bool // positions without a row count as ended
}

// Code names a kind of question.
type Code string

// The questions.
const (
	CodeLeft          Code = "left"           // has left, and is at work by the snapshot
	CodeRescinded     Code = "rescinded"      // was never hired, and is at work by the snapshot
	CodeUpcomingLeft  Code = "upcoming_left"  // is to start, and has left by the snapshot
	CodeEarlierEnd    Code = "earlier_end"    // left before the present employment began, by the snapshot
	CodeLaterEnd      Code = "later_end"      // leaves later than a termination says, by the snapshot
	CodeUnknownStatus Code = "unknown_status" // a word for whether they have left is not known
	CodeMangledID     Code = "mangled_id"     // is new, and an ID that is all but the same is gone
	CodeUnsettled     Code = "unsettled"      // no event would settle it
)

// Question is something that only an operator can decide.
type Question struct {
	PersonID string      `json:"personId"`
	Line     int         `json:"line,omitempty"`
	Code     Code        `json:"code"`
	Text     string      `json:"text"`
	Event    hr.EventKey `json:"event,omitzero"` // the event that contradicts the snapshot
}

// Change holds the events about one person that never came.
type Change struct {
	PersonID string
	Line     int // in the file; 0 for somebody who is not in it
	Leaves   bool
	Fields   []Difference
	Events   []hr.Event
}

// Totals counts people, and rows.
type Totals struct {
	Rows      int `json:"rows"`
	Bad       int `json:"bad"`       // rows that cannot be read
	Same      int `json:"same"`      // nothing differs
	Newer     int `json:"newer"`     // HR has sent an event since
	Elsewhere int `json:"elsewhere"` // the snapshot does not cover them
	Employed  int `json:"employed"`  // known as employed, and covered by the snapshot
	Hires     int `json:"hires"`
	Changes   int `json:"changes"`
	Leavers   int `json:"leavers"`
	Questions int `json:"questions"`
}

// Reconciliation compares a snapshot with the known events. First call Count with every row,
// if people may have several. Then call Row with every row, then Absent with everybody who
// is known and was not in the file, and last get the result.
type Reconciliation struct {
	opts      Options
	counts    map[string]int    // rows by person ID
	unread    int               // rows that could not be read when they were counted
	waiting   map[string][]*Row // rows of people who have further rows
	seen      map[string]place  // by person ID
	totals    Totals
	changes   []Change
	questions []Question
	hires     alike           // IDs that nobody had before
	withdrawn map[string]bool // people among these who are not hired after all
}

// place holds a row's line and the digest of its content.
type place struct {
	line    int
	content [sha256.Size]byte
}

// New returns a Reconciliation.
func New(o Options) (*Reconciliation, error) {
	o.AsOf = o.AsOf.UTC().Truncate(time.Second)
	if o.Source == "" || o.AsOf.Year() < firstYear || o.AsOf.Year() > lastYear {
		return nil, errors.New("snapshot: a source and the instant of the snapshot are needed")
	}
	return &Reconciliation{opts: o, counts: map[string]int{}, waiting: map[string][]*Row{}, seen: map[string]place{}, withdrawn: map[string]bool{}}, nil
}

// Bad notes a row that cannot be read.
func (r *Reconciliation) Bad() {
	r.totals.Rows++
	r.totals.Bad++
}

// Count notes a row in a first reading of the file, nil for one that cannot be read.
func (r *Reconciliation) Count(row *Row) {
	r.opts.counted = true
	if row == nil {
		r.unread++
		return
	}
	r.counts[row.PersonID]++
}

// Row compares a row with the events that are known about the person (none, if the person
// is not known). If Count counted several rows of the person, all of them are compared with
// the last one: each is a position, unless it repeats another one. An *Error means that the
// row is bad: it contradicts another row of the person, or it was not counted.
func (r *Reconciliation) Row(row *Row, events []hr.Event) error {
	id := row.PersonID
	first, twice := r.seen[id]
	if !twice {
		r.seen[id] = place{row.Line, row.content()}
	}
	if n := r.counts[id]; n > 1 {
		r.waiting[id] = append(r.waiting[id], row)
		rows := r.waiting[id]
		if len(rows) < n {
			r.totals.Rows++
			return nil
		}
		delete(r.waiting, id)
		return r.together(rows, events)
	}
	if twice && first.content != row.content() {
		r.Bad()
		return &Error{Line: row.Line, Field: FieldPersonID, Text: fmt.Sprintf("person %s is in line %d already, and otherwise", id, first.line)}
	}
	r.totals.Rows++
	if twice {
		return nil
	}
	return r.note(id, []*Row{row}, events)
}

// together compares all rows of one person.
func (r *Reconciliation) together(rows []*Row, events []hr.Event) error {
	last := rows[len(rows)-1]
	s := subject{Options: &r.opts}
	for _, row := range rows {
		s.row = row
		row.done = row.Left || s.over()
	}
	rows = distinct(rows)
	for i, row := range rows {
		for _, earlier := range rows[:i] {
			if how := row.contradicts(earlier); how != "" {
				r.Bad()
				return &Error{Line: row.Line, Field: FieldPersonID, Text: fmt.Sprintf("person %s is in line %d already, %s", row.PersonID, earlier.Line, how)}
			}
		}
	}
	r.totals.Rows++
	return r.note(last.PersonID, rows, events)
}

// Saw reports whether a row was about the person.
func (r *Reconciliation) Saw(personID string) bool {
	_, seen := r.seen[personID]
	return seen
}

// Absent compares somebody who is known and had no row. All rows must have been given before.
func (r *Reconciliation) Absent(personID string, events []hr.Event) error {
	r.opts.infers = r.Infers()
	f, err := r.opts.decide(personID, nil, events)
	if err != nil {
		return fmt.Errorf("person %s: %w", personID, err)
	}
	if found := r.hires.to(personID); len(found) > 0 && (f.employed || f.upcoming) && f.outcome != elsewhere {
		r.withdraw(found)
		f = finding{employed: f.employed, question: &Question{
			Code: CodeMangledID, Text: "is not in the file, and " + strings.Join(found, ", ") +
				" is new there: a spreadsheet may have made the one of the other (leading zeros, quotes, separators, exponents, dates, case). Nothing is sent of either. " +
				"Mend the file; if they are two people, HR must say hired of the one and terminated of the other",
		}}
	}
	r.add(personID, 0, f)
	return nil
}

// withdraw removes the hires of people.
func (r *Reconciliation) withdraw(ids []string) {
	for _, id := range ids {
		if !r.withdrawn[id] {
			r.withdrawn[id] = true
			r.totals.Hires--
		}
	}
}

// Infers reports whether people who are not in the file count as gone. They do unless
// OnlyPresent is set or a row could not be read.
func (r *Reconciliation) Infers() bool {
	return !r.opts.OnlyPresent && r.totals.Bad == 0 && r.unread == 0
}

// note adds the finding about one person who is in the file.
func (r *Reconciliation) note(id string, rows []*Row, events []hr.Event) error {
	r.opts.infers = r.Infers()
	f, err := r.opts.decide(id, rows, events)
	if err != nil {
		return fmt.Errorf("person %s: %w", id, err)
	}
	if len(events) == 0 && len(f.events) > 0 {
		r.hires.add(id)
	}
	r.add(id, rows[0].Line, f)
	return nil
}

// add adds a finding.
func (r *Reconciliation) add(id string, line int, f finding) {
	if f.employed {
		r.totals.Employed++
	}
	if q := f.question; q != nil {
		q.PersonID, q.Line = id, line
		r.questions = append(r.questions, *q)
		r.totals.Questions++
	}
	switch {
	case len(f.events) > 0:
		r.count(f)
		r.changes = append(r.changes, Change{PersonID: id, Line: line, Leaves: f.leaves, Fields: f.changed, Events: f.events})
	case f.question != nil:
	case f.outcome == newer:
		r.totals.Newer++
	case f.outcome == elsewhere:
		r.totals.Elsewhere++
	default:
		r.totals.Same++
	}
}

func (r *Reconciliation) count(f finding) {
	switch first := f.events[0].Type; {
	case f.leaves:
		r.totals.Leavers++
	case (first == hr.EventHired || first == hr.EventRehired) && !f.employed && !f.upcoming:
		r.totals.Hires++
	default:
		r.totals.Changes++
	}
}

// Totals returns the counts so far.
func (r *Reconciliation) Totals() Totals { return r.totals }

// Changes returns the events that never came, in the order in which people were given.
func (r *Reconciliation) Changes() []Change {
	return slices.DeleteFunc(slices.Clone(r.changes), func(c Change) bool { return r.withdrawn[c.PersonID] })
}

// Questions returns the questions, in the same order.
func (r *Reconciliation) Questions() []Question { return slices.Clone(r.questions) }

// Limit bounds how many employments a snapshot may end: Share of the people employed, from 0
// to 1, or Count if that is more.
type Limit struct {
	Share float64
	Count int
}

// Of returns the limit for a number of people employed.
func (l Limit) Of(employed int) int { return max(l.Count, int(l.Share*float64(employed))) }
