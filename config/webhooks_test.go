package config

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/receiver/scheme"
	"github.com/tenurehq/tenure/secret"
)

// webhooks are a section in four lines, the first of which is line 4; the rest of
// the endpoint is given.
func webhooks(listen, endpoint string) string {
	return "webhooks:\n  " + listen + "\n  endpoints:\n    - {path: /hr, topic: hr.events, " + endpoint + "}"
}

func assertSecret(t *testing.T, want string, secrets []secret.Secret) {
	t.Helper()
	require.Len(t, secrets, 1)
	got, err := secrets[0].Reveal()
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestWebhooksHaveDefaults(t *testing.T) {
	cfg, err := read(base)
	require.NoError(t, err)
	assert.Nil(t, cfg.Webhooks, "off unless configured")

	const secrets = `secrets: ["${file:secrets/webhook}"]`
	for endpoint, want := range map[string]scheme.Verifier{
		"scheme: bamboohr, " + secrets:             scheme.BambooHR(),
		"scheme: standard, " + secrets:             scheme.Standard(),
		"scheme: hmac, " + secrets:                 scheme.Generic(),
		"scheme: bearer, " + secrets:               scheme.Bearer{},
		"scheme: bamboohr, window: 4h, " + secrets: func() scheme.HMAC { h := scheme.BambooHR(); h.Window = 4 * time.Hour; return h }(),
	} {
		cfg, err := read(base + webhooks(`listen: "127.0.0.1:8443"`, endpoint))
		require.NoError(t, err)
		require.Len(t, cfg.Webhooks.Endpoints, 1)
		e := cfg.Webhooks.Endpoints[0]
		assert.Equal(t, want, e.Verifier)
		assert.InDelta(t, 50, float64(e.Rate), 0)
		assert.Equal(t, 50, e.Burst)
		assertSecret(t, "0123456789abcdef", e.Secrets)
		assert.EqualValues(t, 512<<10, cfg.Webhooks.MaxBody)
		assert.Empty(t, cfg.Webhooks.Certificate)
	}
}

func TestWebhooksOverPlainHTTPAreForLoopbackAndProxies(t *testing.T) {
	const endpoint = `scheme: bearer, secrets: ["${file:secrets/webhook}"]`
	for listen, ok := range map[string]bool{
		`listen: "127.0.0.1:80"`:                      true,
		`listen: "[::1]:80"`:                          true,
		`listen: "localhost:80"`:                      true,
		`listen: ":80"`:                               false,
		`listen: "0.0.0.0:80"`:                        false,
		`listen: "10.0.0.1:80"`:                       false,
		"listen: \":80\"\n  behindProxy: true":        true,
		"listen: \":80\"\n  behindProxy: false":       false,
		"behindProxy: true\n  listen: \"10.1.1.1:1\"": true,
		"listen: \":443\"\n  tls: {certificate: kafka/tenure.pem, key: kafka/tenure.key}": true,
	} {
		_, err := read(base + webhooks(listen, endpoint))
		if ok {
			assert.NoError(t, err, listen)
			continue
		}
		assert.ErrorContains(t, err, "webhooks would come over plain HTTP", listen)
		assert.ErrorContains(t, err, ":5:11: webhooks.listen: ", listen)
	}
}

func TestWebhooksThatAreWrong(t *testing.T) {
	const (
		local   = `listen: "127.0.0.1:80"`
		secrets = `secrets: ["${file:secrets/webhook}"]`
	)
	for name, test := range map[string]struct{ text, want string }{
		"nothing":       {"webhooks:", "4:1: webhooks.listen: is missing\n4:1: webhooks.endpoints: is missing"},
		"no endpoint":   {"webhooks: {listen: \"127.0.0.1:80\", endpoints: []}", "4:47: webhooks.endpoints: must name an endpoint at least"},
		"unknown key":   {webhooks(local, "scheme: bearer, tokens: [], "+secrets), `7:53: webhooks.endpoints[0].tokens: unknown key; known are path, rate, scheme, secrets, signature, sources, topic, types, window`},
		"certificate":   {webhooks(local+"\n  tls: {certificate: kafka/tenure.pem}", "scheme: bearer, "+secrets), "6:3: webhooks.tls.key: is missing"},
		"other key":     {webhooks(local+"\n  tls: {certificate: kafka/tenure.pem, key: kafka/other.key}", "scheme: bearer, "+secrets), "6:22: webhooks.tls.certificate: the certificate and webhooks.tls.key cannot be used together: private key does not match public key"},
		"no such file":  {webhooks(local+"\n  tls: {certificate: kafka/tenure.pem, key: nowhere}", "scheme: bearer, "+secrets), "6:45: webhooks.tls.key: the file cannot be read: file does not exist"},
		"unknown":       {webhooks(local, "scheme: bambohr, "+secrets), `7:45: webhooks.endpoints[0].scheme: there is no scheme "bambohr"; did you mean "bamboohr"?`},
		"topic":         {strings.Replace(webhooks(local, "scheme: bearer, "+secrets), "hr.events", "hr.event", 1), `7:26: webhooks.endpoints[0].topic: topic "hr.event" is not one of kafka.topics, so nobody would read it; did you mean "hr.events"?`},
		"path":          {strings.Replace(webhooks(local, "scheme: bearer, "+secrets), "/hr", "hr/", 1), `7:14: webhooks.endpoints[0].path: must be a path such as "/bamboohr", of letters, digits and -._~`},
		"path twice":    {webhooks(local, "scheme: bearer, "+secrets) + "\n    - {path: /hr, topic: hr.events, scheme: bearer, " + secrets + "}", `8:7: webhooks.endpoints[1].path: path "/hr" is there twice`},
		"no secrets":    {webhooks(local, "scheme: bearer"), "7:7: webhooks.endpoints[0].secrets: is missing"},
		"none of them":  {webhooks(local, "scheme: bearer, secrets: []"), "7:62: webhooks.endpoints[0].secrets: must hold a secret at least"},
		"written":       {webhooks(local, "scheme: bearer, secrets: [0123456789abcdefXYZ]"), "7:63: webhooks.endpoints[0].secrets[0]: must not be written here: refer to it by ${env:NAME} or ${file:PATH}"},
		"missing":       {webhooks(local, "scheme: bearer, secrets: [\"${env:NOPE}\"]"), "7:63: webhooks.endpoints[0].secrets[0]: secret ${env:NOPE} is missing: the environment has no variable NOPE"},
		"short":         {webhooks(local, "scheme: bearer, secrets: [\"${env:TOKEN}\"]"), "7:63: webhooks.endpoints[0].secrets[0]: is too short to be a secret: must have 16 characters at least"},
		"not generic":   {webhooks(local, "scheme: bamboohr, signature: {header: X}, "+secrets), "7:55: webhooks.endpoints[0].signature: only the scheme hmac has to be told what its signatures are"},
		"no header":     {webhooks(local, "scheme: hmac, signature: {prefix: X}, "+secrets), "7:51: webhooks.endpoints[0].signature.header: is missing"},
		"odd header":    {webhooks(local, "scheme: hmac, signature: {header: \"X Y\"}, "+secrets), `7:71: webhooks.endpoints[0].signature.header: must be the name of an HTTP header such as "X-Signature"`},
		"encoding":      {webhooks(local, "scheme: hmac, signature: {header: X, encoding: hexx}, "+secrets), `7:84: webhooks.endpoints[0].signature.encoding: there is no encoding "hexx"; did you mean "hex"?`},
		"body unsigned": {webhooks(local, "scheme: hmac, signature: {header: X, timestamp: T, signs: \"{timestamp}\"}, "+secrets), `7:51: webhooks.endpoints[0].signature: "{timestamp}" must have {body} in it, once: what is not signed proves nothing`},
		"time unsigned": {webhooks(local, "scheme: hmac, signature: {header: X, timestamp: T}, "+secrets), `7:51: webhooks.endpoints[0].signature: the timestamp must be signed too, such as "{timestamp}.{body}": else anybody can change it`},
		"window":        {webhooks(local, "scheme: bearer, window: 5m, "+secrets), "7:61: webhooks.endpoints[0].window: is of no use: nothing in a request says when it was sent"},
		"no rate":       {webhooks(local, "scheme: bearer, rate: 0/s, "+secrets), "7:59: webhooks.endpoints[0].rate: must be a number of calls above zero"},
		"size":          {webhooks(local+"\n  maxBody: 1MiB", "scheme: bearer, "+secrets), "6:12: webhooks.maxBody: must be from 1KiB to 1000KiB"},
		"no size":       {webhooks(local+"\n  maxBody: large", "scheme: bearer, "+secrets), `6:12: webhooks.maxBody: must be a size such as "64KiB"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(base + test.text)
			require.Error(t, err)
			assert.Contains(t, strings.ReplaceAll(err.Error(), "etc/tenure.yaml:", ""), test.want)
			assert.NotContains(t, err.Error(), "t0ken")
			assert.NotContains(t, err.Error(), "0123456789abcdef")
		})
	}
}
