package topology

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificates are an authority and those that it has issued, as PEM files.
type certificates struct {
	dir         string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// Pair is a certificate with its key: files.
type Pair struct {
	Certificate, Key string
	both             string // in one file, as Kafka wants them
}

func newCertificates(dir string) (*certificates, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	c := &certificates{dir: dir, certificate: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Tenure's tests"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}}
	signed, key, err := c.sign(c.certificate)
	if err != nil {
		return nil, err
	}
	c.key = key
	return c, os.WriteFile(c.ca(), block("CERTIFICATE", signed), 0o600)
}

// ca is the file of the authority's own certificate.
func (c *certificates) ca() string { return filepath.Join(c.dir, "ca.pem") }

// sign signs a certificate; its own, if it has none yet.
func (c *certificates) sign(template *x509.Certificate) ([]byte, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	signer := c.key
	if signer == nil {
		signer = key
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, c.certificate, &key.PublicKey, signer)
	return signed, key, err
}

// issue writes a certificate for this machine, or replaces the one of that name.
func (c *certificates) issue(name string) (Pair, error) {
	signed, private, err := c.sign(&x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(12 * time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return Pair{}, err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return Pair{}, err
	}
	certificate, key := block("CERTIFICATE", signed), block("PRIVATE KEY", encoded)
	p := Pair{
		Certificate: filepath.Join(c.dir, name+".crt"), Key: filepath.Join(c.dir, name+".key"),
		both: filepath.Join(c.dir, name+".both"),
	}
	for path, content := range map[string][]byte{p.Certificate: certificate, p.Key: key, p.both: append(key, certificate...)} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return Pair{}, err
		}
	}
	return p, nil
}

func block(kind string, content []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content})
}

// authorities are the certificates in a file.
func authorities(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", path)
	}
	return pool, nil
}
