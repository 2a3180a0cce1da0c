// Package open opens the ledger that a configuration names. Only the mains
// import it: everything else is given a ledger.
package open

import (
	"context"
	"fmt"
	"strings"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
)

// Open opens the ledger at url: "sqlite:PATH". A relative path is relative to
// the working directory.
func Open(ctx context.Context, url string) (ledger.Ledger, error) {
	scheme, rest, _ := strings.Cut(url, ":") // rest may hold a password: never print it
	switch scheme {
	case "sqlite":
		store, err := sqlite.Open(ctx, sqlitePath(rest))
		if err != nil {
			return nil, err // not the store: a nil one in an interface is not nil
		}
		return store, nil
	case "postgres", "postgresql":
		return nil, fmt.Errorf("ledger: %s is not yet in this version: use \"sqlite:PATH\"", scheme)
	default:
		return nil, fmt.Errorf("ledger: the URL must start with \"sqlite:\", as in \"sqlite:tenure.db\"")
	}
}

// sqlitePath reads sqlite:PATH, and also the form with slashes, in which three
// of them begin an absolute path.
func sqlitePath(rest string) string { return strings.TrimPrefix(rest, "//") }
