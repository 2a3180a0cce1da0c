package hr

import (
	"fmt"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The greatest lengths of texts, in bytes. They keep texts within the limits of database
// indexes and workflow IDs. See docs/adr/0024-what-concerns-one-record.md.
const (
	LongestPersonID  = 128
	LongestForeignID = 80 // for a person's ID that is not all ASCII: each byte takes three letters in a workflow ID
	LongestEventID   = 512
	LongestText      = 4096
)

// Text returns a text as Tenure keeps it: without white space around it and without
// invisible characters. White space of any width inside it becomes plain spaces, and a
// letter with its accent becomes one character. Every source uses it, so that a condition
// of policy holds for the text that people read, and not for the invisible characters that
// a spreadsheet left.
func Text(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case joiner(r):
			return r
		case invisible(r):
			return -1
		}
		return r
	}, s)
	return strings.TrimFunc(norm.NFC.String(s), func(r rune) bool { return r == ' ' || joiner(r) })
}

// SameWord reports whether two of an HR system's words mean the same: case, spaces
// and punctuation make no difference.
func SameWord(a, b string) bool { return Word(a) == Word(b) }

// Word returns a text as words are compared: letters and digits, without case.
func Word(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFC.String(text))
}

// joiner reports whether the character joins letters or keeps them apart. Some scripts
// cannot be written without it, so it is kept within a text.
func joiner(r rune) bool { return r == '\u200c' || r == '\u200d' }

// ignorable holds the invisible characters that Unicode classes as letters, marks or symbols.
var ignorable = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x034f, Hi: 0x034f, Stride: 1}, // combining grapheme joiner
		{Lo: 0x115f, Hi: 0x1160, Stride: 1}, // Hangul fillers
		{Lo: 0x17b4, Hi: 0x17b5, Stride: 1}, // Khmer inherent vowels
		{Lo: 0x180b, Hi: 0x180f, Stride: 1}, // Mongolian variation selectors
		{Lo: 0x2800, Hi: 0x2800, Stride: 1}, // Braille blank
		{Lo: 0x3164, Hi: 0x3164, Stride: 1}, // Hangul filler
		{Lo: 0xfe00, Hi: 0xfe0f, Stride: 1}, // variation selectors
		{Lo: 0xffa0, Hi: 0xffa0, Stride: 1}, // halfwidth Hangul filler
	},
	R32: []unicode.Range32{{Lo: 0xe0100, Hi: 0xe01ef, Stride: 1}}, // variation selectors
}

// invisible reports whether a character can be left out of a text because it cannot be
// seen: a control or format character, or an ignorable one.
func invisible(r rune) bool {
	return unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || unicode.Is(ignorable, r)
}

// OrphanPrefix begins the IDs by which Tenure names accounts that are nobody's and that it
// ends: see ledger.OrphanID. No event is about such an ID.
const OrphanPrefix = "orphan:"

// PersonIDProblem returns what is wrong with a person's ID, or an empty text. An ID
// may be anything that can be printed, without spaces: "10004", "MÜ-17".
func PersonIDProblem(id string) string {
	switch {
	case strings.ContainsFunc(id, unicode.IsSpace):
		return "has white space in it or around it: an ID has none"
	case len(id) > LongestForeignID && strings.ContainsFunc(id, func(r rune) bool { return r > unicode.MaxASCII }):
		return fmt.Sprintf("is longer than %d bytes, which an ID that is not all ASCII may have", LongestForeignID)
	}
	return idProblem(id, LongestPersonID)
}

// EventIDProblem returns what is wrong with the ID or the source of an event, or an empty
// text. Plain spaces inside it are allowed.
func EventIDProblem(id string) string {
	if strings.TrimFunc(id, unicode.IsSpace) != id {
		return "has white space around it: an ID has none"
	}
	return idProblem(id, LongestEventID)
}

func idProblem(id string, longest int) string {
	switch {
	case id == "":
		return "is empty"
	case !utf8.ValidString(id):
		return "is not UTF-8"
	case len(id) > longest:
		return fmt.Sprintf("is longer than %d bytes", longest)
	}
	n := 0
	for _, r := range id {
		n++
		if r == unicode.ReplacementChar {
			return fmt.Sprintf("has U+FFFD in it, the %s character, which stands for one that was lost: mend it where the ID comes from", ordinal(n))
		}
		if !unicode.IsPrint(r) || unicode.Is(ignorable, r) {
			return fmt.Sprintf("has a character in it that cannot be seen (U+%04X, the %s character): take it out where the ID comes from", r, ordinal(n))
		}
	}
	return ""
}

func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprint(n, suffix)
}

// Tidied returns the event with all its texts tidied by Text. IDs stay as they are: see
// Problem. The parts that the event points to are changed in place.
func Tidied(e Event) Event {
	walk(reflect.ValueOf(&e).Elem(), "", func(_ string, id bool, text string) string {
		if id {
			return text
		}
		return Text(text)
	})
	return e
}

// Problem returns the reason why no database or workflow can keep an event: the field, by
// its name in JSON, and what is wrong with it. Both are empty if nothing is wrong.
func (e Event) Problem() (field, problem string) {
	if problem := PersonIDProblem(e.PersonID); problem != "" {
		return "/personId", problem
	}
	if strings.HasPrefix(e.PersonID, OrphanPrefix) {
		return "/personId", "begins with " + OrphanPrefix + ", as Tenure names accounts that are nobody's: no person has such an ID"
	}
	for _, id := range []struct{ field, value string }{{"/source", e.Source}, {"/id", e.ID}} {
		if problem := EventIDProblem(id.value); problem != "" {
			return id.field, problem
		}
	}
	walk(reflect.ValueOf(&e).Elem(), "", func(at string, id bool, text string) string {
		if problem == "" {
			field, problem = at, textProblem(at, id, text)
		}
		return text
	})
	if problem == "" {
		field = ""
	}
	return field, problem
}

func textProblem(field string, id bool, text string) string {
	switch {
	case text == "":
		return ""
	case id && strings.HasSuffix(field, "/managerId"):
		return PersonIDProblem(text)
	case id:
		return EventIDProblem(text)
	case !utf8.ValidString(text):
		return "is not UTF-8"
	case strings.Contains(text, "\x00"):
		return "has a NUL character in it"
	case len(text) > LongestText:
		return fmt.Sprintf("is longer than %d bytes", LongestText)
	}
	return ""
}

// walk calls f with every text below a value and its name in JSON, and replaces the text by
// the result. Names of attributes are passed to f too, but stay as they are.
func walk(v reflect.Value, path string, f func(field string, id bool, text string) string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			walk(v.Elem(), path, f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), fmt.Sprint(path, "/", i), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if !field.IsExported() {
				continue
			}
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if field.Anonymous {
				walk(v.Field(i), path, f)
			} else {
				walk(v.Field(i), path+"/"+name, f)
			}
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			at := path + "/" + key.String()
			f(path, false, key.String())
			if v.Type().Elem().Kind() == reflect.String {
				v.SetMapIndex(key, reflect.ValueOf(f(at, false, v.MapIndex(key).String())).Convert(v.Type().Elem()))
			}
		}
	case reflect.String:
		v.SetString(f(path, isID(path), v.String()))
	}
}

// isID reports whether a field holds an ID or a word of a fixed list. Neither is tidied.
func isID(path string) bool {
	name := path[strings.LastIndexByte(path, '/')+1:]
	return name == "id" || name == "source" || name == "rescinds" || strings.HasSuffix(name, "Id")
}
