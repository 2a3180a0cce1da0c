package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/tenurehq/tenure/connector"
)

// role holds an account as PostgreSQL's catalogs show it.
type role struct {
	oid        uint32
	name       string
	comment    string
	login      bool
	limit      int64   // -1: none
	validUntil *string // RFC 3339 in UTC
	settings   []string
	groups     []string
}

// columns selects the columns that roles reads. "r" is the role, "d" its comment. Lists are
// JSON: for an array, pgx would allocate the length that the server claims.
const columns = `
SELECT r.oid, r.rolname::text, coalesce(d.description, ''), r.rolcanlogin, r.rolconnlimit::bigint,
	CASE WHEN isfinite(r.rolvaliduntil) THEN to_char(r.rolvaliduntil AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') END,
	coalesce(to_json(r.rolconfig)::text, '[]'),
	to_json(ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid))::text
FROM pg_roles r LEFT JOIN pg_shdescription d ON d.objoid = r.oid AND d.classoid = 'pg_authid'::regclass
`

// Conditions on "r" and "d". The first superuser and the predefined roles, which initdb
// creates, have oids below 16384 (FirstNormalObjectId).
const (
	touchable = ` r.oid >= 16384 AND r.rolname <> session_user `
	isMarked  = ` coalesce(d.description, '') ~ E'(^|\n)tenure:[^\n]*$' `
	isAccount = touchable + `AND (r.rolcanlogin OR` + isMarked + `)`
)

// queryer is a connection or a transaction.
type queryer interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// roles returns the roles for which the condition holds, in the order of their oids. It
// fails if there are more than maxMatches.
func roles(ctx context.Context, db queryer, where string, args ...any) ([]role, error) {
	return atMost(ctx, maxMatches, db, where, args...)
}

func atMost(ctx context.Context, most int, db queryer, where string, args ...any) ([]role, error) {
	rows, err := db.Query(ctx, columns+"WHERE"+where+"ORDER BY r.oid", args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []role
	for rows.Next() {
		if len(found) == most {
			return nil, errTooMany
		}
		r, err := scan(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	return found, rows.Err()
}

func scan(row pgx.Row) (role, error) {
	var r role
	var settings, groups string
	if err := row.Scan(&r.oid, &r.name, &r.comment, &r.login, &r.limit, &r.validUntil, &settings, &groups); err != nil {
		return role{}, err
	}
	if err := json.Unmarshal([]byte(settings), &r.settings); err != nil {
		return role{}, err
	}
	if err := json.Unmarshal([]byte(groups), &r.groups); err != nil {
		return role{}, err
	}
	slices.Sort(r.groups)
	r.groups = slices.Compact(r.groups) // since PostgreSQL 16, several roles may grant the same one
	return r, nil
}

// byID returns the role with an account ID. If there is none, it fails as KindNotFound.
func byID(ctx context.Context, db queryer, op, accountID string) (role, error) {
	oid, err := strconv.ParseUint(accountID, 10, 32)
	if err != nil {
		return role{}, gone(op)
	}
	found, err := roles(ctx, db, touchable+"AND r.oid = $1::bigint::oid ", int64(oid))
	if err != nil {
		return role{}, err
	}
	if len(found) == 0 {
		return role{}, gone(op)
	}
	return found[0], nil
}

func byPerson(ctx context.Context, db queryer, personID string) ([]role, error) {
	return roles(ctx, db, touchable+`AND (d.description = $1::text OR right(d.description, length($1::text) + 1) = E'\n' || $1::text) `, mark+personID)
}

func byName(ctx context.Context, db queryer, name string) ([]role, error) {
	return roles(ctx, db, isAccount+`AND lower(r.rolname::text COLLATE "default") = lower($1::text) `, name)
}

// account returns a role as a connector.Account.
func (r role) account() connector.Account {
	text, person := parseComment(r.comment)
	attributes := map[string]any{}
	if text != "" {
		attributes[attributeComment] = text
	}
	if r.limit >= 0 {
		attributes[attributeLimit] = r.limit
	}
	if r.validUntil != nil {
		attributes[attributeValidUntil] = *r.validUntil
	}
	for _, setting := range r.settings {
		name, value, _ := strings.Cut(setting, "=")
		attributes[attributeSet+name] = value
	}
	account := connector.Account{
		ID: strconv.FormatUint(uint64(r.oid), 10), Username: r.name, ExternalID: person, Active: r.login,
		Attributes: attributes,
	}
	if len(r.groups) > 0 {
		account.Entitlements = r.groups
	}
	return account
}

// Find implements connector.Connector.
func (c *client) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	if keys == (connector.Keys{}) {
		return nil, nil
	}
	var matches []connector.Match
	err := c.server.session(ctx, connector.OpFind, "", func(ctx context.Context, conn *pgx.Conn) (err error) {
		matches, err = find(ctx, conn, keys)
		return err
	})
	return matches, err
}

func find(ctx context.Context, db queryer, keys connector.Keys) ([]connector.Match, error) {
	if keys.AccountID != "" {
		r, err := byID(ctx, db, connector.OpFind, keys.AccountID)
		return connector.FoundByID(r.account(), err)
	}
	var matches []connector.Match
	if keys.PersonID != "" {
		found, err := byPerson(ctx, db, keys.PersonID)
		for _, r := range found {
			matches = append(matches, connector.Match{Account: r.account(), By: connector.ByExternalID})
		}
		if err != nil || len(matches) > 0 {
			return matches, err
		}
	}
	if keys.Username == "" {
		return nil, nil
	}
	found, err := byName(ctx, db, keys.Username)
	for _, r := range found {
		account := r.account()
		if keys.PersonID == "" || account.ExternalID == "" {
			matches = append(matches, connector.Match{Account: account, By: connector.ByUsername})
		}
	}
	return matches, err
}

// Read implements connector.Connector.
func (c *client) Read(ctx context.Context, accountID string) (connector.Account, error) {
	var r role
	err := c.server.session(ctx, connector.OpRead, "", func(ctx context.Context, conn *pgx.Conn) (err error) {
		r, err = byID(ctx, conn, connector.OpRead, accountID)
		return err
	})
	if err != nil {
		return connector.Account{}, err
	}
	return r.account(), nil
}

// List implements connector.Connector.
func (c *client) List(ctx context.Context) iter.Seq2[connector.Account, error] {
	return c.pages.List(ctx)
}

// Page implements connector.Connector. A token is the last OID of the page before, so that it is
// good for ever, and no role is missed that was there all the time.
func (c *client) Page(ctx context.Context, token string) (connector.Page, error) {
	return c.pages.Page(ctx, token)
}

// fetch reads a page of roles. No connection stays open while the caller handles them.
func (c *client) fetch(ctx context.Context, op, token string, _ struct{}) (connector.Page, error) {
	const size = 500
	after, err := strconv.ParseUint(cmp.Or(token, "0"), 10, 32)
	if err != nil {
		return connector.Page{}, connector.NoSuchPage(op)
	}
	var found []role
	err = c.server.session(ctx, op, "", func(ctx context.Context, conn *pgx.Conn) (err error) {
		found, err = atMost(ctx, size, conn, ` r.oid IN (
			SELECT r.oid FROM pg_roles r LEFT JOIN pg_shdescription d ON d.objoid = r.oid AND d.classoid = 'pg_authid'::regclass
			WHERE`+isAccount+`AND r.oid > $1::bigint::oid ORDER BY r.oid LIMIT $2::bigint) `, int64(after), int64(size))
		return err
	})
	listed := connector.Page{Total: -1}
	for _, r := range found {
		listed.Accounts = append(listed.Accounts, r.account())
	}
	if err == nil && len(found) == size {
		listed.Next = strconv.FormatUint(uint64(found[size-1].oid), 10)
	}
	return listed, err
}
