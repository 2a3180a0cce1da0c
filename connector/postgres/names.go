package postgres

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// maxName is NAMEDATALEN - 1. The server would cut off a longer name, which may then be the
// name of another role.
const maxName = 63 // bytes

// unusable returns why a role cannot have this name, or "" if it can. The text completes a
// sentence such as "the username ...".
func unusable(name string) string {
	switch {
	case name == "":
		return "is empty"
	case len(name) > maxName:
		return fmt.Sprintf("is longer than the %d bytes that PostgreSQL gives a role's name", maxName)
	case strings.HasPrefix(name, "pg_"), name == "public", name == "none":
		return "is a name that PostgreSQL reserves (pg_*, public, none)"
	case strings.ContainsRune(name, 0):
		return "holds a NUL"
	default:
		return ""
	}
}

// quote returns a name as SQL needs it.
func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quote(name)
	}
	return strings.Join(quoted, ", ")
}
