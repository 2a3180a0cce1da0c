package credentials

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/url"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/tenurehq/tenure/secret"
)

// assertionLife is how long an assertion may be used. Token services allow 5 to 60 minutes.
const assertionLife = 5 * time.Minute

// grantJWT is the grant type of an assertion about a user (RFC 7523 section 2.1).
const grantJWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// Secret returns the proof of a client that has a secret (RFC 6749 section 2.3.1). The
// parameters are sent with each token request; they may be nil.
func Secret(setting string, s secret.Secret, params url.Values) func(context.Context, string) (string, url.Values, error) {
	return func(_ context.Context, op string) (string, url.Values, error) {
		text, err := reveal(op, setting, s)
		return text, params, err
	}
}

// Key is a private key in PEM, with the certificate that goes with it if there is one.
type Key struct {
	Setting string // the setting that holds it
	PEM     secret.Secret
	// ID is the key's name at the token service ("kid"); empty if the token service knows
	// the key by its certificate, or has one key only.
	ID string
}

// Claims are what an assertion says besides its times and its ID. Issuer and Subject are
// the client, unless it acts for a user.
type Claims struct {
	Issuer, Subject, Audience string
	Scope                     string // in the assertion itself, as Google wants it
}

// Assertion returns the proof of a client that signs an assertion about itself
// ("private_key_jwt", RFC 7523 section 2.2). With a certificate in the key's PEM, the
// assertion names it by its SHA-256 thumbprint ("x5t#S256", RFC 7515 section 4.1.8).
func (k Key) Assertion(claims Claims) func(context.Context, string) (string, url.Values, error) {
	return k.proof(claims, func(signed string) url.Values {
		return url.Values{
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
			"client_assertion":      {signed},
		}
	})
}

// Grant returns the proof of a client that signs an assertion about a user, and gets a token
// of that user's (RFC 7523 section 2.1).
func (k Key) Grant(claims Claims) func(context.Context, string) (string, url.Values, error) {
	return k.proof(claims, func(signed string) url.Values {
		return url.Values{"grant_type": {grantJWT}, "assertion": {signed}}
	})
}

// Signed authorizes each request by an assertion of its own, as GitHub wants it of apps.
type Signed struct {
	Key    Key
	Claims Claims
}

// skew is how far the clock of a service may be behind ours.
const skew = time.Minute

// Header implements Credentials.
func (s Signed) Header(_ context.Context, op string) (string, error) {
	text, err := reveal(op, s.Key.Setting, s.Key.PEM)
	if err != nil {
		return "", err
	}
	signed, err := s.Key.sign([]byte(text), s.Claims, time.Now().Add(-skew))
	if err != nil {
		return "", unauthorized(op, "the "+s.Key.Setting+" setting "+err.Error())
	}
	return "Bearer " + signed, nil
}

// Renew implements Credentials.
func (Signed) Renew(string) bool { return false }

// Who implements Credentials.
func (s Signed) Who() string { return "app " + s.Claims.Issuer }

func (k Key) proof(claims Claims, params func(signed string) url.Values) func(context.Context, string) (string, url.Values, error) {
	return func(_ context.Context, op string) (string, url.Values, error) {
		text, err := reveal(op, k.Setting, k.PEM)
		if err != nil {
			return "", nil, err
		}
		signed, err := k.sign([]byte(text), claims, time.Now())
		if err != nil {
			return "", nil, unauthorized(op, "the "+k.Setting+" setting "+err.Error())
		}
		return "", params(signed), nil
	}
}

// Check returns what is wrong with the key; "" if nothing is, or if it cannot be looked at
// now.
func (k Key) Check() string {
	text, err := k.PEM.Reveal()
	if err != nil {
		return ""
	}
	if _, err = k.sign([]byte(text), Claims{}, time.Now()); err != nil {
		return err.Error()
	}
	return ""
}

// sign returns a signed assertion. Its errors hold nothing of the key.
func (k Key) sign(text []byte, claims Claims, now time.Time) (string, error) {
	key, certificate, err := parse(text)
	if err != nil {
		return "", err
	}
	method, err := methodOf(key, certificate != nil)
	if err != nil {
		return "", err
	}
	said := jwt.MapClaims{
		"jti": uuid.NewString(), "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	}
	for name, value := range map[string]string{"iss": claims.Issuer, "sub": claims.Subject, "aud": claims.Audience, "scope": claims.Scope} {
		if value != "" {
			said[name] = value
		}
	}
	token := jwt.NewWithClaims(method, said)
	if k.ID != "" {
		token.Header["kid"] = k.ID
	}
	if certificate != nil {
		print := sha256.Sum256(certificate)
		token.Header["x5t#S256"] = base64.RawURLEncoding.EncodeToString(print[:])
	}
	signed, err := token.SignedString(key)
	if err != nil {
		return "", errors.New("holds a key that cannot sign")
	}
	return signed, nil
}

// parse reads a private key, and the first certificate if there is one, both in PEM.
func parse(text []byte) (key crypto.Signer, certificate []byte, err error) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		switch block.Type {
		case "CERTIFICATE":
			if certificate == nil {
				certificate = block.Bytes
			}
		case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY":
			if key, err = parseKey(block); err != nil {
				return nil, nil, err
			}
		}
	}
	if key == nil {
		return nil, nil, errors.New("must hold an unencrypted private key in PEM (-----BEGIN PRIVATE KEY-----)")
	}
	return key, certificate, nil
}

func parseKey(block *pem.Block) (crypto.Signer, error) {
	for _, parse := range []func([]byte) (any, error){
		x509.ParsePKCS8PrivateKey,
		func(der []byte) (any, error) { return x509.ParsePKCS1PrivateKey(der) },
		func(der []byte) (any, error) { return x509.ParseECPrivateKey(der) },
	} {
		if key, err := parse(block.Bytes); err == nil {
			if signer, ok := key.(crypto.Signer); ok {
				return signer, nil
			}
		}
	}
	return nil, errors.New("holds a private key that cannot be read: it must be RSA or ECDSA, unencrypted")
}

// methodOf returns the algorithm by which a key signs: RS256 for RSA, which every token
// service takes; PS256 with a certificate, as Microsoft wants it; ES256 for P-256.
func methodOf(key crypto.Signer, certified bool) (jwt.SigningMethod, error) {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if certified {
			return jwt.SigningMethodPS256, nil
		}
		return jwt.SigningMethodRS256, nil
	case *ecdsa.PrivateKey:
		if key.Curve.Params().BitSize == 256 {
			return jwt.SigningMethodES256, nil
		}
	}
	return nil, errors.New("holds a key of a kind that token services do not take: use RSA, or ECDSA on P-256")
}

var _ Credentials = (*Tokens)(nil)
var _ Credentials = Token{}
var _ Credentials = Signed{}
var _ Credentials = Password{}
