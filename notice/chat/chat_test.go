package chat_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/notice/chat"
	"github.com/tenurehq/tenure/secret"
)

// key is what the secret of the kind generic stands for.
var key = []byte("0123456789abcdef0123456789abcdef")

// hook returns a hook of a server that answers with a status, and what the server gets.
func hook(t *testing.T, kind chat.Kind, status int) (chat.Hook, *http.Request, *string) {
	t.Helper()
	got, body := &http.Request{}, new(string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		*got, *body = *r, string(text)
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	return chat.Hook{
		Name: "security", Kind: kind, URL: secret.Of(s.URL + "/services/T00/B00/geheim"), Client: chat.NewClient(),
		Secret: secret.Of("whsec_" + base64.StdEncoding.EncodeToString(key)),
	}, got, body
}

func TestEveryKindOfChatGetsItsOwnForm(t *testing.T) {
	for kind, want := range map[chat.Kind]string{
		chat.Slack:      `{"text":"r-1 \u0026lt;waits\u0026gt; \u0026amp; more\ntenure request show r-1"}`,
		chat.Mattermost: `{"text":"r-1 \\\u003cwaits\\\u003e \u0026 more\ntenure request show r-1"}`,
		chat.Generic:    `{"id":"ID7","text":"r-1 \u003cwaits\u003e \u0026 more\ntenure request show r-1"}`,
		chat.Teams: `{"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","content":{
			"$schema":"http://adaptivecards.io/schemas/adaptive-card.json","type":"AdaptiveCard","version":"1.4","body":[
			{"type":"RichTextBlock","inlines":[{"type":"TextRun","text":"r-1 <waits> & more"}]},
			{"type":"RichTextBlock","inlines":[{"type":"TextRun","text":"tenure request show r-1"}]}]}}]}`,
	} {
		for _, status := range []int{200, 202, 204} {
			h, got, body := hook(t, kind, status)
			require.NoError(t, h.Post(t.Context(), "ID7", "r-1 <waits> & more\ntenure request show r-1"))
			assert.Equal(t, http.MethodPost, got.Method)
			assert.Equal(t, "/services/T00/B00/geheim", got.URL.Path)
			assert.Equal(t, "application/json", got.Header.Get("Content-Type"))
			assert.JSONEq(t, want, *body, kind)
		}
	}
	assert.Len(t, chat.Kinds(), 4)
}

// An ID may be anything that can be printed. It calls nobody, and is no link.
func TestNoIDIsReadAsMarkup(t *testing.T) {
	for kind, want := range map[chat.Kind]string{
		chat.Slack:      "&lt;!channel&gt; @all [a](https://evil.example) ada@example.com",
		chat.Mattermost: "\\<!channel\\> @\u200ball \\[a\\](https://evil.example) ada@example.com",
		chat.Generic:    "<!channel> @all [a](https://evil.example) ada@example.com",
		chat.Teams:      "<!channel> @all [a](https://evil.example) ada@example.com", // nothing of a TextRun is markup
	} {
		h, _, body := hook(t, kind, 200)
		require.NoError(t, h.Post(t.Context(), "ID7", "<!channel> @all [a](https://evil.example) ada@example.com"))
		var got struct {
			Text        string
			Attachments []struct {
				Content struct {
					Body []struct{ Inlines []struct{ Text string } }
				}
			}
		}
		require.NoError(t, json.Unmarshal([]byte(*body), &got))
		if kind == chat.Teams {
			got.Text = got.Attachments[0].Content.Body[0].Inlines[0].Text
		}
		assert.Equal(t, want, got.Text, kind)
	}
}

func TestTheGenericKindIsSigned(t *testing.T) {
	h, got, body := hook(t, chat.Generic, 204)
	require.NoError(t, h.Post(t.Context(), "ID7", "text"))
	assert.Equal(t, "msg_ID7", got.Header.Get("webhook-id"))
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte("msg_ID7." + got.Header.Get("webhook-timestamp") + "." + *body))
	assert.Equal(t, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)), got.Header.Get("webhook-signature"))

	other, plain, _ := hook(t, chat.Slack, 200)
	require.NoError(t, other.Post(t.Context(), "ID7", "text"))
	assert.Empty(t, plain.Header.Get("webhook-signature"))

	h.Secret = secret.Of("short")
	require.ErrorContains(t, h.Post(t.Context(), "ID7", "text"), "notices.chat.security.secret must be whsec_")
}

func TestNoErrorShowsTheURL(t *testing.T) {
	h, _, _ := hook(t, chat.Slack, 403)
	require.EqualError(t, h.Post(t.Context(), "ID7", "text"), "the chat answered 403")
	away := httptest.NewServer(http.NotFoundHandler())
	away.Close()
	for _, url := range []string{away.URL + "/geheim", "http://geheim.invalid/geheim", "://geheim", "http://127.0.0.1:1/%geheim"} {
		h.URL = secret.Of(url)
		err := h.Post(t.Context(), "ID7", "text")
		require.Error(t, err, url)
		assert.False(t, strings.Contains(err.Error(), "geheim"), "%s", err)
	}
}

func TestAChatThatSendsElsewhereGetsNothingMore(t *testing.T) {
	other, got, _ := hook(t, chat.Slack, 200)
	address, err := other.URL.Reveal()
	require.NoError(t, err)
	s := httptest.NewServer(http.RedirectHandler(address, http.StatusTemporaryRedirect))
	defer s.Close()
	h := chat.Hook{Name: "security", Kind: chat.Slack, URL: secret.Of(s.URL), Client: chat.NewClient()}
	require.EqualError(t, h.Post(t.Context(), "ID7", "text"), "the chat answered 307")
	assert.Empty(t, got.Method)
}
