package provisioning

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
)

// Size says how many people a file has, and what becomes of them.
type Size struct {
	People  int    `json:"people"`
	Moves   int    `json:"moves"`
	Leavers int    `json:"leavers"`
	Seed    uint64 `json:"seed"`
}

// check returns an error if there cannot be such a file.
func (s Size) check() error {
	if s.People < 1 || s.Moves < 0 || s.Leavers < 0 || s.Moves > s.People || s.Leavers > s.People {
		return errors.New("--people must be at least 1, and neither --moves nor --leavers more than that")
	}
	return nil
}

// Change is what happens to somebody.
type Change string

// The changes. All hires come first, then all moves, then all who leave.
const (
	Hire  Change = "hire"
	Move  Change = "move"
	Leave Change = "leave"
)

// Changes lists the changes in their order.
func Changes() []Change { return []Change{Hire, Move, Leave} }

// Line is a line of the file: a change, with all that is true of the person from then on.
type Line struct {
	Change     Change
	Date       hr.Date
	PersonID   string
	Username   string
	GivenName  string
	FamilyName string
	Email      string
	Title      string
	Department string
	Active     bool
	Groups     []string
}

// header names the columns of the file.
var header = []string{"change", "date", "personId", "userName", "givenName", "familyName", "displayName", "email", "title", "department", "active", "groups"}

func (l Line) displayName() string { return l.GivenName + " " + l.FamilyName }

func (l Line) record() []string {
	return []string{
		string(l.Change), l.Date.String(), l.PersonID, l.Username, l.GivenName, l.FamilyName, l.displayName(), l.Email, l.Title, l.Department,
		strconv.FormatBool(l.Active), strings.Join(l.Groups, ";"),
	}
}

func lineOf(record []string) (l Line, err error) {
	l = Line{
		Change: Change(record[0]), PersonID: record[2], Username: record[3], GivenName: record[4], FamilyName: record[5],
		Email: record[7], Title: record[8], Department: record[9],
	}
	if !slices.Contains(Changes(), l.Change) {
		return l, fmt.Errorf("%q is no change", record[0])
	}
	if l.Date, err = hr.ParseDate(record[1]); err != nil {
		return l, err
	}
	if l.Active, err = strconv.ParseBool(record[10]); err != nil {
		return l, err
	}
	if record[11] != "" {
		l.Groups = strings.Split(record[11], ";")
	}
	return l, nil
}

// What people are made of. Who has the same name as somebody else differs by the username.
var (
	givenNames  = []string{"Ada", "Björn", "Chloé", "Dmitri", "Eszter", "Fatima", "Goran", "Hélène", "Ingrid", "Jürgen", "Kofi", "Łucja", "María", "Noor", "Olena", "Pavel", "Quinn", "Rosa", "Søren", "Tuğba"}
	familyNames = []string{"Almeida", "Bauer", "Çelik", "Dubois", "Eriksen", "Fontaine", "García", "Horvat", "Ivanova", "Jansen", "Kowalska", "Lindqvist", "Müller", "Nováková", "O'Brien", "Petrov", "Quispe", "Rossi", "Šimić", "Tanaka"}
	departments = []string{"Development", "Sales", "Finance", "Support", "Production"}
	titles      = []string{"Specialist", "Senior Specialist", "Manager", "Assistant"}
)

// first is the day on which everybody is hired. It is fixed, so that the same flags make the same
// file, and past, so that everything is true at once.
var first = hr.Date{Year: 2026, Month: time.January, Day: 5}

// groupsOf returns the groups of a department, sorted.
func groupsOf(department string) []string {
	groups := []string{"bench-staff", "bench-" + strings.ToLower(department)}
	slices.Sort(groups)
	return groups
}

// Groups lists all groups.
func Groups() (all []string) {
	for _, d := range departments {
		all = append(all, groupsOf(d)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// File is what happens to people, in order.
type File []Line

// Make makes a file. The same size makes the same file.
func Make(size Size) (File, error) {
	if err := size.check(); err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(size.Seed, uint64(size.People))) //nolint:gosec // G404: it makes people up, and no secrets
	one := func(all []string) string { return all[random.IntN(len(all))] }
	var file File
	now := make([]Line, size.People)
	for i := range now {
		username := fmt.Sprintf("bench%06d", i+1)
		l := Line{
			Change: Hire, Date: first, PersonID: fmt.Sprintf("bench-%06d", i+1), Username: username, GivenName: one(givenNames), FamilyName: one(familyNames),
			Email: username + "@example.com", Title: one(titles), Department: one(departments), Active: true,
		}
		l.Groups = groupsOf(l.Department)
		now[i], file = l, append(file, l)
	}
	for _, i := range random.Perm(size.People)[:size.Moves] {
		l := now[i]
		l.Change, l.Date, l.Title = Move, first.AddDays(1), one(titles)+" II"
		l.Department = departments[(slices.Index(departments, l.Department)+1+random.IntN(len(departments)-1))%len(departments)]
		l.Groups = groupsOf(l.Department)
		now[i], file = l, append(file, l)
	}
	for _, i := range random.Perm(size.People)[:size.Leavers] {
		l := now[i]
		l.Change, l.Date, l.Active, l.Groups = Leave, first.AddDays(2), false, nil
		now[i], file = l, append(file, l)
	}
	return file, nil
}

// Size returns how large a file is.
func (f File) Size() (s Size) {
	for _, l := range f {
		switch l.Change {
		case Hire:
			s.People++
		case Move:
			s.Moves++
		case Leave:
			s.Leavers++
		}
	}
	return s
}

// Of returns the lines of one change.
func (f File) Of(change Change) (lines []Line) {
	for _, l := range f {
		if l.Change == change {
			lines = append(lines, l)
		}
	}
	return lines
}

// After returns everybody as they are after a change and those before it, by username.
func (f File) After(change Change) []Line {
	last := map[string]Line{}
	for _, l := range f {
		if slices.Index(Changes(), l.Change) <= slices.Index(Changes(), change) {
			last[l.Username] = l
		}
	}
	all := make([]Line, 0, len(last))
	for _, l := range last {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b Line) int { return cmp.Compare(a.Username, b.Username) })
	return all
}

// Event returns what HR says of a change.
func (l Line) Event() hr.Event {
	e := hr.Event{
		EventKey: hr.EventKey{Source: "/hr/bench-provision", ID: l.PersonID + "/" + string(l.Change)}, PersonID: l.PersonID,
		Recorded: l.Date.StartIn(time.UTC).Add(time.Hour), Effective: l.Date,
	}
	profile := &hr.Profile{
		Type: hr.TypeEmployee, GivenName: l.GivenName, FamilyName: l.FamilyName, WorkEmail: l.Email, EmployeeNumber: l.Username,
		JobTitle: l.Title, Department: l.Department, Location: hr.Location{TimeZone: "UTC"}, StartDate: first,
	}
	switch l.Change {
	case Hire:
		e.Type, e.Profile = hr.EventHired, profile
	case Move:
		e.Type, e.Profile = hr.EventTransferred, profile
	case Leave:
		e.Type, e.Termination = hr.EventTerminated, &hr.Termination{LastDay: l.Date, AccessEndsAt: e.Recorded}
	}
	return e
}

// Write writes the events (FILE.jsonl), the lines (FILE.csv), and what is true of everybody after all
// hires, moves and departures (FILE.1-hire.csv and so on).
func (f File) Write(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	err := toFile(path+".jsonl", func(out io.Writer) error {
		for _, l := range f {
			text, err := cloudevents.Encode(l.Event())
			if err != nil {
				return err
			}
			if _, err := out.Write(append(text, '\n')); err != nil {
				return err
			}
		}
		return nil
	})
	err = errors.Join(err, writeCSV(path+".csv", f))
	for i, change := range Changes() {
		err = errors.Join(err, writeCSV(fmt.Sprintf("%s.%d-%s.csv", path, i+1, change), f.After(change)))
	}
	return err
}

func writeCSV(path string, lines []Line) error {
	return toFile(path, func(to io.Writer) error {
		out := csv.NewWriter(to)
		err := out.Write(header)
		for _, l := range lines {
			err = errors.Join(err, out.Write(l.record()))
		}
		out.Flush()
		return errors.Join(err, out.Error())
	})
}

func toFile(path string, write func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(file)
	return errors.Join(write(out), out.Flush(), file.Close())
}

// Read reads a file that Write wrote.
func Read(path string) (File, error) {
	in, err := os.Open(path + ".csv")
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }() // it was read
	records, err := csv.NewReader(in).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%q: %w", path+".csv", err)
	}
	if len(records) == 0 || !slices.Equal(records[0], header) {
		return nil, fmt.Errorf("%q: its columns are not those of a file that this command writes", path+".csv")
	}
	var file File
	for i, record := range records[1:] {
		l, err := lineOf(record)
		if err != nil {
			return nil, fmt.Errorf("%q, line %d: %w", path+".csv", i+2, err)
		}
		file = append(file, l)
	}
	return file, nil
}
