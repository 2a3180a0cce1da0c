// Package toy is the connector that docs/writing-a-connector.md explains. Its app keeps the
// accounts in a CSV file.
package toy

import (
	"context"
	"path/filepath"

	"github.com/tenurehq/tenure/connector"
)

// Kind describes this kind of app for the catalog.
var Kind = connector.Kind{
	Name:    "toy",
	Summary: "an app that keeps its accounts in a CSV file",
	About:   "An account that is deleted is gone for good. Disabling writes `false` into the column `active`.",
	Settings: []connector.Setting{
		{Name: "file", Type: connector.TypeText, Required: true, Text: "The CSV file; its folder must be there."},
	},
	Operations: []connector.Operation{
		{Op: connector.OpFind, Calls: "read the file"},
		{Op: connector.OpRead, Calls: "read the file"},
		{Op: connector.OpCheck, Calls: "read the file"},
		{Op: connector.OpList, Calls: "read the file"},
		{Op: connector.OpCreate, Calls: "add a line"},
		{Op: connector.OpAdopt, Calls: "write the column person"},
		{Op: connector.OpUpdate, Calls: "write the columns name and shelf"},
		{Op: connector.OpDisable, Calls: "write the column active"},
		{Op: connector.OpEnable, Calls: "write the column active"},
		{Op: connector.OpDelete, Calls: "remove the line"},
	},
	Connect: connect,
}

func connect(_ context.Context, env connector.Env, settings *connector.Values) (connector.Connector, error) {
	path := settings.Text("file")
	if filepath.Ext(path) != ".csv" {
		settings.Reject("file", "must end in .csv")
	}
	return &client{path: path, pace: env.Pace}, nil
}
