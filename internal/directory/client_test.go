package directory

import (
	"context"
	"encoding/pem"
	"errors"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/internal/remote"
	"github.com/tenurehq/tenure/secret"
)

func kindOf(t *testing.T, err error) remote.Kind {
	t.Helper()
	var failed *remote.Error
	require.ErrorAs(t, err, &failed)
	return failed.Kind
}

func TestAConnectionIsUsedAgain(t *testing.T) {
	s := serve(t, nil)
	var paced atomic.Int32
	c := s.client(t, func(config *Config) {
		config.Pace = func(context.Context) error { paced.Add(1); return nil }
	})
	for range 3 {
		require.NoError(t, c.Delete(t.Context(), "delete", "uid=a"))
	}
	assert.Equal(t, 1, s.count(ldap.ApplicationBindRequest))
	assert.Equal(t, 3, s.count(ldap.ApplicationDelRequest))
	assert.EqualValues(t, 4, paced.Load(), "once for the connection and once for each request")
}

func TestABrokenConnectionIsMadeAnew(t *testing.T) {
	s := serve(t, nil)
	c := s.client(t, nil)
	require.NoError(t, c.Delete(t.Context(), "delete", "uid=a"))
	s.hangUp()
	require.Eventually(t, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.idle[0].IsClosing()
	}, 10*time.Second, time.Millisecond)
	require.NoError(t, c.Delete(t.Context(), "delete", "uid=a"))
	assert.Equal(t, 2, s.count(ldap.ApplicationBindRequest))
}

func TestAnOldConnectionIsNotTrusted(t *testing.T) {
	s := serve(t, nil)
	c := s.client(t, nil)
	require.NoError(t, c.Delete(t.Context(), "delete", "uid=a"))
	c.idle[0].since = time.Now().Add(-idleTime)
	require.NoError(t, c.Delete(t.Context(), "delete", "uid=a"))
	assert.Equal(t, 2, s.count(ldap.ApplicationBindRequest))
}

func TestANewPasswordIsUsedAtOnce(t *testing.T) {
	s := serve(t, nil)
	password := "right"
	var missing error
	c := s.client(t, func(config *Config) {
		config.Password = secret.New(func() (string, error) { return password, missing })
	})
	require.NoError(t, c.Delete(t.Context(), "delete", "uid=a"))
	password = "newer"
	assert.Equal(t, remote.Unauthorized, kindOf(t, c.Delete(t.Context(), "delete", "uid=a")), "the server does not have it yet")
	s.set(func(s *server) { s.password = "newer" })
	require.NoError(t, c.Delete(t.Context(), "delete", "uid=a"))

	binds := s.count(ldap.ApplicationBindRequest)
	password = ""
	assert.Equal(t, remote.Unauthorized, kindOf(t, c.Delete(t.Context(), "delete", "uid=a")), "an empty one would bind as nobody")
	missing = errors.New("no such file")
	assert.Equal(t, remote.Unavailable, kindOf(t, c.Delete(t.Context(), "delete", "uid=a")))
	assert.Equal(t, binds, s.count(ldap.ApplicationBindRequest))
}

func TestTheFirstServerThatAnswersIsUsed(t *testing.T) {
	gone, there := serve(t, nil), serve(t, nil)
	gone.stop()
	urls := func(first, second *server) func(*Config) {
		return func(config *Config) {
			config.URLs = []*url.URL{address(t, "ldap://"+first.listener.Addr().String()), address(t, "ldap://"+second.listener.Addr().String())}
		}
	}
	require.NoError(t, there.client(t, urls(gone, there)).Delete(t.Context(), "delete", "uid=a"))

	strict := serve(t, nil)
	strict.set(func(s *server) { s.password = "another" })
	binds := there.count(ldap.ApplicationBindRequest)
	assert.Equal(t, remote.Unauthorized, kindOf(t, there.client(t, urls(strict, there)).Delete(t.Context(), "delete", "uid=a")))
	assert.Equal(t, binds, there.count(ldap.ApplicationBindRequest), "a refusal is an answer")

	assert.Equal(t, remote.Unavailable, kindOf(t, there.client(t, urls(gone, gone)).Delete(t.Context(), "delete", "uid=a")))
}

func TestCallsAreBrokenOff(t *testing.T) {
	s := serve(t, nil)
	s.set(func(s *server) { s.silent = true })
	for name, test := range map[string]struct {
		timeout time.Duration
		cancel  func(context.CancelFunc)
		want    error
	}{
		"by the caller":  {time.Hour, func(cancel context.CancelFunc) { cancel() }, context.Canceled},
		"by the timeout": {time.Second / 10, func(context.CancelFunc) {}, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			c := s.client(t, func(config *Config) { config.Timeout = test.timeout })
			before := s.count(ldap.ApplicationDelRequest)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			failed := make(chan error)
			go func() { failed <- c.Delete(ctx, "delete", "uid=a") }()
			require.Eventually(t, func() bool { return s.count(ldap.ApplicationDelRequest) > before }, 10*time.Second, time.Millisecond)
			test.cancel(cancel)
			select {
			case err := <-failed:
				assert.Equal(t, remote.Unavailable, kindOf(t, err))
				assert.ErrorIs(t, err, test.want)
			case <-time.After(10 * time.Second):
				require.Fail(t, "it still waits")
			}
			assert.Empty(t, c.idle, "an answer may still come on that connection")
		})
	}
}

func TestPages(t *testing.T) {
	s := serve(t, nil)
	s.set(func(s *server) { s.pages = 3 })
	c := s.client(t, nil)
	all, err := c.All(t.Context(), "list", Query{Filter: "(uid=*)"})
	require.NoError(t, err)
	require.Len(t, all, 3)
	assert.Equal(t, "uid=3", all[2].DN)
	assert.Equal(t, 3, s.count(ldap.ApplicationSearchRequest))

	for _, err := range c.Search(t.Context(), "list", Query{Filter: "(uid=*)"}) {
		require.NoError(t, err)
		break
	}
	assert.Equal(t, 4, s.count(ldap.ApplicationSearchRequest), "pages are asked for as needed")
	assert.Empty(t, c.idle, "the server may forget the rest")

	s.set(func(s *server) { s.pages = 1 })
	for _, err := range c.Search(t.Context(), "read", Query{Filter: "(uid=1)"}) {
		require.NoError(t, err)
		break
	}
	assert.Len(t, c.idle, 1, "there is no rest")
}

// A server that sends endless entries, or announces an endless message, makes only its own
// call fail, in bounded memory. The next call gets a new connection.
func TestAnAnswerWithoutEnd(t *testing.T) {
	s := serve(t, nil)
	s.set(func(s *server) { s.endless = true })
	c := s.client(t, func(config *Config) { config.Timeout = time.Minute })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := c.All(t.Context(), "list", Query{Filter: "(uid=*)"})
	runtime.ReadMemStats(&after)
	assert.Equal(t, remote.Invalid, kindOf(t, err))
	assert.ErrorContains(t, err, "longer than 32 MB")
	assert.Less(t, after.HeapAlloc, before.HeapAlloc+uint64(5*maxAnswer))
	s.set(func(s *server) { s.endless = false })
	all, err := c.All(t.Context(), "list", Query{Filter: "(uid=*)"})
	require.NoError(t, err)
	assert.Len(t, all, 1)
}

func TestWhoAmIOfAServerThatDoesNotSay(t *testing.T) {
	s := serve(t, nil)
	who, err := s.client(t, nil).WhoAmI(t.Context(), "check")
	require.NoError(t, err)
	assert.Equal(t, "cn=tenure at "+s.listener.Addr().String(), who)
}

func TestOnlyTrustedServersGetThePassword(t *testing.T) {
	web := httptest.NewTLSServer(nil) // for its certificate
	defer web.Close()
	s := serve(t, web.TLS)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	secure := func(config *Config) {
		config.URLs = []*url.URL{address(t, "ldaps://"+s.listener.Addr().String())}
		config.CA = ca
	}
	failed := func(want remote.Kind, text string) {
		t.Helper()
		err := s.client(t, secure).Delete(t.Context(), "delete", "uid=a")
		assert.Equal(t, want, kindOf(t, err))
		assert.ErrorContains(t, err, text)
	}
	failed(remote.Unavailable, `setting "ca" cannot be read`)
	require.NoError(t, os.WriteFile(ca, []byte("nothing"), 0o600))
	failed(remote.Invalid, "holds no certificate")
	err := s.client(t, func(config *Config) { secure(config); config.CA = "" }).Delete(t.Context(), "delete", "uid=a")
	assert.ErrorContains(t, err, "certificate is not trusted")
	assert.Zero(t, s.count(ldap.ApplicationBindRequest))

	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}), 0o600))
	assert.NoError(t, s.client(t, secure).Delete(t.Context(), "delete", "uid=a"))
}

func TestNothingIsSentWhereStartTLSIsRefused(t *testing.T) {
	s := serve(t, nil)
	err := s.client(t, func(config *Config) { config.StartTLS = true }).Delete(t.Context(), "delete", "uid=a")
	assert.Equal(t, remote.Unsupported, kindOf(t, err))
	assert.Zero(t, s.count(ldap.ApplicationBindRequest))
}

func TestPacingThatEnds(t *testing.T) {
	s := serve(t, nil)
	c := s.client(t, func(config *Config) {
		config.Pace = func(context.Context) error { return context.Canceled }
	})
	err := c.Delete(t.Context(), "delete", "uid=a")
	assert.Equal(t, remote.Unavailable, kindOf(t, err))
	assert.ErrorIs(t, err, context.Canceled)
}

func TestAServerThatIsNotThere(t *testing.T) {
	c := serve(t, nil).client(t, func(config *Config) {
		config.URLs = []*url.URL{{Scheme: "ldaps", Host: net.JoinHostPort("127.0.0.1", "1")}}
	})
	err := c.Delete(t.Context(), "delete", "uid=a")
	assert.Equal(t, remote.Unavailable, kindOf(t, err))
	assert.NotContains(t, err.Error(), "127.0.0.1")
}
