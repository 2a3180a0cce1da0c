package snapshot

import (
	"regexp"
	"slices"
	"strings"
)

// lost matches what spreadsheets write, each in its language, in place of a value that
// they could not compute or that was wider than its column (#REF!, #NAME?, #N/A, ####).
// The value itself is not known then.
var lost = regexp.MustCompile(`^(?i:#{2,}|#[\p{L}0-9/_¡¿]+[!?]|#(N/A|NA|NV|N/D|ND|NB|Н/Д|GETTING_DATA|LOADING\.*|ERROR))$`)

// none lists what databases and programs write where there is no value.
var none = []string{"NULL", "(null)", "NaN", "N/A", "-", "--", "None", "nil", "undefined",
	"n.a.", "<null>", "[null]", `\N`, "<NA>", "NaT", "\u2013", "\u2014"}

// value is a field's text; empty if the file says that there is none. It is not ok
// if the file has lost it: then what is known before holds on.
func value(field, text string) (_ string, ok bool) {
	same := func(word string) bool { return strings.EqualFold(word, text) }
	switch {
	case lost.MatchString(text):
		return "", false
	case field != FieldGiven && field != FieldFamily && slices.ContainsFunc(none, same): // people are called Null
		return "", true
	}
	return text, true
}
