package connector

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// ExternalID stands for the external ID in lists of attributes. Not every app keeps it, and
// those that do have names of their own for it.
const ExternalID = "externalId"

// Dropped returns the names, sorted, of the attributes in set that account, as returned by
// Read, does not show with the value that was set. The app may write the same value in
// another way (see Keeps).
func Dropped(ctx context.Context, c Connector, account Account, set map[string]any) ([]string, error) {
	var dropped []string
	for _, name := range slices.Sorted(maps.Keys(set)) {
		kept, err := c.Keeps(ctx, account, name, set[name])
		if err != nil {
			return nil, err
		}
		if !kept {
			dropped = append(dropped, name)
		}
	}
	return dropped, nil
}

// Shows reports whether shown, the value of an attribute in the account, is the value that
// was set. Where nothing was set, the username counts as nothing: apps show it for
// attributes that they require.
func (a Account) Shows(set, shown any) bool {
	return SameValue(set, shown) || SameValue(set, nil) && SameValue(a.Username, shown)
}

// Attribute returns the value that the account shows of an attribute, or nil. It ignores
// the case of the name.
func (a Account) Attribute(name string) any {
	if value, ok := a.Attributes[name]; ok {
		return value
	}
	for other, value := range a.Attributes {
		if strings.EqualFold(other, name) {
			return value
		}
	}
	return nil
}

// SameValue reports whether shown is the value that was set. An app may write it in another
// case or with other spaces, a number or a truth value as text, a date as a time, a phone
// number in another form, the items of a list in another order. Nothing, an empty text, an
// empty list and false are the same.
func SameValue(set, shown any) bool { return slices.Equal(Spellings(set), Spellings(shown)) }

// Spellings returns the texts that a value consists of, sorted, each in one form for all that
// SameValue takes for the same. It leaves out texts that mean nothing.
func Spellings(value any) []string {
	var texts []string
	switch v := value.(type) {
	case nil:
	case []string:
		texts = slices.Clone(v)
	default:
		texts = []string{fmt.Sprint(v)}
	}
	for i, text := range texts {
		// Upper case first: some letters have two lower-case forms.
		text = strings.ToLower(strings.ToUpper(norm.NFC.String(strings.Join(strings.Fields(text), " "))))
		if at, ok := instant(text); ok {
			text = at.UTC().Format(time.RFC3339Nano)
		} else if number, ok := phone(text); ok {
			text = "tel:" + number
		}
		texts[i] = text
	}
	slices.Sort(texts)
	return slices.Compact(slices.DeleteFunc(texts, func(text string) bool { return text == "" || text == "false" }))
}

func instant(text string) (time.Time, bool) {
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(form, strings.ToUpper(text)); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// phone returns a phone number without its visual separators (RFC 3966 section 5).
func phone(text string) (number string, ok bool) {
	text, isURI := strings.CutPrefix(text, "tel:")
	number = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -.()/", r) {
			return -1
		}
		return r
	}, text)
	digits, plus := strings.CutPrefix(number, "+")
	return number, (plus || isURI) && digits != "" && strings.Trim(digits, "0123456789") == ""
}
