// Package jit is the kind of app whose accounts appear by themselves when people
// sign in through a directory (SAML, OIDC): nothing is created. What is there is
// ended by the app's own interface, if it has one, or else by a human.
package jit

import (
	"context"
	"errors"
	"fmt"

	"github.com/tenurehq/tenure/connector"
)

// Kind is the catalog's entry. Lookup finds the kinds that may be inner ones.
func Kind(lookup func(name string) (connector.Kind, bool)) connector.Kind {
	return connector.Kind{
		Name:    "jit",
		Summary: "an app whose accounts appear when people sign in (SAML, OIDC)",
		About:   about,
		Settings: append([]connector.Setting{
			{Name: "directory", Type: connector.TypeText, Required: true, Text: "The app by which people sign in. Its cut-off goes first."},
			{Name: "inner", Type: connector.TypeSettings, Text: "The app's own interface, by which accounts are looked for and ended: `{connector: scim, settings: {...}}`. Default: a human is asked."},
		}, connector.AskSettings(false)...),
		Operations: []connector.Operation{
			{Op: connector.OpFind, Calls: "the inner connector's, if there is one"},
			{Op: connector.OpRead, Calls: "the inner connector's"},
			{Op: connector.OpCheck, Calls: "the inner connector's"},
		},
		Proven: []string{"the inner connector's"},
		Connect: func(ctx context.Context, env connector.Env, settings *connector.Values) (connector.Connector, error) {
			return connect(ctx, env, settings, lookup)
		},
	}
}

const about = "There is nothing to create: whoever the directory lets in gets an account at the first sign-in. What remains to be done is the end, since an account and its sessions outlive the directory's cut-off.\n" +
	"\n" +
	"**At the end** the directory is cut off first; this app waits for that until it is done or has failed, and no longer. Then the account is looked for (person ID, employee number, username, email) and is disabled, its sessions are ended, and after retention it is deleted, all as far as the `inner` connector can. If somebody was cut off here while the directory still let them in, they are looked for again until it does not. Without `inner` a human is asked to end sessions and account ([tasks](operating.md#tasks)): name the `assignee`.\n" +
	"\n" +
	"**Entitlements** come from what the directory says at sign-in: roles grant them there, and none here."

// client is the connector.
type client struct {
	directory string
	inner     connector.Connector // nil: there is none
	ask       func(step string) connector.Ask
}

func connect(ctx context.Context, env connector.Env, settings *connector.Values, lookup func(string) (connector.Kind, bool)) (connector.Connector, error) {
	c := &client{directory: settings.Text("directory"), ask: connector.ReadAsk(settings)}
	if c.directory == env.App {
		settings.Reject("directory", "must be another app")
	}
	if !settings.Has("inner") {
		if !settings.Has("assignee") {
			settings.Reject("assignee", "is missing: without inner, a human has to be asked to end accounts")
		}
		return c, nil
	}
	inner, err := open(ctx, env, settings.Settings("inner"), lookup)
	if err != nil {
		settings.Reject("inner", "will not do: "+err.Error())
		return nil, err
	}
	c.inner = inner
	return c, nil
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

// Directory implements connector.JustInTime.
func (c *client) Directory() string { return c.directory }

// Inner implements connector.JustInTime.
func (c *client) Inner() connector.Connector { return c.inner }

// Ask implements connector.Asker: without an interface, a human ends what is there,
// and lets in again whom they ended.
func (c *client) Ask(step string) (connector.Ask, bool) {
	if c.inner != nil || step != "Disable" && step != "Provision" {
		return connector.Ask{}, false
	}
	return c.ask(step), true
}

// Find implements connector.Connector.
func (c *client) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	if c.inner == nil {
		return nil, connector.GivenUp(ctx, connector.OpFind)
	}
	return c.inner.Find(ctx, keys)
}

// Read implements connector.Connector.
func (c *client) Read(ctx context.Context, accountID string) (connector.Account, error) {
	if c.inner != nil {
		return c.inner.Read(ctx, accountID)
	}
	return connector.Account{}, connector.Unseen(ctx, connector.OpRead)
}

// Check implements connector.Connector.
func (c *client) Check(ctx context.Context) (string, error) {
	if c.inner != nil {
		return c.inner.Check(ctx)
	}
	return "nobody: people sign in by " + c.directory + ", and a human ends what is there", connector.GivenUp(ctx, connector.OpCheck)
}

// Close implements connector.Connector.
func (c *client) Close() error {
	if c.inner == nil {
		return nil
	}
	return c.inner.Close()
}
