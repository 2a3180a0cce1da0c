// Package jit is the connector for apps that create an account by themselves when
// somebody signs in through a directory (SAML, OIDC). Tenure creates none. It ends
// accounts by the app's own interface, if there is one, or else asks a human.
package jit

import (
	"context"
	"errors"
	"fmt"

	"github.com/tenurehq/tenure/connector"
)

// Kind returns the description of this kind of app for the catalog. lookup finds the
// kind of the inner connector.
func Kind(lookup func(name string) (connector.Kind, bool)) connector.Kind {
	return connector.Kind{
		Name:    "jit",
		Summary: "an app whose accounts appear when people sign in (SAML, OIDC)",
		About:   about,
		Settings: append([]connector.Setting{
			{Name: "directory", Type: connector.TypeText, Required: true, Text: "The app by which people sign in. It is cut off first."},
			{Name: "inner", Type: connector.TypeSettings, Text: "The connector to the app's own interface, which finds and ends accounts: `{connector: scim, settings: {...}}`. Default: a human is asked."},
		}, connector.AskSettings(false)...),
		Operations: []connector.Operation{
			{Op: connector.OpFind, Calls: "the inner connector's, if there is one"},
			{Op: connector.OpRead, Calls: "the inner connector's"},
			{Op: connector.OpCheck, Calls: "the inner connector's"},
		},
		LastUse: connector.LastUse{Note: "The inner connector says whether it tells."},
		Connect: func(ctx context.Context, env connector.Env, settings *connector.Values) (connector.Connector, error) {
			return connect(ctx, env, settings, lookup)
		},
	}
}

const about = "Tenure creates nothing in such an app: whoever the directory lets in gets an account at the first sign-in. Tenure ends it, because an account and its sessions outlive the cut-off in the directory.\n" +
	"\n" +
	"**When access ends**, the directory is cut off first. This app waits until that is done or has failed, and no longer. Then the `inner` connector looks for the account (by person ID, employee number, username, email), disables it and ends its sessions; after the retention it deletes the account. Each of these happens as far as the inner connector can. If somebody was cut off here while the directory still let them in, Tenure looks for them again until the directory does not. Without `inner`, a human is asked to end sessions and account ([tasks](operating.md#tasks)): name the `assignee`.\n" +
	"\n" +
	"**Entitlements** come from what the directory says at sign-in. Grant them there, not here."

// client is the connector. It passes all calls to the app on to the inner connector.
type client struct {
	connector.Connector
	directory string
}

// alone stands in for the inner connector of an app without an interface: a human ends
// the accounts.
type alone struct {
	connector.Base
	directory string
	ask       func(step string) connector.Ask
}

func connect(ctx context.Context, env connector.Env, settings *connector.Values, lookup func(string) (connector.Kind, bool)) (connector.Connector, error) {
	directory, ask := settings.Text("directory"), connector.ReadAsk(settings)
	if directory == env.App {
		settings.Reject("directory", "must be another app")
	}
	if !settings.Has("inner") {
		if !settings.Has("assignee") {
			settings.Reject("assignee", "is missing: without inner, a human has to be asked to end accounts")
		}
		return client{alone{directory: directory, ask: ask}, directory}, nil
	}
	inner, err := open(ctx, env, settings.Settings("inner"), lookup)
	if err != nil {
		settings.Reject("inner", "will not do: "+err.Error())
		return nil, err
	}
	return client{inner, directory}, nil
}

// open opens the inner connector.
func open(ctx context.Context, env connector.Env, set map[string]any, lookup func(string) (connector.Kind, bool)) (connector.Connector, error) {
	for name := range set {
		if name != "connector" && name != "settings" {
			return nil, fmt.Errorf("it has %q; known are connector, settings", name)
		}
	}
	name, _ := set["connector"].(string)
	kind, ok := lookup(name)
	if !ok || name == "jit" || name == "manual" {
		return nil, errors.New("its connector must be a kind of app that has an interface")
	}
	inner, _ := set["settings"].(map[string]any)
	return kind.Open(ctx, env, inner)
}

// Capabilities implements connector.Connector. They are those of the inner connector,
// except Create.
func (c client) Capabilities() connector.Capabilities {
	can := c.Connector.Capabilities()
	can.Create, can.Directory = false, c.directory
	return can
}

// Capabilities implements connector.Connector.
func (alone) Capabilities() connector.Capabilities { return connector.Capabilities{} }

// Ask implements connector.Connector. A human disables accounts, and lets people in
// again.
func (a alone) Ask(step string) (connector.Ask, bool) {
	if step != "Disable" && step != "Provision" {
		return connector.Ask{}, false
	}
	return a.ask(step), true
}

// Find implements connector.Connector.
func (alone) Find(ctx context.Context, _ connector.Keys) ([]connector.Match, error) {
	return nil, connector.GivenUp(ctx, connector.OpFind)
}

// Read implements connector.Connector.
func (alone) Read(ctx context.Context, _ string) (connector.Account, error) {
	return connector.Account{}, connector.Unseen(ctx, connector.OpRead)
}

// Check implements connector.Connector.
func (a alone) Check(ctx context.Context) (string, error) {
	return "nobody: people sign in by " + a.directory + ", and a human ends what is there", connector.GivenUp(ctx, connector.OpCheck)
}

// Close implements connector.Connector.
func (alone) Close() error { return nil }
