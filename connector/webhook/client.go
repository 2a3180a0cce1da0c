package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/remote"
	"github.com/tenurehq/tenure/internal/signature"
	"github.com/tenurehq/tenure/secret"
)

// client is the connector.
type client struct {
	connector.Base

	http    *http.Client
	answers *remote.Answers
	url     string
	app     string
	secret  secret.Secret
	pace    func(context.Context) error
	keys    []string // the optional keys that find may use
	offers  connector.Capabilities
	pages   connector.Pages[struct{}]
}

var _ connector.Connector = (*client)(nil)

// Capabilities implements connector.Connector.
func (c *client) Capabilities() connector.Capabilities { return c.offers }

// looks lists the operations that change nothing.
var looks = []string{connector.OpFind, connector.OpRead, connector.OpCheck, connector.OpList, connector.OpListEntitlements}

// told holds the errors that a service names in the body of its answer. Only these are
// about an account: a status alone may come from a proxy that knows no accounts.
var told = map[string]struct {
	kind    connector.ErrorKind
	message string
}{
	"not_found":    {connector.KindNotFound, "the service has no such account"},
	"exists":       {connector.KindExists, "the service has an account of that username or person already"},
	"conflict":     {connector.KindConflict, "the service says that it is another person's, or was changed meanwhile"},
	"invalid":      {connector.KindInvalid, "the service refused the values: check the attribute mappings"},
	"unsupported":  {connector.KindUnsupported, "the service does not do that: take it out of the setting operations"},
	"forbidden":    {connector.KindForbidden, "the service may not do that"},
	"unauthorized": {connector.KindUnauthorized, "the service refused the signature: check the secret setting, and both clocks"},
	"pending":      {connector.KindPending, "the service has asked a human"},
	"rate_limited": {connector.KindRateLimited, "too many requests: if it goes on, lower the app's rate"},
	"unavailable":  {connector.KindUnavailable, "the service has a problem of its own"},
}

// call sends a request. op names the operation in errors: it may differ from the request's.
func (c *client) call(ctx context.Context, op string, ask request) (answer, error) {
	if c.pace != nil {
		if err := c.pace(ctx); err != nil {
			return answer{}, unpaced(op, err)
		}
	}
	ask.App = c.app
	body, err := json.Marshal(ask)
	if err != nil {
		return answer{}, connector.Invalid(op, "the attributes cannot be sent as JSON")
	}
	text, err := c.secret.Reveal()
	if err != nil {
		return answer{}, remote.NoSecret(op, "secret", err)
	}
	key, err := signature.Key(text)
	if err != nil {
		return answer{}, remote.NoSecret(op, "secret", err)
	}
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return answer{}, connector.Invalid(op, "no request can be made: check the url setting")
	}
	post.Header.Set("Content-Type", "application/json")
	post.Header.Set("Accept", "application/json")
	signature.Sign(post, key, messageID(ctx, !slices.Contains(looks, ask.Operation), body), time.Now(), body)

	var got answer
	var decoded error
	err = remote.Ask(c.http, c.answers, longest(ask.Operation), op, "the service", post, func(raw []byte) {
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.UseNumber()
		decoded = decoder.Decode(&got)
	})
	switch {
	case err != nil:
		return answer{}, failure(op, err, got.Error)
	case decoded != nil:
		return answer{}, garbled(op)
	}
	return got, nil
}

// longest returns how many bytes an answer may have: more for lists than for one account.
func longest(operation string) int64 {
	if operation == connector.OpList || operation == connector.OpListEntitlements {
		return 4 << 20
	}
	return 1 << 20
}

// failure classifies an error by the body of the service's answer or else by its status.
func failure(op string, err error, says string) error {
	var failed *connector.Error
	if !errors.As(err, &failed) {
		return err
	}
	absent := failed.Kind == connector.KindNotFound // by its status
	if meaning, ok := told[says]; ok && failed.Cause == nil && (absent || meaning.kind != connector.KindNotFound) {
		err := &connector.Error{Kind: meaning.kind, Op: op, Message: meaning.message}
		if meaning.kind.Retryable() {
			err.RetryAfter = failed.RetryAfter
		}
		return err
	}
	if absent { // a proxy in front of a service that is being replaced answers so, too
		failed.Kind = connector.KindUnavailable
		failed.Message = `nothing that speaks the webhook contract is there (404 or 410 without "error": "not_found"): check the url setting, and what is in front of the service`
	}
	return failed
}

func garbled(op string) error {
	return connector.Invalid(op, "the service's answer is not what docs/webhook-connector.md says: check the url setting and the service")
}

func unpaced(op string, err error) error {
	var known *connector.Error
	if errors.As(err, &known) {
		return known
	}
	return &connector.Error{Kind: connector.KindUnavailable, Op: op, Message: "the call was cancelled or ran out of time before its turn", Cause: err}
}
