package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	certificatePEM, keyPEM = makeKeyPair()
	_, otherKeyPEM         = makeKeyPair()
)

// makeKeyPair makes a certificate that signs itself.
func makeKeyPair() (certificate, key string) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	must(err)
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	must(err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func assertSASL(t *testing.T, mechanism, username, password string, s *SASL) {
	t.Helper()
	require.NotNil(t, s)
	assert.Equal(t, mechanism, s.Mechanism)
	got, err := s.Username.Reveal()
	require.NoError(t, err)
	assert.Equal(t, username, got)
	got, err = s.Password.Reveal()
	require.NoError(t, err)
	assert.Equal(t, password, got)
	assert.NotContains(t, fmt.Sprintf("%v %+v", *s, *s), password)
}

const saslOf = `
kafka:
  brokers: ["127.0.0.1:9092"]
  sasl: {mechanism: plain, username: tenure, password: "${file:secrets/rotated}"}
ledger: {url: "sqlite:x"}
`

func TestSecretsOfKafkaAreReadAgain(t *testing.T) {
	const name = "secrets/rotated"
	files[name] = "old\n"
	defer delete(files, name)
	cfg, err := read(saslOf)
	require.NoError(t, err)
	assertSASL(t, "plain", "tenure", "old", cfg.Kafka.SASL)

	files[name] = "new\n"
	assertSASL(t, "plain", "tenure", "new", cfg.Kafka.SASL)

	delete(files, name)
	_, err = cfg.Kafka.SASL.Password.Reveal()
	assert.EqualError(t, err, "kafka.sasl.password: secret ${file:secrets/rotated} is missing: file does not exist")
}

func TestTLSIsOnWhereItIsNamed(t *testing.T) {
	for text, on := range map[string]bool{
		"":                      false,
		"tls: ":                 true,
		"tls: {}":               true,
		"tls: {enabled: true}":  true,
		"tls: {enabled: false}": false,
	} {
		cfg, err := read("ledger: {url: \"sqlite:x\"}\nkafka:\n  brokers: [\"kafka:9092\"]\n  " + text)
		require.NoError(t, err)
		assert.Equal(t, on, cfg.Kafka.TLS != nil, text)
	}
}

// Each of these is what follows, in line 4, the addresses of brokers.
func TestLoadRefusesUnsafeAccess(t *testing.T) {
	const scram = `sasl: {mechanism: scram-sha-256, username: a, password: "${env:TOKEN}"}`
	const plain = `sasl: {mechanism: plain, username: a, password: "${env:TOKEN}"}`
	tests := []struct{ name, brokers, text, want string }{
		{"plain to another machine", `"127.0.0.1:1", "kafka:9092"`, plain,
			`4:21: kafka.sasl.mechanism: plain would send the password to kafka:9092 for everybody on the way to read: add kafka.tls, or use scram-sha-512`},
		{"plain with TLS off", `"kafka:9092"`, plain + "\n  tls: {enabled: false}",
			`4:21: kafka.sasl.mechanism: plain would send the password to kafka:9092 for everybody on the way to read: add kafka.tls, or use scram-sha-512`},
		{"plain to this machine", `"localhost:9092", "127.0.0.1:1", "[::1]:2"`, plain, ""},
		{"plain with TLS", `"kafka:9092"`, plain + "\n  tls: {}", ""},
		{"SCRAM without TLS", `"kafka:9092"`, scram, ""},
		{"unknown mechanism", `"kafka:9092"`, strings.Replace(scram, "scram-sha-256", "SCRAM-SHA-256", 1),
			`4:21: kafka.sasl.mechanism: there is no mechanism "SCRAM-SHA-256"; did you mean "scram-sha-256"?`},
		{"password in the file", `"kafka:9092"`, strings.Replace(scram, "${env:TOKEN}", "t0ken", 1),
			"4:59: kafka.sasl.password: must not be written here: refer to it by ${env:NAME} or ${file:PATH}"},
		{"password missing", `"kafka:9092"`, strings.Replace(scram, "TOKEN", "NOPE", 1),
			"4:59: kafka.sasl.password: secret ${env:NOPE} is missing: the environment has no variable NOPE"},
		{"no username", `"kafka:9092"`, strings.Replace(scram, "username: a, ", "", 1),
			"4:3: kafka.sasl.username: is missing"},
		{"certificate without a key", `"kafka:9092"`, "tls: {certificate: kafka/tenure.pem}",
			"4:22: kafka.tls.certificate: a certificate is of no use without its private key: name that as key"},
		{"key without a certificate", `"kafka:9092"`, "tls: {key: kafka/tenure.key}",
			"4:14: kafka.tls.key: a private key is of no use without its certificate: name that as certificate"},
		{"certificate of another key", `"kafka:9092"`, "tls: {certificate: kafka/tenure.pem, key: kafka/other.key}",
			"4:22: kafka.tls.certificate: the certificate and kafka.tls.key cannot be used together: private key does not match public key"},
		{"no such file", `"kafka:9092"`, "tls: {ca: kafka/nope.pem}",
			"4:13: kafka.tls.ca: the file cannot be read: file does not exist"},
		{"no certificate", `"kafka:9092"`, "tls: {ca: kafka/tenure.key}",
			"4:13: kafka.tls.ca: the file holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)"},
		{"skipping verification", `"kafka:9092"`, "tls: {insecure: true}",
			"4:9: kafka.tls.insecure: unknown key; known are ca, certificate, enabled, key, serverName"},
		{"start", `"kafka:9092"`, "topics: [{name: a, startOffset: newest}]",
			`4:35: kafka.topics[0].startOffset: there is no start offset "newest"; known are first, last`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := read("ledger: {url: \"sqlite:x\"}\nkafka:\n  brokers: [" + test.brokers + "]\n  " + test.text)
			if test.want == "" {
				assert.NoError(t, err)
				return
			}
			require.Error(t, err)
			assert.Equal(t, test.want, strings.ReplaceAll(err.Error(), "etc/tenure.yaml:", ""))
			assert.NotContains(t, err.Error(), "t0ken")
		})
	}
}
