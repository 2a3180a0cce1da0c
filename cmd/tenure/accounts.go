package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/assess/correlation"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/operator/report"
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
	LastUsed     time.Time          `json:"lastUsedAt,omitzero"` // zero if unknown
	Entitlements []string           `json:"entitlements,omitempty"`
}

func viewAccount(f correlation.Finding) accountView {
	return accountView{
		AccountID: f.Account.ID, Username: f.Account.Username, State: f.State, Active: f.Account.Active,
		Person: f.Link.PersonID, Link: f.Link.State, ExternalID: f.Account.ExternalID,
		Candidates: f.People, By: f.By, Why: f.Why, LastUsed: f.Account.LastUsedAt, Entitlements: f.Account.Entitlements,
	}
}

// state returns the account's state for people, with a mark if the account is protected.
func (v accountView) state() string {
	if v.Protected {
		return string(v.State) + ", protected"
	}
	return string(v.State)
}

// whose returns the person to whom the account is linked, or the people to whom it may
// belong.
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
		Short: "List the accounts in an app, as it shows them now, and their owners",
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
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				return c.usingAccounts(cmd.Context(), cfg, args[0], o.Accounts, func(a *operator.Accounts) error {
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
							return
						}
						p.note("last used: %s", a.LastUse())
					})
				})
			})
		},
	}
	cmd.Flags().StringVar(&only, "only", "", "only accounts in this `state`: "+strings.Join(states, ", "))
	_ = cmd.RegisterFlagCompletionFunc("only", cobra.FixedCompletions(states, cobra.ShellCompDirectiveNoFileComp))
	return c.lists(cmd)
}

// lastUsed says when an account was last used. That nothing is known of it is not that it is
// unused.
func lastUsed(at time.Time) string { return cmp.Or(words.Instant(at), "unknown") }

const accountHeader = "username,account,enabled,state,person,link,last used,entitlements"

func (v accountView) row() []string {
	return []string{
		v.Username, v.AccountID, strconv.FormatBool(v.Active), v.state(), v.whose(), string(v.Link), lastUsed(v.LastUsed), strings.Join(v.Entitlements, " "),
	}
}

// findAccounts is a method of an operator that finds the accounts in an app.
type findAccounts func(ctx context.Context, app string, seen func()) (*operator.Accounts, error)

// usingAccounts calls f with the accounts that find finds in an app, and closes them.
func (c *cli) usingAccounts(ctx context.Context, cfg *config.Config, app string, find findAccounts, f func(*operator.Accounts) error) error {
	bar := c.progress(-1, "comparing", "accounts and people")
	a, err := find(ctx, app, func() { _ = bar.Add(1) })
	_ = bar.Exit()
	switch {
	case errors.Is(err, operator.ErrCannotList):
		return fmt.Errorf("app %s: its connector %q cannot list accounts", app, cfg.Apps[app].Connector)
	case errors.Is(err, operator.ErrOnlyHumansSee):
		return fmt.Errorf("app %s: only humans see its accounts (connector %q): tenure access who %s shows those that Tenure knows of, and tenure app adopt %s --map FILE links those that people have already", app, cfg.Apps[app].Connector, quoted(app), quoted(app))
	case err != nil:
		return err
	}
	return errors.Join(f(a), a.Close())
}

// adoptOptions holds the flags of app adopt.
type adoptOptions struct {
	applying
	people  []string
	by      []string // keys to link by; empty: any
	pairs   string   // a file
	take    bool
	keep    bool
	request operator.Request
}

func (c *cli) appAdoptCommand() *cobra.Command {
	var o adoptOptions
	cmd := &cobra.Command{
		Use:   "adopt APP",
		Short: "Link accounts that are already in an app to the people they belong to",
		Long: `Link accounts that are already in an app to the people they belong to: those that
"tenure app accounts" calls unlinked. Nothing is changed without --apply, and the exit
status is 3 if something would be.

An account is linked only if exactly one person matches it, that person matches no
other account, and a role gives that person access to the app: for others, the
next thing that Tenure would do is to disable the account. Disputed accounts are
not linked; settle whose they are in the app (its external ID, or another
username), or in a file of pairs.

The list begins with what is most certain. Only an external ID proves whose an
account is; employee numbers, addresses and usernames can be known, and taken, by
others: look at what such an account has before you link it. --by external_id,username
decides by keys, --person one by one, and --map FILE as the file says: a CSV file of
person and account (the app's ID of it, or the username), one pair a line.

An adopted account gets the person's external ID where the app has one. If it did not
have that ID before, its sessions are ended and its credentials are reset where the app
can do so, since somebody else may know them. With --keep-credentials they stay as they
are, for the first import of people who are at work. Then the person's run brings the
account's attributes and entitlements to what policy says. What the account has beyond
that stays, unless you say --take. It is on the record with your name.

In an app without an interface (connector: manual), only humans see the accounts, such
as badges and keys. There, --map FILE says who has one already, so that nobody is asked
to hand it out again: a CSV file of person, account (what humans call it, such as the
badge's number) and, if you like, its entitlements, separated by ";". Without the third
column, each counts as having what policy gives. Open tasks to hand one out are
withdrawn. With --take, humans are asked to take what it has beyond policy.`,
		Example: `  tenure app adopt wiki
  tenure app adopt wiki --by external_id --apply
  tenure app adopt wiki --person 10004 --apply --take
  tenure app adopt wiki --map pairs.csv --apply --keep-credentials
  tenure app adopt keys --map badges.csv`,
		Args:              exactly("APP"),
		ValidArgsFunction: c.completeApps,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.operate(cmd.Context(), func(cfg *config.Config, op *operator.Operator) error {
				if err := peopleKnown(cmd.Context(), op.Ledger, o.people); err != nil {
					return err
				}
				if err := op.Apps.Find(args[0]); err != nil {
					return err
				}
				if err := o.check(); err != nil {
					return err
				}
				return c.usingAccounts(cmd.Context(), cfg, args[0], op.AccountsByHand, func(a *operator.Accounts) error {
					return c.adopt(cmd.Context(), op, a, o)
				})
			})
		},
	}
	flags := cmd.Flags()
	o.flags(cmd)
	flags.StringSliceVar(&o.people, "person", nil, "only this `person`'s account; can be given several times")
	flags.StringSliceVar(&o.by, "by", nil, "only accounts that match by these `keys`: "+strings.Join(matchKeys(), ", "))
	flags.StringVar(&o.pairs, "map", "", "link the pairs in this CSV `file`: person,account")
	flags.BoolVar(&o.take, "take", false, "take what the accounts have and policy does not give")
	flags.BoolVar(&o.keep, "keep-credentials", false, "neither end sessions nor reset credentials")
	operatorFlag(cmd, &o.request.Actor)
	_ = cmd.RegisterFlagCompletionFunc("by", cobra.FixedCompletions(matchKeys(), cobra.ShellCompDirectiveNoFileComp))
	return c.reads(cmd)
}

func matchKeys() []string {
	var keys []string
	for _, k := range operator.MatchKeys() {
		keys = append(keys, string(k))
	}
	return keys
}

// adoptionView describes one account that could be linked, and what became of it.
type adoptionView struct {
	Person    string             `json:"person"`
	AccountID string             `json:"accountId"`
	Username  string             `json:"username"`
	By        connector.MatchKey `json:"by"`
	Active    bool               `json:"active"`
	Has       []string           `json:"has,omitempty"` // entitlements, where only humans see them
	CreatedAt time.Time          `json:"createdAt,omitzero"`
	LastUsed  time.Time          `json:"lastUsedAt,omitzero"`
	Beyond    []string           `json:"beyondPolicy,omitempty"` // entitlements that it has and policy does not give
	Gets      []string           `json:"gets,omitempty"`         // entitlements that policy gives and it does not have
	Result    string             `json:"result"`
}

// The results of an adoption.
const (
	adoptWould     = "would be linked"
	adoptDone      = "linked"
	adoptProtected = "left alone: the person is protected"
	adoptNever     = "left alone: the app adopts by external ID only (adopt: never)"
	adoptUnwanted  = "left alone: no role gives this person access"
)

// against describes, by error, why an account is left alone.
var against = map[error]string{
	operator.ErrPersonProtected: adoptProtected, operator.ErrAdoptNever: adoptNever, operator.ErrNoAccess: adoptUnwanted,
}

func viewAdoption(a operator.Adoption) adoptionView {
	account := a.Finding.Account
	v := adoptionView{
		Person: a.Person, AccountID: account.ID, Username: account.Username, By: a.Finding.By, Active: account.Active,
		CreatedAt: account.CreatedAt, LastUsed: account.LastUsedAt, Result: adoptWould, Beyond: a.Beyond, Gets: a.Gets,
	}
	if a.Against != nil {
		v.Result = against[a.Against]
	}
	return v
}

func (v adoptionView) row() []string {
	return []string{v.Person, v.Username, v.AccountID, string(v.By), words.Instant(v.CreatedAt), lastUsed(v.LastUsed),
		strings.Join(v.Beyond, " "), strings.Join(v.Gets, " "), v.Result}
}

// rowByHand is a row about an account that only humans see.
func (v adoptionView) rowByHand() []string {
	return []string{v.Person, v.AccountID, strings.Join(v.Has, "; "), strings.Join(v.Beyond, "; "), strings.Join(v.Gets, "; "), v.Result}
}

// check finds out who is asking, and refuses match keys that do not exist.
func (o *adoptOptions) check() (err error) {
	if o.does() {
		if o.request.Actor, err = asking(o.request.Actor); err != nil {
			return err
		}
	}
	for _, key := range o.by {
		if !slices.Contains(matchKeys(), key) {
			return usagef("--by wants %s, not %q", strings.Join(matchKeys(), ", "), key)
		}
	}
	return nil
}

// choose picks the accounts that are to be linked, the surest first.
func (o adoptOptions) choose(a *operator.Accounts) ([]correlation.Finding, error) {
	if o.pairs == "" {
		if a.ByHand() {
			return nil, usagef("app %s: only humans see its accounts: say in a file who has which (--map FILE)", a.App)
		}
		by := make([]connector.MatchKey, len(o.by))
		for i, key := range o.by {
			by[i] = connector.MatchKey(key)
		}
		return a.Unlinked(o.people, by), nil
	}
	pairs, err := readPairs(o.pairs)
	if err != nil {
		return nil, err
	}
	chosen, err := a.Paired(pairs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.pairs, err)
	}
	return chosen, nil
}

func (c *cli) adopt(ctx context.Context, op *operator.Operator, a *operator.Accounts, o adoptOptions) error {
	chosen, err := o.choose(a)
	if err != nil {
		return err
	}
	views, failed := []adoptionView{}, 0
	var adopted []string
	for _, f := range chosen {
		adoption := a.Adoption(f)
		v := viewAdoption(adoption)
		if a.ByHand() {
			v.Has = f.Account.Entitlements
		}
		if adoption.Against == nil && o.does() {
			v.Result = adoptDone
			if err := a.Adopt(ctx, o.request, adoption, operator.AdoptOptions{Take: o.take, KeepCredentials: o.keep}); err != nil {
				failed++
				v.Result = "failed: " + err.Error()
			} else {
				adopted = append(adopted, v.Person)
			}
		}
		views = append(views, v)
	}
	err = c.print(views, func(p *page) {
		if a.ByHand() {
			p.table("", "person,account,counts as having,has beyond policy,lacks,result", rowsOf(views, adoptionView.rowByHand))
		} else {
			p.table("", "person,username,account,matches by,made,last used,has beyond policy,would get,result", rowsOf(views, adoptionView.row))
		}
		if len(views) == 0 {
			p.note("no account to link")
		}
		if disputed := a.Disputed(); disputed > 0 {
			p.note("\n%d accounts are disputed: tenure app accounts %s --only disputed", disputed, quoted(a.App))
		}
	})
	if would := wouldLink(views); would > 0 && err == nil {
		return c.onlyShown(o.applying, "%s would be linked", words.Count(would, "account"))
	}
	if failed > 0 {
		err = errors.Join(err, fmt.Errorf("%d accounts could not be linked; running this again is harmless", failed))
	}
	if untold, _ := operator.Untold(op.TellAdopted(ctx, adopted)); untold != nil {
		err = errors.Join(err, fmt.Errorf("the accounts are linked, but the runs of %s could not be told: %w; "+
			"the next change of each will bring them up to what policy says", strings.Join(adopted, ", "), untold.Err))
	}
	return err
}

// wouldLink counts the accounts that would be linked.
func wouldLink(views []adoptionView) (n int) {
	for _, v := range views {
		if v.Result == adoptWould {
			n++
		}
	}
	return n
}

// readPairs reads a file of pairs, each of which gives an account to a person. A third column
// holds the account's entitlements.
func readPairs(path string) ([]operator.Pair, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	reader := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))))
	reader.TrimLeadingSpace, reader.Comment = true, '#'
	rows, err := reader.ReadAll()
	if err == nil && len(rows) > 0 && len(rows[0]) != 2 && len(rows[0]) != 3 {
		err = csv.ErrFieldCount
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: each line wants a person, an account and, where only humans see the accounts, perhaps its entitlements", path, err)
	}
	var pairs []operator.Pair
	for i, row := range rows {
		person, account := strings.TrimSpace(row[0]), strings.TrimSpace(row[1])
		if i == 0 && strings.EqualFold(person, "person") {
			continue
		}
		pair := operator.Pair{PersonID: person, Account: account, Line: i + 1}
		if len(row) == 3 {
			pair.Has = []string{}
			for name := range strings.SplitSeq(row[2], ";") {
				if name = strings.TrimSpace(name); name != "" {
					pair.Has = append(pair.Has, name)
				}
			}
		}
		pairs = append(pairs, pair)
	}
	return pairs, nil
}

// unlinkOptions holds the flags of app unlink.
type unlinkOptions struct {
	person string
	decisionFlags
	applying
}

func (c *cli) appUnlinkCommand() *cobra.Command {
	var o unlinkOptions
	cmd := &cobra.Command{
		Use:   "unlink APP --person PERSON --reason WHY",
		Short: "Say that somebody has no account in an app: there is none, or it is another's",
		Long: `Say that somebody has no account in an app. The app itself is not changed. Without
--apply, the command only shows what would be recorded, and exits with 3.

Use it for what no look-up can prove: that a creation which went wrong has left no
account behind ("unproven"), or that the linked account is another person's
("contested"). Look in the app first: if an account is there and is on, it stays on, and
nobody will turn it off. An account that the app itself shows as this person's alone
cannot be unlinked. It is on the record, with your name, as your word and not as a proof.`,
		Example:           `  tenure app unlink wiki --person 10004 --reason "not in the app: I looked" --apply`,
		Args:              exactly("APP"),
		ValidArgsFunction: c.completeApps,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.person == "" {
				return usagef("say with --person who has no account")
			}
			if o.does() { // showing needs neither a name nor a reason
				if err := o.given(); err != nil {
					return err
				}
			}
			return c.operate(cmd.Context(), func(_ *config.Config, op *operator.Operator) error {
				return c.unlink(cmd.Context(), op, args[0], o)
			})
		},
	}
	cmd.Flags().StringVar(&o.person, "person", "", "the `person` who has no account")
	o.decisionFlags.flags(cmd)
	o.applying.flags(cmd)
	return c.reads(cmd)
}

func (c *cli) unlink(ctx context.Context, op *operator.Operator, app string, o unlinkOptions) error {
	if !o.does() {
		link, err := op.MayUnlink(ctx, app, o.person)
		if err != nil {
			return err
		}
		return errors.Join(c.report(unlinkedView{Person: o.person, Link: report.LinkOf(link)}),
			c.onlyShown(o.applying, "%s would have no account in %s (now: %s)", o.person, app, link.State))
	}
	gone, err := op.Unlink(ctx, o.request(), app, o.person)
	untold, err := operator.Untold(err)
	if err != nil {
		return err
	}
	if err := c.print(unlinkedView{Person: o.person, Link: report.LinkOf(gone), Applied: true}, func(p *page) { p.note("%s has no account in %s, on your word", o.person, app) }); err != nil {
		return err
	}
	if untold != nil {
		return fmt.Errorf("it is recorded, but the person's run could not be told: %w; it will find out by itself", untold.Err)
	}
	return nil
}

// unlinkedView describes a link that was, or would be, ended.
type unlinkedView struct {
	Person string `json:"person"`
	report.Link
	Applied bool `json:"applied"`
}
