package topology

import (
	"context"
	"crypto/tls"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/tenurehq/tenure/dev/process"
)

// The apps, by the names that the configuration gives them.
const (
	AppDirectory = "directory" // OpenLDAP
	AppWiki      = "wiki"      // SCIMMY
	AppDatabase  = "database"  // another PostgreSQL
)

// RoleOnCall is a role that has to be requested, if Options name a Decider: it gives the
// group oncall in the wiki.
const RoleOnCall = "on-call"

// ReviewDrill is a review of what was granted, if Options name a Decider: what nobody keeps is
// revoked.
const ReviewDrill = "drill"

// startDirectory runs OpenLDAP as the image of docker-compose.yml does.
func (t *Topology) startDirectory(ctx context.Context) error {
	dir := filepath.Join(t.dir, AppDirectory)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	start, err := filepath.Abs(filepath.Join(t.opts.Root, "deploy/directory/start"))
	if err != nil {
		return err
	}
	ldif, err := filepath.Abs(filepath.Join(t.opts.Root, "scripts/real/openldap"))
	if err != nil {
		return err
	}
	return t.run(ctx, process.Options{
		Name: AppDirectory, Path: "/bin/sh", Args: []string{start},
		Env: append(os.Environ(), "DIRECTORY_DIR="+dir, "DIRECTORY_CA="+t.directoryCA(), "DIRECTORY_LDIF="+ldif,
			"DIRECTORY_LISTEN="+t.ports.address(AppDirectory), "DIRECTORY_NAMES=IP:"+loopback, "DIRECTORY_PASSWORD="+t.ldapPassword),
		Ready: func(context.Context) error { return t.askDirectory() },
	})
}

func (t *Topology) directoryCA() string { return filepath.Join(t.dir, "directory-ca.pem") }

func (t *Topology) directoryURL() string { return "ldaps://" + t.ports.address(AppDirectory) }

func (t *Topology) askDirectory() error {
	conn, err := t.dialDirectory()
	if err != nil {
		return err
	}
	return conn.Close()
}

func (t *Topology) dialDirectory() (*ldap.Conn, error) {
	pool, err := authorities(t.directoryCA())
	if err != nil {
		return nil, err
	}
	conn, err := ldap.DialURL(t.directoryURL(), ldap.DialWithTLSConfig(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}))
	if err != nil {
		return nil, err
	}
	conn.SetTimeout(10 * time.Second)
	if err := conn.Bind("cn=admin,dc=plain", t.ldapPassword); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// startWiki runs SCIMMY, which keeps what it has in a file.
func (t *Topology) startWiki(ctx context.Context) error {
	// Where its modules are found: beside it.
	text, err := os.ReadFile(filepath.Join(t.opts.Root, "scripts/real/scimmy/server.mjs"))
	if err != nil {
		return err
	}
	script := filepath.Join(t.dir, "scimmy.mjs")
	if err := os.WriteFile(script, text, 0o600); err != nil {
		return err
	}
	modules, err := filepath.Abs(filepath.Join(t.opts.Scimmy, "node_modules"))
	if err != nil {
		return err
	}
	if err := os.Symlink(modules, filepath.Join(t.dir, "node_modules")); err != nil {
		return err
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return err
	}
	return t.run(ctx, process.Options{
		Name: AppWiki, Path: node, Args: []string{script},
		Env: append(os.Environ(), "SCIM_TOKEN="+t.scimToken, "SCIM_PORT="+strconv.Itoa(t.ports[AppWiki]),
			"SCIM_FILE="+filepath.Join(t.dir, "scimmy.jsonl")),
		Ready: func(ctx context.Context) error { return t.askWiki(ctx, "/ServiceProviderConfig", nil) },
	})
}

func (t *Topology) wikiURL() string { return "http://" + t.ports.address(AppWiki) + "/scim" }

// startDatabase runs the PostgreSQL whose roles are accounts.
func (t *Topology) startDatabase(ctx context.Context) error {
	if err := t.runPostgres(ctx, AppDatabase); err != nil {
		return err
	}
	return t.query(ctx, AppDatabase, "CREATE ROLE tenure LOGIN CREATEROLE PASSWORD '"+t.postgresPassword+"'",
		"GRANT pg_signal_backend TO tenure", "CREATE ROLE app_readers", "CREATE ROLE app_writers",
		// From PostgreSQL 16 on, to grant a role takes this.
		"GRANT app_readers, app_writers TO tenure WITH ADMIN OPTION")
}

var scimClient = &http.Client{Timeout: time.Minute}
