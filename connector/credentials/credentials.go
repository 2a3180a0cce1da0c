package credentials

import (
	"context"
	"encoding/base64"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/secret"
)

// Credentials authorize the requests of one app.
type Credentials interface {
	// Header returns the Authorization header of the next request. Its errors are
	// *connector.Error with the operation op.
	Header(ctx context.Context, op string) (string, error)
	// Renew notes that the app refused a header, and reports whether there may be another
	// one to try.
	Renew(refused string) bool
	// Who describes the credentials for people, without any secret.
	Who() string
}

// Unprintable says what is wrong with a text that cannot stand in a header.
const Unprintable = "must be one line of printable ASCII without spaces"

// Printable reports whether a token can stand in a header. It allows more than RFC 6750's
// b64token, since services issue other tokens too.
func Printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// Token is a token that does not change by itself: a bearer token (RFC 6750), or one of
// another scheme, such as Okta's SSWS.
type Token struct {
	Scheme  string // "Bearer"
	Setting string // the setting that holds the token
	Token   secret.Secret
}

// Header implements Credentials.
func (t Token) Header(_ context.Context, op string) (string, error) {
	token, err := reveal(op, t.Setting, t.Token)
	if err == nil && !Printable(token) {
		err = unauthorized(op, "the "+t.Setting+" setting "+Unprintable)
	}
	return t.Scheme + " " + token, err
}

// Renew implements Credentials.
func (Token) Renew(string) bool { return false }

// Who implements Credentials.
func (t Token) Who() string { return strings.ToLower(t.Scheme) + " token" }

// Password is a username and a password (RFC 7617).
type Password struct {
	Username string
	Setting  string // the setting that holds the password
	Password secret.Secret
}

// Header implements Credentials.
func (p Password) Header(_ context.Context, op string) (string, error) {
	password, err := reveal(op, p.Setting, p.Password)
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(p.Username+":"+password)), err
}

// Renew implements Credentials.
func (Password) Renew(string) bool { return false }

// Who implements Credentials.
func (p Password) Who() string { return "user " + p.Username }

func reveal(op, setting string, s secret.Secret) (string, error) {
	text, err := s.Reveal()
	switch {
	case err != nil:
		return "", unauthorized(op, "the "+setting+" setting cannot be had: "+err.Error())
	case text == "":
		return "", unauthorized(op, "the "+setting+" setting is empty")
	}
	return text, nil
}

func unauthorized(op, message string) error {
	return &connector.Error{Kind: connector.KindUnauthorized, Op: op, Message: message}
}
