// Package postgres is the connector for the login roles of a PostgreSQL cluster:
// an account is a role, its entitlements are the group roles that it is a member
// of. It imports the connector contract, pgx to speak with the server, and
// internal/remote to bound what the server sends.
//
// An account's ID is its role's oid, which outlives renaming. The person's ID is
// in the last line of the role's comment ("tenure:p-123"); the lines above it are
// the attribute "comment". pg_shdescription holds both, so that creating an
// account and marking it as somebody's is one transaction.
//
// Each call opens a connection of its own and signs in with the current password:
// calls are few, and no connection is stale after a restart or a failover of the
// server. Names get into SQL by pgx.Identifier, and texts as parameters, which pgx
// quotes itself where a statement cannot have parameters. Nothing else gets into SQL.
package postgres
