package privacy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/privacy"
)

var ada = privacy.WordsOf([]hr.Event{
	{Profile: &hr.Profile{GivenName: "Ada", FamilyName: "O'Brien-Łukasz", PreferredName: `"Z"`, WorkEmail: "ada@example.com", Phone: "+49 (30) 1"}},
	{},
}, []string{"aobrien", "x17"}, []string{"ada.old@example.com"}, []string{"uid=ada,ou=x", "4711"})

func TestWordsThatTellWhoSomebodyIs(t *testing.T) {
	for _, word := range []string{"Ada O'Brien-Łukasz", "O'Brien-Łukasz, Ada", "ada@example.com", "ada.old@example.com", "+49 (30) 1", "Ada.O'Brien-Łukasz", "ada.old", "uid=ada,ou=x"} {
		assert.Contains(t, ada.Sure, word)
	}
	assert.Equal(t, []string{"O'Brien-Łukasz", "aobrien", `"Z"`, "Ada", "x17"}, ada.Bare)
}

func TestWordsAreErasedWhereTheyStandAlone(t *testing.T) {
	sure, all := privacy.NewFinder(ada.Sure), privacy.NewFinder(append(ada.Sure, ada.Bare...))
	for _, c := range []struct {
		finder     privacy.Finder
		text, want string
	}{
		{sure, "as ADA o'brien-łUKASZ has", "as [erased] has"},
		{sure, "Ada and the Adapter, ada@example.communal", "Ada and the Adapter, ada@example.communal"},
		{sure, "<ada@example.com>;ada@example.com", "<[erased]>;[erased]"},
		{sure, "call +49 (30) 1!", "call [erased]!"},
		{sure, "call +49 (30) 12", "call +49 (30) 12"},
		{all, "Ada's: Canada, ada x17", "[erased]'s: Canada, [erased] [erased]"},
		{all, "", ""},
		{privacy.NewFinder(nil), "Ada", "Ada"},
		{privacy.NewFinder([]string{"Zo", privacy.Erased, "..."}), "Zo [erased] ...", "Zo [erased] ..."},
	} {
		got, found := c.finder.Erase(c.text)
		assert.Equal(t, c.want, got)
		assert.Equal(t, c.text != c.want, found)
	}
}

func TestJSONIsErasedInItsTexts(t *testing.T) {
	finder := privacy.NewFinder(ada.Sure)
	keep := func(key string) bool { return key == "mine" }
	got, found := finder.EraseJSON(`{"a":["x\nAda O'Brien-\u0141ukasz",1234567890123456789],"mine":"ada@example.com"}`, keep)
	assert.True(t, found)
	assert.JSONEq(t, `{"a":["x\n[erased]",1234567890123456789],"mine":"ada@example.com"}`, got)
	assert.Contains(t, got, "1234567890123456789")
	same := `{ "a" : "nobody" }`
	got, found = finder.EraseJSON(same, nil)
	assert.False(t, found)
	assert.Equal(t, same, got)
	got, found = finder.EraseJSON("no json of ada@example.com", nil)
	assert.True(t, found)
	assert.Equal(t, "no json of [erased]", got)
}

// Every text in which something is erased matches a pattern by which the ledger looks for it, and
// nothing is found in what is left.
func TestWhatIsErasedIsLookedFor(t *testing.T) {
	letters := rapid.SampledFrom([]rune("aAbBkKsSßéÉıİ .,'-\"\\@+1ſK"))
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringOfN(letters, 3, 8, -1), 1, 4).Draw(t, "words")
		text := rapid.StringOfN(letters, 0, 8, -1).Draw(t, "before") + " " + words[0] + " " + rapid.StringOfN(letters, 0, 8, -1).Draw(t, "after")
		if rapid.Bool().Draw(t, "upper") {
			text = strings.ToUpper(text)
		}
		finder := privacy.NewFinder(words)
		left, found := finder.Erase(text)
		if found {
			assert.True(t, matches(finder.Likes(), text), "%q in %q", finder.Likes(), text)
		}
		_, again := finder.Erase(left)
		assert.False(t, again, "%q", left)
	})
}

// matches does what databases do: lower() of ASCII letters only, and LIKE.
func matches(patterns []string, text string) bool {
	lower := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
	for _, p := range patterns {
		if like([]rune(p), []rune(lower)) {
			return true
		}
	}
	return false
}

func like(p, s []rune) bool {
	switch {
	case len(p) == 0:
		return len(s) == 0
	case p[0] == '%':
		return like(p[1:], s) || len(s) > 0 && like(p, s[1:])
	case len(s) == 0:
		return false
	case p[0] == '_' || p[0] == s[0]:
		return like(p[1:], s[1:])
	}
	return false
}

func TestEveryTableIsDescribedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, h := range privacy.Ledger {
		assert.False(t, seen[h.Table], h.Table)
		seen[h.Table] = true
		for _, text := range []string{h.What, h.From, h.For, h.Until} {
			assert.NotEmpty(t, text)
		}
	}
	_, known := privacy.Of("nothing")
	assert.False(t, known)
}
