package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/decide"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/apps"
	"github.com/tenurehq/tenure/internal/correlation"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
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
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Ledger) error {
				a, err := openAppAccounts(cmd.Context(), cfg, l, args[0])
				if err != nil {
					return err
				}
				findings, err := a.find(cmd.Context())
				if err = errors.Join(err, a.conn.Close()); err != nil {
					return err
				}
				accounts := []accountView{}
				for _, f := range findings {
					if only == "" || string(f.State) == only {
						v := viewAccount(f)
						v.Protected = a.protects(f)
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

// appAccounts is one app's accounts, and the people who may own them.
type appAccounts struct {
	name   string
	cfg    *config.Config
	ledger ledger.Ledger
	conn   connector.Connector
	now    time.Time
	// wanted is who is to have an account in the app, as policy says now.
	wanted map[string]bool
	gets   map[string][]string // ... and with which entitlements
}

// openAppAccounts opens the app's connector, which the caller closes.
func openAppAccounts(ctx context.Context, cfg *config.Config, l ledger.Ledger, name string) (*appAccounts, error) {
	conn, err := apps.Of(cfg, l).OpenPaced(ctx, name)
	if err != nil {
		return nil, err
	}
	if !conn.Capabilities().List {
		return nil, errors.Join(fmt.Errorf("app %s: its connector %q cannot list accounts", name, cfg.Apps[name].Connector), conn.Close())
	}
	return &appAccounts{name: name, cfg: cfg, ledger: l, conn: conn, now: cfg.Clock().Now(), wanted: map[string]bool{}, gets: map[string][]string{}}, nil
}

// protects says whether no automation touches the account, or any of the person whose
// it is.
func (a *appAccounts) protects(f correlation.Finding) bool {
	return a.cfg.Policy.ProtectsAccount(a.name, f.Account.ID, f.Account.Username) ||
		slices.ContainsFunc([]string{f.Link.PersonID, f.Account.ExternalID}, a.cfg.Policy.ProtectsPerson)
}

// find asks the app for all its accounts, and whose they are.
func (a *appAccounts) find(ctx context.Context) ([]correlation.Finding, error) {
	links, err := a.ledger.Links(ctx, ledger.LinkFilter{App: a.name})
	if err != nil {
		return nil, err
	}
	linked := map[string]bool{}
	for _, link := range links {
		linked[link.PersonID] = link.AccountID != ""
	}
	var accounts []connector.Account
	for account, err := range a.conn.List(ctx) {
		if err != nil {
			return nil, fmt.Errorf("app %s: %w", a.name, err)
		}
		accounts = append(accounts, account)
	}
	if accounts, err = a.unlisted(ctx, accounts, links); err != nil {
		return nil, err
	}
	var people []correlation.Person
	err = eachPerson(ctx, a.ledger, func(s ledger.Summary) error {
		if linked[s.PersonID] {
			return nil
		}
		p, err := a.correlate(ctx, s.PersonID)
		people = append(people, p)
		return err
	})
	return correlation.Find(accounts, links, people), err
}

// unlisted adds the accounts that are linked and that the list does not show, if the app
// has them: not every list is whole.
func (a *appAccounts) unlisted(ctx context.Context, accounts []connector.Account, links []ledger.Link) ([]connector.Account, error) {
	listed := map[string]bool{}
	for _, account := range accounts {
		listed[account.ID] = true
	}
	for _, l := range links {
		if l.AccountID == "" || l.State == ledger.LinkDeleted || listed[l.AccountID] {
			continue
		}
		account, err := a.conn.Read(ctx, l.AccountID)
		var absent *connector.Error
		switch {
		case err == nil:
			accounts, listed[l.AccountID] = append(accounts, account), true
		case errors.As(err, &absent) && absent.Kind == connector.KindNotFound:
		default:
			return nil, fmt.Errorf("app %s: %w", a.name, err)
		}
	}
	return accounts, nil
}

// correlate asks the app which accounts match a person.
func (a *appAccounts) correlate(ctx context.Context, personID string) (correlation.Person, error) {
	person, err := a.ledger.Person(ctx, personID)
	if err != nil {
		return correlation.Person{}, err
	}
	timeline := decide.TimelineOf(person)
	standing := timeline.At(a.now)
	keys := connector.Keys{PersonID: personID, Username: person.Username}
	identity := policy.Identity{PersonID: personID, Username: person.Username}
	if standing.Profile != nil {
		keys.EmployeeNumber = standing.Profile.EmployeeNumber
		if identity.Email, err = a.cfg.Policy.Email(identity, *standing.Profile); err != nil {
			return correlation.Person{}, fmt.Errorf("person %s: %w", personID, err)
		}
		keys.Email = identity.Email
	}
	desired, err := a.cfg.Policy.Evaluate(timeline, a.now, identity)
	if err != nil {
		return correlation.Person{}, fmt.Errorf("person %s: %w", personID, err)
	}
	a.wanted[personID] = false
	for _, account := range desired.Accounts {
		if account.App == a.name {
			a.wanted[personID] = true
			for _, e := range account.Entitlements {
				a.gets[personID] = append(a.gets[personID], e.Name)
			}
		}
	}
	matches, err := a.conn.Find(ctx, keys)
	if err != nil {
		return correlation.Person{}, fmt.Errorf("app %s: person %s: %w", a.name, personID, err)
	}
	return correlation.Person{ID: personID, Left: standing.Status == hr.StatusEnded, Matches: matches}, nil
}
