package postgres

import (
	"context"
	"crypto/tls"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tenurehq/tenure/ledger"
)

// advice holds what an operator can do, by SQLSTATE or by its class, which is the first two
// characters. See PostgreSQL's appendix A, PostgreSQL Error Codes.
var advice = map[string]string{
	"25006": "takes no changes, it is a standby: let the URL name the primary, or all hosts",
	"28":    "refuses the sign-in: check role and password in the URL, and pg_hba.conf",
	"3D000": "does not exist: create the database, or check the URL",
	"3F000": "has no such schema: create it, or check search_path in the URL",
	"42501": "does not let the role do that: it needs CREATE and USAGE on the schema, and has to own the tables: see docs/ledger.md",
	"42P01": "has lost a table: stop Tenure and restore the last backup",
	"42703": "has lost a column: stop Tenure and restore the last backup",
	"53100": "has no room on its disk: free some space, nothing that was acknowledged is lost",
	"53300": "takes no more connections: raise max_connections, or lower pool_max_conns in the URL",
	"58030": "has a disk that fails: see the server's log, nothing that was acknowledged is lost",
	"XX001": "is damaged: stop Tenure and restore the last backup",
	"XX002": "has a damaged index: see the server's log, and REINDEX",
}

// passing holds the SQLSTATEs, or their classes, of errors that another try may mend.
var passing = map[string]bool{
	"08":    true, // the connection
	"25006": true, // the server is a standby, for a moment after a failover
	"40001": true, // serialization
	"40P01": true, // deadlock
	"53300": true, // too many connections
	"57P01": true, // shutting down, or somebody ended the session
	"57P02": true, // crashed
	"57P03": true, // starting
	"25P03": true, // the server ended the session because it was idle in a transaction
}

// refusing holds the SQLSTATE classes of data that the server can never keep.
var refusing = map[string]bool{
	"22": true, // data: a text with a NUL character, or that is not UTF-8
	"23": true, // a constraint
	"54": true, // a limit: an index has no room for a text
}

// transient reports whether another try may succeed.
func transient(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	if code := state(err); code != "" {
		return passing[code] || passing[code[:2]]
	}
	return unanswered(err) && !wrongTLS(err)
}

// unanswered reports whether no server has answered.
func unanswered(err error) bool {
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, pgconn.ErrConnClosed) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || pgconn.Timeout(err) {
		return true
	}
	if _, ok := errors.AsType[*unansweredError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	_, ok := errors.AsType[net.Error](err)
	return ok
}

// explain adds the database's address and what to do to an error.
func (a *address) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ledger.ErrNotFound), errors.Is(err, ledger.ErrStale), errors.Is(err, context.Canceled):
		return err
	case transient(err):
		return fmt.Errorf("ledger %s: %w: %s: %w", a, ledger.ErrUnreachable, whyNotReached(err), err)
	case errors.Is(err, context.DeadlineExceeded):
		return err
	}
	if what := advised(err); what != "" {
		return fmt.Errorf("ledger %s %s: %w", a, what, err)
	}
	if code := state(err); code != "" && refusing[code[:2]] {
		return fmt.Errorf("ledger %s: %w: %w", a, ledger.ErrRefused, err)
	}
	return fmt.Errorf("ledger %s: %w", a, err)
}

func whyNotReached(err error) string {
	if what := advised(err); what != "" {
		return "it " + what
	}
	return "see that the server is up, and that nothing on the way to it stops connections"
}

// advised returns what an operator can do about the error, or "".
func advised(err error) string {
	if wrongTLS(err) {
		return "does not show a certificate that is trusted: check sslmode, sslrootcert and the host in the URL (a server without TLS needs sslmode=disable)"
	}
	code := state(err)
	if what, ok := advice[code]; ok || code == "" {
		return what
	}
	return advice[code[:2]]
}

// wrongTLS reports whether the server answers, but does not prove the identity that the URL
// requires.
func wrongTLS(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	return strings.Contains(err.Error(), "refused TLS") // pgconn has no name for it
}
