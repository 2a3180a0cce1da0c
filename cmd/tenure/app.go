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
	"github.com/tenurehq/tenure/connector/catalog"
	"github.com/tenurehq/tenure/decide"
	"github.com/tenurehq/tenure/internal/nearest"
	"github.com/tenurehq/tenure/internal/settings"
	"github.com/tenurehq/tenure/plan"
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
	conn, err := openUncalled(ctx, cfg, name)
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

func findApp(cfg *config.Config, name string) (config.App, error) {
	app, ok := cfg.Apps[name]
	if !ok {
		return config.App{}, usagef("there is no app %q in %s%s", name, cfg.Path, nearest.Hint(name, slices.Collect(maps.Keys(cfg.Apps))))
	}
	return app, nil
}

// openApp opens the connector of the app that env names: a guarded one, as all that
// this program does to apps has to leave alone what is protected.
func openApp(ctx context.Context, cfg *config.Config, env connector.Env) (connector.Connector, error) {
	app, err := findApp(cfg, env.App)
	if err != nil {
		return nil, err
	}
	conn, err := openUnguarded(ctx, env, app)
	if err != nil {
		return nil, err
	}
	return decide.Guard(conn, cfg.Policy, env.App, ""), nil
}

// openUncalled opens the connector of an app to see what it can do. It is without the
// app's secrets and files, so that nobody needs them who only asks.
func openUncalled(ctx context.Context, cfg *config.Config, name string) (connector.Connector, error) {
	app, err := findApp(cfg, name)
	if err != nil {
		return nil, err
	}
	app.Settings = settings.Withhold(app.Settings)
	conn, err := openKind(ctx, connector.Env{App: name, NoFiles: true}, app)
	if err != nil {
		return nil, err
	}
	return decide.Guard(conn, cfg.Policy, name, ""), nil
}

// openUnguarded is for callers that guard each of their attempts themselves.
func openUnguarded(ctx context.Context, env connector.Env, app config.App) (connector.Connector, error) {
	if err := settings.Missing(app.Settings); err != nil {
		return nil, usagef("%w", err)
	}
	return openKind(ctx, env, app)
}

func openKind(ctx context.Context, env connector.Env, app config.App) (connector.Connector, error) {
	kind, ok := catalog.Lookup(app.Connector)
	if !ok {
		return nil, usagef("app %s: there is no connector %q", env.App, app.Connector)
	}
	conn, err := kind.Open(ctx, env, connector.Settings(app.Settings))
	if err != nil {
		return nil, usagef("app %s: %w", env.App, err)
	}
	return conn, nil
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
