package config

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/internal/remote"
	"github.com/tenurehq/tenure/secret"
)

// SASL holds the account that signs in to Kafka.
type SASL struct {
	Mechanism string // one of SASLMechanisms
	Username  secret.Secret
	Password  secret.Secret
}

// The names of the SASL mechanisms that there are.
const (
	SASLPlain       = "plain"
	SASLScramSHA256 = "scram-sha-256"
	SASLScramSHA512 = "scram-sha-512"
)

// SASLMechanisms are the names of the mechanisms that there are.
func SASLMechanisms() []string { return []string{SASLPlain, SASLScramSHA256, SASLScramSHA512} }

// readTLS returns nil if TLS is switched off. Paths are made relative to the working
// directory.
func readTLS(v value) *broker.TLS {
	t, enabled := &broker.TLS{}, true
	var certificate, key *value
	v.mapping(
		into("enabled", &enabled),
		on("ca", func(v value) {
			path, content := v.file()
			if content != nil && !x509.NewCertPool().AppendCertsFromPEM(content) {
				v.failf("the file holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)")
			}
			t.CA = path
		}),
		on("certificate", func(v value) { certificate = &v }),
		on("key", func(v value) { key = &v }),
		into("serverName", &t.ServerName),
	)
	switch {
	case certificate != nil && key != nil:
		t.Certificate, t.Key = readKeyPair(*certificate, *key)
	case certificate != nil:
		certificate.failf("a certificate is of no use without its private key: name that as key")
	case key != nil:
		key.failf("a private key is of no use without its certificate: name that as certificate")
	}
	if !enabled {
		return nil
	}
	return t
}

// readKeyPair checks that a certificate and a key belong together.
func readKeyPair(certificate, key value) (certificatePath, keyPath string) {
	certificatePath, certificatePEM := certificate.file()
	keyPath, keyPEM := key.file()
	if certificatePEM != nil && keyPEM != nil {
		if _, err := tls.X509KeyPair(certificatePEM, keyPEM); err != nil {
			certificate.failf("the certificate and %s cannot be used together: %s", key.path, strings.TrimPrefix(err.Error(), "tls: "))
		}
	}
	return certificatePath, keyPath
}

// file reads the path of a file, and the file; its content is nil if that failed, or
// if nobody needs it.
func (v value) file() (path string, content []byte) {
	path = v.text()
	if path == "" || v.l.failed(v.path) {
		return "", nil
	}
	path = v.l.relative(path)
	if !v.needed() {
		return path, nil
	}
	content, err := v.l.readFile(path)
	if err != nil {
		v.failf("the file cannot be read: %s", reason(err))
		return path, nil
	}
	return path, content
}

// readSASL reads the account that signs in.
func readSASL(v value) *SASL {
	s := &SASL{}
	v.mapping(
		on("mechanism", func(v value) { s.Mechanism = v.choice("mechanism") }),
		into("username", &s.Username),
		into("password", &s.Password),
	)
	return s
}

// checkAccess refuses to send a password where others can read it. v is the
// section kafka.
func checkAccess(v value, k Kafka) {
	if k.TLS != nil || k.SASL == nil || k.SASL.Mechanism != SASLPlain {
		return
	}
	if far := slices.IndexFunc(k.Brokers, func(broker string) bool { return !onLoopback(broker) }); far >= 0 {
		v.l.fail(placeOf(v.l.nodes["kafka.sasl.mechanism"]), "kafka.sasl.mechanism",
			"plain would send the password to %s for everybody on the way to read: add kafka.tls, or use %s",
			k.Brokers[far], SASLScramSHA512)
	}
}

// onLoopback reports whether an address (host:port) belongs to this machine.
func onLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err != nil || !remote.Exposed(host) // an error is reported already
}

// choice reads one of the declared words.
func (v value) choice(what string) string {
	word, words := v.text(), v.is.Choices
	if word != "" && !v.l.failed(v.path) && !slices.Contains(words, word) {
		v.failf("there is no %s %q%s", what, word, hint(word, words))
	}
	return word
}
