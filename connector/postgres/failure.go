package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/remote"
)

// meaning holds what a SQLSTATE means for the caller. Errors never repeat the server's own
// message: it may name a role.
type meaning struct {
	kind   connector.ErrorKind
	advice string
}

const lacksRight = "the role that Tenure signs in as lacks a right: it needs CREATEROLE, pg_signal_backend for ending sessions and, from PostgreSQL 16 on, ADMIN OPTION on roles that it did not make; a superuser's account takes a superuser"

// meanings holds the meanings by SQLSTATE, or by its first two characters, the class. See
// PostgreSQL's appendix A, PostgreSQL Error Codes.
var meanings = map[string]meaning{
	"08":    {connector.KindUnavailable, "the connection broke"},
	"0A":    {connector.KindUnsupported, "this server does not offer that"},
	"0LP01": {connector.KindInvalid, "the roles are members of each other already, the other way round"},
	"22":    {connector.KindInvalid, "it refuses a value: check the attribute mappings"},
	"23505": {connector.KindExists, "there is such a role already"},
	"25006": {connector.KindUnavailable, "it is a standby, which takes no changes: let the url name the primary (or several hosts and target_session_attrs=read-write)"},
	"28":    {connector.KindUnauthorized, "it refuses the sign-in: check the password, the role in the url and pg_hba.conf"},
	"2B":    {connector.KindConflict, "something still depends on the account: look at what it owns and was granted"},
	"3D000": {connector.KindInvalid, "there is no such database: check the url setting"},
	"40":    {connector.KindUnavailable, "somebody else changed the same meanwhile"},
	"42501": {connector.KindForbidden, lacksRight},
	"42602": {connector.KindInvalid, "it refuses the name"},
	"42622": {connector.KindInvalid, "the name is too long"},
	"42704": {connector.KindUnavailable, "what it was about changed its name or went meanwhile"},
	"42710": {connector.KindExists, "there is such a role already"},
	"42939": {connector.KindInvalid, "the name is reserved"},
	"53":    {connector.KindUnavailable, "it is short of connections, memory or disk"},
	"55":    {connector.KindUnavailable, "what it was about is in use"},
	"57":    {connector.KindUnavailable, "it is starting or stopping, or gave up waiting"},
	"58":    {connector.KindUnavailable, "it has a problem of its own"},
	"XX":    {connector.KindUnavailable, "it has a problem of its own, or somebody else changed the same meanwhile"},
}

// stateError is the SQLSTATE of a server's error. The connector keeps nothing else of it.
type stateError string

func (s stateError) Error() string { return "SQLSTATE " + string(s) }

// failure returns any error as a *connector.Error. ctx is the caller's context.
func (s *server) failure(ctx context.Context, op string, err error) error {
	var known *connector.Error
	var refused *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case remote.Ended(ctx) != nil:
		return &connector.Error{
			Kind: connector.KindUnavailable, Op: op, Cause: remote.Ended(ctx),
			Message: remote.WhyUnanswered(ctx, err, "the server", s.timeout),
		}
	case errors.As(err, &known):
		return known
	case errors.As(err, &refused):
		m, ok := meanings[refused.Code]
		if !ok {
			m, ok = meanings[refused.Code[:min(2, len(refused.Code))]]
		}
		if !ok {
			m = meaning{connector.KindInvalid, "the server refused the statement"}
		}
		cause := stateError(refused.Code)
		return &connector.Error{Kind: m.kind, Op: op, Cause: cause, Message: fmt.Sprintf("the server answered %s: %s", cause, m.advice)}
	case strings.Contains(err.Error(), "refused TLS"): // pgconn has no name for it
		return connector.Invalid(op, "the server does not speak TLS: switch it on there, or set sslmode in the url")
	default:
		return &connector.Error{Kind: connector.KindUnavailable, Op: op, Message: remote.WhyUnanswered(ctx, err, "the server", s.timeout)}
	}
}

// state returns the SQLSTATE of an error; empty if the server gave none.
func state(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

func gone(op string) error {
	return &connector.Error{Kind: connector.KindNotFound, Op: op, Message: "the cluster has no such role"}
}
