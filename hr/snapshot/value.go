package snapshot

import (
	"regexp"
	"slices"
	"strings"
)

// lost matches the marks that spreadsheets write, in their languages, in place of a value
// that they could not compute or that was too wide for its column (#REF!, #NAME?, #N/A,
// ####). The value itself is lost.
var lost = regexp.MustCompile(`^(?i:#{2,}|#[\p{L}0-9/_¡¿]+[!?]|#(N/A|NA|NV|N/D|ND|NB|Н/Д|GETTING_DATA|LOADING\.*|ERROR))$`)

// none lists the words that databases and programs write if there is no value.
var none = []string{"NULL", "(null)", "NaN", "N/A", "-", "--", "None", "nil", "undefined",
	"n.a.", "<null>", "[null]", `\N`, "<NA>", "NaT", "\u2013", "\u2014"}

// value returns a field's text; empty if the file says that there is none. It returns false
// if the file has lost the value: then the known value stays.
func value(field, text string) (_ string, ok bool) {
	same := func(word string) bool { return strings.EqualFold(word, text) }
	switch {
	case lost.MatchString(text):
		return "", false
	case field != FieldGiven && field != FieldFamily && slices.ContainsFunc(none, same): // some people have the name Null
		return "", true
	}
	return text, true
}
