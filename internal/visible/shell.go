package visible

import (
	"regexp"
	"strings"
)

var needsNoQuotes = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./][A-Za-z0-9_@%+=:,./-]*$`)

// Quoted returns an argument of a command, quoted so that it can be copied into a shell.
func Quoted(arg string) string {
	switch {
	case needsNoQuotes.MatchString(arg):
		return arg
	case strings.IndexFunc(arg, func(r rune) bool { return !Rune(r) }) < 0:
		return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
	}
	// Bash, zsh and ksh read this as C does.
	return "$'" + Escaped(strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(arg), "") + "'"
}
