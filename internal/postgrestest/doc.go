// Package postgrestest helps tests on a real PostgreSQL server: it gives the server's
// address, new databases, and a proxy that behaves badly.
package postgrestest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// Administrator returns the superuser's URL of the server that scripts/test-real started.
func Administrator(t testing.TB) *url.URL {
	t.Helper()
	const name = "TENURE_REAL_POSTGRES_URL"
	text := os.Getenv(name)
	require.NotEmpty(t, text, "%s is not set: run `make test-real`, which starts the server and sets it", name)
	address, err := url.Parse(text)
	require.NoError(t, err)
	return address
}

// Authority returns the file of the certificate that identifies the server as localhost.
func Authority(t testing.TB) string {
	t.Helper()
	const name = "TENURE_REAL_POSTGRES_CA"
	require.NotEmpty(t, os.Getenv(name), "%s is not set: run `make test-real`", name)
	return os.Getenv(name)
}

// Password of the role that owns new databases.
const Password = "p4ss/word@that-nobody:may#see"

// NewDatabase makes a database, owned by a new role that is no superuser, and returns that
// role's URL. The database is dropped when the test ends. Options are added to CREATE
// DATABASE.
func NewDatabase(t testing.TB, options ...string) *url.URL {
	t.Helper()
	address := *Administrator(t)
	name := fmt.Sprintf("ledger_%d", rand.Uint64()) //nolint:gosec // no secret
	Exec(t, &address, `CREATE ROLE `+name+` LOGIN PASSWORD '`+Password+`'`)
	create := `CREATE DATABASE ` + name + ` OWNER ` + name
	for _, o := range options {
		create += " " + o
	}
	Exec(t, &address, create)
	t.Cleanup(func() {
		Exec(t, &address, `DROP DATABASE `+name+` WITH (FORCE)`)
		Exec(t, &address, `DROP ROLE `+name)
	})
	own := address
	own.User, own.Path = url.UserPassword(name, Password), "/"+name
	return &own
}

// Exec runs a statement on a connection of its own.
func Exec(t testing.TB, at *url.URL, statement string) {
	t.Helper()
	ctx := context.Background() // also while the test ends
	conn, err := pgx.Connect(ctx, at.String())
	require.NoError(t, err)
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, statement, pgx.QueryExecModeSimpleProtocol)
	require.NoError(t, err, statement)
}
