package scim

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/remote"
)

const unprintable = "must be one line of printable ASCII without spaces"

// Kind is the catalog's entry.
var Kind = connector.Kind{
	Name:    "scim",
	Summary: "any app with a SCIM 2.0 service (RFC 7644)",
	Settings: []connector.Setting{
		{Name: "url", Type: connector.TypeText, Required: true, Text: "Base URL of the service, without /Users."},
		{Name: "token", Type: connector.TypeSecret, Required: true, Text: "Bearer token (RFC 6750)."},
		{Name: "timeout", Type: connector.TypeDuration, Default: 15 * time.Second, Text: "How long one request may take."},
		{Name: "userAgent", Type: connector.TypeText, Default: "tenure", Text: "User-Agent header of every request."},
		{Name: "createGroups", Type: connector.TypeBool, Text: "Make groups that are to be granted and do not exist."},
	},
	Operations: []connector.Operation{
		{Op: connector.OpFind, Calls: "GET /Users?filter=externalId eq, then userName eq; or GET /Users/{id}"},
		{Op: connector.OpRead, Calls: "GET /Users/{id}"},
		{Op: connector.OpCheck, Calls: "GET /Users?count=1"},
		{Op: connector.OpList, Calls: "GET /Users by pages"},
		{Op: connector.OpCreate, Calls: "POST /Users"},
		{Op: connector.OpAdopt, Calls: "PATCH /Users/{id} externalId"},
		{Op: connector.OpUpdate, Calls: "PATCH /Users/{id}"},
		{Op: connector.OpGrant, Calls: "PATCH /Groups/{id} add members"},
		{Op: connector.OpRevoke, Calls: "PATCH /Groups/{id} remove members"},
		{Op: connector.OpDisable, Calls: "PATCH /Users/{id} active false"},
		{Op: connector.OpEnable, Calls: "PATCH /Users/{id} active true"},
		{Op: connector.OpDelete, Calls: "DELETE /Users/{id}"},
	},
	Proven:  []string{"SCIMMY"},
	Connect: connect,
}

func connect(_ context.Context, _ connector.Env, settings *connector.Values) (connector.Connector, error) {
	base := baseURL(settings)
	token := settings.Secret("token")
	if text, err := token.Reveal(); err == nil && !printable(text) {
		settings.Reject("token", unprintable)
	}
	timeout, userAgent := settings.Duration("timeout"), settings.Text("userAgent")
	if strings.ContainsAny(userAgent, "\r\n") {
		settings.Reject("userAgent", "must be one line")
	}
	return &client{
		service: &service{
			http:      remote.NewHTTPClient(timeout),
			base:      base,
			token:     token,
			userAgent: userAgent,
			timeout:   timeout,
		},
		groups:       newGroupCache(),
		createGroups: settings.Bool("createGroups"),
	}, nil
}

// baseURL reads the url setting. The result has no slash at its end.
func baseURL(read *connector.Values) *url.URL {
	text := read.Text("url")
	base, err := url.Parse(strings.TrimRight(text, "/"))
	switch {
	case err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http":
		read.Reject("url", "must be a whole http or https URL")
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		read.Reject("url", "must hold no password, query or fragment")
	}
	return base
}

// printable says whether s can stand in a header: RFC 6750's b64token and what
// services issue in its place.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}
