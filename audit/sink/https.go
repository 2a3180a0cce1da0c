package sink

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/tenurehq/tenure/audit/export"
	"github.com/tenurehq/tenure/internal/signature"
	"github.com/tenurehq/tenure/secret"
)

// HTTPS posts messages to a URL, one a line. Any status of 2xx says that they were taken.
type HTTPS struct {
	URL         string
	ContentType string
	// Token is sent in the header Authorization, after TokenType. Signs signs the request as
	// Standard Webhooks specify. Both may be zero, and are read each time.
	Token     secret.Secret
	TokenType string
	Signs     secret.Secret
	Client    *http.Client
}

// longestRequest bounds the bytes of one request, unless a single message is longer.
const longestRequest = 512 << 10

// longestAnswer bounds what is read of an answer.
const longestAnswer = 4 << 10

// Send implements exporter.Sink.
func (h HTTPS) Send(ctx context.Context, messages []export.Message) error {
	for len(messages) > 0 {
		n, size := 0, 0
		for n < len(messages) && (n == 0 || size+len(messages[n].Text) < longestRequest) {
			size += len(messages[n].Text) + 1
			n++
		}
		if err := h.post(ctx, messages[:n]); err != nil {
			return err
		}
		messages = messages[n:]
	}
	return nil
}

func (h HTTPS) post(ctx context.Context, messages []export.Message) error {
	body := lines(messages)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", h.ContentType)
	// The same messages have the same key, so that whoever has seen it may drop them.
	key := fmt.Sprintf("%s+%d", messages[0].ID, len(messages))
	request.Header.Set("Idempotency-Key", key)
	if !h.Token.IsZero() {
		token, err := h.Token.Reveal()
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", h.TokenType+" "+token)
	}
	if !h.Signs.IsZero() {
		text, err := h.Signs.Reveal()
		if err != nil {
			return err
		}
		bytes, err := signature.Key(text)
		if err != nil {
			return err
		}
		signature.Sign(request, bytes, key, time.Now(), body)
	}
	response, err := h.Client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()                             // it was read
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, longestAnswer)) // so that the connection serves again
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("it answered %d %s", response.StatusCode, http.StatusText(response.StatusCode))
	}
	return nil
}
