package snapshot_test

import (
	"strings"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/snapshot"
)

const source = "/hr/example"

const header = "ID,Type,First,Last,Start,End,Zone,Title,Status,Last day,Since\n"

var mapping = snapshot.Mapping{
	Columns: map[string]string{
		snapshot.FieldPersonID: "ID", snapshot.FieldType: "Type", snapshot.FieldGiven: "First", snapshot.FieldFamily: "Last",
		snapshot.FieldStart: "Start", snapshot.FieldEnd: "End", snapshot.FieldZone: "Zone", "worker.jobTitle": "Title",
		snapshot.FieldLastDay: "Last day", snapshot.FieldEffective: "Since",
	},
	DateFormat: snapshot.DefaultDateFormat,
	Left:       snapshot.Marker{Column: "Status", Values: []string{"gone"}},
}

func date(s string) hr.Date {
	d, err := hr.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func instant(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

// read reads a file, and returns its errors as text.
func read(text string, m snapshot.Mapping) (rows []*snapshot.Row, problems []string) {
	for row, err := range snapshot.Rows(strings.NewReader(text), m) {
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		rows = append(rows, row)
	}
	return rows, problems
}
