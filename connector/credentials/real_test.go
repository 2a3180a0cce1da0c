//go:build real

package credentials_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/credentials"
	"github.com/tenurehq/tenure/secret"
)

// TestTokensOfKeycloak gets tokens from a token service that is not ours, by a client's secret
// and by an assertion that it signs (private_key_jwt), with a key and with one that has a
// certificate, and uses each. `make test-real` starts it.
func TestTokensOfKeycloak(t *testing.T) {
	realm := fromEnv(t, "TENURE_REAL_KEYCLOAK_URL")
	endpoint := realm + "/protocol/openid-connect/token"
	keyFile := fromEnv(t, "TENURE_REAL_KEYCLOAK_KEY")
	key, err := os.ReadFile(keyFile)
	require.NoError(t, err)
	certified, err := os.ReadFile(filepath.Join(filepath.Dir(keyFile), "certified.pem"))
	require.NoError(t, err)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)

	bySecret := func(text string) credentials.Client {
		return credentials.Client{ID: "tenure", Settings: "clientSecret", Proof: credentials.Secret("clientSecret", secret.Of(text), nil)}
	}
	byKey := func(pem, audience string) credentials.Client {
		k := credentials.Key{Setting: "privateKey", PEM: secret.Of(pem), ID: "real"}
		claims := credentials.Claims{Issuer: "tenure-by-key", Subject: "tenure-by-key", Audience: audience}
		return credentials.Client{ID: "tenure-by-key", Settings: "privateKey", Proof: k.Assertion(claims)}
	}
	byCertificate := func(pem, audience string) credentials.Client { // as connector/entra does
		k := credentials.Key{Setting: "certificate", PEM: secret.Of(pem)}
		claims := credentials.Claims{Issuer: "tenure-by-certificate", Subject: "tenure-by-certificate", Audience: audience}
		return credentials.Client{ID: "tenure-by-certificate", Settings: "certificate", Proof: k.Assertion(claims)}
	}
	for name, c := range map[string]struct {
		client credentials.Client
		taken  bool
	}{
		"secret":           {bySecret(fromEnv(t, "TENURE_REAL_KEYCLOAK_SECRET")), true},
		"another secret":   {bySecret("another"), false},
		"key":              {byKey(string(key), realm), true},
		"another key":      {byKey(pkcs8(t, other), realm), false},
		"another audience": {byKey(string(key), "https://id.example.com"), false},

		"certificate":             {byCertificate(string(certified), realm), true},
		"another's certificate":   {byCertificate(pkcs8(t, other)+string(certified[bytes.Index(certified, []byte("-----BEGIN CERTIFICATE")):]), realm), false},
		"certificate, to another": {byCertificate(string(certified), "https://id.example.com"), false},
		"certificate, without it": {byCertificate(string(key), realm), false},
	} {
		t.Run(name, func(t *testing.T) {
			c.client.URL, c.client.URLSetting = endpoint, "tokenURL"
			tokens := credentials.NewTokens(c.client, time.Minute)
			header, err := tokens.Header(t.Context(), connector.OpCheck)
			if !c.taken {
				assert.True(t, connector.Is(err, connector.KindUnauthorized), "%v", err)
				assert.ErrorContains(t, err, c.client.Settings)
				return
			}
			require.NoError(t, err)
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, realm+"/scim/v2/Users?count=1", nil)
			require.NoError(t, err)
			request.Header.Set("Authorization", header)
			answer, err := http.DefaultClient.Do(request)
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
			assert.Equal(t, http.StatusOK, answer.StatusCode, "the token is good for the API")

			again, err := tokens.Header(t.Context(), connector.OpCheck)
			require.NoError(t, err)
			assert.Equal(t, header, again, "it is kept")
			require.True(t, tokens.Renew(header))
			fresh, err := tokens.Header(t.Context(), connector.OpCheck)
			require.NoError(t, err)
			assert.NotEqual(t, header, fresh, "what was refused is not used again, and an assertion is made anew")
		})
	}
}

// TestTokensOfEmulate gets tokens by a client's secret from the token services of Okta and
// Microsoft as emulate (Vercel), which is not ours, has them. It knows no assertions, and the
// token service of Microsoft is not below a tenant there. `make test-real` starts it.
func TestTokensOfEmulate(t *testing.T) {
	for name, endpoint := range map[string]string{
		"Okta":      fromEnv(t, "TENURE_REAL_EMULATE_OKTA_URL") + "/oauth2/default/v1/token",
		"Microsoft": fromEnv(t, "TENURE_REAL_EMULATE_MICROSOFT_URL") + "/oauth2/v2.0/token",
	} {
		t.Run(name, func(t *testing.T) {
			tokens := func(text string) *credentials.Tokens {
				return credentials.NewTokens(credentials.Client{
					URL: endpoint, URLSetting: "tokenURL", ID: "tenure", Settings: "clientSecret",
					Proof: credentials.Secret("clientSecret", secret.Of(text), nil),
				}, time.Minute)
			}
			header, err := tokens(fromEnv(t, "TENURE_REAL_EMULATE_TOKEN")).Header(t.Context(), connector.OpCheck)
			require.NoError(t, err)
			assert.Regexp(t, `^Bearer \S{10,}$`, header)
			_, err = tokens("another").Header(t.Context(), connector.OpCheck)
			assert.True(t, connector.Is(err, connector.KindUnauthorized), "%v", err)
			assert.ErrorContains(t, err, "clientSecret")
		})
	}
}

// fromEnv returns an environment variable that scripts/test-real sets.
func fromEnv(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	require.NotEmpty(t, value, "%s is not set: run `make test-real`, which starts the servers and sets it", name)
	return value
}
