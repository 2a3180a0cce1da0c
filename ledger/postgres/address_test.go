package postgres

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatAURLSays(t *testing.T) {
	t.Setenv("PGSSLMODE", "disable") // the environment must not fill in what the URL leaves out
	at, err := parse("postgres://tenure:pa%2Fss%40word@db.example.com:5433/ledger")
	require.NoError(t, err)
	assert.Equal(t, "postgres://db.example.com:5433/ledger", at.String())
	c := at.config
	assert.Equal(t, []any{"db.example.com", uint16(5433), "tenure", "pa/ss@word", "ledger"}, []any{c.Host, c.Port, c.User, c.Password, c.Database})
	require.NotNil(t, c.TLSConfig)
	assert.Equal(t, "db.example.com", c.TLSConfig.ServerName, "verify-full is the default")
	assert.False(t, c.TLSConfig.InsecureSkipVerify)
	assert.Equal(t, 5*time.Second, c.ConnectTimeout)
	assert.NotNil(t, c.ValidateConnect, "a standby is left for another")
	assert.Equal(t, map[string]string{"application_name": "tenure", "synchronous_commit": "on"}, c.RuntimeParams)
	assert.Equal(t, 16, at.most)

	at, err = parse("postgresql://tenure@a,b:5433/ledger?sslmode=disable&pool_max_conns=3&search_path=hr&synchronous_commit=remote_apply&application_name=x&connect_timeout=1")
	require.NoError(t, err)
	assert.Nil(t, at.config.TLSConfig)
	assert.Equal(t, map[string]string{"application_name": "x", "synchronous_commit": "remote_apply", "search_path": "hr"}, at.config.RuntimeParams)
	assert.Len(t, at.config.Fallbacks, 1, "the other host")
	assert.Equal(t, 3, at.most)
	assert.Equal(t, time.Second, at.config.ConnectTimeout)
}

func TestAURLThatCannotBeUsed(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.pem")
	require.NoError(t, os.WriteFile(bad, []byte("no certificate"), 0o600))
	for url, want := range map[string]string{
		"postgres://tenure:s3cret@@db:5432:1/x":                         "too many colons",
		"postgres://tenure:s3/cret#s3cret@db/tenure":                    "percent-encoded",
		"mysql://tenure:s3cret@db/tenure":                               "it must have the form",
		"postgres://tenure:s3cret@db/tenure?sslmode=maybe":              "postgres://db/tenure: the URL has a parameter that cannot be used: failed to configure TLS (sslmode is invalid)",
		"postgres://tenure:s3cret@db/tenure?sslrootcert=" + bad:         "unable to add CA to cert pool",
		"postgres://tenure:s3cret@db/tenure?sslrootcert=/no/such":       "no such file",
		"postgres://tenure:s3cret@db/tenure?pool_max_conns=1":           "must be a whole number, 2 at least",
		"postgres://tenure:s3cret@db/tenure?pool_max_conns=s":           "must be a whole number",
		"postgres://tenure:s3cret@db/tenure?connect_timeout=s3cret":     "connect_timeout",
		"postgres://db/tenure?user=tenure&password=s3cret&sslmode=nope": "sslmode is invalid",
	} {
		_, err := parse(url)
		require.ErrorContains(t, err, want, url)
		assert.NotContains(t, err.Error(), "s3cret", url)
	}
}

func TestFilesAreReadForEachConnection(t *testing.T) {
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, []byte(authority), 0o600))
	at, err := parse("postgres://tenure@db/tenure?sslrootcert=" + ca)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(ca, []byte("gone bad"), 0o600))
	_, err = at.parsed()
	require.ErrorContains(t, err, "unable to add CA to cert pool")
}

// authority is a certificate.
const authority = `-----BEGIN CERTIFICATE-----
MIIBdjCCARugAwIBAgIUQH+JQSdpN/KX4FiuXl7NIHXqfI8wCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjYxMjExMzNaGA8yMTI2MTEwMjEyMTEz
M1owDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABE0n
1Kr26BWQYGbVav0+MnGPi+ZAgOW+rPuDvH5N9IgUEYf1k+CXLCert2u7+8hgp/J5
pO9qBDotiYDkWRn61RCjUzBRMB0GA1UdDgQWBBREGNx1DJHxxgoy3PRsoUHL38rS
qjAfBgNVHSMEGDAWgBREGNx1DJHxxgoy3PRsoUHL38rSqjAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0kAMEYCIQC6Wqjfac8oOYjfpTDbGbjVT+x/PGCGP9sI
v3WWPLKxogIhANHdYbe2mva8pd7O1H/KEowlIAQy6xTnCvh73Eb5kV6b
-----END CERTIFICATE-----
`
