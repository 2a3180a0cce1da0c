package snapshot

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"
)

// Error describes a fault in one place of a file. It never quotes a value.
type Error struct {
	Line   int    `json:"line"`             // from 1
	Column int    `json:"column,omitempty"` // in bytes from 1; 0 if not known
	Name   string `json:"name,omitempty"`   // name of the column
	Field  string `json:"field,omitempty"`  // field to which the column is mapped
	Text   string `json:"text"`

	// Fatal errors end the reading of the file: the rest cannot be read.
	Fatal bool `json:"-"`
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d:", e.Line)
	if e.Column > 0 {
		fmt.Fprintf(&b, "%d:", e.Column)
	}
	switch {
	case e.Name != "" && e.Field != "":
		fmt.Fprintf(&b, " %q (%s)", e.Name, e.Field)
	case e.Name != "":
		fmt.Fprintf(&b, " %q", e.Name)
	}
	return b.String() + " " + e.Text
}

// Rows reads a file row by row, holding one at a time. The file is CSV, with a header line
// and commas, semicolons, tabs or bars as separators, or JSONL with one object a line. An
// *Error is about a row that cannot be read or, if it is fatal, about the file. Any other
// error is the reader's own and comes last.
func Rows(r io.Reader, m Mapping) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		text, err := decoded(r)
		if err != nil {
			yield(nil, err)
			return
		}
		switch begin, _ := text.Peek(1); { // an error here comes again when the file is read
		case bytes.Equal(begin, []byte("[")):
			yield(nil, &Error{Line: 1, Column: 1, Fatal: true, Text: "the file is a JSON array: write one object a line (jq -c '.[]')"})
		case bytes.Equal(begin, []byte("{")):
			readJSONL(text, m, yield)
		default:
			readCSV(text, m, yield)
		}
	}
}

// notUTF8 returns the error for a text that is not UTF-8.
func notUTF8(line, column int, text string) *Error {
	valid := 0
	for valid < len(text) {
		r, size := utf8.DecodeRuneInString(text[valid:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		valid += size
	}
	return &Error{
		Line: line, Column: column + valid, Fatal: true,
		Text: "is not UTF-8 (perhaps Latin-1): export the file as UTF-8, or convert it (iconv -f LATIN1 -t UTF-8)",
	}
}
