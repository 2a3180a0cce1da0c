package postgres

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestParseComment(t *testing.T) {
	for comment, want := range map[string][2]string{
		"":                            {"", ""},
		"a person":                    {"a person", ""},
		"tenure:p-1":                  {"", "p-1"},
		"tenure:":                     {"", ""},
		"a person\ntenure:p-1":        {"a person", "p-1"},
		"tenure:p-2\ntenure:p-1":      {"tenure:p-2", "p-1"},
		"tenure:p-2\nand more":        {"tenure:p-2\nand more", ""},
		"sees to tenure:p-1":          {"sees to tenure:p-1", ""},
		"a person\n\ntenure:p-1 of x": {"a person\n", "p-1 of x"},
	} {
		text, person := parseComment(comment)
		assert.Equal(t, want, [2]string{text, person}, comment)
	}
}

// Whatever the text above the last line, the account stays the same person's.
func TestNoTextPassesForAMark(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{"tenure:", "\n", "p-2", "é"})).Draw(t, "text"), "")
		person := rapid.SampledFrom([]string{"", "p-1"}).Draw(t, "person")
		gotText, gotPerson := parseComment(formatComment(text, person))
		assert.Equal(t, text, gotText)
		assert.Equal(t, person, gotPerson)
	})
}
