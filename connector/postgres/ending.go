package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/tenurehq/tenure/connector"
)

// RevokeSessions implements connector.Connector. It ends the sessions, and checks that
// they have ended.
func (c *client) RevokeSessions(ctx context.Context, accountID string) error {
	return c.change(ctx, connector.OpRevokeSessions, accountID, func(ctx context.Context, tx pgx.Tx, r role) error {
		return terminate(ctx, tx, connector.OpRevokeSessions, r)
	})
}

func terminate(ctx context.Context, tx pgx.Tx, op string, r role) error {
	const sessions = " FROM pg_stat_activity WHERE usesysid = $1::bigint::oid"
	// Wait up to five seconds for each session: one that runs a statement needs a moment.
	if _, err := tx.Exec(ctx, "SELECT pg_terminate_backend(pid, 5000)"+sessions, int64(r.oid)); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "SELECT pg_stat_clear_snapshot()"); err != nil {
		return err
	}
	var left int
	if err := tx.QueryRow(ctx, "SELECT count(*)"+sessions, int64(r.oid)).Scan(&left); err != nil {
		return err
	}
	if left > 0 {
		return &connector.Error{Kind: connector.KindUnavailable, Op: op, Message: "a session has been told to end and has not yet"}
	}
	return nil
}

// HandOver implements connector.Connector.
func (c *client) HandOver(ctx context.Context, fromAccountID, toAccountID string) error {
	const op = connector.OpHandOver
	var from, to role
	var databases []string
	err := c.server.session(ctx, op, "", func(ctx context.Context, conn *pgx.Conn) (err error) {
		if from, err = byID(ctx, conn, op, fromAccountID); err != nil {
			return err
		}
		if to, err = byID(ctx, conn, op, toAccountID); err != nil {
			return err
		}
		databases, err = elsewhere(ctx, conn, from)
		return err
	})
	if err != nil {
		return err
	}
	for _, database := range append(databases, "") {
		err := c.server.transact(ctx, op, database, func(ctx context.Context, tx pgx.Tx) error {
			return reassign(ctx, tx, from.name, to.name)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Delete implements connector.Connector. If it breaks off before it drops the role, it can
// be repeated.
func (c *client) Delete(ctx context.Context, accountID string) error {
	err := c.delete(ctx, accountID)
	if connector.Is(err, connector.KindNotFound) {
		return nil
	}
	return err
}

func (c *client) delete(ctx context.Context, accountID string) error {
	const op = connector.OpDelete
	if err := c.setLogin(ctx, op, accountID, false); err != nil {
		return err
	}
	var doomed role
	var databases []string
	err := c.change(ctx, op, accountID, func(ctx context.Context, tx pgx.Tx, r role) (err error) {
		doomed = r
		if err := terminate(ctx, tx, op, r); err != nil {
			return err
		}
		databases, err = elsewhere(ctx, tx, r)
		return err
	})
	if err != nil {
		return err
	}
	for _, database := range databases {
		err := c.server.transact(ctx, op, database, func(ctx context.Context, tx pgx.Tx) error {
			return c.dispose(ctx, tx, doomed)
		})
		if err != nil {
			return err
		}
	}
	return c.change(ctx, op, accountID, func(ctx context.Context, tx pgx.Tx, r role) error {
		if err := c.dispose(ctx, tx, r); err != nil {
			return err
		}
		left, err := present(ctx, tx, r)
		if err != nil {
			return err
		}
		if len(left) > 0 {
			return &connector.Error{
				Kind: connector.KindConflict, Op: op,
				Message: fmt.Sprintf("the account can log in no more, but was granted rights, by roles that Tenure is no member of, in %s: run DROP OWNED BY it there as a superuser, and let rights be granted to groups only", strings.Join(left, ", ")),
			}
		}
		return exec(ctx, tx, "DROP ROLE "+quote(r.name))
	})
}

// elsewhere lists the databases, other than the one connected to, in which the
// role owns something or was granted something.
func elsewhere(ctx context.Context, db queryer, r role) ([]string, error) {
	databases, err := present(ctx, db, r)
	if err != nil {
		return nil, err
	}
	var here string
	rows, err := db.Query(ctx, "SELECT current_database()::text")
	if err == nil {
		here, err = pgx.CollectOneRow(rows, pgx.RowTo[string])
	}
	return slices.DeleteFunc(databases, func(name string) bool { return name == here || name == shared }), err
}

// shared stands for the objects that belong to no single database: databases themselves,
// tablespaces, parameters.
const shared = "the cluster as a whole"

// present lists the databases in which the role owns something or was granted
// something.
func present(ctx context.Context, db queryer, r role) ([]string, error) {
	rows, err := db.Query(ctx, `
		SELECT DISTINCT coalesce(b.datname::text, $2::text) FROM pg_shdepend s LEFT JOIN pg_database b ON b.oid = s.dbid
		WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = $1::bigint::oid
			AND s.classid <> 'pg_auth_members'::regclass -- which dropping the role takes along
		ORDER BY 1`, int64(r.oid), shared)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// dispose gives what the role owns in this database to the heir, and revokes what it was
// granted there.
func (c *client) dispose(ctx context.Context, tx pgx.Tx, r role) error {
	heir := c.heir
	if heir == "" {
		if err := tx.QueryRow(ctx, "SELECT session_user::text").Scan(&heir); err != nil {
			return err
		}
	}
	if err := reassign(ctx, tx, r.name, heir); err != nil {
		return err
	}
	return asMember(ctx, tx, []string{r.name}, func() error {
		return exec(ctx, tx, "DROP OWNED BY "+quote(r.name))
	})
}

// reassign gives another role what one role owns: in this database, and among the objects
// that belong to no single database.
func reassign(ctx context.Context, tx pgx.Tx, from, to string) error {
	return asMember(ctx, tx, []string{from, to}, func() error {
		return exec(ctx, tx, "REASSIGN OWNED BY "+quote(from)+" TO "+quote(to))
	})
}

// asMember calls do, which only members of the roles may do. Where Tenure's own role is no
// member, asMember makes it one and takes that back in the same transaction, so that nobody
// else sees it.
func asMember(ctx context.Context, tx pgx.Tx, names []string, do func() error) error {
	rows, err := tx.Query(ctx, "SELECT rolname::text FROM pg_roles WHERE rolname = ANY($1::text[]) AND NOT pg_has_role(session_user, oid, 'USAGE')", names)
	if err != nil {
		return err
	}
	joined, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	if len(joined) > 0 {
		if err := exec(ctx, tx, "GRANT "+quoteAll(joined)+" TO SESSION_USER"); err != nil {
			return err
		}
	}
	if err := do(); err != nil {
		return err
	}
	if len(joined) > 0 {
		return exec(ctx, tx, "REVOKE "+quoteAll(joined)+" FROM SESSION_USER")
	}
	return nil
}
