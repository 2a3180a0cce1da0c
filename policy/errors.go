package policy

import (
	"fmt"
	"strings"

	"github.com/tenurehq/tenure/internal/nearest"
)

// FieldError is something wrong with one field of the rules: found by Compile,
// or by an evaluation that failed for a person. It never holds personal data.
type FieldError struct {
	Path string // as in the configuration: "roles[1].when", "apps.wiki.attributes.title"
	// Line and Column are the place within the expression, both from 1; zero if
	// the field as a whole is meant.
	Line, Column int
	Text         string // what is wrong, and what was perhaps meant
}

func (e *FieldError) Error() string {
	if e.Line == 0 {
		return e.Path + ": " + e.Text
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.Path, e.Line, e.Column, e.Text)
}

// problems collects what is wrong with a set of rules.
type problems []error

func (p *problems) add(path, format string, args ...any) {
	*p = append(*p, &FieldError{Path: path, Text: fmt.Sprintf(format, args...)})
}

// unknownApp reports an app that a field names and the rules do not have.
func (p *problems) unknownApp(path, app string, apps []string) {
	p.add(path, "there is no app %q%s", app, nearest.Hint(app, apps))
}

// runtimeText says why an evaluation failed. CEL's own messages may quote the
// value that was at fault, so only those that cannot are passed on.
func runtimeText(err error) string {
	const failed = "cannot be evaluated for this person"
	// CEL writes "kind: detail", and the detail may be a value.
	kind, _, _ := strings.Cut(err.Error(), ":")
	switch kind {
	case "division by zero", "modulus by zero", "integer overflow", "index out of range",
		"timestamp overflow", "duration overflow", "no such key", "no such overload":
		return failed + ": " + kind
	default:
		return failed
	}
}
