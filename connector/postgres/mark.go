package postgres

import "strings"

// mark begins the last line of the comment of an account that Tenure made or
// adopted. The person's ID follows; none if it is nobody's.
const mark = "tenure:"

// parseComment takes a role's comment apart.
func parseComment(comment string) (text, personID string) {
	text, last := "", comment
	if i := strings.LastIndexByte(comment, '\n'); i >= 0 {
		text, last = comment[:i], comment[i+1:]
	}
	if person, ok := strings.CutPrefix(last, mark); ok {
		return text, person
	}
	return comment, ""
}

// formatComment is the reverse of parseComment. There is always a last line, so that no
// text above it can pass for one.
func formatComment(text, personID string) string {
	if text == "" {
		return mark + personID
	}
	return text + "\n" + mark + personID
}
