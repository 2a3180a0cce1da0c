// Package postgres is the connector for the login roles of a PostgreSQL cluster:
// an account is a role, its entitlements are the group roles that it is a member
// of. It imports the connector contract, and pgx to speak with the server.
//
// An account's ID is its role's oid, which outlives renaming. The person's ID is
// the last line of the role's comment ("tenure:p-123"); whatever is above it is
// the attribute "comment". Both stand in pg_shdescription, so that making an
// account and marking it as somebody's is one transaction.
//
// Each call is a connection of its own, signed in with the password as it is then:
// calls are few, and a server that was restarted or failed over leaves nothing
// stale behind. Names become SQL by pgx.Identifier and texts as parameters, which
// pgx quotes itself where a statement cannot have parameters; nothing else does.
package postgres
