package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/catalog"
	"github.com/tenurehq/tenure/internal/nearest"
	"github.com/tenurehq/tenure/ledger"
)

func (c *cli) appCommand() *cobra.Command {
	return noun("app", "Show apps and the accounts in them", c.appListCommand(), c.appAccountsCommand(), c.appTestCommand(), c.appKindsCommand(), c.appKindCommand())
}

type appView struct {
	Name         string   `json:"name"`
	Connector    string   `json:"connector"`
	Capabilities []string `json:"capabilities"`
	Rate         string   `json:"rate,omitempty"`
}

func (c *cli) appListCommand() *cobra.Command {
	return c.reads(&cobra.Command{
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
				app, err := viewApp(cmd.Context(), name, cfg.Apps[name])
				if err != nil {
					return err
				}
				apps = append(apps, app)
			}
			return c.print(apps, func(p *page) {
				p.table("", "app,connector,rate,capabilities", rowsOf(apps, func(a appView) []string {
					return []string{a.Name, a.Connector, a.Rate, strings.Join(a.Capabilities, ", ")}
				}))
			})
		},
	})
}

func viewApp(ctx context.Context, name string, app config.App) (appView, error) {
	conn, err := openApp(ctx, name, app)
	if err != nil {
		return appView{}, err
	}
	v := appView{Name: name, Connector: app.Connector, Capabilities: capabilityNames(connector.CapabilitiesOf(conn))}
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

func openApp(ctx context.Context, name string, app config.App) (connector.Connector, error) {
	kind, ok := catalog.Lookup(app.Connector)
	if !ok {
		return nil, usagef("app %s: there is no connector %q", name, app.Connector)
	}
	conn, err := kind.Open(ctx, connector.Env{App: name}, connector.Settings(app.Settings))
	if err != nil {
		return nil, usagef("app %s: %w", name, err)
	}
	return conn, nil
}

func capabilityNames(can connector.Capabilities) []string {
	disable := "disable"
	if !can.Reversible {
		disable = "disable (destructive)"
	}
	names := []string{}
	for _, capability := range []struct {
		name string
		has  bool
	}{
		{"create", can.Create},
		{"adopt", can.Adopt},
		{"update", can.Update},
		{disable, can.Disable},
		{"delete", can.Delete},
		{"entitlements", can.Entitlements},
		{"sessions", can.Sessions},
		{"hand over", can.HandOver},
		{"list", can.List},
		{"list entitlements", can.ListEntitlements},
		{"probe", can.Probe},
	} {
		if capability.has {
			names = append(names, capability.name)
		}
	}
	return names
}

// The states of an account beside its link.
const (
	accountLinked   = "linked"   // the app and the ledger agree
	accountDrifted  = "drifted"  // enabled in the one, disabled or deleted in the other
	accountUnlinked = "unlinked" // in the app only
	accountMissing  = "missing"  // in the ledger only
)

var accountStates = []string{accountLinked, accountDrifted, accountUnlinked, accountMissing}

type accountView struct {
	AccountID    string           `json:"accountId"`
	Username     string           `json:"username"`
	State        string           `json:"state"`
	Active       bool             `json:"active"`
	Person       string           `json:"person,omitempty"`
	Link         ledger.LinkState `json:"link,omitempty"`
	ExternalID   string           `json:"externalId,omitempty"`
	Entitlements []string         `json:"entitlements,omitempty"`
}

func (c *cli) appAccountsCommand() *cobra.Command {
	var only string
	cmd := &cobra.Command{
		Use:   "accounts APP",
		Short: "List the accounts in an app, as it shows them now, beside what the ledger has",
		Long: `List the accounts in an app, as it shows them now, beside what the ledger has.

States: linked (both agree), drifted (enabled in the one, not in the other),
unlinked (in the app only), missing (in the ledger only).`,
		Example: `  tenure app accounts wiki
  tenure app accounts wiki --only unlinked`,
		Args:              exactly("APP"),
		ValidArgsFunction: c.completeApps,
		RunE: func(cmd *cobra.Command, args []string) error {
			if only != "" && !slices.Contains(accountStates, only) {
				return usagef("--only wants one of %s, not %q", strings.Join(accountStates, ", "), only)
			}
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Ledger) error {
				accounts, err := accountsOf(cmd.Context(), cfg, l, args[0])
				if err != nil {
					return err
				}
				if only != "" {
					accounts = slices.DeleteFunc(accounts, func(v accountView) bool { return v.State != only })
				}
				return c.print(accounts, func(p *page) { drawAccounts(p, accounts) })
			})
		},
	}
	cmd.Flags().StringVar(&only, "only", "", "only accounts in this `state`: "+strings.Join(accountStates, ", "))
	_ = cmd.RegisterFlagCompletionFunc("only", cobra.FixedCompletions(accountStates, cobra.ShellCompDirectiveNoFileComp))
	return c.reads(cmd)
}

// accountsOf joins an app's accounts with the ledger's links.
func accountsOf(ctx context.Context, cfg *config.Config, l ledger.Ledger, name string) (accounts []accountView, err error) {
	app, err := findApp(cfg, name)
	if err != nil {
		return nil, err
	}
	conn, err := openApp(ctx, name, app)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	lister, ok := conn.(connector.Lister)
	if !ok {
		return nil, fmt.Errorf("app %s: its connector %q cannot list accounts", name, app.Connector)
	}
	links, err := l.Links(ctx, ledger.LinkFilter{App: name})
	if err != nil {
		return nil, err
	}
	byAccount := map[string]ledger.Link{}
	for _, link := range links {
		if link.AccountID != "" {
			byAccount[link.AccountID] = link
		}
	}
	accounts = []accountView{}
	for account, err := range lister.List(ctx) {
		if err != nil {
			return nil, fmt.Errorf("app %s: %w", name, err)
		}
		link, linked := byAccount[account.ID]
		delete(byAccount, account.ID)
		accounts = append(accounts, viewAccount(account, link, linked))
	}
	for id, link := range byAccount {
		if link.State != ledger.LinkDeleted {
			accounts = append(accounts, accountView{
				AccountID: id, Username: link.Username, State: accountMissing, Person: link.PersonID, Link: link.State,
			})
		}
	}
	slices.SortFunc(accounts, func(a, b accountView) int {
		return strings.Compare(a.Username+"\x00"+a.AccountID, b.Username+"\x00"+b.AccountID)
	})
	return accounts, nil
}

func viewAccount(account connector.Account, link ledger.Link, linked bool) accountView {
	v := accountView{
		AccountID: account.ID, Username: account.Username, State: accountUnlinked, Active: account.Active,
		Person: link.PersonID, Link: link.State, ExternalID: account.ExternalID, Entitlements: account.Entitlements,
	}
	if linked {
		v.State = accountDrifted
		if account.Active && link.State == ledger.LinkActive || !account.Active && link.State == ledger.LinkDisabled {
			v.State = accountLinked
		}
	}
	return v
}

func drawAccounts(p *page, accounts []accountView) {
	p.table("", "username,account,enabled,state,person,link,entitlements", rowsOf(accounts, func(a accountView) []string {
		return []string{
			a.Username, a.AccountID, strconv.FormatBool(a.Active), a.State, a.Person, string(a.Link), strings.Join(a.Entitlements, " "),
		}
	}))
	if len(accounts) == 0 {
		p.note("no accounts")
	}
}
