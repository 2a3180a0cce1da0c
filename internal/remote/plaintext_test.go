package remote_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/internal/remote"
	"github.com/tenurehq/tenure/internal/settings"
)

func TestCredentialsGoEncryptedOrNowhere(t *testing.T) {
	for name, test := range map[string]struct {
		url  string
		want string
	}{
		"https":                        {"https://app.example.com/scim/", ""},
		"this machine":                 {"http://localhost:8080", ""},
		"this machine, shouted":        {"HTTP://LocalHost:8080", ""},
		"this machine's address":       {"http://127.0.0.9/scim", ""},
		"this machine's IPv6":          {"http://[::1]:80", ""},
		"this machine's mapped":        {"http://[::ffff:127.0.0.1]", ""},
		"another machine":              {"http://app.example.com", "must be https://"},
		"another machine, shouted":     {"HTTP://app.example.com", "must be https://"},
		"another machine's address":    {"http://10.0.0.1", "must be https://"},
		"another one that looks local": {"http://localhost.example.com", "must be https://"},
		"an address in a name":         {"http://127.0.0.1.example.com", "must be https://"},
		"another way of writing it":    {"http://2130706433", "must be https://"},
		"a password":                   {"https://u:p@app.example.com", "must hold no password"},
		"no URL":                       {"app.example.com", "must be a whole http or https URL"},
		"no host":                      {"https://:443", "must be a whole http or https URL"},
		"another scheme":               {"ftp://app.example.com", "must be a whole http or https URL"},
		"a query":                      {"https://app.example.com?x=y", "must hold no password, query or fragment"},
	} {
		t.Run(name, func(t *testing.T) {
			read := func(allowed bool) error {
				v := settings.Read([]settings.Setting{{Name: "url", Type: settings.TypeText}, remote.Plaintext},
					map[string]any{"url": test.url, "plaintext": allowed})
				remote.BaseURL(v, "url")
				return v.Err()
			}
			if test.want == "" {
				require.NoError(t, read(false))
				return
			}
			err := read(false)
			require.ErrorContains(t, err, `setting "url" `+test.want)
			assert.NotContains(t, err.Error(), "p@", "a value may hold a secret")
			if test.want == "must be https://" {
				require.ErrorContains(t, err, `would send the credentials unencrypted: use https://, or set "plaintext: true"`)
				require.NoError(t, read(true), "an operator has allowed it")
			} else {
				require.Error(t, read(true))
			}
		})
	}
}

func TestNoRedirectTakesCredentialsElsewhere(t *testing.T) {
	taken := make(chan string, 8)
	plain := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { taken <- r.Header.Get("Authorization") }))
	defer plain.Close()
	secure := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusTemporaryRedirect))
	defer secure.Close()
	client := remote.NewHTTPClient(10 * time.Second)
	client.Transport.(*http.Transport).TLSClientConfig = secure.Client().Transport.(*http.Transport).TLSClientConfig
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, secure.URL, nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer s3cret")
	_, err = remote.Call(client, remote.NewAnswers(), "find", "the app", req)
	require.ErrorContains(t, err, "it sends us elsewhere, where the credentials must not go")
	assert.Empty(t, taken)
}
