package credentials_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/credentials"
	"github.com/tenurehq/tenure/secret"
)

func pemOf(t *testing.T, kind string, der []byte, err error) string {
	t.Helper()
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func pkcs8(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return pemOf(t, "PRIVATE KEY", der, err)
}

func certificate(t *testing.T, key *rsa.PrivateKey) (der []byte, text string) {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tenure"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return der, pemOf(t, "CERTIFICATE", der, err)
}

// tokenService is a token endpoint that checks the request by judge.
func tokenService(t *testing.T, judge func(form url.Values) (answer map[string]any, status int)) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, r.ParseForm())
		answer, status := judge(r.PostForm)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		assert.NoError(t, json.NewEncoder(w).Encode(answer))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestAssertionsAreVerifiedByTheKey(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, certified := certificate(t, rsaKey)
	print := sha256.Sum256(der)
	ecDER, ecErr := x509.MarshalECPrivateKey(ecKey)

	for name, test := range map[string]struct {
		pem       string
		public    any
		algorithm string
		x5t       any
	}{
		"RSA":                    {pkcs8(t, rsaKey), &rsaKey.PublicKey, "RS256", nil},
		"RSA, PKCS 1":            {pemOf(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey), nil), &rsaKey.PublicKey, "RS256", nil},
		"RSA with a certificate": {certified + pkcs8(t, rsaKey), &rsaKey.PublicKey, "PS256", base64.RawURLEncoding.EncodeToString(print[:])},
		"ECDSA":                  {pkcs8(t, ecKey), &ecKey.PublicKey, "ES256", nil},
		"ECDSA, SEC 1":           {pemOf(t, "EC PRIVATE KEY", ecDER, ecErr), &ecKey.PublicKey, "ES256", nil},
	} {
		t.Run(name, func(t *testing.T) {
			key := credentials.Key{Setting: "privateKey", PEM: secret.Of(test.pem), ID: "k1"}
			claims := credentials.Claims{Issuer: "client", Subject: "admin@example.com", Audience: "https://id.example.com/token", Scope: "a b"}
			assert.Empty(t, key.Check())
			used := map[any]bool{}
			judge := func(parameter string) func(url.Values) (map[string]any, int) {
				return func(form url.Values) (map[string]any, int) {
					said := jwt.MapClaims{}
					token, err := jwt.ParseWithClaims(form.Get(parameter), said, func(*jwt.Token) (any, error) { return test.public, nil },
						jwt.WithValidMethods([]string{test.algorithm}), jwt.WithAudience(claims.Audience), jwt.WithExpirationRequired(), jwt.WithIssuedAt())
					if !assert.NoError(t, err) {
						return nil, 400
					}
					assert.Equal(t, "k1", token.Header["kid"])
					assert.Equal(t, test.x5t, token.Header["x5t#S256"])
					assert.Equal(t, claims.Audience, said["aud"], "one text, as some services want it")
					assert.Equal(t, []any{"client", "admin@example.com", "a b"}, []any{said["iss"], said["sub"], said["scope"]})
					assert.False(t, used[said["jti"]], "an assertion is used once")
					used[said["jti"]] = true
					return map[string]any{"access_token": "token-" + form.Get("grant_type"), "token_type": "Bearer", "expires_in": 3600}, 200
				}
			}
			client := func(parameter string) credentials.Client {
				return credentials.Client{URL: tokenService(t, judge(parameter)), URLSetting: "url", ID: "client", Settings: "privateKey"}
			}
			own := client("client_assertion")
			own.Proof = key.Assertion(claims)
			header, err := credentials.NewTokens(own, time.Minute).Header(t.Context(), connector.OpRead)
			require.NoError(t, err)
			assert.Equal(t, "Bearer token-client_credentials", header)

			acting := client("assertion")
			acting.Proof = key.Grant(claims)
			header, err = credentials.NewTokens(acting, time.Minute).Header(t.Context(), connector.OpRead)
			require.NoError(t, err)
			assert.Equal(t, "Bearer token-urn:ietf:params:oauth:grant-type:jwt-bearer", header)
		})
	}
}

func TestAKeyThatIsNone(t *testing.T) {
	weak, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	require.NoError(t, err)
	for name, text := range map[string]string{
		"nothing in PEM":  "-----BEGIN",
		"no key":          pemOf(t, "CERTIFICATE", []byte("x"), nil),
		"encrypted":       pemOf(t, "ENCRYPTED PRIVATE KEY", []byte("x"), nil),
		"broken":          pemOf(t, "PRIVATE KEY", []byte("x"), nil),
		"another curve":   pkcs8(t, weak),
		"of another kind": pemOf(t, "OPENSSH PRIVATE KEY", []byte("x"), nil),
	} {
		t.Run(name, func(t *testing.T) {
			key := credentials.Key{Setting: "privateKey", PEM: secret.Of(text)}
			assert.NotEmpty(t, key.Check())
			_, _, err := key.Assertion(credentials.Claims{})(t.Context(), connector.OpRead)
			assert.True(t, connector.Is(err, connector.KindUnauthorized), err)
			assert.Contains(t, err.Error(), "privateKey")
		})
	}
}

func TestWhatATokenServiceSaysIsNotRepeated(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		code   string
		kind   connector.ErrorKind
		says   string
	}{
		"a code that is known": {400, "invalid_grant", connector.KindUnauthorized, "clock"},
		"one that is not":      {400, "zoe.smith", connector.KindUnauthorized, "check the settings url, clientID"},
		"down":                 {503, "zoe.smith", connector.KindUnavailable, "now"},
		"too many":             {429, "zoe.smith", connector.KindRateLimited, "now"},
		"not there":            {404, "zoe.smith", connector.KindInvalid, "check the settings url, clientID"},
	} {
		t.Run(name, func(t *testing.T) {
			address := tokenService(t, func(url.Values) (map[string]any, int) {
				return map[string]any{"error": test.code, "error_description": "zoe.smith is s3cret"}, test.status
			})
			tokens := credentials.NewTokens(credentials.Client{
				URL: address, URLSetting: "url", ID: "client", Settings: "clientID",
				Proof: credentials.Secret("clientSecret", secret.Of("s3cret"), nil),
			}, time.Minute)
			_, err := tokens.Header(t.Context(), connector.OpRead)
			assert.True(t, connector.Is(err, test.kind), err)
			assert.Contains(t, err.Error(), test.says)
			assert.NotContains(t, err.Error(), "zoe")
			assert.NotContains(t, err.Error(), "s3cret")
		})
	}
}

func TestATokenWithoutAnEndIsKeptForItsLifetime(t *testing.T) {
	given := 0
	address := tokenService(t, func(url.Values) (map[string]any, int) {
		given++
		return map[string]any{"access_token": "abc", "token_type": "Bearer"}, 200
	})
	client := credentials.Client{URL: address, URLSetting: "url", ID: "c", Proof: credentials.Secret("clientSecret", secret.Of("x"), nil)}
	ask := func(tokens *credentials.Tokens) {
		for range 2 {
			_, err := tokens.Header(t.Context(), connector.OpRead)
			require.NoError(t, err)
		}
	}
	forever := credentials.NewTokens(client, time.Minute)
	ask(forever)
	assert.Equal(t, 1, given)
	forever.Renew("Bearer abc")
	ask(forever)
	assert.Equal(t, 2, given, "until it is refused")

	client.Lifetime = time.Nanosecond
	ask(credentials.NewTokens(client, time.Minute))
	assert.Equal(t, 4, given)
}
