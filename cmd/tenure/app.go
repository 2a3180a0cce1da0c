package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/service/apps"
)

func (c *cli) appCommand() *cobra.Command {
	return noun("app", "Show apps and the accounts in them", c.appListCommand(), c.appAccountsCommand(), c.appAdoptCommand(), c.appUnlinkCommand(), c.appTestCommand(), c.appKindsCommand(), c.appKindCommand())
}

type appView struct {
	Name         string   `json:"name"`
	Connector    string   `json:"connector"`
	Capabilities []string `json:"capabilities"`
	Disable      string   `json:"disable,omitempty"` // reversible or destructive
	Delete       string   `json:"delete"`            // final, recycle bin for a time, or never
	ByHand       []string `json:"byHand,omitempty"`  // the steps that a human is asked to do
	Rate         string   `json:"rate,omitempty"`
}

func (c *cli) appListCommand() *cobra.Command {
	return c.lists(&cobra.Command{
		Use:   "list",
		Short: "List the configured apps and what their connectors can do",
		Long: `List the configured apps and what their connectors can do. No app is called.

"disable (destructive)" means that the app forgets what is disabled: enabling it
again does not bring the account back.`,
		Example: `  tenure app list
  tenure app list -o json | jq -r '.[] | select(.capabilities | index("delete")) | .name'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := c.config()
			if err != nil {
				return err
			}
			apps := []appView{}
			for _, name := range slices.Sorted(maps.Keys(cfg.Apps)) {
				app, err := viewApp(cmd.Context(), cfg, name)
				if err != nil {
					return err
				}
				apps = append(apps, app)
			}
			apps = limited(c, apps)
			rows := rowsOf(apps, appView.row)
			return c.printList(apps, appHeader, rows, func(p *page) { p.table("", appHeader, rows) })
		},
	})
}

const appHeader = "app,connector,rate,capabilities"

func (v appView) row() []string {
	can := v.Capabilities
	if len(v.ByHand) > 0 {
		can = append(can, "by hand: "+strings.Join(v.ByHand, ", "))
	}
	return []string{v.Name, v.Connector, v.Rate, strings.Join(can, ", ")}
}

func viewApp(ctx context.Context, cfg *config.Config, name string) (appView, error) {
	app := cfg.Apps[name]
	conn, err := apps.Of(cfg, nil).OpenUncalled(ctx, name)
	if err != nil {
		return appView{}, err
	}
	can := conn.Capabilities()
	v := appView{
		Name: name, Connector: app.Connector, Capabilities: capabilityNames(can),
		Disable: disabling(can), Delete: deleting(can), ByHand: byHand(conn),
	}
	if app.Rate.Calls > 0 {
		v.Rate = fmt.Sprintf("%d/%s", app.Rate.Calls, strings.TrimPrefix(app.Rate.Per.String(), "1"))
	}
	return v, conn.Close()
}

func (c *cli) completeApps(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	cfg, err := c.config()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return slices.Sorted(maps.Keys(cfg.Apps)), cobra.ShellCompDirectiveNoFileComp
}

func capabilityNames(can connector.Capabilities) []string {
	names := can.Names()
	for i, name := range names {
		switch name {
		case "disable":
			names[i] += " (" + disabling(can) + ")"
		case "delete":
			names[i] += " (" + deleting(can) + ")"
		}
	}
	return names
}

// disabling says whether a disabled account can be enabled again.
func disabling(can connector.Capabilities) string {
	switch {
	case !can.Disable:
		return ""
	case can.Reversible:
		return "reversible"
	}
	return "destructive"
}

// deleting says what becomes of a deleted account.
func deleting(can connector.Capabilities) string {
	switch {
	case !can.Delete:
		return "never"
	case can.RecycleBin > 0:
		return "recycle bin for " + can.RecycleBin.String()
	}
	return "final"
}

// byHand are the steps that a human is asked to do in an app.
func byHand(c connector.Connector) []string {
	var steps []string
	for _, kind := range plan.Kinds() {
		if _, asked := c.Ask(string(kind)); asked {
			steps = append(steps, string(kind))
		}
	}
	return steps
}
