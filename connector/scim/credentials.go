package scim

import (
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/credentials"
	"github.com/tenurehq/tenure/internal/remote"
)

// credentialsIn reads the credentials from the settings: a token, a client or a user.
func credentialsIn(settings *connector.Values, timeout time.Duration) credentials.Credentials {
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
		return credentials.Password{Username: settings.Text("username"), Setting: "password", Password: settings.Secret("password")}
	case "tokenURL":
		return credentials.NewTokens(credentials.Client{
			URL: tokenURL(settings), URLSetting: "tokenURL", ID: settings.Text("clientID"), Scopes: settings.Texts("scopes"),
			Proof: credentials.Secret("clientSecret", settings.Secret("clientSecret"), nil), Settings: "clientID, clientSecret and scopes",
		}, timeout)
	default:
		token := settings.Secret("token")
		if text, err := token.Reveal(); err == nil && !credentials.Printable(text) {
			settings.Reject("token", credentials.Unprintable)
		}
		return credentials.Token{Scheme: "Bearer", Setting: "token", Token: token}
	}
}

func tokenURL(settings *connector.Values) string {
	remote.HTTPURL(settings, "tokenURL")
	return settings.Text("tokenURL")
}
