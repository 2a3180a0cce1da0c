package privacy

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tenurehq/tenure/hr"
)

// Erased takes the place of a word by which a text told who somebody is.
const Erased = "[erased]"

// Words are those by which texts tell who somebody is.
type Words struct {
	// Sure are found in whatever a text says: full names, addresses, telephone numbers, and
	// usernames, IDs of accounts and first parts of addresses that are made of a name.
	Sure []string
	// Bare are single names and other usernames. They are found in what humans typed only:
	// elsewhere they are as likely to be the name of something else.
	Bare []string
}

// shortest is the length, in characters, below which a word tells nothing.
const shortest = 3

// WordsOf returns the words of somebody of whom HR said this, and who is or was called by these
// usernames and addresses, and whose accounts are or were these, by the IDs that apps gave them.
func WordsOf(events []hr.Event, usernames, addresses, accounts []string) Words {
	var sure, bare, names []string
	for i := range events {
		p := events[i].Profile
		if p == nil {
			continue
		}
		for _, given := range []string{p.GivenName, p.PreferredName} {
			sure = append(sure, fullNames(given, p.FamilyName)...)
		}
		names = append(names, p.GivenName, p.PreferredName, p.FamilyName)
		sure = append(sure, p.WorkEmail, p.PersonalEmail, p.Phone)
	}
	sure = append(sure, addresses...)
	for _, address := range sure {
		if local, _, ok := strings.Cut(address, "@"); ok {
			accounts = append(accounts, local)
		}
	}
	for _, id := range accounts {
		if madeOf(id, names) {
			sure = append(sure, id)
		}
	}
	for _, u := range usernames {
		if madeOf(u, names) {
			sure = append(sure, u)
		} else {
			bare = append(bare, u)
		}
	}
	w := Words{Sure: tidy(sure)}
	for _, b := range tidy(append(bare, names...)) {
		if !slices.Contains(w.Sure, b) {
			w.Bare = append(w.Bare, b)
		}
	}
	return w
}

// fullNames returns the ways in which texts write a given and a family name together.
func fullNames(given, family string) []string {
	given, family = strings.TrimSpace(given), strings.TrimSpace(family)
	if given == "" || family == "" {
		return nil
	}
	return []string{given + " " + family, family + " " + given, family + ", " + given, given + "." + family, family + "." + given}
}

// madeOf reports whether a username has a name in it, or the beginning of one: what is behind it
// may be written in other letters. A single name may be anybody's.
func madeOf(username string, names []string) bool {
	if slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(strings.TrimSpace(name), username) }) {
		return false
	}
	for _, name := range names {
		beginning := []rune(strings.ToLower(strings.TrimSpace(name)))
		beginning = beginning[:min(len(beginning), 4)]
		if len(beginning) >= shortest && strings.Contains(strings.ToLower(username), string(beginning)) {
			return true
		}
	}
	return false
}

// tidy returns the words that tell anything, each once, the longest first.
func tidy(words []string) []string {
	var out []string
	for _, w := range words {
		w = strings.TrimSpace(w)
		if utf8.RuneCountInString(w) >= shortest && !strings.Contains(w, Erased) && strings.ContainsFunc(w, isWord) {
			out = append(out, w)
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(out)
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// Finder finds words in texts, whatever their case, where they stand alone.
type Finder struct {
	pattern *regexp.Regexp // nil: nothing to find
	likes   []string
}

// NewFinder returns a Finder of these words.
func NewFinder(words []string) Finder {
	words = tidy(words)
	if len(words) == 0 {
		return Finder{}
	}
	quoted := make([]string, len(words))
	f := Finder{}
	for i, w := range words {
		quoted[i] = regexp.QuoteMeta(w)
		f.likes = append(f.likes, like(w))
	}
	f.pattern = regexp.MustCompile(`(?i)` + strings.Join(quoted, "|"))
	f.likes = fewest(f.likes)
	return f
}

// fewest leaves out patterns of which another one is a part: whatever they match, it matches too.
func fewest(patterns []string) []string {
	slices.SortFunc(patterns, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	var kept []string
	for _, p := range patterns {
		if !slices.ContainsFunc(kept, func(k string) bool { return strings.Contains(p, strings.Trim(k, "%")) }) {
			kept = append(kept, p)
		}
	}
	return kept
}

// longest returns the part of a word that is looked for: its longest one of letters and digits, in
// front of an @ if it has one. Names in several orders are looked for once so.
func longest(word string) (part string) {
	if local, _, ok := strings.Cut(word, "@"); ok && strings.ContainsFunc(local, isWord) {
		word = local
	}
	for _, p := range strings.FieldsFunc(word, func(r rune) bool { return !isWord(r) && r < utf8.RuneSelf }) {
		if len(p) > len(part) {
			part = p
		}
	}
	return part
}

// Likes returns patterns for the operator LIKE of SQL. Every text in which Erase would find
// something matches one of them when it is in lower case, as does JSON with such a text.
func (f Finder) Likes() []string { return f.likes }

// like returns the pattern of a word. What may be written in several ways is left open.
func like(word string) string {
	var b strings.Builder
	b.WriteByte('%')
	for _, r := range longest(word) {
		switch {
		case r >= utf8.RuneSelf:
			b.WriteByte('%') // its capital letter may have another length
		case unicode.IsLetter(r), unicode.IsDigit(r), r == ' ', r == '.', r == '@', r == '-', r == '+', r == ',':
			b.WriteRune(foldable(unicode.ToLower(r)))
		default:
			b.WriteByte('%') // JSON may write it as an escape
		}
	}
	b.WriteByte('%')
	return b.String()
}

// foldable returns a pattern of one character that may be written with another one that is the
// same but for its case: the sign of the Kelvin, and the long s.
func foldable(r rune) rune {
	if r == 'k' || r == 's' {
		return '_'
	}
	return r
}

// Erase returns the text with Erased in place of every word, and reports whether there was any.
func (f Finder) Erase(text string) (string, bool) {
	if f.pattern == nil {
		return text, false
	}
	var b strings.Builder
	found, from := false, 0
	for at := 0; at < len(text); {
		m := f.pattern.FindStringIndex(text[at:])
		if m == nil {
			break
		}
		start, end := at+m[0], at+m[1]
		if !alone(text, start, end) {
			_, size := utf8.DecodeRuneInString(text[start:])
			at = start + size
			continue
		}
		b.WriteString(text[from:start])
		b.WriteString(Erased)
		found, from, at = true, end, end
	}
	b.WriteString(text[from:])
	return b.String(), found
}

// alone reports whether what stands between two places of a text is no part of a longer word.
func alone(text string, start, end int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:start])
	after, _ := utf8.DecodeRuneInString(text[end:])
	return (start == 0 || !isWord(before)) && (end == len(text) || !isWord(after))
}

// EraseJSON does what Erase does in the texts of a JSON value, but in those under a key for
// which keep returns true. Keys of objects stay.
func (f Finder) EraseJSON(value string, keep func(key string) bool) (string, bool) {
	if f.pattern == nil || value == "" {
		return value, false
	}
	decoder := json.NewDecoder(strings.NewReader(value))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return f.Erase(value) // no JSON after all
	}
	v, found := f.walk(v, keep)
	if !found {
		return value, false
	}
	out, err := json.Marshal(v)
	if err != nil { // cannot be: it was JSON
		return "null", true
	}
	return string(out), true
}

func (f Finder) walk(v any, keep func(key string) bool) (any, bool) {
	changed := false
	switch v := v.(type) {
	case string:
		out, found := f.Erase(v)
		return out, found
	case []any:
		for i := range v {
			out, found := f.walk(v[i], keep)
			v[i], changed = out, changed || found
		}
	case map[string]any:
		for key, inner := range v {
			if keep != nil && keep(key) {
				continue
			}
			out, found := f.walk(inner, keep)
			v[key], changed = out, changed || found
		}
	}
	return v, changed
}

// Called returns the words with those of somebody of this name.
func (w Words) Called(given, family string) Words {
	return Words{
		Sure: tidy(append(slices.Clone(w.Sure), fullNames(given, family)...)),
		Bare: tidy(append(slices.Clone(w.Bare), given, family)),
	}
}

// Without returns the words but those for which others reports that they are somebody else's too.
func (w Words) Without(others func(word string) bool) Words {
	return Words{Sure: slices.DeleteFunc(slices.Clone(w.Sure), others), Bare: slices.DeleteFunc(slices.Clone(w.Bare), others)}
}
