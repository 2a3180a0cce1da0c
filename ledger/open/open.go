// Package open opens the ledger that a configuration names. Only the mains
// import it: everything else is given a ledger.
package open

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/tenurehq/tenure/internal/checkup"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/postgres"
	"github.com/tenurehq/tenure/ledger/sqlite"
)

// Open opens the ledger at url: "sqlite:PATH" or "postgres://...". A relative path
// is relative to the working directory. The error holds no password.
func Open(ctx context.Context, url string) (ledger.Ledger, error) { return Peppered(ctx, url, nil) }

// Peppered opens a ledger like Open. It gives it the key of the digests by which the names of
// erased people are reserved, without which nobody can be erased, or given a username once
// somebody was.
func Peppered(ctx context.Context, url string, pepper []byte) (ledger.Ledger, error) {
	scheme, rest, _ := strings.Cut(url, ":") // rest may hold a password: never print it
	switch scheme {
	case "sqlite":
		store, err := sqlite.Open(ctx, sqlitePath(rest))
		if err != nil {
			return nil, err // not the store: a nil one in an interface is not nil
		}
		store.SetPepper(pepper)
		return store, nil
	case "postgres", "postgresql":
		store, err := postgres.Open(ctx, url)
		if err != nil {
			return nil, err
		}
		store.SetPepper(pepper)
		return store, nil
	default:
		return nil, fmt.Errorf("ledger: the URL must start with \"sqlite:\", as in \"sqlite:tenure.db\", or with \"postgres://\"")
	}
}

// Exists reports whether there is a ledger at url. Open would make a missing one.
func Exists(ctx context.Context, url string) (bool, error) {
	scheme, rest, _ := strings.Cut(url, ":")
	switch scheme {
	case "sqlite":
		_, err := os.Stat(sqlitePath(rest))
		return !errors.Is(err, fs.ErrNotExist), nil // any other error, Open reports
	case "postgres", "postgresql":
		look, _, err := postgres.LookAt(ctx, url)
		return look.Schema > 0, err
	default:
		return true, nil // Open reports what is wrong
	}
}

// Address returns the address of a ledger without its secrets.
func Address(url string) string {
	scheme, rest, _ := strings.Cut(url, ":")
	switch scheme {
	case "sqlite":
		return sqlitePath(rest)
	case "postgres", "postgresql":
		return postgres.Address(url)
	default:
		return scheme
	}
}

// CheckURL returns an error if url cannot be the address of a ledger. It does not connect.
func CheckURL(url string) error {
	switch scheme, _, _ := strings.Cut(url, ":"); scheme {
	case "postgres", "postgresql":
		return postgres.CheckURL(url)
	default:
		return nil
	}
}

// CheckForm checks a URL like CheckURL, but files that the URL names need not exist.
func CheckForm(url string) error {
	switch scheme, _, _ := strings.Cut(url, ":"); scheme {
	case "postgres", "postgresql":
		return postgres.CheckForm(url)
	default:
		return nil
	}
}

// Check checks the ledger at url without changing it. (Open would make a missing ledger, and
// migrate an old one.)
func Check(ctx context.Context, url string) checkup.Report {
	scheme, rest, _ := strings.Cut(url, ":")
	switch scheme {
	case "sqlite":
		return checkSQLite(ctx, sqlitePath(rest))
	case "postgres", "postgresql":
		return checkPostgres(ctx, url)
	}
	r := checkup.Report{System: "ledger", Address: scheme} // the rest may hold a password
	_, err := Open(ctx, url)                               // which it does not know
	r.Unreached(err)
	return r
}

func checkSQLite(ctx context.Context, path string) checkup.Report {
	r := checkup.Report{System: "ledger", Address: "sqlite:" + path, Identity: "the user who runs this"}
	look, err := sqlite.LookAt(ctx, path)
	if err != nil {
		r.Unreached(err)
		return r
	}
	r.Reached = true
	if look.Missing {
		r.Add("file", checkup.Note, "it is not there yet: starter and worker make it", "if there should be one, check ledger.url")
		return r
	}
	schema(&r, look.Schema, look.Newest)
	return r
}

func checkPostgres(ctx context.Context, url string) checkup.Report {
	look, address, err := postgres.LookAt(ctx, url)
	r := checkup.Report{System: "ledger", Address: address}
	if look.Role != "" {
		r.Identity = "role " + look.Role
	}
	if err != nil {
		r.Unreached(err)
		return r
	}
	r.Reached = true
	r.Add("server", checkup.OK, "PostgreSQL "+look.Version, "")
	if look.Schema == 0 {
		r.Add("tables", checkup.Note, "they are not there yet: starter and worker make them", "if there should be some, check ledger.url")
	} else {
		schema(&r, look.Schema, look.Newest)
	}
	if !look.MayCreate && look.Schema < look.Newest {
		r.Add("rights", checkup.Missing, "the role may not make tables in its schema", "GRANT CREATE, USAGE ON SCHEMA public TO "+look.Role+", or let it own the database")
	}
	if !look.Synced {
		r.Add("fsync", checkup.Missing, "the server does not wait for its disk: what is acknowledged can be lost when its machine crashes", "set fsync = on in postgresql.conf")
	}
	return r
}

func schema(r *checkup.Report, version, newest int64) {
	if version < newest {
		r.Add("schema", checkup.Note, fmt.Sprintf("version %d; starter and worker bring it to %d, after which older ones cannot use it", version, newest),
			"make a backup before the new version starts")
		return
	}
	r.Add("schema", checkup.OK, fmt.Sprintf("version %d, the newest", version), "")
}

// sqlitePath returns the path of sqlite:PATH, also in the form with slashes, in which three
// slashes begin an absolute path.
func sqlitePath(rest string) string { return strings.TrimPrefix(rest, "//") }
