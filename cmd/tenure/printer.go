package main

import (
	"fmt"
	"io"
	"reflect"

	"github.com/tenurehq/tenure/internal/visible"
)

// plain returns a text of one line that may come from outside in a form that is safe on
// a terminal: whatever is not visible is escaped, line ends too.
func plain(s string) string { return visible.Line(s) }

// lines returns a text of several lines in a form that is safe on a terminal.
func lines(s string) string { return visible.Lines(s) }

// painted is a text that is escaped already, and may have a color.
type painted string

// shownArgs returns a line's arguments in a form that is safe on a terminal: every text
// is escaped, whatever its type. Numbers stay numbers, for their verbs.
func shownArgs(args []any) []any {
	shown := make([]any, len(args))
	for i, arg := range args {
		switch arg := arg.(type) {
		case painted:
			shown[i] = string(arg)
		case error:
			shown[i] = lines(arg.Error())
		default:
			if shown[i] = arg; !number(arg) {
				shown[i] = plain(fmt.Sprint(arg))
			}
		}
	}
	return shown
}

// number reports whether an argument is printed as a number. One that has a text of its
// own, such as a duration, is not.
func number(arg any) bool {
	_, text := arg.(fmt.Stringer)
	kind := reflect.ValueOf(arg).Kind()
	return !text && kind >= reflect.Bool && kind <= reflect.Float64
}

// say writes to standard output, for people. Only the format may hold line ends.
func (t terminal) say(format string, args ...any) { printTo(t.out, format, args...) }

// say writes to standard output, for people: not where a program reads it.
func (c *cli) say(format string, args ...any) {
	if c.output == formatTable {
		c.terminal.say(format, args...)
	}
}

// tell writes to standard error, for people. Only the format may hold line ends.
func (t terminal) tell(format string, args ...any) { printTo(t.err, format, args...) }

// printTo writes to people. It ignores an error, since a reader that cannot be reached
// cannot be told about it.
func printTo(w io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(w, format, shownArgs(args)...)
}

// console passes on, escaped, what others (cobra) write to people.
type console struct{ io.Writer }

// Write implements io.Writer.
func (c console) Write(p []byte) (int, error) {
	if _, err := io.WriteString(c.Writer, lines(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// plainJSON escapes in JSON what a terminal does not show.
func plainJSON(text []byte) []byte { return visible.JSON(text) }

// plainYAML escapes in YAML what a terminal does not show and the encoder leaves.
// Scalars that hold it are in double quotes: see writeYAML.
func plainYAML(text []byte) []byte {
	return visible.Replaced(text, func(r rune) string {
		if r > 0xffff {
			return fmt.Sprintf(`\U%08x`, r)
		}
		return fmt.Sprintf(`\u%04x`, r)
	})
}

// quoted returns an argument of a command that somebody may copy into a shell.
func quoted(arg string) string { return visible.Quoted(arg) }
