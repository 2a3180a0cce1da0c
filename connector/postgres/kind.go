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

// Kind describes this kind of app for the catalog.
var Kind = connector.Kind{
	Name:    "postgres",
	Summary: "the login roles of a PostgreSQL cluster (14 or later)",
	About:   about,
	Settings: []connector.Setting{
		{Name: "url", Type: connector.TypeText, Required: true, Text: "Where to sign in and as whom, without the password: postgres://tenure@db.example.com:5432/postgres. TLS is set by its parameters sslmode (default here: verify-full), sslrootcert, sslcert and sslkey, as in libpq; the files are read again for each connection."},
		remote.Plaintext,
		{Name: "password", Type: connector.TypeSecret, Text: "Password of that role. Leave it out if the role signs in with a client certificate."},
		{Name: "grantable", Type: connector.TypeTexts, Text: "Group roles that may be granted: names, or beginnings of names such as app_*. A predefined role (pg_*) can be granted only if its whole name is listed. Never granted are roles that are or can become superuser, that can log in, or that belong to a person. Default: none."},
		{Name: "heir", Type: connector.TypeText, Text: "Role that gets what a deleted account still owns. Default: the role that Tenure signs in as."},
		{Name: "timeout", Type: connector.TypeDuration, Default: 30 * time.Second, Text: "How long one connection's work may take, from connecting to its end."},
	},
	Operations: []connector.Operation{
		{Op: connector.OpFind, Calls: "SELECT from pg_roles and pg_shdescription, by the comment's last line, then by name; or by oid"},
		{Op: connector.OpRead, Calls: "SELECT from pg_roles by oid"},
		{Op: connector.OpCheck, Calls: "SELECT session_user"},
		{Op: connector.OpProbe, Calls: "SELECT from pg_roles, pg_has_role, pg_is_in_recovery"},
		{Op: connector.OpList, Calls: "SELECT from pg_roles by pages of 500"},
		{Op: connector.OpPage, Calls: "as list, from any page on"},
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
		{Op: connector.OpHandOver, Calls: "REASSIGN OWNED in each database in which it owns something"},
		{Op: connector.OpResetCredentials, Calls: "ALTER ROLE ... PASSWORD NULL"},
		{Op: connector.OpDelete, Calls: "ALTER ROLE ... NOLOGIN; pg_terminate_backend; REASSIGN OWNED and DROP OWNED in each database in which it owns something; DROP ROLE"},
	},
	LongestUsername: maxName,

	AtOnce: 5, // each call takes a connection

	Attributes:      attributeNames(),
	OtherAttributes: "`set.PARAMETER`, the value of a parameter at login.",
	Foresee:         foresee,

	LastUse: lastUse,
	Connect: connect,
}

const about = "**Rights.** `CREATE ROLE tenure LOGIN CREATEROLE PASSWORD '...'`, and to end sessions `GRANT pg_signal_backend TO tenure`. From PostgreSQL 16 on, CREATEROLE covers only the roles that Tenure's role created. For others, and for the group roles, grant them to Tenure's role `WITH ADMIN OPTION`. To hand data over, Tenure makes its role a member of both roles during that transaction. Only a superuser can change a superuser's account, and Tenure should not be one: such a step fails and says so. `tenure app test NAME` checks the rights.\n" +
	"\n" +
	"**Accounts** are the roles that can log in, and those that Tenure has marked. Tenure's own role, the role that created the cluster and the predefined roles are not accounts. A new account has no password: it logs in by your company's own means (LDAP, Kerberos, or client certificates in pg_hba.conf), or an administrator sets a password. A username may have 63 bytes.\n" +
	"\n" +
	"**The person ID** is the last line of the role's comment, `tenure:p-123`. Everybody who can connect can read the comments on roles.\n" +
	"\n" +
	"**Attributes**: `comment` (the text above that line), `validUntil` (RFC 3339 or a date; PostgreSQL applies it to passwords only, so it neither disables nor enables an account), `connectionLimit` (whole number) and `set.PARAMETER`, the value of the parameter at login (`set.statement_timeout`; a list of texts for parameters that are lists, such as `set.search_path`).\n" +
	"\n" +
	"**Adopted accounts** lose their password (`PASSWORD NULL`), unless the operator keeps the credentials. PostgreSQL does not record when a role was created or last used.\n" +
	"\n" +
	"**Disabling** is NOLOGIN, however the account logs in. Open sessions would go on; Tenure ends them at once. These stay: prepared transactions, and what the account does through other roles' security-definer functions or scheduled jobs.\n" +
	"\n" +
	"**Deleting** is final. What the account still owns goes to `heir`, in every database of the cluster. What Tenure, or a role of which it is a member, granted to the account is lost. Rights that somebody else granted to the account itself, and not to a group, only they or a superuser can revoke: then the step fails, and names the databases."

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
	c := &client{
		server: &server{
			url:      address(settings, env.NoFiles),
			password: settings.Secret("password"),
			timeout:  settings.Duration("timeout"),
			answers:  remote.NewAnswers(),
			pace:     env.Pace,
		},
		grantable: settings.Texts("grantable"),
		heir:      heir,
	}
	c.pages.Fetch = c.fetch
	return c, nil
}

// unencrypted reports whether config allows a connection to another machine without TLS, as
// sslmode disable, allow and prefer do. host is that machine.
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

// address reads the url setting. If the url has no sslmode, it adds verify-full, whatever
// the environment says: unless an operator wrote otherwise, the connector sends the
// password only to a server that proves who it is.
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
