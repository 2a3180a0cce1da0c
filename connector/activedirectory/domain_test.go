//go:build real

package activedirectory_test

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/activedirectory"
)

// domain is the Active Directory domain that scripts/test-real starts, and its
// administrator.
type domain struct{ url, ca, root, admin, password string }

func realDomain(t *testing.T) domain {
	t.Helper()
	env := func(name string) string {
		value := os.Getenv(name)
		require.NotEmpty(t, value, "%s is not set: run `make test-real`, which starts the servers and sets it", name)
		return value
	}
	return domain{
		url: env("TENURE_REAL_AD_URL"), ca: env("TENURE_REAL_AD_CA"), root: env("TENURE_REAL_AD_DN"),
		admin: env("TENURE_REAL_AD_ADMIN"), password: env("TENURE_REAL_AD_PASSWORD"),
	}
}

func (d domain) settings(ou string) connector.Settings {
	return connector.Settings{
		"url": d.url, "ca": d.ca, "bindDN": d.admin, "password": d.password, "people": ou,
		"employeeNumber": "employeeNumber", "email": "mail", "groups": ou,
	}
}

func (d domain) open(t *testing.T, settings connector.Settings) connector.Connector {
	t.Helper()
	c, err := activedirectory.Kind.Open(t.Context(), connector.Env{App: "ad"}, settings)
	require.NoError(t, err)
	return c
}

// bind signs in with a name and a password.
func (d domain) bind(t *testing.T, name, password string) (*ldap.Conn, error) {
	t.Helper()
	conn, err := ldap.DialURL(d.url, ldap.DialWithTLSConfig(trusting(t, d.ca)))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn, conn.Bind(name, password)
}

// asAdmin returns a connection of the domain's administrator.
func (d domain) asAdmin(t *testing.T) *ldap.Conn {
	t.Helper()
	conn, err := d.bind(t, d.admin, d.password)
	require.NoError(t, err)
	return conn
}

// newOU creates an OU that only this test uses.
func (d domain) newOU(t *testing.T, name, below string) string {
	t.Helper()
	dn := "OU=" + ldap.EscapeDN(name+" "+mark()) + "," + below
	request := ldap.NewAddRequest(dn, nil)
	request.Attribute("objectClass", []string{"organizationalUnit"})
	require.NoError(t, d.asAdmin(t).Add(request))
	return dn
}

func (d domain) newGroup(t *testing.T, name, ou string) string {
	t.Helper()
	dn := "CN=" + ldap.EscapeDN(name) + "," + ou
	request := ldap.NewAddRequest(dn, nil)
	request.Attribute("objectClass", []string{"group"})
	request.Attribute("sAMAccountName", []string{name})
	require.NoError(t, d.asAdmin(t).Add(request))
	return dn
}

// mark returns a random text that makes names unique.
func mark() string { return rand.Text()[:8] }

func trusting(t *testing.T, ca string) *tls.Config {
	t.Helper()
	pem, err := os.ReadFile(ca)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(pem))
	return &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
}

// certificate returns the TLS configuration with the server's own certificate, for a proxy
// in its place.
func (d domain) certificate(t *testing.T) *tls.Config {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(d.ca, filepath.Join(filepath.Dir(d.ca), "key.pem"))
	require.NoError(t, err)
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
}
