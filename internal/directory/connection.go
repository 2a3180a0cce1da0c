package directory

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/tenurehq/tenure/internal/remote"
)

const (
	maxIdle  = 4           // connections that are kept for later
	idleTime = time.Minute // firewalls and servers may have dropped a connection after it
)

// connection is bound and used by one call at a time.
type connection struct {
	*ldap.Conn
	raw      *remote.Conn
	host     string    // of the server, with the port if it is an unusual one
	password string    // the password with which it was bound
	since    time.Time // when it was last used
	broken   bool      // must not be used again, because a request got no answer
}

// usable reports whether the connection can be used once more.
func (c *connection) usable(password string) bool {
	return !c.broken && !c.IsClosing() && c.password == password && time.Since(c.since) < idleTime
}

// guard breaks the connection when ctx ends, since go-ldap ignores contexts. The caller calls
// stop when it is done.
func (c *connection) guard(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = c.raw.Close() })
}

// borrow returns a bound connection that nobody else uses: an idle one, else a
// new one.
func (c *Client) borrow(ctx context.Context, op string) (*connection, error) {
	if ctx.Err() != nil {
		return nil, unanswered(ctx, op, ctx.Err(), c.config.Timeout)
	}
	password, err := c.config.Password.Reveal()
	if err != nil {
		return nil, remote.NoSecret(op, "password", err)
	}
	if password == "" { // RFC 4513 section 5.1.2: the bind would succeed anonymously
		return nil, &remote.Error{Kind: remote.Unauthorized, Op: op, Message: "the password is empty: check the password setting"}
	}
	if idle := c.takeIdle(password); idle != nil {
		return idle, nil
	}
	return c.connect(ctx, op, password)
}

func (c *Client) takeIdle(password string) *connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.idle) > 0 {
		last := c.idle[len(c.idle)-1]
		c.idle = c.idle[:len(c.idle)-1]
		if last.usable(password) {
			return last
		}
		last.close()
	}
	return nil
}

// giveBack keeps a connection for later, or closes it if it is broken.
func (c *Client) giveBack(conn *connection) {
	conn.since = time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || conn.broken || conn.IsClosing() || len(c.idle) >= maxIdle {
		conn.close()
		return
	}
	c.idle = append(c.idle, conn)
}

// close closes the connection without waiting for the server.
func (c *connection) close() {
	_ = c.raw.Close()
	go func() { _ = c.Close() }()
}

// connect opens a connection to the first server that answers, and binds.
func (c *Client) connect(ctx context.Context, op, password string) (*connection, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	trust, err := c.trust(op)
	if err != nil {
		return nil, err
	}
	var failed error
	for _, u := range c.config.URLs {
		var conn *connection
		if conn, failed = c.connectTo(ctx, op, u, trust, password); failed == nil {
			return conn, nil
		}
		if ctx.Err() != nil || ResultOf(failed) != nil && !remote.Retryable(failed) {
			break // the server answered, and another one would answer the same
		}
	}
	return nil, failed
}

func (c *Client) connectTo(ctx context.Context, op string, u *url.URL, trust *x509.CertPool, password string) (*connection, error) {
	if err := c.pace(ctx, op); err != nil {
		return nil, err
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"ldap": ldap.DefaultLdapPort, "ldaps": ldap.DefaultLdapsPort}[u.Scheme]
	}
	dialed, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return nil, unanswered(ctx, op, err, c.config.Timeout)
	}
	raw := c.answers.Conn(dialed)
	conf := &tls.Config{ServerName: u.Hostname(), RootCAs: trust, MinVersion: tls.VersionTLS12}
	secure := u.Scheme == "ldaps"
	var transport net.Conn = raw
	if secure {
		encrypted := tls.Client(raw, conf)
		if err := encrypted.HandshakeContext(ctx); err != nil {
			_ = raw.Close()
			return nil, unanswered(ctx, op, err, c.config.Timeout)
		}
		transport = encrypted
	}
	conn := &connection{Conn: ldap.NewConn(transport, secure), raw: raw, host: u.Host, password: password, since: time.Now()}
	defer conn.guard(ctx)()
	conn.Start()
	if c.config.StartTLS {
		if err := conn.StartTLS(conf); err != nil {
			conn.close()
			failed := asError(ctx, op, err, c.config.Timeout)
			if failed.Cause == nil { // it was neither an answer nor ctx, and go-ldap gives no other reason
				failed.Message = "StartTLS failed: check that the directory offers it, its certificate, and the ca setting"
			}
			return nil, failed
		}
	}
	if err := conn.Bind(c.config.BindDN, password); err != nil {
		conn.close()
		return nil, asError(ctx, op, err, c.config.Timeout)
	}
	return conn, nil
}

// trust returns the configured certificate authorities; nil means those of the system.
func (c *Client) trust(op string) (*x509.CertPool, error) {
	if c.config.CA == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(c.config.CA)
	if err != nil {
		return nil, &remote.Error{Kind: remote.Unavailable, Op: op, Message: fmt.Sprintf(`the file of setting "ca" cannot be read: %s`, errors.Unwrap(err)), Cause: err}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, &remote.Error{Kind: remote.Invalid, Op: op, Message: `the file of setting "ca" holds no certificate (PEM)`}
	}
	return pool, nil
}

func (c *Client) pace(ctx context.Context, op string) error {
	if c.config.Pace == nil {
		return nil
	}
	if err := c.config.Pace(ctx); err != nil {
		return &remote.Error{Kind: remote.Unavailable, Op: op, Message: "the call ended while it waited for the app's rate", Cause: err}
	}
	return nil
}
