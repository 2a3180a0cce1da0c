package topology

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tenurehq/tenure/dev/process"
)

// The databases of the topology's own PostgreSQL.
const (
	processPostgres = "postgresql"

	databaseTemporal   = "temporal"
	databaseVisibility = "temporal_visibility"
	databaseTenure     = "tenure"
)

// startPostgres runs the cluster that Temporal and the ledger are on.
func (t *Topology) startPostgres(ctx context.Context) error {
	if err := t.runPostgres(ctx, processPostgres, t.opts.PostgreSQL...); err != nil {
		return err
	}
	psql, err := postgresProgram("psql")
	if err != nil {
		return err
	}
	// Twice: the caller that starts it again does so too.
	for range 2 {
		prepare := exec.CommandContext(ctx, "/bin/sh", filepath.Join(t.opts.Root, "deploy/postgresql/ledger"))
		prepare.Env = []string{
			"PATH=" + filepath.Dir(psql) + ":" + os.Getenv("PATH"),
			"PGHOST=" + loopback, "PGPORT=" + strconv.Itoa(t.ports["postgresql"]), "PGUSER=postgres", "PGPASSWORD=" + t.postgresPassword,
			"LEDGER_DB_PASSWORD=" + t.postgresPassword,
		}
		if said, err := prepare.CombinedOutput(); err != nil {
			return fmt.Errorf("deploy/postgresql/ledger: %w\n%s", err, said)
		}
	}
	return nil
}

// runPostgres makes a cluster in a folder of its own, and runs it with these further settings.
func (t *Topology) runPostgres(ctx context.Context, name string, settings ...string) error {
	as, err := postgresUser()
	if err != nil {
		return err
	}
	initdb, err := postgresProgram("initdb")
	if err != nil {
		return err
	}
	server, err := postgresProgram("postgres")
	if err != nil {
		return err
	}
	home := filepath.Join(t.dir, name)
	password := filepath.Join(home, "password")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(password, []byte(t.postgresPassword), 0o600); err != nil {
		return err
	}
	if as != nil {
		for _, path := range []string{home, password} {
			if err := os.Chown(path, int(as.Uid), int(as.Gid)); err != nil {
				return err
			}
		}
	}
	data := filepath.Join(home, "data")
	prepare := exec.CommandContext(ctx, initdb, "-D", data, "-U", "postgres", "--pwfile", password,
		"-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "-N")
	prepare.Dir, prepare.SysProcAttr = home, &syscall.SysProcAttr{Credential: as}
	if said, err := prepare.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb for %s: %w\n%s", name, err, said)
	}
	args := []string{
		"-D", data, "-p", strconv.Itoa(t.ports[name]), "-c", "listen_addresses=" + loopback, "-c", "unix_socket_directories=",
		"-c", "max_connections=200",
	}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	return t.run(ctx, process.Options{
		Name: name, Path: server, Args: args,
		As: as, Group: true, StopBy: syscall.SIGINT, Grace: 30 * time.Second, // SIGINT: the fast shutdown
		Ready: func(ctx context.Context) error { return t.query(ctx, name, "SELECT 1") },
	})
}

// postgresUser returns the user to run PostgreSQL as if we are root, which it refuses.
func postgresUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	who, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, _ := strconv.ParseUint(who.Uid, 10, 32) // it is a number
	gid, _ := strconv.ParseUint(who.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// postgresProgram is that of the newest version that is installed: Debian has them
// off the path.
func postgresProgram(name string) (string, error) {
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name); len(found) > 0 {
		return slices.Max(found), nil
	}
	return exec.LookPath(name)
}

// postgresURL is a cluster's, for a user of the topology's.
func (t *Topology) postgresURL(name, as, database string) string {
	return fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", as, t.postgresPassword, t.ports.address(name), database)
}

// PostgresURL returns the URL of a database of the server of Temporal and the ledger, for its superuser.
func (t *Topology) PostgresURL(database string) string {
	return t.postgresURL(processPostgres, "postgres", database)
}

// query runs a statement as the administrator of a cluster.
func (t *Topology) query(ctx context.Context, name string, statements ...string) error {
	conn, err := t.connect(ctx, name)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (t *Topology) connect(ctx context.Context, name string) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return pgx.Connect(ctx, t.postgresURL(name, "postgres", "postgres"))
}
