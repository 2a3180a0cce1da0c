package brokertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Authority signs certificates in tests.
type Authority struct {
	t           *testing.T
	dir         string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	// File is the PEM file of the authority itself.
	File string
}

// NewAuthority returns an authority whose files are removed after the test.
func NewAuthority(t *testing.T, name string) *Authority {
	t.Helper()
	a := &Authority{t: t, dir: t.TempDir()}
	a.certificate = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	signed, key := a.sign(a.certificate)
	a.key = key
	a.File = a.Write(name+".pem", block("CERTIFICATE", signed))
	return a
}

// sign signs a certificate. An authority without a key signs its own.
func (a *Authority) sign(template *x509.Certificate) (signed []byte, key *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	signer := a.key
	if signer == nil {
		signer = key
	}
	signed, err = x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, signer)
	require.NoError(a.t, err)
	return signed, key
}

// Issue writes a certificate for this machine and its key, valid until that time, and
// returns the paths: of the certificate, of the key, and of a file with both.
func (a *Authority) Issue(name string, until time.Time) (certificate, key, both string) {
	a.t.Helper()
	signed, private := a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: until,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(a.t, err)
	certificatePEM, keyPEM := block("CERTIFICATE", signed), block("PRIVATE KEY", encoded)
	return a.Write(name+".crt", certificatePEM), a.Write(name+".key", keyPEM), a.Write(name+".both", append(keyPEM, certificatePEM...))
}

// Write writes a file, and returns its path.
func (a *Authority) Write(name string, content []byte) string {
	a.t.Helper()
	path := filepath.Join(a.dir, name)
	require.NoError(a.t, os.WriteFile(path, content, 0o600))
	return path
}

func block(kind string, content []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content})
}
