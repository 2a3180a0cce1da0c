// Package open opens the ledger that a configuration names. Only the mains
// import it: everything else is given a ledger.
package open

import (
	"context"
	"fmt"
	"strings"

	"github.com/tenurehq/tenure/internal/checkup"
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

// Check looks at the ledger at url without changing it: Open would make a missing
// one, and bring an old one up to date.
func Check(ctx context.Context, url string) checkup.Report {
	r := checkup.Report{System: "ledger"}
	scheme, rest, _ := strings.Cut(url, ":")
	r.Address = scheme // the rest may hold a password
	if scheme != "sqlite" {
		_, err := Open(ctx, url) // not in this version: it opens nothing
		r.Unreached(err)
		return r
	}
	path := sqlitePath(rest)
	r.Address, r.Identity = "sqlite:"+path, "the user who runs this"
	look, err := sqlite.LookAt(ctx, path)
	if err != nil {
		r.Unreached(err)
		return r
	}
	r.Reached = true
	switch {
	case look.Missing:
		r.Add("file", checkup.Note, "it is not there yet: starter and worker make it", "if there should be one, check ledger.url")
	case look.Schema < look.Newest:
		r.Add("schema", checkup.Note, fmt.Sprintf("version %d; starter and worker bring it to %d, after which older ones cannot use it", look.Schema, look.Newest),
			"make a backup before the new version starts")
	default:
		r.Add("schema", checkup.OK, fmt.Sprintf("version %d, the newest", look.Schema), "")
	}
	return r
}

// sqlitePath reads sqlite:PATH, and also the form with slashes, in which three
// of them begin an absolute path.
func sqlitePath(rest string) string { return strings.TrimPrefix(rest, "//") }
