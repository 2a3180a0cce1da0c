// Package manual is the connector for apps without an interface for programs. Tasks ask
// humans to do the steps, and their word is the proof.
//
// The connector keeps nothing: package activities keeps the tasks and the links.
package manual

import (
	"context"

	"github.com/tenurehq/tenure/connector"
)

// Kind describes this kind of app for the catalog.
var Kind = connector.Kind{
	Name:    "manual",
	Summary: "an app without an interface for programs: Tenure asks humans to do the steps",
	About:   about,
	Settings: append(connector.AskSettings(true),
		connector.Setting{Name: "delete", Type: connector.TypeBool, Default: true, Text: "Whether humans are asked to delete accounts after the retention. If not, accounts stay disabled."},
		connector.Setting{Name: "handOver", Type: connector.TypeBool, Text: "Whether humans are asked to hand over a leaver's data to the manager."},
	),
	Operations: []connector.Operation{
		{Op: connector.OpFind, Calls: "none: Tenure knows only what humans reported"},
		{Op: connector.OpRead, Calls: "none"},
		{Op: connector.OpCheck, Calls: "none"},
	},
	LastUse: connector.LastUse{Note: "Humans are not asked when somebody last used an account."},
	Connect: connect,
}

const about = "For apps that only a human can operate: a console without an API, a key cabinet, a partner's portal. Each step becomes a **task** that says what is to be done for whom, and until when. `tenure task list` lists tasks; `tenure task done ID --proof TEXT` and `tenure task refuse ID --reason TEXT` complete them ([tasks](operating.md#tasks)). A step waits for its task, and no other app waits for it.\n" +
	"\n" +
	"**Proof.** What a human reports as done counts as done: Tenure records who reported it, and where it can be seen. With `secondPerson`, another person has to confirm it.\n" +
	"\n" +
	"**Time.** The assignee is reminded (`remind`). When the task is overdue, the step needs attention and names `escalateTo`; the task can still be done. If the step is no longer wanted, for example after a rehire, Tenure withdraws the task.\n" +
	"\n" +
	"**People who have one already.** If people have badges or keys before Tenure asks for any, say so in a file, and nobody is asked to hand them out again: `tenure app adopt NAME --map FILE` ([the first import](deploy.md#the-first-import)).\n" +
	"\n" +
	"**Cutting off** is one task, which also names the entitlements to take."

// client is the connector. Without an interface there is nothing to connect to.
type client struct {
	connector.Base

	ask      func(step string) connector.Ask
	delete   bool
	handOver bool
}

func connect(_ context.Context, _ connector.Env, settings *connector.Values) (connector.Connector, error) {
	return client{ask: connector.ReadAsk(settings), delete: settings.Bool("delete"), handOver: settings.Bool("handOver")}, nil
}

// Capabilities implements connector.Connector. There are none: humans do every step.
func (client) Capabilities() connector.Capabilities { return connector.Capabilities{} }

// Ask implements connector.Connector.
func (c client) Ask(step string) (connector.Ask, bool) {
	if step == "Delete" && !c.delete || step == "HandOver" && !c.handOver {
		return connector.Ask{}, false
	}
	return c.ask(step), true
}

// Find implements connector.Connector. It finds nothing: only a human can look.
func (client) Find(ctx context.Context, _ connector.Keys) ([]connector.Match, error) {
	return nil, connector.GivenUp(ctx, connector.OpFind)
}

// Read implements connector.Connector. It finds nothing: see Find.
func (client) Read(ctx context.Context, _ string) (connector.Account, error) {
	return connector.Account{}, connector.Unseen(ctx, connector.OpRead)
}

// Check implements connector.Connector. It returns who is asked.
func (c client) Check(ctx context.Context) (string, error) {
	if err := connector.GivenUp(ctx, connector.OpCheck); err != nil {
		return "", err
	}
	return "nobody: " + c.ask("").Assignee + " is asked by tasks", nil
}

// Close implements connector.Connector.
func (client) Close() error { return nil }
