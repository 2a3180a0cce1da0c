package postgres

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/tenurehq/tenure/connector"
)

// Grant implements connector.Connector.
func (c *client) Grant(ctx context.Context, accountID string, names []string) error {
	if len(names) == 0 {
		return nil
	}
	const op = connector.OpGrant
	var refused error // of one group: the others are still granted
	err := c.change(ctx, op, accountID, func(ctx context.Context, tx pgx.Tx, r role) error {
		groups, err := c.groups(ctx, tx)
		if err != nil {
			return err
		}
		for _, name := range names {
			err := c.grant(ctx, tx, name, groups, r)
			switch {
			case connector.Is(err, connector.KindInvalid):
				refused = err
			case err != nil:
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return refused
}

func (c *client) grant(ctx context.Context, tx pgx.Tx, name string, groups []string, to role) error {
	const op = connector.OpGrant
	if !slices.Contains(groups, name) {
		return connector.Invalid(op, "role %q cannot be granted: make it, as a group (NOLOGIN, no superuser), and name it in the setting grantable", name)
	}
	// In a savepoint: a refusal undoes this grant only.
	err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
		return exec(ctx, tx, "GRANT "+quote(name)+" TO "+quote(to.name))
	})
	if s := state(err); s == "42501" || s == "0LP01" {
		return &connector.Error{
			Kind: connector.KindInvalid, Op: op, Cause: stateError(s),
			Message: fmt.Sprintf("the server answered SQLSTATE %s: it does not let us grant role %q: %s", s, name, meanings[s].advice),
		}
	}
	return err
}

// Revoke implements connector.Connector. It revokes any membership, also one that the
// setting grantable does not name: revoking is safe.
func (c *client) Revoke(ctx context.Context, accountID string, names []string) error {
	if len(names) == 0 {
		return nil
	}
	const op = connector.OpRevoke
	err := c.change(ctx, op, accountID, func(ctx context.Context, tx pgx.Tx, r role) error {
		taken := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !slices.Contains(r.groups, name) })
		if len(taken) == 0 {
			return nil
		}
		if err := exec(ctx, tx, "REVOKE "+quoteAll(taken)+" FROM "+quote(r.name)); err != nil {
			return err
		}
		left, err := byID(ctx, tx, op, accountID)
		if err != nil {
			return err
		}
		for _, name := range taken {
			if slices.Contains(left.groups, name) { // since PostgreSQL 16, REVOKE takes only what its own role granted
				return &connector.Error{
					Kind: connector.KindForbidden, Op: op,
					Message: fmt.Sprintf("role %q was granted by another role as well: revoke it as that one (REVOKE ... GRANTED BY)", name),
				}
			}
		}
		return nil
	})
	if connector.Is(err, connector.KindNotFound) {
		return nil
	}
	return err
}

// Entitlements implements connector.Connector.
func (c *client) Entitlements(ctx context.Context) iter.Seq2[connector.Entitlement, error] {
	return func(yield func(connector.Entitlement, error) bool) {
		var names []string
		err := c.server.session(ctx, connector.OpListEntitlements, "", func(ctx context.Context, conn *pgx.Conn) (err error) {
			names, err = c.groups(ctx, conn)
			return err
		})
		if err != nil {
			yield(connector.Entitlement{}, err)
			return
		}
		for _, name := range names {
			if !yield(connector.Entitlement{Name: name, Kind: connector.Group}, nil) {
				return
			}
		}
	}
}

// groups returns the names of the roles that may be granted, sorted. It leaves out roles
// that are accounts, and those from which SET ROLE leads to a superuser.
func (c *client) groups(ctx context.Context, db queryer) ([]string, error) {
	rows, err := db.Query(ctx, `
		SELECT r.rolname::text FROM pg_roles r LEFT JOIN pg_shdescription d ON d.objoid = r.oid AND d.classoid = 'pg_authid'::regclass
		WHERE NOT r.rolcanlogin AND NOT`+isMarked+`
			AND NOT EXISTS (SELECT FROM pg_roles s WHERE s.rolsuper AND pg_has_role(r.oid, s.oid, 'MEMBER'))
		ORDER BY r.rolname`)
	if err != nil {
		return nil, err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return slices.DeleteFunc(names, func(name string) bool { return !c.mayGrant(name) }), err
}

// mayGrant reports whether the setting grantable allows a role.
func (c *client) mayGrant(name string) bool {
	return slices.ContainsFunc(c.grantable, func(allowed string) bool {
		beginning, isPattern := strings.CutSuffix(allowed, "*")
		if !isPattern {
			return name == allowed
		}
		return strings.HasPrefix(name, beginning) && !strings.HasPrefix(name, "pg_")
	})
}
