package snapshot

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// longestLine bounds the bytes of a line of JSON.
const longestLine = 1 << 20

// readJSONL reads a file with one JSON object a line.
func readJSONL(text *bufio.Reader, m Mapping, yield func(*Row, error) bool) {
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, longestLine)
	fields := m.fields()
	missing := map[string]bool{} // columns that no line so far has had
	for _, column := range m.columns() {
		missing[column] = true
	}
	line, rows := 0, 0
	for lines.Scan() {
		line++
		value := bytes.TrimSpace(lines.Bytes())
		if len(value) == 0 {
			continue
		}
		rows++
		if !utf8.Valid(value) {
			yield(nil, notUTF8(line, 1, string(value)))
			return
		}
		row, err := jsonRow(line, value, fields, m, missing)
		if !yield(row, err) {
			return
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		yield(nil, &Error{Line: line + 1, Fatal: true, Text: "is longer than 1 MiB: is this JSONL, one object a line?"})
		return
	}
	if err := lines.Err(); err != nil {
		yield(nil, err)
		return
	}
	for _, column := range m.columns() {
		if rows > 0 && missing[column] {
			yield(nil, &Error{Line: line, Name: column, Fatal: true, Text: "is in no line of the file, but snapshot.columns says so"})
			return
		}
	}
}

func jsonRow(line int, value []byte, fields []string, m Mapping, missing map[string]bool) (*Row, error) {
	var object map[string]any
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	if err := decoder.Decode(&object); err != nil {
		return nil, &Error{Line: line, Text: "is not a JSON object"}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, &Error{Line: line, Text: "has more than one JSON object"}
	}
	var problem *Error
	fail := func(column, field, text string) {
		if problem == nil {
			problem = &Error{Line: line, Name: column, Field: field, Text: text}
		}
	}
	row := m.row(line, fields, func(column string) string {
		found, ok := lookup(object, column)
		if ok {
			delete(missing, column)
		}
		text, ok := plain(found)
		if !ok {
			fail(column, "", "must be a text, a number or a bool")
		}
		return text
	}, fail)
	if problem != nil {
		return nil, problem
	}
	return row, nil
}

// lookup finds a.b as a field with that name, or as b in the object a.
func lookup(object map[string]any, name string) (any, bool) {
	if found, ok := object[name]; ok {
		return found, true
	}
	first, rest, ok := strings.Cut(name, ".")
	if !ok {
		return nil, false
	}
	inner, ok := object[first].(map[string]any)
	if !ok {
		return nil, false
	}
	return lookup(inner, rest)
}

func plain(value any) (string, bool) {
	switch value := value.(type) {
	case nil:
		return "", true
	case string:
		return strings.Trim(value, padding), true
	case json.Number:
		return value.String(), true
	case bool:
		return strconv.FormatBool(value), true
	default:
		return "", false
	}
}
