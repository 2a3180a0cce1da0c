package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/assess/correlation"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
)

type accountView struct {
	AccountID    string             `json:"accountId"`
	Username     string             `json:"username"`
	State        correlation.State  `json:"state"`
	Protected    bool               `json:"protected,omitempty"` // no automation touches it
	Active       bool               `json:"active"`
	Person       string             `json:"person,omitempty"`
	Link         ledger.LinkState   `json:"link,omitempty"`
	ExternalID   string             `json:"externalId,omitempty"`
	Candidates   []string           `json:"candidates,omitempty"`
	By           connector.MatchKey `json:"by,omitempty"`
	Why          string             `json:"why,omitempty"`
	Entitlements []string           `json:"entitlements,omitempty"`
}

func viewAccount(f correlation.Finding) accountView {
	return accountView{
		AccountID: f.Account.ID, Username: f.Account.Username, State: f.State, Active: f.Account.Active,
		Person: f.Link.PersonID, Link: f.Link.State, ExternalID: f.Account.ExternalID,
		Candidates: f.People, By: f.By, Why: f.Why, Entitlements: f.Account.Entitlements,
	}
}

// state is the state, and whether the account is protected.
func (v accountView) state() string {
	if v.Protected {
		return string(v.State) + ", protected"
	}
	return string(v.State)
}

// whose is the person an account is linked to, or those it can be.
func (v accountView) whose() string {
	if v.Person != "" || len(v.Candidates) == 0 {
		return v.Person
	}
	return strings.Join(v.Candidates, " or ") + "?"
}

func (c *cli) appAccountsCommand() *cobra.Command {
	var only string
	states := make([]string, 0, len(correlation.States()))
	for _, s := range correlation.States() {
		states = append(states, string(s))
	}
	cmd := &cobra.Command{
		Use:   "accounts APP",
		Short: "List the accounts in an app, as it shows them now, and whose they are",
		Long: `List the accounts in an app, as it shows them now, and whose they are.

Linked ones are in the ledger:
  linked    both agree
  drifted   enabled in the one, not in the other
  missing   gone from the app

The others are correlated with the people who have no account there, by the keys
that the connector knows (external ID, employee number, username, email):
  unlinked  one person matches, and no other account of theirs:
            "tenure app adopt" links it
  disputed  several people match, or the person matches several accounts
  orphaned  nobody matches, or only somebody who has left

Protected ones (in the configuration) are left alone: they are nobody's unless
they are linked already.`,
		Example: `  tenure app accounts wiki
  tenure app accounts wiki --only orphaned`,
		Args:              exactly("APP"),
		ValidArgsFunction: c.completeApps,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("only", only, states); err != nil {
				return err
			}
			return c.withAccounts(cmd.Context(), args[0], func(a *operator.Accounts) error {
				accounts := []accountView{}
				for _, f := range a.Findings {
					if only == "" || string(f.State) == only {
						v := viewAccount(f)
						v.Protected = a.Protects(f)
						accounts = append(accounts, v)
					}
				}
				accounts = limited(c, accounts)
				rows := rowsOf(accounts, accountView.row)
				return c.printList(accounts, accountHeader, rows, func(p *page) {
					p.table("", accountHeader, rows)
					if len(rows) == 0 {
						p.note("no accounts")
					}
				})
			})
		},
	}
	cmd.Flags().StringVar(&only, "only", "", "only accounts in this `state`: "+strings.Join(states, ", "))
	_ = cmd.RegisterFlagCompletionFunc("only", cobra.FixedCompletions(states, cobra.ShellCompDirectiveNoFileComp))
	return c.lists(cmd)
}

const accountHeader = "username,account,enabled,state,person,link,entitlements"

func (v accountView) row() []string {
	return []string{
		v.Username, v.AccountID, strconv.FormatBool(v.Active), v.state(), v.whose(), string(v.Link), strings.Join(v.Entitlements, " "),
	}
}

// withAccounts calls f with the accounts in an app.
func (c *cli) withAccounts(ctx context.Context, app string, f func(*operator.Accounts) error) error {
	return c.operate(ctx, func(cfg *config.Config, o *operator.Operator) error {
		return accountsOf(ctx, cfg, o, app, f)
	})
}

// accountsOf calls f with the accounts that an operator finds in an app.
func accountsOf(ctx context.Context, cfg *config.Config, o *operator.Operator, app string, f func(*operator.Accounts) error) error {
	a, err := o.Accounts(ctx, app)
	if errors.Is(err, operator.ErrCannotList) {
		return fmt.Errorf("app %s: its connector %q cannot list accounts", app, cfg.Apps[app].Connector)
	}
	if err != nil {
		return err
	}
	return errors.Join(f(a), a.Close())
}
