package credentials

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"golang.org/x/sync/semaphore"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/remote"
)

// Tokens gets tokens from a token service by a client's own credentials. It keeps a token
// until it expires or is refused. At most one request for a token is under way.
type Tokens struct {
	client Client
	http   *http.Client
	asking *semaphore.Weighted // of one

	mu    sync.Mutex
	token *oauth2.Token
}

// Client is how a client of a token service proves itself.
type Client struct {
	// URL is the token endpoint. URLSetting is the setting that decides it.
	URL, URLSetting string
	ID              string
	Scopes          []string
	// Proof returns the client's secret, or the parameters of the token request that prove
	// who the client is. It is called for each token. Its error is a *connector.Error.
	Proof func(ctx context.Context, op string) (secret string, params url.Values, err error)
	// Fetch gets a token in place of all this, from a token service that does not speak
	// OAuth. Its error is a *connector.Error.
	Fetch func(ctx context.Context, op string) (*oauth2.Token, error)
	// Settings names the settings that the proof is made of, for errors.
	Settings string
	// Lifetime is how long a token is kept if the token service does not say when it expires;
	// zero: until it is refused.
	Lifetime time.Duration
}

// NewTokens returns the credentials of a client. The timeout is for one request.
func NewTokens(client Client, timeout time.Duration) *Tokens {
	return &Tokens{client: client, http: remote.NewHTTPClient(timeout), asking: semaphore.NewWeighted(1)}
}

// Header implements Credentials.
func (t *Tokens) Header(ctx context.Context, op string) (string, error) {
	token, err := t.Token(ctx, op)
	if err != nil {
		return "", err
	}
	return "Bearer " + token.AccessToken, nil
}

// Token returns the token that is kept, or asks for one. Its Extra holds what else the token
// service said with it.
func (t *Tokens) Token(ctx context.Context, op string) (*oauth2.Token, error) {
	if token := t.kept(); token != nil {
		return token, nil
	}
	if err := t.asking.Acquire(ctx, 1); err != nil {
		return nil, t.unanswered(ctx, op, err)
	}
	defer t.asking.Release(1)
	if token := t.kept(); token != nil {
		return token, nil
	}
	token, err := t.fetch(ctx, op)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token = token
	return token, nil
}

func (t *Tokens) kept() *oauth2.Token {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.token.Valid() {
		return nil
	}
	return t.token
}

// Renew implements Credentials.
func (t *Tokens) Renew(refused string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token != nil && "Bearer "+t.token.AccessToken == refused {
		t.token = nil
	}
	return true
}

// Who implements Credentials.
func (t *Tokens) Who() string { return "OAuth client " + t.client.ID }

// fetch asks for a token.
func (t *Tokens) fetch(ctx context.Context, op string) (*oauth2.Token, error) {
	if t.client.Fetch != nil {
		return t.client.Fetch(ctx, op)
	}
	secret, params, err := t.client.Proof(ctx, op)
	if err != nil {
		return nil, err
	}
	config := clientcredentials.Config{
		ClientID: t.client.ID, ClientSecret: secret, TokenURL: t.client.URL, Scopes: t.client.Scopes, EndpointParams: params,
	}
	if secret == "" {
		config.AuthStyle = oauth2.AuthStyleInParams
	}
	// The library keeps no cause of an answer that breaks off. The context's own cause tells
	// that the answer took too long.
	asking, cancel := context.WithTimeoutCause(ctx, t.http.Timeout, errTokenLate)
	defer cancel()
	token, err := config.Token(context.WithValue(asking, oauth2.HTTPClient, t.http))
	switch {
	case err != nil && errors.Is(context.Cause(asking), errTokenLate):
		return nil, t.unanswered(ctx, op, errTokenLate)
	case err != nil:
		return nil, t.refused(ctx, op, err)
	case !Printable(token.AccessToken):
		return nil, unauthorized(op, "the token service's token "+Unprintable)
	}
	if token.Expiry.IsZero() && t.client.Lifetime > 0 {
		token.Expiry = time.Now().Add(t.client.Lifetime)
	}
	return token, nil
}

// advice maps the error codes of token services to what to do (RFC 6749 section 5.2). Only
// these codes are repeated in messages, since a token service may say anything.
var advice = map[string]string{
	"invalid_client":         "it does not know the client, or refuses its proof",
	"invalid_grant":          "it refuses the grant: the user, the assertion, or this machine's clock may be wrong",
	"invalid_request":        "it does not understand the request",
	"invalid_scope":          "it does not give the client these scopes",
	"unauthorized_client":    "the client may not get tokens in this way",
	"unsupported_grant_type": "it does not give tokens in this way",
	"access_denied":          "it denies the client access",
}

// refused returns the error for a token that was not given.
func (t *Tokens) refused(ctx context.Context, op string, err error) error {
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) || answer.Response == nil {
		return t.unanswered(ctx, op, err)
	}
	failed := &connector.Error{Kind: connector.KindUnauthorized, Op: op}
	status := answer.Response.StatusCode
	switch {
	case status == http.StatusTooManyRequests:
		failed.Kind = connector.KindRateLimited
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusTooEarly:
		failed.Kind = connector.KindUnavailable
	case status == http.StatusNotFound, status >= 300 && status < 400:
		failed.Kind = connector.KindInvalid
	}
	if failed.Kind.Retryable() {
		failed.Message = "the token service gives no token now"
		failed.RetryAfter = remote.RetryAfter(answer.Response.Header)
		return failed
	}
	failed.Message = "the token service gives no token: check the settings " + t.settings()
	if why, known := advice[answer.ErrorCode]; known {
		failed.Message = fmt.Sprintf("the token service gives no token (%s: %s): check the settings %s", answer.ErrorCode, why, t.settings())
	}
	return failed
}

func (t *Tokens) settings() string {
	names := []string{t.client.URLSetting, t.client.Settings}
	return strings.Join(slices.DeleteFunc(names, func(name string) bool { return name == "" }), ", ")
}

// errTokenLate is the error for a token that does not come in time.
var errTokenLate = errors.New("no token in time")

func (t *Tokens) unanswered(ctx context.Context, op string, err error) error {
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	why := fmt.Sprintf("no answer within %s: check that it is up, and the %s setting", t.http.Timeout, t.client.URLSetting)
	if !errors.Is(err, errTokenLate) {
		why = strings.ReplaceAll(remote.WhyUnanswered(ctx, err, "it", t.http.Timeout), "url setting", t.client.URLSetting+" setting")
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
