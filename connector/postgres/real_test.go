//go:build real

package postgres_test

import (
	"context"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/postgres"
	"github.com/tenurehq/tenure/internal/postgrestest"
	"github.com/tenurehq/tenure/secret"
)

// rig holds a cluster with a role for Tenure that is no superuser.
type rig struct {
	url      *url.URL // of the administrator
	admin    *pgx.Conn
	role     string
	password string              // of the role, as Tenure knows it
	proxy    *postgrestest.Proxy // between Tenure and the server
}

var groups = [2]string{"app_readers", "app_writers"}

// newRig prepares the cluster that scripts/test-real has started.
func newRig(t *testing.T) *rig {
	t.Helper()
	address := postgrestest.Administrator(t)
	r := &rig{url: address, role: "tenure", password: "p4ssword-that-nobody-may-see"}
	r.admin = r.login(t, address.User.Username(), passwordOf(address))
	r.exec(t, `DO $$ BEGIN CREATE ROLE tenure LOGIN CREATEROLE; EXCEPTION WHEN duplicate_object THEN NULL; END $$`)
	r.exec(t, `ALTER ROLE tenure LOGIN CREATEROLE`) // a test that failed may have changed them
	r.setPassword(t, r.role, r.password)
	r.exec(t, `GRANT pg_signal_backend TO tenure`)
	for _, group := range groups {
		r.exec(t, `DO $$ BEGIN CREATE ROLE `+group+`; EXCEPTION WHEN duplicate_object THEN NULL; END $$`)
	}
	r.proxy = postgrestest.NewProxy(t, address.Host)
	return r
}

func passwordOf(u *url.URL) string {
	password, _ := u.User.Password()
	return password
}

func (r *rig) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	_, err := r.admin.Exec(t.Context(), sql, append([]any{pgx.QueryExecModeSimpleProtocol}, args...)...)
	require.NoError(t, err, sql)
}

func (r *rig) setPassword(t *testing.T, role, password string) {
	t.Helper()
	r.exec(t, "ALTER ROLE "+pgx.Identifier{role}.Sanitize()+" PASSWORD $1", password)
}

// connect signs in without the connector, as any client would.
func (r *rig) connect(ctx context.Context, role, password, database string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(r.url.String())
	if err != nil {
		return nil, err
	}
	config.User, config.Password = role, password
	if database != "" {
		config.Database = database
	}
	return pgx.ConnectConfig(ctx, config)
}

func (r *rig) login(t *testing.T, role, password string) *pgx.Conn {
	t.Helper()
	return r.loginTo(t, role, password, "")
}

func (r *rig) loginTo(t *testing.T, role, password, database string) *pgx.Conn {
	t.Helper()
	conn, err := r.connect(t.Context(), role, password, database)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func (r *rig) settings(host string) connector.Settings {
	return connector.Settings{
		"url":       "postgres://" + r.role + "@" + host + r.url.Path + "?sslmode=disable",
		"password":  secret.New(func() (string, error) { return r.password, nil }),
		"grantable": []any{"app_*"},
	}
}

func (r *rig) open(t *testing.T, change connector.Settings) connector.Connector {
	t.Helper()
	settings := r.settings(r.url.Host)
	for name, value := range change {
		settings[name] = value
	}
	c, err := postgres.Kind.Open(t.Context(), connector.Env{App: "warehouse"}, settings)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c
}

// TestConformanceOfPostgreSQL runs the suite on a PostgreSQL server. `make
// test-real` starts it.
func TestConformanceOfPostgreSQL(t *testing.T) {
	r := newRig(t)
	const refused = "anothers-p4ssword"
	connectortest.Run(t, connectortest.Target{
		Kind:  postgres.Kind,
		Proof: connector.Proof{Level: connector.ServerNotOurs, On: "PostgreSQL 15"},
		Open: func(t *testing.T) connector.Connector {
			c, err := postgres.Kind.Open(t.Context(), connector.Env{App: "warehouse"}, r.settings(r.proxy.Address))
			require.NoError(t, err)
			return c
		},
		Capabilities: connector.Capabilities{
			Create: true, Adopt: true, Update: true, Relabel: true, Disable: true, Reversible: true, Delete: true, Entitlements: true,
			ListEntitlements: true, Sessions: true, ResetCredentials: true, HandOver: true, List: true, Page: true, Probe: true, LastUse: postgres.Kind.LastUse,
		},
		Entitlements: groups,
		Attributes:   [2]string{"comment", "set.application_name"},
		Secrets:      []string{r.password, refused, r.proxy.Address},
		Seed: func(t *testing.T, account connector.Account) {
			name := pgx.Identifier{account.Username}.Sanitize()
			r.exec(t, "CREATE ROLE "+name+" LOGIN")
			r.exec(t, "COMMENT ON ROLE "+name+" IS $1", "tenure:"+account.ExternalID)
		},
		Rename: func(t *testing.T, account connector.Account, username string) {
			r.exec(t, "ALTER ROLE "+pgx.Identifier{account.Username}.Sanitize()+" RENAME TO "+pgx.Identifier{username}.Sanitize())
		},
		Faults: connectortest.Faults{
			Heal: func(t *testing.T) {
				r.proxy.Behave(postgrestest.Forward)
				r.setPassword(t, r.role, r.password)
			},
			FailAfterApply: func(*testing.T) { r.proxy.Behave(postgrestest.DropNextCommit) },
			Unauthorize:    func(t *testing.T) { r.setPassword(t, r.role, refused) },
			Stall:          func(*testing.T) { r.proxy.Behave(postgrestest.Stall) },
		},
	})
}

func spec(t *testing.T, name string) connector.Spec {
	t.Helper()
	mark := name + "_" + time.Now().Format("150405.000000")
	return connector.Spec{PersonID: "p-" + mark, Username: mark, Active: true}
}

func create(t *testing.T, c connector.Connector, s connector.Spec) connector.Account {
	t.Helper()
	account, err := c.Create(t.Context(), s)
	require.NoError(t, err)
	return account
}

func TestADisabledAccountCannotLogInAndItsSessionsEnd(t *testing.T) {
	r := newRig(t)
	c := r.open(t, nil)
	account := create(t, c, spec(t, "leaver"))
	r.setPassword(t, account.Username, "theirs")
	theirs := r.login(t, account.Username, "theirs")
	busy := r.login(t, account.Username, "theirs")
	ended := make(chan error, 1)
	go func() {
		_, err := busy.Exec(context.Background(), "SELECT pg_sleep(600)")
		ended <- err
	}()

	require.NoError(t, c.Disable(t.Context(), account.ID))
	_, err := r.connect(t.Context(), account.Username, "theirs", "")
	require.ErrorContains(t, err, "28000")
	require.NoError(t, theirs.Ping(t.Context()), "a session goes on until it is ended")

	require.NoError(t, c.RevokeSessions(t.Context(), account.ID))
	require.ErrorContains(t, <-ended, "57P01")
	require.Error(t, theirs.Ping(t.Context()))
	var sessions int
	require.NoError(t, r.admin.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE usename = $1", account.Username).Scan(&sessions))
	assert.Zero(t, sessions)

	require.NoError(t, c.Enable(t.Context(), account.ID))
	require.NoError(t, r.login(t, account.Username, "theirs").Ping(t.Context()))
}

func TestCredentialsAreReset(t *testing.T) {
	r := newRig(t)
	c := r.open(t, nil)
	made, err := c.Create(t.Context(), connector.Spec{PersonID: "reset-1", Username: "reset_1", Active: true})
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Delete(t.Context(), made.ID)) }()
	r.setPassword(t, "reset_1", "known")
	_ = r.login(t, "reset_1", "known")
	require.NoError(t, connector.Reset(t.Context(), c, made.ID))
	_, err = r.connect(t.Context(), "reset_1", "known", "")
	require.Error(t, err)
}

func TestWhatALeaverOwnsIsHandedOverInEveryDatabase(t *testing.T) {
	r := newRig(t)
	c := r.open(t, nil)
	leaver, manager := create(t, c, spec(t, "leaver")), create(t, c, spec(t, "manager"))
	second := "second_" + leaver.ID
	r.exec(t, "CREATE DATABASE "+second)
	t.Cleanup(func() { _, _ = r.admin.Exec(context.Background(), "DROP DATABASE "+second+" WITH (FORCE)") })
	databases := []string{r.url.Path[1:], second}
	table := func(name string) string { return name + "_" + leaver.ID }
	owner := func(database, relation string) (name string) {
		conn := r.loginTo(t, r.url.User.Username(), passwordOf(r.url), database)
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT tableowner::text FROM pg_tables WHERE tablename = $1", relation).Scan(&name))
		return name
	}
	own := func(name string) {
		for _, database := range databases {
			conn := r.loginTo(t, r.url.User.Username(), passwordOf(r.url), database)
			_, err := conn.Exec(t.Context(), "CREATE TABLE public."+table(name)+" (x int)")
			require.NoError(t, err)
			_, err = conn.Exec(t.Context(), "ALTER TABLE public."+table(name)+" OWNER TO "+pgx.Identifier{leaver.Username}.Sanitize())
			require.NoError(t, err)
			_, err = conn.Exec(t.Context(), "GRANT CREATE ON SCHEMA public TO "+pgx.Identifier{leaver.Username}.Sanitize())
			require.NoError(t, err)
		}
	}

	own("early")
	require.NoError(t, c.HandOver(t.Context(), leaver.ID, manager.ID))
	for _, database := range databases {
		assert.Equal(t, manager.Username, owner(database, table("early")), database)
	}

	own("late") // after the hand-over
	err := c.Delete(t.Context(), leaver.ID)
	require.ErrorContains(t, err, "delete: conflict: ")
	require.ErrorContains(t, err, "in "+databases[0]+", "+databases[1]+": run DROP OWNED BY", "rights that a superuser granted")
	for _, database := range databases {
		conn := r.loginTo(t, r.url.User.Username(), passwordOf(r.url), database)
		_, err := conn.Exec(t.Context(), "REVOKE CREATE ON SCHEMA public FROM "+pgx.Identifier{leaver.Username}.Sanitize())
		require.NoError(t, err)
	}
	require.NoError(t, c.Delete(t.Context(), leaver.ID))
	for _, database := range databases {
		assert.Equal(t, r.role, owner(database, table("late")), database)
	}
	var there, member bool
	require.NoError(t, r.admin.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1), EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = 'tenure' AND m.roleid = (SELECT oid FROM pg_roles WHERE rolname = $2))",
		leaver.Username, manager.Username).Scan(&there, &member))
	assert.False(t, there, "the role is gone")
	assert.False(t, member, "Tenure stays no member of the manager's role")
}

func TestWhatTenureKeepsItsHandsOff(t *testing.T) {
	r := newRig(t)
	c := r.open(t, connector.Settings{"grantable": []any{"app_*", "*"}})
	account := create(t, c, spec(t, "joiner"))
	other := create(t, c, spec(t, "app"))
	r.exec(t, `DO $$ BEGIN CREATE ROLE app_gods SUPERUSER; EXCEPTION WHEN duplicate_object THEN NULL; END $$`)
	r.exec(t, `DO $$ BEGIN CREATE ROLE app_priests; EXCEPTION WHEN duplicate_object THEN NULL; END $$`)
	r.exec(t, `GRANT app_gods TO app_priests`)
	for _, name := range []string{"app_gods", "app_priests", "pg_read_all_data", "pg_execute_server_program", other.Username, r.role} {
		err := c.Grant(t.Context(), account.ID, []string{name})
		require.ErrorContains(t, err, "cannot be granted", name)
	}
	spelled := r.open(t, connector.Settings{"grantable": []any{"pg_read_all_data"}})
	require.NoError(t, spelled.Grant(t.Context(), account.ID, []string{"pg_read_all_data"}))
	require.NoError(t, c.Revoke(t.Context(), account.ID, []string{"pg_read_all_data"}), "taking is always allowed")

	for _, name := range []string{r.role, r.url.User.Username(), "pg_monitor", groups[0]} {
		matches, err := c.Find(t.Context(), connector.Keys{Username: name})
		require.NoError(t, err)
		assert.Empty(t, matches, "%s is nobody's account", name)
	}
	var own string
	require.NoError(t, r.admin.QueryRow(t.Context(), "SELECT oid::text FROM pg_roles WHERE rolname = $1", r.role).Scan(&own))
	err := c.Disable(t.Context(), own)
	require.ErrorContains(t, err, "not_found", "its own role")

	r.exec(t, "ALTER ROLE "+pgx.Identifier{account.Username}.Sanitize()+" SUPERUSER")
	err = c.Disable(t.Context(), account.ID)
	require.ErrorContains(t, err, "forbidden")
	require.ErrorContains(t, err, "a superuser's account takes a superuser")
}

func TestNamesThatCannotBe(t *testing.T) {
	r := newRig(t)
	c := r.open(t, nil)
	for name, want := range map[string]string{
		"":        "is empty",
		"pg_anna": "reserves",
		"none":    "reserves",
		"zoe_the_person_with_a_very_long_name_that_no_database_has_room_for": "63 bytes",
		"nul\x00": "NUL",
	} {
		_, err := c.Create(t.Context(), connector.Spec{PersonID: "p-1", Username: name})
		require.ErrorContains(t, err, "create: invalid: ", name)
		require.ErrorContains(t, err, want, name)
	}
	_, err := c.Create(t.Context(), connector.Spec{PersonID: "p-1\ntenure:p-2", Username: "zoe"})
	require.ErrorContains(t, err, "not one line")
}

func TestAttributes(t *testing.T) {
	r := newRig(t)
	c := r.open(t, nil)
	account := create(t, c, spec(t, "contractor"))
	update := func(attributes map[string]any) error {
		return c.Update(t.Context(), account.ID, attributes)
	}
	read := func() map[string]any {
		now, err := c.Read(t.Context(), account.ID)
		require.NoError(t, err)
		assert.Equal(t, account.ExternalID, now.ExternalID, "whatever is written, the account stays the person's")
		return now.Attributes
	}
	set := map[string]any{
		"validUntil": "2031-05-06T09:08:07+02:00", "connectionLimit": int64(3),
		"set.search_path": []string{"$user", "sales"}, "set.statement_timeout": "90s", "comment": "a\ntenure:p-other",
	}
	require.NoError(t, update(set))
	now, err := c.Read(t.Context(), account.ID)
	require.NoError(t, err)
	dropped, err := connector.Dropped(t.Context(), c, now, set)
	require.NoError(t, err)
	assert.Empty(t, dropped)
	assert.Equal(t, map[string]any{
		"validUntil": "2031-05-06T07:08:07Z", "connectionLimit": int64(3),
		"set.search_path": `"$user", sales`, "set.statement_timeout": "90s", "comment": "a\ntenure:p-other",
	}, read())
	require.NoError(t, update(map[string]any{"validUntil": "", "connectionLimit": "", "set.search_path": []string{}, "set.statement_timeout": "", "comment": ""}))
	assert.Empty(t, read())
	require.NoError(t, update(map[string]any{"validUntil": "2031-05-06"}))
	assert.Equal(t, "2031-05-06T00:00:00Z", read()["validUntil"])

	for name, value := range map[string]any{
		"validUntil": "soon", "connectionLimit": "3", "comment": int64(1), "password": "x", "set.": "x",
		"set.statement_timeout": "soon", "set.no_such_thing": "1", `set.x" TO 'y'; DROP ROLE tenure; --`: "1",
	} {
		err := update(map[string]any{name: value})
		require.ErrorContains(t, err, "update: invalid: ", name)
	}
}

func TestAPasswordIsRotatedWithoutARestart(t *testing.T) {
	r := newRig(t)
	c := r.open(t, nil)
	_, err := c.Check(t.Context())
	require.NoError(t, err)
	r.setPassword(t, r.role, "another")
	_, err = c.Check(t.Context())
	require.ErrorContains(t, err, "unauthorized")
	r.password = "another"
	who, err := c.Check(t.Context())
	require.NoError(t, err)
	assert.Contains(t, who, "role tenure in database")
}

func TestProbeSaysWhatIsMissing(t *testing.T) {
	r := newRig(t)
	r.exec(t, "REVOKE pg_signal_backend FROM tenure")
	r.exec(t, "ALTER ROLE tenure NOCREATEROLE")
	t.Cleanup(func() {
		_, _ = r.admin.Exec(context.Background(), "ALTER ROLE tenure CREATEROLE")
		_, _ = r.admin.Exec(context.Background(), "GRANT pg_signal_backend TO tenure")
	})
	c := r.open(t, connector.Settings{"heir": "nobody_at_all", "grantable": []any{"app_*", "no_such_*", "no_such"}})
	missing := map[string]bool{}
	for _, finding := range c.Probe(t.Context()) {
		missing[finding.What] = finding.Problem != ""
	}
	assert.Equal(t, map[string]bool{
		"may make and change roles": true, "may end sessions": true, "the server takes changes": false, "the heir is there": true,
		`"app_*" of the setting grantable is there`: false, `"no_such_*" of the setting grantable is there`: true,
		`"no_such" of the setting grantable is there`: true,
	}, missing)
	_, err := c.Create(t.Context(), spec(t, "joiner"))
	require.ErrorContains(t, err, "forbidden")
	require.ErrorContains(t, err, "CREATEROLE")
}

func TestServersThatCannotBeUsed(t *testing.T) {
	r := newRig(t)
	closed := postgrestest.NewProxy(t, "127.0.0.1:1") // nothing listens there
	for name, test := range map[string]struct{ url, want string }{
		"nobody there":  {"postgres://tenure@" + closed.Address + "/postgres?sslmode=disable", "unavailable"},
		"no database":   {"postgres://tenure@" + r.url.Host + "/no_such?sslmode=disable", "no such database"},
		"no such role":  {"postgres://no_such@" + r.url.Host + "/postgres?sslmode=disable", "unauthorized"},
		"no TLS needed": {"postgres://tenure@" + r.url.Host + "/postgres", "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := r.open(t, connector.Settings{"url": test.url}).Check(t.Context())
			require.ErrorContains(t, err, test.want)
		})
	}
	trusting := "postgres://tenure@localhost:" + r.url.Port() + "/postgres?sslrootcert=" + url.QueryEscape(os.Getenv("TENURE_REAL_POSTGRES_CA"))
	_, err := r.open(t, connector.Settings{"url": trusting}).Check(t.Context())
	require.NoError(t, err, "verify-full is the default")
}
