package postgres

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// connectWithin bounds how long a host may take to answer, unless the URL has
	// connect_timeout.
	connectWithin = 5 * time.Second
	// mostConnections bounds the connections of one process, unless the URL does.
	mostConnections = 16
	// idle is the time after which an idle connection is closed.
	idle = 5 * time.Minute
)

// address holds where the database is, and how to sign in.
type address struct {
	url    string // holds the password, so it is never printed
	config *pgx.ConnConfig
	most   int    // connections
	shown  string // the URL without user, password and parameters
}

func (a *address) String() string { return a.shown }

// CheckURL returns an error if a URL cannot be used. It does not connect.
func CheckURL(url string) error {
	_, err := parse(url)
	return err
}

// CheckForm checks a URL like CheckURL, but the files of certificates need not exist.
func CheckForm(text string) error {
	if u, err := url.Parse(text); err == nil {
		query := u.Query()
		for _, file := range []string{"sslrootcert", "sslcert", "sslkey"} {
			query.Del(file)
		}
		u.RawQuery = query.Encode()
		text = u.String()
	}
	return CheckURL(text)
}

// Address returns a URL without user, password and parameters.
func Address(url string) string {
	at, err := parse(url)
	if err != nil {
		return "postgres"
	}
	return at.String()
}

// parse reads the URL, and the files that it names.
func parse(text string) (*address, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		// The reason could show a part of the password.
		return nil, errors.New(`ledger: the URL cannot be read: it must have the form "postgres://ROLE:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full", in which special characters of role and password are percent-encoded (%40 for @, %2F for /)`)
	}
	a := &address{most: mostConnections, shown: (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()}
	query := u.Query()
	preset := map[string]string{
		// Passwords and personal data are not sent to a server that does not prove its
		// identity, unless the URL allows it.
		"sslmode":              "verify-full",
		"connect_timeout":      strconv.Itoa(int(connectWithin.Seconds())),
		"target_session_attrs": "read-write", // after a failover, the one that is left
		"application_name":     "tenure",
		"synchronous_commit":   "on", // an acknowledged commit is on the disk, whatever the server's default is
	}
	for name, value := range preset {
		if !query.Has(name) {
			query.Set(name, value)
		}
	}
	const poolSize = "pool_max_conns"
	if query.Has(poolSize) {
		if a.most, err = strconv.Atoi(query.Get(poolSize)); err != nil || a.most < 2 {
			return nil, fmt.Errorf("ledger %s: %s must be a whole number, 2 at least", a, poolSize)
		}
		query.Del(poolSize)
	}
	u.RawQuery = query.Encode()
	a.url = u.String()
	if a.config, err = a.parsed(); err != nil {
		return nil, fmt.Errorf("ledger %s: the URL has a parameter that cannot be used: %w", a, err)
	}
	return a, nil
}

// parsed reads the URL again, and the files that it names. Its error shows neither
// password nor URL.
func (a *address) parsed() (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(a.url)
	var parsing *pgconn.ParseConfigError
	if errors.As(err, &parsing) {
		why := err.Error() // cannot parse `URL`: why
		if i := strings.LastIndex(why, "`: "); i >= 0 {
			why = why[i+len("`: "):]
		}
		return nil, errors.New(a.redacted(why))
	}
	if err != nil {
		return nil, errors.New(a.redacted(err.Error()))
	}
	config.DialFunc = dialer(config.ConnectTimeout).DialContext
	return config, nil
}

// redacted returns a text without the URL's password.
func (a *address) redacted(text string) string {
	u, err := url.Parse(a.url)
	if err != nil {
		return "it cannot be read"
	}
	password, _ := u.User.Password()
	for _, secret := range []string{password, url.QueryEscape(password), u.Query().Get("password")} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "xxxxx")
		}
	}
	return text
}
