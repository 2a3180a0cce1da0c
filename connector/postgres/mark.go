package postgres

import "strings"

// mark begins the last line of the comment of an account that Tenure created or adopted.
// The person's ID follows; it is empty if the account is nobody's.
const mark = "tenure:"

// parseComment splits a role's comment into the text and the person's ID.
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

// formatComment is the reverse of parseComment. It always writes a marked last line, so
// that a line of the text cannot pass for the mark.
func formatComment(text, personID string) string {
	if text == "" {
		return mark + personID
	}
	return text + "\n" + mark + personID
}
