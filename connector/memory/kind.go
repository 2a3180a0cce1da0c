package memory

import (
	"context"
	"time"

	"github.com/tenurehq/tenure/connector"
)

// Kind describes this kind of app for the catalog.
var Kind = connector.Kind{
	Name:    "memory",
	Summary: "an app that lives in this process, for tests and benchmarks",
	Settings: []connector.Setting{
		{Name: "name", Type: connector.TypeText, Text: "Which app: connectors of the same name share one. Default: the app's name."},
		{Name: "recycleBin", Type: connector.TypeDuration, Text: "How long a deleted account can be brought back. Default: deleting is for good."},
		{Name: "licences", Type: connector.TypeTexts, Text: "Licences with the number of their seats, such as \"office=25\" for the entitlement licence:office. Others have no limit."},
		{Name: "settling", Type: connector.TypeDuration, Text: "How long after a change the app may answer as if there had been none. Default: it never does."},
		{Name: "handOverNeeds", Type: connector.TypeTexts, Text: "Entitlements without which an account's data cannot be handed over; licence: stands for every licence."},
		{Name: "long", Type: connector.TypeTexts, Text: "Calls that begin an operation which takes long, each with how often it has to be looked at until it is done, such as \"hand_over=3\"."},
	},
	Operations: []connector.Operation{
		{Op: connector.OpFind}, {Op: connector.OpRead}, {Op: connector.OpCheck}, {Op: connector.OpList}, {Op: connector.OpPage},
		{Op: connector.OpCreate}, {Op: connector.OpAdopt}, {Op: connector.OpUpdate}, {Op: connector.OpRelabel},
		{Op: connector.OpGrant}, {Op: connector.OpRevoke},
		{Op: connector.OpDisable}, {Op: connector.OpEnable}, {Op: connector.OpRevokeSessions}, {Op: connector.OpResetCredentials},
		{Op: connector.OpHandOver}, {Op: connector.OpDelete}, {Op: connector.OpRestore}, {Op: connector.OpListEntitlements},
	},
	OtherAttributes: "Any.",
	LastUse:         lastUse,
	Connect:         connect,
}

func connect(_ context.Context, env connector.Env, settings *connector.Values) (connector.Connector, error) {
	name := env.App
	if settings.Has("name") {
		name = settings.Text("name")
	}
	bin := time.Duration(0)
	if settings.Has("recycleBin") {
		bin = settings.Duration("recycleBin")
	}
	seats, err := seatsOf(settings.Texts("licences"))
	if err != nil {
		return nil, err
	}
	long, err := longOf(settings.Texts("long"))
	if err != nil {
		return nil, err
	}
	return client{
		app: Shared(name), name: name, pace: env.Pace, bin: bin, seats: seats, settling: settings.Duration("settling"), long: long,
		needs: settings.Texts("handOverNeeds"),
	}, nil
}
