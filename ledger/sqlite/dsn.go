package sqlite

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // registers the driver
)

const driverName = "sqlite"

// patience is how long a process waits for another one that is writing before
// it gives up. A write takes milliseconds: only a stopped process or a foreign
// tool holds the file for longer.
const patience = time.Minute

// readDSN returns the data source name of connections that cannot write.
func readDSN(path string) string {
	return dsn(path, url.Values{
		"_busy_timeout": {fmt.Sprint(patience.Milliseconds())},
		"_query_only":   {"1"},
	})
}

// writeDSN returns the data source name of connections whose commits are on the disk when
// they return (synchronous=FULL).
func writeDSN(path string) string {
	return dsn(path, url.Values{
		"_busy_timeout": {fmt.Sprint(patience.Milliseconds())},
		"_synchronous":  {"FULL"},
		"_foreign_keys": {"1"},
		"_txlock":       {"immediate"},
		"_pragma":       {"journal_size_limit(67108864)", "secure_delete(on)"}, // what is erased is overwritten
	})
}

// dsn returns a file URI, in which the path may have any character.
func dsn(path string, query url.Values) string {
	abs, err := filepath.Abs(path)
	if err != nil { // no working directory: the open fails and says so
		abs = path
	}
	slashed := filepath.ToSlash(abs)
	if !strings.HasPrefix(slashed, "/") { // C:/...
		slashed = "/" + slashed
	}
	query.Set("_dqs", "0")
	u := url.URL{Scheme: "file", Path: slashed, RawQuery: query.Encode()}
	return u.String()
}

// checkPath explains what SQLite itself would only call "unable to open".
func checkPath(path string) error {
	if path == "" || path == ":memory:" {
		return fmt.Errorf("ledger %q: not a file: give the path of a file, since processes share it", path)
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("ledger %s: not a regular file: give the path of a file", path)
	}
	dir := filepath.Dir(path)
	switch info, err := os.Stat(dir); {
	case os.IsNotExist(err):
		return fmt.Errorf("ledger %s: no directory %s: create it, or give another path", path, dir)
	case err != nil:
		return fmt.Errorf("ledger %s: %w", path, err)
	case !info.IsDir():
		return fmt.Errorf("ledger %s: %s is not a directory: give another path", path, dir)
	}
	return nil
}
