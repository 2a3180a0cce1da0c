package webhook

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/remote"
	"github.com/tenurehq/tenure/internal/signature"
)

// optional lists the operations that a service may leave out. All of them are the default
// of the setting operations.
var optional = []string{
	connector.OpCreate, connector.OpUpdate, connector.OpDelete, connector.OpGrant, connector.OpRevokeSessions, connector.OpHandOver,
	connector.OpEnable,
}

// lastUse says what accounts show: lastUsedAt.
var lastUse = connector.LastUse{By: "what the service counts as one", Note: "Of an account that it shows without lastUsedAt, nothing is known."}

// offered returns the capabilities of a service that offers these operations besides the
// required ones.
func offered(operations []string) connector.Capabilities {
	has := func(op string) bool { return slices.Contains(operations, op) }
	return connector.Capabilities{
		Adopt: true, Disable: true, List: true, Page: true, LastUse: lastUse,
		Create: has(connector.OpCreate), Update: has(connector.OpUpdate), Delete: has(connector.OpDelete),
		Entitlements: has(connector.OpGrant), ListEntitlements: has(connector.OpGrant),
		Sessions: has(connector.OpRevokeSessions), HandOver: has(connector.OpHandOver), Reversible: has(connector.OpEnable),
	}
}

// Kind describes this kind of app for the catalog.
var Kind = connector.Kind{
	Name:    "webhook",
	Summary: "a service of your own, by one documented JSON contract",
	About:   about,
	Settings: []connector.Setting{
		{Name: "url", Type: connector.TypeText, Required: true, Text: "URL to which every request is sent (POST)."},
		remote.Plaintext,
		{Name: "secret", Type: connector.TypeSecret, Required: true, Text: "Signs every request (HMAC-SHA256): whsec_ and 24 to 64 bytes in base64, as Standard Webhooks specifies."},
		{Name: "operations", Type: connector.TypeTexts, Default: optional, Text: "What the service offers besides find, read, check, list, adopt and disable, which are required: any of " + strings.Join(optional, ", ") + ". grant stands for revoke and list_entitlements too. Without enable, disabling counts as destructive. Default: all."},
		{Name: "keys", Type: connector.TypeTexts, Text: "What else the service can find accounts by, besides the person ID and the username: employee_number, email. Default: nothing."},
		{Name: "timeout", Type: connector.TypeDuration, Default: 15 * time.Second, Text: "How long one request may take."},
	},
	Operations: []connector.Operation{
		{Op: connector.OpFind, Calls: "POST find by external_id, employee_number, username, email until one is found; or read"},
		{Op: connector.OpRead, Calls: "POST read"},
		{Op: connector.OpCheck, Calls: "POST check"},
		{Op: connector.OpList, Calls: "POST list by pages"},
		{Op: connector.OpPage, Calls: "as list, from any page on"},
		{Op: connector.OpListEntitlements, Calls: "POST list_entitlements"},
		{Op: connector.OpCreate, Calls: "POST create"},
		{Op: connector.OpAdopt, Calls: "POST adopt"},
		{Op: connector.OpUpdate, Calls: "POST update"},
		{Op: connector.OpGrant, Calls: "POST grant"},
		{Op: connector.OpRevoke, Calls: "POST revoke"},
		{Op: connector.OpDisable, Calls: "POST disable"},
		{Op: connector.OpEnable, Calls: "POST enable"},
		{Op: connector.OpRevokeSessions, Calls: "POST revoke_sessions"},
		{Op: connector.OpHandOver, Calls: "POST hand_over"},
		{Op: connector.OpDelete, Calls: "POST delete"},
	},
	OtherAttributes: "Any: the service decides which it accepts.",
	LastUse:         lastUse,
	Connect:         connect,
}

const about = "For an app that has no connector: write a small service that speaks [the webhook contract](webhook-connector.md) and makes the changes in your app. [examples/webhook-server](../examples/webhook-server) is a complete one to start from.\n" +
	"\n" +
	"You decide with `operations` what the service offers. If it does not implement one of them, the step fails with an error."

func connect(_ context.Context, env connector.Env, settings *connector.Values) (connector.Connector, error) {
	secret := settings.Secret("secret")
	if text, err := secret.Reveal(); err == nil {
		if _, err := signature.Key(text); err != nil {
			settings.Reject("secret", err.Error())
		}
	}
	operations, keys := settings.Texts("operations"), settings.Texts("keys")
	known(settings, "operations", operations, optional)
	known(settings, "keys", keys, []string{string(connector.ByEmployeeNumber), string(connector.ByEmail)})
	timeout := settings.Duration("timeout")
	c := &client{
		http:    remote.NewHTTPClient(timeout),
		answers: remote.NewAnswers(),
		url:     address(settings),
		app:     env.App,
		secret:  secret,
		pace:    env.Pace,
		keys:    keys,
		offers:  offered(operations),
	}
	c.pages.Fetch = c.fetch
	return c, nil
}

// known rejects a setting that is a list with an item outside there, the known items.
func known(settings *connector.Values, name string, given, there []string) {
	for _, item := range given {
		if !slices.Contains(there, item) {
			settings.Reject(name, fmt.Sprintf("holds %q: known are %s", item, strings.Join(there, ", ")))
		}
	}
}

// address reads the url setting. It returns "" if the setting is bad.
func address(settings *connector.Values) string {
	parsed := remote.HTTPURL(settings, "url")
	if parsed == nil {
		return ""
	}
	return parsed.String()
}
