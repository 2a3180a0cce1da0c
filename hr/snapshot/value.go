package snapshot

import (
	"slices"
	"strings"
)

// lost are what spreadsheets write in the place of a value that they could not work
// out. Whatever was there is not known.
var lost = []string{
	"#N/A", "#NA", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!",
	"#CONNECT!", "#UNKNOWN!", "#GETTING_DATA", "#ERROR!", "#NV", "#BEZUG!", "#WERT!",
}

// none are what databases and programs write where there is no value.
var none = []string{"NULL", "(null)", "NaN", "N/A", "-", "--", "None", "nil", "undefined"}

// value is a field's text; empty if the file says that there is none. It is not ok
// if the file has lost it: then what is known before holds on.
func value(field, text string) (_ string, ok bool) {
	same := func(word string) bool { return strings.EqualFold(word, text) }
	switch {
	case slices.ContainsFunc(lost, same):
		return "", false
	case field != FieldGiven && field != FieldFamily && slices.ContainsFunc(none, same): // people are called Null
		return "", true
	}
	return text, true
}
