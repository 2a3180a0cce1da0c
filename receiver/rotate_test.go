package receiver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/secret"
)

// inFile returns a secret that is read from a file.
func inFile(path string) secret.Secret {
	return secret.New(func() (string, error) {
		content, err := os.ReadFile(path)
		if err == nil && len(content) == 0 {
			err = errors.New("the file is empty")
		}
		return string(content), err
	})
}

func TestSecretsAreReplacedWithoutARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	write := func(content string) { require.NoError(t, os.WriteFile(file, []byte(content), 0o600)) }
	write("an older secret that is going away")
	r := newRig(t, func(o *Options) {
		o.Tuning.Refresh = time.Millisecond
		o.Endpoints[2].Secrets = []secret.Secret{secret.Of("another one, which is not replaced"), inFile(file)}
	})
	require.Equal(t, http.StatusUnauthorized, r.do(r.generic(payload)).status)
	write(key)
	r.eventually(func() bool { return r.do(r.generic(payload)).status == http.StatusOK }, "the new one is known")

	write("") // a file that is written in place is empty for a moment
	for range 3 {
		require.Equal(t, http.StatusOK, r.do(r.generic(payload)).status, "what was known stays valid")
	}
	r.eventually(func() bool {
		_ = r.do(r.generic(payload))
		return r.logs.FilterMessageSnippet("a secret cannot be read").Len() == 1
	}, "and it is said")
	write("and yet another secret of some kind")
	r.eventually(func() bool { return r.do(r.generic(payload)).status == http.StatusUnauthorized }, "the old one is not known any more")
	assert.Equal(t, 1, r.logs.FilterMessageSnippet("a secret cannot be read").Len(), "once")
	r.noSecrets()
}

func TestASecretThatCannotBeReadLetsNobodyIn(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Endpoints[1].Secrets = []secret.Secret{{}, inFile("/nowhere")}
		o.Endpoints[2].Secrets = []secret.Secret{{}, inFile("/nowhere")}
	})
	assert.Equal(t, http.StatusServiceUnavailable, r.do(r.generic(payload)).status, "it may be right, so it has to come again")
	req := r.generic(payload)
	req.Header.Set("X-Signature", signWith("", payload))
	assert.Equal(t, http.StatusServiceUnavailable, r.do(req).status, "an unknown secret is not the empty one")
	assert.Empty(t, r.broker.all())
	assert.Equal(t, http.StatusUnauthorized, r.do(r.post("/in", "application/json", payload)).status, "without a signature it is not")
	for _, authorization := range []string{"Bearer ", "Bearer"} {
		req := r.post("/rippling", "application/json", payload)
		req.Header.Set("Authorization", authorization)
		assert.Equal(t, http.StatusUnauthorized, r.do(req).status)
	}
}

// writePair writes a self-signed certificate with this name.
func writePair(t *testing.T, name string, files Certificate) *x509.Certificate {
	t.Helper()
	pair, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, pair.Public(), pair)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(pair)
	require.NoError(t, err)
	write := func(path, kind string, content []byte) {
		require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600))
	}
	write(files.Key, "PRIVATE KEY", keyDER)
	write(files.Certificate, "CERTIFICATE", der)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return parsed
}

func TestTLSAndItsCertificateIsReplacedWithoutARestart(t *testing.T) {
	files := Certificate{filepath.Join(t.TempDir(), "tls.crt"), filepath.Join(t.TempDir(), "tls.key")}
	pool := x509.NewCertPool()
	pool.AddCert(writePair(t, "first", files))
	r := newRig(t, func(o *Options) { o.Certificate = &files; o.Tuning.Refresh = time.Millisecond })
	r.url = strings.Replace(r.url, "http://127.0.0.1", "https://localhost", 1)
	settings := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	r.client = &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: settings, ForceAttemptHTTP2: true, DisableKeepAlives: true}}

	resp, err := r.client.Do(r.generic(payload))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Equal(t, 2, resp.ProtoMajor)
	assert.Equal(t, "first", resp.TLS.PeerCertificates[0].Subject.CommonName)

	require.NoError(t, os.WriteFile(files.Certificate, []byte("half of a certif"), 0o600))
	r.eventually(func() bool {
		require.Equal(t, http.StatusOK, r.do(r.generic(payload)).status, "the one before is served")
		return r.logs.FilterMessageSnippet("the new TLS certificate cannot be used").Len() == 1
	}, "it is said")

	pool.AddCert(writePair(t, "second", files))
	r.eventually(func() bool {
		resp, err := r.client.Do(r.generic(payload))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.TLS.PeerCertificates[0].Subject.CommonName == "second"
	}, "the new one is served")

	old := settings.Clone()
	old.MaxVersion, old.MinVersion = tls.VersionTLS11, tls.VersionTLS10
	_, err = tls.Dial("tcp", r.intake.Addr(), old)
	assert.ErrorContains(t, err, "protocol version not supported")
}

// HTTP/2 has limits of its own, for each stream.
func TestASlowBodyOverHTTP2(t *testing.T) {
	files := Certificate{filepath.Join(t.TempDir(), "tls.crt"), filepath.Join(t.TempDir(), "tls.key")}
	pool := x509.NewCertPool()
	pool.AddCert(writePair(t, "first", files))
	r := newRig(t, func(o *Options) { o.Certificate = &files; o.Tuning.Read = 100 * time.Millisecond })
	r.url = strings.Replace(r.url, "http://127.0.0.1", "https://localhost", 1)
	r.client = &http.Client{Timeout: patience, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
	}}
	body, writer, err := os.Pipe()
	require.NoError(t, err)
	defer writer.Close()
	_, err = writer.WriteString("{")
	require.NoError(t, err)
	req, err := http.NewRequest(http.MethodPost, r.url+"/in", body)
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	assert.Equal(t, http.StatusServiceUnavailable, r.do(req).status)
	assert.Equal(t, 1, r.counted("/in", "slow"))
}
