package snapshot

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/nearest"
)

// readCSV reads a file with a header line.
func readCSV(text *bufio.Reader, m Mapping, yield func(*Row, error) bool) {
	text = bufio.NewReader(&lineEnds{from: text})
	header, err := text.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		yield(nil, err)
		return
	}
	comma, before := rune(0), ""
	if m := separator.FindStringSubmatch(header); m != nil {
		// This line is for spreadsheets only. The header is the next line.
		comma, before = []rune(m[1])[0], "\n"
		if header, err = text.ReadString('\n'); err != nil && !errors.Is(err, io.EOF) {
			yield(nil, err)
			return
		}
	}
	if !utf8.ValidString(header) {
		yield(nil, notUTF8(1, 1, header))
		return
	}
	records := csv.NewReader(io.MultiReader(strings.NewReader(before+header), text))
	records.Comma = comma
	if comma == 0 {
		records.Comma = delimiter(header)
	}
	records.ReuseRecord = true
	names, err := records.Read()
	if err != nil {
		if !errors.Is(err, io.EOF) { // an empty file has no rows
			yield(nil, csvError(err))
		}
		return
	}
	place, err := places(names, records.Comma, m)
	if err != nil {
		yield(nil, err)
		return
	}
	fields := m.fields()
	for {
		record, err := records.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil {
			err = invalidUTF8(records, record)
		}
		if err != nil {
			problem := csvError(err)
			var known *Error
			if !yield(nil, problem) || !errors.As(problem, &known) || known.Fatal {
				return
			}
			continue
		}
		if !slices.ContainsFunc(record, func(text string) bool { return hr.Text(text) != "" }) {
			continue // an empty row
		}
		line, _ := records.FieldPos(0)
		var problem *Error
		row := m.row(line, fields, func(column string) string { return strings.Trim(record[place[column]], padding) },
			func(column, field, text string) {
				if problem == nil {
					problem = &Error{Line: line, Name: column, Field: field, Text: text}
					problem.Line, problem.Column = records.FieldPos(place[column])
				}
			})
		if problem != nil {
			if !yield(nil, problem) {
				return
			}
			continue
		}
		if !yield(row, nil) {
			return
		}
	}
}

// padding holds the white space that is layout only. Other white space is data.
const padding = " \t\r\n"

// separator matches the line that tells a spreadsheet which character separates values.
var separator = regexp.MustCompile(`^"?(?i:sep)=([,;|\t])"?\r?\n?$`)

// lineEnds turns all line ends into line feeds, also a single carriage return.
type lineEnds struct {
	from  io.Reader
	after bool // the last byte was a carriage return
}

// Read implements io.Reader.
func (l *lineEnds) Read(p []byte) (int, error) {
	for {
		n, err := l.from.Read(p)
		kept := p[:0]
		for _, b := range p[:n] {
			feeds := b == '\n' && l.after
			l.after = b == '\r'
			switch {
			case feeds:
			case b == '\r':
				kept = append(kept, '\n')
			default:
				kept = append(kept, b)
			}
		}
		if len(kept) > 0 || err != nil || n == 0 {
			return len(kept), err
		}
	}
}

// delimiter returns the character that separates the names of a header line.
func delimiter(header string) rune {
	best, most := ',', 0
	for _, d := range ",;\t|" {
		quoted, count := false, 0
		for _, r := range header {
			switch {
			case r == '"':
				quoted = !quoted
			case r == d && !quoted:
				count++
			}
		}
		if count > most {
			best, most = d, count
		}
	}
	return best
}

// places returns the columns' indexes.
func places(names []string, comma rune, m Mapping) (map[string]int, error) {
	place := make(map[string]int, len(names))
	for i, name := range names {
		names[i] = hr.Text(name)
		if _, twice := place[names[i]]; twice && slices.Contains(m.columns(), names[i]) {
			return nil, &Error{Line: 1, Name: names[i], Fatal: true, Text: "is the name of two columns"}
		}
		place[names[i]] = i
	}
	for _, column := range m.columns() {
		if _, ok := place[column]; !ok {
			hint := nearest.Hint(column, names)
			if hint == "" {
				// The names are not shown: in a file without a header they would be data about people.
				hint = fmt.Sprintf("; with %q in between the first line has %d columns", comma, len(names))
			}
			return nil, &Error{Line: 1, Name: column, Fatal: true, Text: "is not the name of a column, but snapshot.columns says so" + hint}
		}
	}
	return place, nil
}

func invalidUTF8(records *csv.Reader, record []string) error {
	for i, text := range record {
		if !utf8.ValidString(text) {
			line, column := records.FieldPos(i)
			return notUTF8(line, column, text)
		}
	}
	return nil
}

// csvError returns the error for a record that is no CSV.
func csvError(err error) error {
	var parse *csv.ParseError
	if !errors.As(err, &parse) {
		return err
	}
	if errors.Is(parse.Err, csv.ErrFieldCount) {
		return &Error{Line: parse.StartLine, Text: "has another number of columns than the header"}
	}
	return &Error{Line: parse.Line, Column: parse.Column, Text: "is not CSV: " + parse.Err.Error()}
}
