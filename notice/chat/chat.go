// Package chat posts notices to incoming webhooks.
package chat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/tenurehq/tenure/internal/remote"
	"github.com/tenurehq/tenure/internal/signature"
	"github.com/tenurehq/tenure/secret"
)

// Kind names the kind of an incoming webhook.
type Kind string

// The kinds.
const (
	Slack      Kind = "slack"
	Teams      Kind = "teams" // a workflow "when a webhook request is received", which gets an adaptive card
	Mattermost Kind = "mattermost"
	Generic    Kind = "generic" // {"id": ..., "text": ...}, signed as Standard Webhooks specify
)

// Kinds lists all kinds.
func Kinds() []string {
	return []string{string(Slack), string(Teams), string(Mattermost), string(Generic)}
}

// Hook is an incoming webhook.
type Hook struct {
	Name   string // in notices.chat
	Kind   Kind
	URL    secret.Secret // whoever knows it can post
	Secret secret.Secret // of the kind generic: it signs
	Client *http.Client  // NewClient
}

// NewClient returns a client for hooks.
func NewClient() *http.Client { return remote.NewHTTPClient(30 * time.Second) }

// bodies makes the JSON of a message, by kind.
var bodies = map[Kind]func(id, text string) any{
	Slack: func(_, text string) any { return map[string]any{"text": slackText.Replace(text)} },
	Mattermost: func(_, text string) any {
		return map[string]any{"text": mention.ReplaceAllString(markdown.Replace(text), "${1}@\u200b")}
	},
	Teams:   func(_, text string) any { return card(text) },
	Generic: func(id, text string) any { return map[string]any{"id": id, "text": text} },
}

// slackText escapes what Slack would read as markup.
var slackText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// markdown escapes what Mattermost would read as markup.
var markdown = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", `*`, `\*`, `_`, `\_`, `~`, `\~`, `[`, `\[`, `]`, `\]`, `<`, `\<`, `>`, `\>`, `|`, `\|`, `#`, `\#`,
)

// mention finds what begins a mention: of everybody, for example. No escape keeps Mattermost from
// reading it as one, but what is put between it and the name does.
var mention = regexp.MustCompile(`(^|[^\pL\pN])@`)

// card returns the adaptive card that shows a text. Nothing of it is read as markup, as it would be
// in a TextBlock.
func card(text string) any {
	var blocks []any
	for line := range strings.Lines(text) {
		blocks = append(blocks, map[string]any{
			"type": "RichTextBlock", "inlines": []any{map[string]any{"type": "TextRun", "text": strings.TrimSpace(line)}},
		})
	}
	return map[string]any{
		"type": "message",
		"attachments": []any{map[string]any{
			"contentType": "application/vnd.microsoft.card.adaptive",
			"content": map[string]any{
				"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": blocks,
			},
		}},
	}
}

// Post implements notice.Poster. No error holds the URL.
func (h Hook) Post(ctx context.Context, id, text string) error {
	make, ok := bodies[h.Kind]
	if !ok {
		return fmt.Errorf("there is no kind of chat %q", h.Kind)
	}
	body, err := json.Marshal(make(id, text))
	if err != nil {
		return err
	}
	address, err := h.URL.Reveal()
	if err != nil {
		return fmt.Errorf("notices.chat.%s.url: %w", h.Name, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("notices.chat.%s.url is no URL", h.Name)
	}
	request.Header.Set("Content-Type", "application/json")
	if h.Kind == Generic {
		if err := h.sign(request, id, body); err != nil {
			return err
		}
	}
	answer, err := h.Client.Do(request)
	if err != nil {
		return errors.New(remote.WhyUnanswered(ctx, err, "the chat", h.Client.Timeout))
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)) // so that the connection is used again
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Errorf("the chat answered %d", answer.StatusCode)
	}
	return nil
}

func (h Hook) sign(request *http.Request, id string, body []byte) error {
	text, err := h.Secret.Reveal()
	if err != nil {
		return fmt.Errorf("notices.chat.%s.secret: %w", h.Name, err)
	}
	key, err := signature.Key(text)
	if err != nil {
		return fmt.Errorf("notices.chat.%s.secret %w", h.Name, err)
	}
	signature.Sign(request, key, "msg_"+id, time.Now(), body)
	return nil
}
