package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tenurehq/tenure/connector"
)

// client is the connector.
type client struct {
	connector.Base

	server    *server
	grantable []string // names, or beginnings that end in *
	heir      string   // empty for the role that Tenure signs in as
	pages     connector.Pages[struct{}]
}

var _ connector.Connector = (*client)(nil)

var lastUse = connector.LastUse{Note: "PostgreSQL does not record when a role signed in."}

// Capabilities implements connector.Connector.
func (c *client) Capabilities() connector.Capabilities {
	return connector.Capabilities{
		Create: true, Adopt: true, Update: true, Relabel: true, Disable: true, Reversible: true, Delete: true,
		Entitlements: true, ListEntitlements: true, Sessions: true, ResetCredentials: true, HandOver: true, List: true, Page: true, Probe: true,
		LastUse: lastUse,
	}
}

// Close implements connector.Connector. No connection outlives its call.
func (c *client) Close() error { return nil }

// Check implements connector.Connector.
func (c *client) Check(ctx context.Context) (string, error) {
	var who, where, version string
	err := c.server.session(ctx, connector.OpCheck, "", func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, "SELECT session_user::text, current_database()::text, current_setting('server_version')").Scan(&who, &where, &version)
	})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("role %s in database %s of PostgreSQL %s", who, where, version), nil
}

// owning takes the lock of transactions that change whose a role is, until the transaction
// ends: they run one after the other. The number is random, so that no other program uses
// the same advisory lock.
const owning = "SELECT pg_advisory_xact_lock(7311087623981465)"

// Create implements connector.Connector. The role has no password.
func (c *client) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	const op = connector.OpCreate
	if why := unusable(spec.Username); why != "" {
		return connector.Account{}, connector.Invalid(op, "the username %s", why)
	}
	if err := oneLine(op, spec.PersonID); err != nil {
		return connector.Account{}, err
	}
	statements, comment, err := changes(op, spec.Attributes)
	if err != nil {
		return connector.Account{}, err
	}
	if comment == nil {
		comment = new(string)
	}
	var made role
	err = c.server.transact(ctx, op, "", func(ctx context.Context, tx pgx.Tx) error {
		if err := c.vacant(ctx, tx, spec); err != nil {
			return err
		}
		if err := exec(ctx, tx, "CREATE ROLE "+quote(spec.Username)+" "+login(spec.Active)); err != nil {
			return err
		}
		if err := writeComment(ctx, tx, spec.Username, *comment, spec.PersonID); err != nil {
			return err
		}
		if err := alter(ctx, tx, op, spec.Username, statements); err != nil {
			return err
		}
		found, err := roles(ctx, tx, touchable+"AND r.rolname = $1::text ", spec.Username)
		if err == nil && len(found) != 1 {
			err = gone(op)
		}
		if err == nil {
			made = found[0]
		}
		return err
	})
	if err != nil {
		return connector.Account{}, err
	}
	return made.account(), nil
}

// vacant returns an error if the person has a role already or the name is taken (it ignores
// the case). Until the transaction ends, no other connector can take either.
func (c *client) vacant(ctx context.Context, tx pgx.Tx, spec connector.Spec) error {
	if err := exec(ctx, tx, owning); err != nil {
		return err
	}
	same, err := roles(ctx, tx, ` lower(r.rolname::text COLLATE "default") = lower($1::text) `, spec.Username)
	if err == nil && len(same) == 0 && spec.PersonID != "" {
		same, err = byPerson(ctx, tx, spec.PersonID)
	}
	if err == nil && len(same) > 0 {
		err = &connector.Error{Kind: connector.KindExists, Op: connector.OpCreate, Message: "a role of that name or person is there already"}
	}
	return err
}

func login(active bool) string {
	if active {
		return "LOGIN"
	}
	return "NOLOGIN"
}

// change calls do for a role, in a transaction.
func (c *client) change(ctx context.Context, op, accountID string, do func(context.Context, pgx.Tx, role) error) error {
	return c.server.transact(ctx, op, "", func(ctx context.Context, tx pgx.Tx) error {
		r, err := byID(ctx, tx, op, accountID)
		if err != nil {
			return err
		}
		return do(ctx, tx, r)
	})
}

// Adopt implements connector.Connector.
func (c *client) Adopt(ctx context.Context, accountID, personID string) error {
	const op = connector.OpAdopt
	if err := oneLine(op, personID); err != nil {
		return err
	}
	return c.server.transact(ctx, op, "", func(ctx context.Context, tx pgx.Tx) error {
		if err := exec(ctx, tx, owning); err != nil {
			return err
		}
		r, err := byID(ctx, tx, op, accountID)
		if err != nil {
			return err
		}
		text, owner := parseComment(r.comment)
		if needed, err := connector.Mark(op, owner, personID, "the last line of the role's comment"); err != nil || !needed {
			return err
		}
		if err := hasNoRole(ctx, tx, op, personID); err != nil {
			return err
		}
		return writeComment(ctx, tx, r.name, text, personID)
	})
}

// hasNoRole returns an error if the person has a role already.
func hasNoRole(ctx context.Context, tx pgx.Tx, op, personID string) error {
	others, err := byPerson(ctx, tx, personID)
	if err == nil && len(others) > 0 {
		err = &connector.Error{Kind: connector.KindExists, Op: op, Message: "the person has another role already"}
	}
	return err
}

// Relabel implements connector.Connector. A renamed role keeps its ID and all that it
// owns.
func (c *client) Relabel(ctx context.Context, accountID string, to connector.Label) error {
	const op = connector.OpRelabel
	if err := oneLine(op, to.PersonID); err != nil {
		return err
	}
	return c.server.transact(ctx, op, "", func(ctx context.Context, tx pgx.Tx) error {
		if err := exec(ctx, tx, owning); err != nil {
			return err
		}
		r, err := byID(ctx, tx, op, accountID)
		if err != nil {
			return err
		}
		text, owner := parseComment(r.comment)
		personID, err := to.ExternalID(owner)
		if err != nil {
			return err
		}
		if personID != owner {
			if err := hasNoRole(ctx, tx, op, personID); err != nil {
				return err
			}
			if err := writeComment(ctx, tx, r.name, text, personID); err != nil {
				return err
			}
		}
		return rename(ctx, tx, r, to.Username)
	})
}

// rename gives a role another name, unless that is empty.
func rename(ctx context.Context, tx pgx.Tx, r role, name string) error {
	const op = connector.OpRelabel
	if name == "" || name == r.name {
		return nil
	}
	if why := unusable(name); why != "" {
		return connector.Invalid(op, "the username %s", why)
	}
	same, err := byName(ctx, tx, name)
	if err != nil {
		return err
	}
	if len(same) > 0 {
		return &connector.Error{Kind: connector.KindExists, Op: op, Message: "a role of that name is there already"}
	}
	return exec(ctx, tx, "ALTER ROLE "+quote(r.name)+" RENAME TO "+quote(name))
}

// Update implements connector.Connector.
func (c *client) Update(ctx context.Context, accountID string, attributes map[string]any) error {
	const op = connector.OpUpdate
	statements, comment, err := changes(op, attributes)
	if err != nil {
		return err
	}
	if len(attributes) == 0 {
		return nil
	}
	return c.server.transact(ctx, op, "", func(ctx context.Context, tx pgx.Tx) error {
		if comment != nil {
			if err := exec(ctx, tx, owning); err != nil {
				return err
			}
		}
		r, err := byID(ctx, tx, op, accountID)
		if err != nil {
			return err
		}
		if comment != nil {
			_, owner := parseComment(r.comment)
			if err := writeComment(ctx, tx, r.name, *comment, owner); err != nil {
				return err
			}
		}
		return alter(ctx, tx, op, r.name, statements)
	})
}

// Disable implements connector.Connector. Open sessions go on until RevokeSessions ends
// them.
func (c *client) Disable(ctx context.Context, accountID string) error {
	return c.setLogin(ctx, connector.OpDisable, accountID, false)
}

// Enable implements connector.Connector.
func (c *client) Enable(ctx context.Context, accountID string) error {
	return c.setLogin(ctx, connector.OpEnable, accountID, true)
}

func (c *client) setLogin(ctx context.Context, op, accountID string, active bool) error {
	return c.change(ctx, op, accountID, func(ctx context.Context, tx pgx.Tx, r role) error {
		return exec(ctx, tx, "ALTER ROLE "+quote(r.name)+" "+login(active))
	})
}

// ResetCredentials implements connector.Connector. It removes the role's password. The
// other ways to log in are set in pg_hba.conf, and need no secret that others may know.
func (c *client) ResetCredentials(ctx context.Context, accountID string) error {
	return c.change(ctx, connector.OpResetCredentials, accountID, func(ctx context.Context, tx pgx.Tx, r role) error {
		return exec(ctx, tx, "ALTER ROLE "+quote(r.name)+" PASSWORD NULL")
	})
}
