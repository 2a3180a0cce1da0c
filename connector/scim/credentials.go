package scim

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/remote"
	"github.com/tenurehq/tenure/secret"
)

// credentials authorize requests. They read their secrets each time, since a secret may have
// been rotated.
type credentials interface {
	// header returns the Authorization header of the next request.
	header(ctx context.Context, op string) (string, error)
	// renew notes that the service refused a header, and reports whether there may be
	// another one to try.
	renew(refused string) bool
	// who describes the credentials for people, without any secret.
	who() string
}

// bearer is one token (RFC 6750).
type bearer struct{ token secret.Secret }

func (b bearer) header(_ context.Context, op string) (string, error) {
	token, err := reveal(op, "token", b.token)
	if err == nil && !printable(token) {
		err = unauthorized(op, "the token "+unprintable)
	}
	return "Bearer " + token, err
}

func (bearer) renew(string) bool { return false }
func (bearer) who() string       { return "bearer token" }

// basic is a username and a password (RFC 7617).
type basic struct {
	username string
	password secret.Secret
}

func (b basic) header(_ context.Context, op string) (string, error) {
	password, err := reveal(op, "password", b.password)
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(b.username+":"+password)), err
}

func (basic) renew(string) bool { return false }
func (b basic) who() string     { return "user " + b.username }

// clientToken gets tokens from a token service by a client's own credentials (RFC 6749
// section 4.4). It keeps a token until it expires or is refused.
type clientToken struct {
	http     *http.Client
	tokenURL string
	clientID string
	secret   secret.Secret
	scopes   []string

	asking turn
	mu     sync.Mutex
	token  *oauth2.Token
}

func (o *clientToken) kept() (header string, valid bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.token.Valid() {
		return "", false
	}
	return "Bearer " + o.token.AccessToken, true
}

func (o *clientToken) header(ctx context.Context, op string) (string, error) {
	if header, valid := o.kept(); valid {
		return header, nil
	}
	if err := o.asking.take(ctx); err != nil {
		return "", o.unanswered(ctx, op, err)
	}
	defer o.asking.end()
	if header, valid := o.kept(); valid {
		return header, nil
	}
	token, err := o.fetch(ctx, op)
	if err != nil {
		return "", err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.token = token
	return "Bearer " + token.AccessToken, nil
}

func (o *clientToken) renew(refused string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.token != nil && "Bearer "+o.token.AccessToken == refused {
		o.token = nil
	}
	return true
}

func (o *clientToken) who() string { return "OAuth client " + o.clientID }

// fetch asks for a token. Its errors do not repeat the token service's text, which may
// contain anything.
func (o *clientToken) fetch(ctx context.Context, op string) (*oauth2.Token, error) {
	key, err := reveal(op, "clientSecret", o.secret)
	if err != nil {
		return nil, err
	}
	config := clientcredentials.Config{ClientID: o.clientID, ClientSecret: key, TokenURL: o.tokenURL, Scopes: o.scopes}
	// The library keeps no cause of an answer that breaks off. The context's own cause tells
	// that the answer took too long.
	asking, cancel := context.WithTimeoutCause(ctx, o.http.Timeout, errTokenLate)
	defer cancel()
	token, err := config.Token(context.WithValue(asking, oauth2.HTTPClient, o.http))
	if err != nil && errors.Is(context.Cause(asking), errTokenLate) {
		err = errTokenLate
	}
	if err == nil && printable(token.AccessToken) {
		return token, nil
	}
	if err == nil {
		return nil, unauthorized(op, "the token service's token "+unprintable)
	}
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) || refused.Response == nil {
		return nil, o.unanswered(ctx, op, err)
	}
	status := refused.Response.StatusCode
	failed := (&answer{status: status, retryAfter: remote.RetryAfter(refused.Response.Header)}).asError(op, true)
	switch {
	case status == http.StatusBadRequest, status == http.StatusForbidden, status < 300:
		failed.Kind = connector.KindUnauthorized
	case status == http.StatusNotFound:
		failed.Kind = connector.KindInvalid
	}
	failed.Message = "the token service gives no token: check the settings tokenURL, clientID, clientSecret and scopes"
	if failed.Kind.Retryable() {
		failed.Message = "the token service gives no token now"
	}
	return nil, failed
}

// errTokenLate is the error for a token that does not come in time.
var errTokenLate = errors.New("no token in time")

func (o *clientToken) unanswered(ctx context.Context, op string, err error) error {
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	why := fmt.Sprintf("no answer within %s: check that it is up, and the tokenURL setting", o.http.Timeout)
	if !errors.Is(err, errTokenLate) {
		why = strings.ReplaceAll(remote.WhyUnanswered(ctx, err, "it", o.http.Timeout), "url setting", "tokenURL setting")
	}
	return &connector.Error{
		Kind: connector.KindUnavailable, Op: op, Cause: plainCause(ctx, err),
		Message: "the token service gave no token: " + why,
	}
}

// plainCause returns the context's error if there is one, else err: callers look for errors
// of the context.
func plainCause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

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

// credentialsIn reads the credentials from the settings: a token, a client or a user.
func credentialsIn(settings *connector.Values, timeout time.Duration) credentials {
	ways := map[string][]string{
		"token":    {"token"},
		"tokenURL": {"tokenURL", "clientID", "clientSecret"},
		"username": {"username", "password"},
	}
	var used []string
	for _, way := range []string{"token", "tokenURL", "username"} {
		if !settings.Has(way) {
			continue
		}
		used = append(used, way)
		for _, name := range ways[way] {
			if !settings.Has(name) {
				settings.Reject(name, "is missing: it goes with "+way)
			}
		}
	}
	switch {
	case len(used) == 0:
		settings.Reject("token", "is missing: give it, or tokenURL, clientID and clientSecret, or username and password")
		return nil
	case len(used) > 1:
		settings.Reject(used[1], "cannot be together with "+used[0])
	}
	switch used[0] {
	case "username":
		if strings.Contains(settings.Text("username"), ":") {
			settings.Reject("username", "must have no colon (RFC 7617)")
		}
		return basic{settings.Text("username"), settings.Secret("password")}
	case "tokenURL":
		return &clientToken{
			asking: newTurn(),
			http:   remote.NewHTTPClient(timeout), tokenURL: tokenURL(settings), clientID: settings.Text("clientID"),
			secret: settings.Secret("clientSecret"), scopes: settings.Texts("scopes"),
		}
	default:
		token := settings.Secret("token")
		if text, err := token.Reveal(); err == nil && !printable(text) {
			settings.Reject("token", unprintable)
		}
		return bearer{token}
	}
}

func tokenURL(settings *connector.Values) string {
	remote.HTTPURL(settings, "tokenURL")
	return settings.Text("tokenURL")
}

// turn lets one caller at a time do what all of them wait for, such as asking for a token.
// Unlike with a mutex, waiting ends with the context.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) end() { <-t }
