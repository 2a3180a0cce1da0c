package broker

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ingest/brokertest"
)

// serveTLS opens a port that completes the TLS handshake, and hangs up.
func serveTLS(t *testing.T, certificate, key string) (address string) {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(certificate, key)
	require.NoError(t, err)
	return serve(t, func(conn net.Conn) {
		_ = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{pair}}).Handshake()
	})
}

// serve opens a port that calls do with each connection, and hangs up.
func serve(t *testing.T, do func(net.Conn)) (address string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				do(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		all.Wait()
	})
	return ln.Addr().String()
}

func TestWhatIsWrongWithTLSIsSaid(t *testing.T) {
	ours, theirs := brokertest.NewAuthority(t, "ours"), brokertest.NewAuthority(t, "theirs")
	certificate, key, _ := ours.Issue("broker", time.Now().Add(time.Hour))
	oldCertificate, oldKey, _ := ours.Issue("old", time.Now().Add(-time.Hour))
	good := serveTLS(t, certificate, key)
	expired := serveTLS(t, oldCertificate, oldKey)
	plain := serve(t, func(conn net.Conn) { _, _ = conn.Write([]byte("no TLS here")) })
	silent := serve(t, func(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)) })

	tests := []struct {
		name, broker string
		tls          TLS
		want         string
	}{
		{"all is well", good, TLS{CA: ours.File}, ""},
		{"another authority", good, TLS{CA: theirs.File}, "signed by nobody who is trusted here: name the authority in kafka.tls.ca"},
		{"the system's authorities", good, TLS{}, "signed by nobody who is trusted here"},
		{"another name", good, TLS{CA: ours.File, ServerName: "kafka.example.com"}, "is for another name"},
		{"an expired broker", expired, TLS{CA: ours.File}, "the broker's certificate has expired"},
		{"no TLS", plain, TLS{CA: ours.File}, "the broker's port does not speak TLS"},
		{"nothing at all", silent, TLS{CA: ours.File}, "the broker's port does not speak TLS"},
		{"an expired certificate of ours", good, TLS{CA: ours.File, Certificate: oldCertificate, Key: oldKey}, "the certificate to sign in with expired at"},
		{"no file", good, TLS{CA: ours.File + ".gone"}, "kafka.tls.ca"},
		{"no certificate in it", good, TLS{CA: key}, "holds no certificate in PEM form"},
		{"a key of another", good, TLS{CA: ours.File, Certificate: certificate, Key: oldKey}, "kafka.tls.certificate"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := Cluster{TLS: &test.tls}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			conn, err := c.dial(ctx, "tcp", test.broker)
			if test.want == "" {
				require.NoError(t, err)
				require.NoError(t, conn.Close())
				return
			}
			assert.ErrorContains(t, c.explain(err), test.want)
		})
	}
}

// Certificates are renewed while Tenure runs.
func TestFilesAreReadForEachConnection(t *testing.T) {
	ours := brokertest.NewAuthority(t, "ours")
	old, key, _ := ours.Issue("broker", time.Now().Add(time.Hour))
	address := serveTLS(t, old, key)
	c := Cluster{TLS: &TLS{CA: ours.Write("ca.pem", []byte("not yet"))}}
	_, err := c.dial(t.Context(), "tcp", address)
	require.Error(t, err)
	content, err := os.ReadFile(ours.File)
	require.NoError(t, err)
	ours.Write("ca.pem", content)
	conn, err := c.dial(t.Context(), "tcp", address)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
}
