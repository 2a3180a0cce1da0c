package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/correlation"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
)

// adoptOptions are the flags of app adopt.
type adoptOptions struct {
	applying
	people   []string
	by       []string // keys to link by; empty: any
	pairs    string   // a file
	take     bool
	keep     bool
	operator string
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

An adopted account gets the person's external ID where the app has one. Unless it had
it, its sessions are ended and its credentials reset where the app can, since whoever
has them need not be the person; --keep-credentials leaves them, for the first import
of people who are at work. Then the person's run brings its attributes and
entitlements to what policy says. What it has beyond that stays, unless --take takes
it. It is on the record with your name.`,
		Example: `  tenure app adopt wiki
  tenure app adopt wiki --by external_id --apply
  tenure app adopt wiki --person 10004 --apply --take
  tenure app adopt wiki --map pairs.csv --apply --keep-credentials`,
		Args:              exactly("APP"),
		ValidArgsFunction: c.completeApps,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Ledger) (err error) {
				if err := peopleKnown(cmd.Context(), l, o.people); err != nil {
					return err
				}
				a, err := openAppAccounts(cmd.Context(), cfg, l, args[0])
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(err, a.conn.Close()) }()
				return c.adopt(cmd.Context(), a, o)
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
	operatorFlag(cmd, &o.operator)
	_ = cmd.RegisterFlagCompletionFunc("by", cobra.FixedCompletions(matchKeys(), cobra.ShellCompDirectiveNoFileComp))
	return c.reads(cmd)
}

// certainty lists the keys that accounts match by, the surest first.
var certainty = []connector.MatchKey{connector.ByExternalID, connector.ByEmployeeNumber, connector.ByEmail, connector.ByUsername}

func matchKeys() []string {
	var keys []string
	for _, k := range certainty {
		keys = append(keys, string(k))
	}
	return keys
}

// adoptionView is one account that could be linked, and what became of it.
type adoptionView struct {
	Person    string             `json:"person"`
	AccountID string             `json:"accountId"`
	Username  string             `json:"username"`
	By        connector.MatchKey `json:"by"`
	Active    bool               `json:"active"`
	CreatedAt time.Time          `json:"createdAt,omitzero"`
	LastUsed  time.Time          `json:"lastUsedAt,omitzero"`
	Beyond    []string           `json:"beyondPolicy,omitempty"` // what it has and policy does not give
	Gets      []string           `json:"gets,omitempty"`         // what policy gives and it does not have
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

func (c *cli) adopt(ctx context.Context, a *appAccounts, o adoptOptions) error {
	if o.does() {
		var err error
		if o.operator, err = asking(o.operator); err != nil {
			return err
		}
	}
	for _, key := range o.by {
		if !slices.Contains(matchKeys(), key) {
			return usagef("--by wants %s, not %q", strings.Join(matchKeys(), ", "), key)
		}
	}
	findings, err := a.find(ctx)
	if err != nil {
		return err
	}
	disputed := 0
	for _, f := range findings {
		if f.State == correlation.Disputed {
			disputed++
		}
	}
	chosen, err := a.choose(findings, o)
	if err != nil {
		return err
	}
	views, failed := []adoptionView{}, 0
	var adopted []string
	for _, f := range chosen {
		v := a.viewAdoption(f)
		switch {
		case v.Result != adoptWould || !o.does():
		default:
			v.Result = adoptDone
			if err := a.link(ctx, f, o); err != nil {
				failed++
				v.Result = "failed: " + err.Error()
			} else {
				adopted = append(adopted, v.Person)
			}
		}
		views = append(views, v)
	}
	err = c.print(views, func(p *page) {
		p.table("", "person,username,account,matches by,made,last used,has beyond policy,would get,result", rowsOf(views, func(v adoptionView) []string {
			return []string{v.Person, v.Username, v.AccountID, string(v.By), instant(v.CreatedAt), instant(v.LastUsed),
				strings.Join(v.Beyond, " "), strings.Join(v.Gets, " "), v.Result}
		}))
		if len(views) == 0 {
			p.note("no account to link")
		}
		if disputed > 0 {
			p.note("\n%d accounts are disputed: tenure app accounts %s --only disputed", disputed, quoted(a.name))
		}
	})
	if would := wouldLink(views); would > 0 && err == nil {
		return c.onlyShown(o.applying, "%s would be linked", count(would, "account"))
	}
	if failed > 0 {
		err = errors.Join(err, fmt.Errorf("%d accounts could not be linked; running this again is harmless", failed))
	}
	if untold := c.resume(ctx, adopted, "adopted"); untold != nil {
		err = errors.Join(err, fmt.Errorf("the accounts are linked, but the runs of %s could not be told: %w; "+
			"the next change of each will bring them up to what policy says", strings.Join(adopted, ", "), untold))
	}
	return err
}

// wouldLink is how many accounts would be linked.
func wouldLink(views []adoptionView) (n int) {
	for _, v := range views {
		if v.Result == adoptWould {
			n++
		}
	}
	return n
}

// byOperator is what an account matches by that an operator's file gives to somebody.
const byOperator connector.MatchKey = "operator"

// choose picks the accounts that are to be linked, the surest first.
func (a *appAccounts) choose(findings []correlation.Finding, o adoptOptions) ([]correlation.Finding, error) {
	if o.pairs != "" {
		return a.readPairs(findings, o.pairs)
	}
	chosen := slices.DeleteFunc(slices.Clone(findings), func(f correlation.Finding) bool {
		return f.State != correlation.Unlinked || len(o.people) > 0 && !slices.Contains(o.people, f.People[0]) ||
			len(o.by) > 0 && !slices.Contains(o.by, string(f.By))
	})
	slices.SortStableFunc(chosen, func(x, y correlation.Finding) int {
		return slices.Index(certainty, x.By) - slices.Index(certainty, y.By)
	})
	return chosen, nil
}

// readPairs reads a file of pairs: whose is which account, on the operator's word.
func (a *appAccounts) readPairs(findings []correlation.Finding, path string) ([]correlation.Finding, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	byName := map[string]correlation.Finding{}
	for _, f := range findings {
		byName[strings.ToLower(f.Account.Username)] = f
	}
	for _, f := range findings { // an ID goes before another account's username
		byName[strings.ToLower(f.Account.ID)] = f
	}
	reader := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))))
	reader.FieldsPerRecord, reader.TrimLeadingSpace, reader.Comment = 2, true, '#'
	rows, err := reader.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: each line wants a person and an account", path, err)
	}
	var chosen []correlation.Finding
	accounts, people := map[string]int{}, map[string]int{}
	for i, row := range rows {
		person, account := strings.TrimSpace(row[0]), strings.TrimSpace(row[1])
		if i == 0 && strings.EqualFold(person, "person") {
			continue
		}
		f, there := byName[strings.ToLower(account)]
		_, known := a.wanted[person]
		wrong := ""
		switch {
		case !there:
			wrong = "the app shows no such account"
		case f.Link.PersonID == person:
			continue // it is done
		case f.Link.PersonID != "":
			wrong = "the account is linked to somebody else: see tenure app accounts " + a.name
		case f.Account.ExternalID != "" && f.Account.ExternalID != person:
			wrong = "the account carries another person's external ID: remove it in the app if it is wrong"
		case !known:
			wrong = "nobody of that ID is without an account in this app"
		case accounts[f.Account.ID] > 0:
			wrong = fmt.Sprintf("the account is in line %d already", accounts[f.Account.ID])
		case people[person] > 0:
			wrong = fmt.Sprintf("the person is in line %d already", people[person])
		}
		if wrong != "" {
			return nil, fmt.Errorf("%s: line %d: %s; nothing was changed", path, i+1, wrong)
		}
		accounts[f.Account.ID], people[person] = i+1, i+1
		f.State, f.People, f.By = correlation.Unlinked, []string{person}, byOperator
		if f.Account.ExternalID == person {
			f.By = connector.ByExternalID
		}
		chosen = append(chosen, f)
	}
	return chosen, nil
}

// viewAdoption says what linking the account would mean, and whether it may be linked.
func (a *appAccounts) viewAdoption(f correlation.Finding) adoptionView {
	person := f.People[0]
	v := adoptionView{
		Person: person, AccountID: f.Account.ID, Username: f.Account.Username, By: f.By, Active: f.Account.Active,
		CreatedAt: f.Account.CreatedAt, LastUsed: f.Account.LastUsedAt, Result: adoptWould,
		Beyond: except(f.Account.Entitlements, a.gets[person]), Gets: except(a.gets[person], f.Account.Entitlements),
	}
	rules, _ := a.cfg.Policy.App(a.name)
	switch {
	case a.cfg.Policy.ProtectsPerson(person):
		v.Result = adoptProtected
	case !a.wanted[person]:
		v.Result = adoptUnwanted
	case rules.Adopt == policy.AdoptNever && f.By != connector.ByExternalID:
		v.Result = adoptNever
	}
	return v
}

// except lists what is in all but not in some.
func except(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(name string) bool { return slices.Contains(some, name) })
}

// adoptFor is how long adopting one account may take.
const adoptFor = time.Minute

// link makes a link to an account: the external ID in the app first, so that an
// interrupted adoption is found by the strongest key the next time.
func (a *appAccounts) link(ctx context.Context, f correlation.Finding, o adoptOptions) error {
	ctx, cancel := context.WithTimeout(ctx, adoptFor)
	defer cancel()
	personID, key := f.People[0], "adopt/"+a.name+"/"+f.Account.ID
	now := a.cfg.Clock().Now()
	begun, err := a.ledger.BeginStep(ctx, ledger.Attempt{
		PersonID: personID, App: a.name, Key: key, Kind: "Adopt", At: now, Deadline: now.Add(adoptFor),
	})
	if err != nil {
		return err
	}
	if begun.Link.AccountID != "" {
		return errors.New("somebody has linked this person to another account meanwhile")
	}
	owners, err := a.ledger.Links(ctx, ledger.LinkFilter{App: a.name, AccountID: f.Account.ID})
	if err != nil {
		return err
	}
	for _, l := range owners {
		if l.PersonID != personID && l.State != ledger.LinkDeleted {
			return errors.New("somebody has linked this account to another person meanwhile")
		}
	}
	outcome := ledger.Outcome{
		PersonID: personID, App: a.name, Key: key, Kind: "Adopt", Attempt: begun.Attempt, State: ledger.StepSuperseded,
	}
	account, taken, err := a.claim(ctx, f, o)
	outcome.At = a.cfg.Clock().Now()
	if err == nil {
		outcome.State = ledger.StepDone
		outcome.Link = linkTo(account, outcome.At)
		outcome.Audit = &ledger.AuditRow{
			At: outcome.At, Action: "adopted", Actor: o.operator, Cause: "matches by " + string(f.By),
		}
		if len(taken) > 0 {
			outcome.Audit.Detail = map[string]any{"revoked": taken}
		}
	}
	if err := errors.Join(err, a.ledger.FinishStep(ctx, outcome)); err != nil {
		return err
	}
	return a.askNoMore(ctx, personID, o.operator)
}

// askNoMore opens the steps again that asked whose the account is.
func (a *appAccounts) askNoMore(ctx context.Context, personID, operator string) error {
	person, err := a.ledger.Person(ctx, personID)
	if err != nil {
		return err
	}
	for _, s := range person.Steps {
		if s.App != a.name || s.State != ledger.StepAttention || !slices.Contains(aboutOwnership, s.Code) {
			continue
		}
		err := a.ledger.Act(ctx, ledger.Action{
			Verb: ledger.VerbRetry, PersonID: personID, Key: s.Key, App: s.App, Operator: operator,
			Reason: "whose the account is was decided", At: a.cfg.Clock().Now(),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// aboutOwnership are the codes of steps that wait for what an operator says of whose an
// account is, or whether there is one.
var aboutOwnership = []string{provision.CodeWhose, provision.CodeNotTheirs, provision.CodeUnproven}

// claim makes the account the person's in the app, puts out who may have been in it,
// takes what is to be taken, and reads it back.
func (a *appAccounts) claim(ctx context.Context, f correlation.Finding, o adoptOptions) (account connector.Account, taken []string, err error) {
	id, person := f.Account.ID, f.People[0]
	can := a.conn.Capabilities()
	if can.Adopt {
		if err := a.conn.Adopt(ctx, id, person); err != nil {
			return account, nil, err
		}
	}
	if f.By != connector.ByExternalID && !o.keep {
		if err := connector.Reset(ctx, a.conn, id); err != nil {
			return account, nil, err
		}
	}
	if account, err = a.conn.Read(ctx, id); err != nil || !o.take {
		return account, nil, err
	}
	taken = except(account.Entitlements, a.gets[person])
	if !can.Entitlements || len(taken) == 0 {
		return account, nil, nil
	}
	if err := a.conn.Revoke(ctx, id, taken); err != nil {
		return account, nil, err
	}
	account, err = a.conn.Read(ctx, id)
	return account, taken, err
}

// linkTo is the link to an account that is there. Nothing of what it has was
// given by Tenure.
func linkTo(account connector.Account, now time.Time) *ledger.Link {
	link := &ledger.Link{
		AccountID: account.ID, Username: account.Username, State: ledger.LinkActive, Adopted: true,
		CreatedAt: now, ProvenAt: now,
	}
	if !account.Active {
		link.State, link.DisabledAt = ledger.LinkDisabled, now
	}
	return link
}
