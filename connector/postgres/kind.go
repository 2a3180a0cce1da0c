package postgres

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/remote"
)

// Kind is the catalog's entry.
var Kind = connector.Kind{
	Name:    "postgres",
	Summary: "the login roles of a PostgreSQL cluster (14 or later)",
	About:   about,
	Settings: []connector.Setting{
		{Name: "url", Type: connector.TypeText, Required: true, Text: "Where to sign in and as whom, without the password: postgres://tenure@db.example.com:5432/postgres. TLS is set by its parameters sslmode (default here: verify-full), sslrootcert, sslcert and sslkey, as in libpq; the files are read anew for each connection."},
		remote.Plaintext,
		{Name: "password", Type: connector.TypeSecret, Text: "Password of that role; none if it signs in with a client certificate."},
		{Name: "grantable", Type: connector.TypeTexts, Text: "Group roles that may be granted: names, or beginnings of names such as app_*. Only a name that is spelled out lets a predefined role (pg_*) be granted; one that is or can become superuser never is, nor one that can log in or is a person's. Default: none."},
		{Name: "heir", Type: connector.TypeText, Text: "Role that comes to own what a deleted account still owns. Default: the one that Tenure signs in as."},
		{Name: "timeout", Type: connector.TypeDuration, Default: 30 * time.Second, Text: "How long one connection's work may take, from connecting to its end."},
	},
	Operations: []connector.Operation{
		{Op: connector.OpFind, Calls: "SELECT from pg_roles and pg_shdescription, by the comment's last line, then by name; or by oid"},
		{Op: connector.OpRead, Calls: "SELECT from pg_roles by oid"},
		{Op: connector.OpCheck, Calls: "SELECT session_user"},
		{Op: connector.OpProbe, Calls: "SELECT from pg_roles, pg_has_role, pg_is_in_recovery"},
		{Op: connector.OpList, Calls: "SELECT from pg_roles by pages of 500"},
		{Op: connector.OpListEntitlements, Calls: "SELECT from pg_roles"},
		{Op: connector.OpCreate, Calls: "CREATE ROLE, COMMENT ON ROLE, ALTER ROLE ... SET, in one transaction"},
		{Op: connector.OpAdopt, Calls: "COMMENT ON ROLE"},
		{Op: connector.OpUpdate, Calls: "COMMENT ON ROLE, ALTER ROLE"},
		{Op: connector.OpRelabel, Calls: "COMMENT ON ROLE, ALTER ROLE ... RENAME TO"},
		{Op: connector.OpGrant, Calls: "GRANT role TO role"},
		{Op: connector.OpRevoke, Calls: "REVOKE role FROM role"},
		{Op: connector.OpDisable, Calls: "ALTER ROLE ... NOLOGIN"},
		{Op: connector.OpEnable, Calls: "ALTER ROLE ... LOGIN"},
		{Op: connector.OpRevokeSessions, Calls: "pg_terminate_backend of each of its sessions"},
		{Op: connector.OpHandOver, Calls: "REASSIGN OWNED in each database in which it has something"},
		{Op: connector.OpResetCredentials, Calls: "ALTER ROLE ... PASSWORD NULL"},
		{Op: connector.OpDelete, Calls: "ALTER ROLE ... NOLOGIN; pg_terminate_backend; REASSIGN OWNED and DROP OWNED in each database in which it has something; DROP ROLE"},
	},
	LongestUsername: maxName,

	Proven: []string{"PostgreSQL 15"},
	AtOnce: 5, // each takes a connection

	Attributes:      attributeNames(),
	OtherAttributes: "`set.PARAMETER`, what a parameter is at login.",
	Foresee:         foresee,

	Connect: connect,
}

const about = "**Rights.** `CREATE ROLE tenure LOGIN CREATEROLE PASSWORD '...'` and `GRANT pg_signal_backend TO tenure`, which ending sessions takes. From PostgreSQL 16 on, CREATEROLE covers only roles that it made: for others, and for the group roles, grant them to it `WITH ADMIN OPTION`. To hand data over it makes itself a member of both roles for the length of that transaction. A superuser's account takes a superuser, which Tenure should not be: such a step fails and says so. `tenure app test NAME` looks whether the rights are there.\n" +
	"\n" +
	"**Accounts** are the roles that can log in, and those that Tenure has marked. Its own role, the one that made the cluster and the predefined ones are none. A new account has no password: it logs in by the company's own means (LDAP, Kerberos, client certificate in pg_hba.conf), or an administrator sets one. A username may have 63 bytes.\n" +
	"\n" +
	"**The person ID** is the last line of the role's comment, `tenure:p-123`. Comments on roles can be read by everybody who can connect.\n" +
	"\n" +
	"**Attributes**: `comment` (the text above that line), `validUntil` (RFC 3339 or a date; PostgreSQL heeds it for passwords only, so that it neither disables nor enables), `connectionLimit` (whole number) and `set.PARAMETER`, what the parameter is at login (`set.statement_timeout`; a list of texts for parameters that are lists, such as `set.search_path`).\n" +
	"\n" +
	"**Adopted accounts** lose their password (`PASSWORD NULL`), unless the operator keeps credentials. PostgreSQL does not keep when a role was made or last used.\n" +
	"\n" +
	"**Disabling** is NOLOGIN, whatever the way of logging in. Sessions that are open go on until they are ended, which Tenure does at once. Prepared transactions, and what the account does through other roles' security-definer functions or scheduled jobs, stay.\n" +
	"\n" +
	"**Deleting** is final. What the account still owns goes to `heir`, in every database of the cluster; what it was granted by Tenure or roles that Tenure is a member of is lost. Rights that somebody else granted to the account itself, and not to a group, are for them or a superuser to take: then the step fails, and names the databases."

func connect(_ context.Context, env connector.Env, settings *connector.Values) (connector.Connector, error) {
	heir := settings.Text("heir")
	if why := unusable(heir); heir != "" && why != "" {
		settings.Reject("heir", why)
	}
	for _, name := range settings.Texts("grantable") {
		if why := unusable(strings.TrimSuffix(name, "*")); name != "*" && why != "" && !strings.HasPrefix(name, "pg_") {
			settings.Reject("grantable", "holds what is no role's name: one "+why)
		}
	}
	return &client{
		server: &server{
			url:      address(settings, env.NoFiles),
			password: settings.Secret("password"),
			timeout:  settings.Duration("timeout"),
			answers:  remote.NewAnswers(),
			pace:     env.Pace,
		},
		grantable: settings.Texts("grantable"),
		heir:      heir,
	}, nil
}

// unencrypted reports whether a connection may be made without TLS, as sslmode
// disable, allow and prefer have it, and to which other machine.
func unencrypted(config *pgx.ConnConfig) (host string, plain bool) {
	tries := append([]*pgconn.FallbackConfig{{Host: config.Host, Port: config.Port, TLSConfig: config.TLSConfig}}, config.Fallbacks...)
	for _, try := range tries {
		network, _ := pgconn.NetworkAddress(try.Host, try.Port)
		if try.TLSConfig == nil && network != "unix" && remote.Exposed(try.Host) {
			return try.Host, true
		}
	}
	return "", false
}

// address reads the url setting. It says sslmode whatever the setting and the
// environment say: a password is not sent to a server that does not show who it is
// unless somebody wrote so.
func address(read *connector.Values, noFiles bool) string {
	parsed, err := url.Parse(read.Text("url"))
	if err != nil || parsed.Scheme != "postgres" && parsed.Scheme != "postgresql" || parsed.Host == "" ||
		parsed.User.Username() == "" || len(parsed.Path) < 2 {
		read.Reject("url", "must have the form postgres://ROLE@HOST:PORT/DATABASE")
		return ""
	}
	query := parsed.Query()
	if _, has := parsed.User.Password(); has || query.Has("password") {
		read.Reject("url", `must hold no password: that is the setting "password"`)
		return ""
	}
	if !query.Has("sslmode") {
		query.Set("sslmode", "verify-full")
		parsed.RawQuery = query.Encode()
	}
	checked := *parsed
	if noFiles {
		for _, file := range []string{"sslrootcert", "sslcert", "sslkey"} {
			query.Del(file)
		}
		checked.RawQuery = query.Encode()
	}
	config, err := pgx.ParseConfig(checked.String())
	if err != nil {
		read.Reject("url", "has a parameter that is not known or cannot be used: check sslmode, and that the files of sslrootcert, sslcert and sslkey can be read")
		return ""
	}
	if host, plain := unencrypted(config); plain && read.Has("password") {
		remote.RejectPlaintext(read, "url", host, "may send the password unencrypted: use sslmode=verify-full")
	}
	return parsed.String()
}
