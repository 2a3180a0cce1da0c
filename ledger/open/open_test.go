package open_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger/open"
)

func TestOpenSQLite(t *testing.T) {
	t.Chdir(t.TempDir())
	absolute := filepath.Join(t.TempDir(), "absolute.db")
	for url, path := range map[string]string{
		"sqlite:plain.db":                 "plain.db",
		"sqlite:./dot.db":                 "dot.db",
		"sqlite://slashes.db":             "slashes.db",
		"sqlite:" + absolute:              absolute,
		"sqlite://" + absolute + ".three": absolute + ".three",
		"sqlite:odd ?name%20#:é.db":       "odd ?name%20#:é.db",
	} {
		l, err := open.Open(t.Context(), url)
		require.NoError(t, err, url)
		require.NoError(t, l.Ping(t.Context()))
		require.NoError(t, l.Close())
		assert.FileExists(t, path, url)
	}
}

func TestOpenSaysWhatItKnows(t *testing.T) {
	for url, want := range map[string]string{
		"postgres://tenure:s3cret@127.0.0.1:1/tenure":       "cannot be reached",
		"postgresql://tenure:s3cret@127.0.0.1:1/tenure":     "ledger postgresql://127.0.0.1:1/tenure: the database",
		"postgres://tenure:s3/cret#s3cret@127.0.0.1/tenure": "percent-encoded",
		"mysql://tenure:s3cret@db/tenure":                   `must start with "sqlite:"`,
		"tenure.db":                                         `must start with "sqlite:"`,
		"":                                                  `must start with "sqlite:"`,
		"sqlite:":                                           "give the path of a file",
		"sqlite:no/such/directory/tenure.db":                "no directory",
	} {
		l, err := open.Open(t.Context(), url)
		require.ErrorContains(t, err, want, url)
		assert.NotContains(t, err.Error(), "s3cret")
		assert.True(t, l == nil, "a nil interface, not a nil store in one")
		r := open.Check(t.Context(), url)
		assert.False(t, r.Reached)
		assert.Contains(t, r.Problem, want)
		assert.NotContains(t, r.Address+r.Problem, "s3cret")
	}
}

func TestCheckURL(t *testing.T) {
	require.NoError(t, open.CheckURL("sqlite:tenure.db"))
	require.NoError(t, open.CheckURL("postgres://tenure:s3cret@db/tenure?sslmode=verify-full"))
	require.ErrorContains(t, open.CheckURL("postgres://tenure:s3cret@db/tenure?sslmode=perhaps"), "sslmode")
}
