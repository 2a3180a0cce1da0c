package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/correlation"
	"github.com/tenurehq/tenure/ledger"
)

// adoptOptions are the flags of app adopt.
type adoptOptions struct {
	apply    bool
	people   []string
	operator string
}

func (c *cli) appAdoptCommand() *cobra.Command {
	var o adoptOptions
	cmd := &cobra.Command{
		Use:   "adopt APP",
		Short: "Link accounts that are already in an app to the people they belong to",
		Long: `Link accounts that are already in an app to the people they belong to: those that
"tenure app accounts" calls unlinked. Nothing is changed without --apply.

An account is linked only if exactly one person matches it, that person matches no
other account, and a role gives that person access to the app: for others, the
next thing that Tenure would do is to disable the account. Disputed accounts are
never linked; settle whose they are in the app (its external ID, or another
username) and run this again.

An adopted account gets the person's external ID where the app has one. Then the
person's run brings its attributes and entitlements to what policy says. It is on
the record with your name.`,
		Example: `  tenure app adopt wiki
  tenure app adopt wiki --apply
  tenure app adopt wiki --person 10004 --apply`,
		Args:              exactly("APP"),
		ValidArgsFunction: c.completeApps,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Ledger) (err error) {
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
	flags.BoolVar(&o.apply, "apply", false, "link them (default: only show what would be linked)")
	flags.StringSliceVar(&o.people, "person", nil, "only this `person`'s account; can be given several times")
	operatorFlag(cmd, &o.operator)
	return c.reads(cmd)
}

// adoptionView is one account that could be linked, and what became of it.
type adoptionView struct {
	Person    string             `json:"person"`
	AccountID string             `json:"accountId"`
	Username  string             `json:"username"`
	By        connector.MatchKey `json:"by"`
	Result    string             `json:"result"`
}

// The results of an adoption.
const (
	adoptWould     = "would be linked"
	adoptDone      = "linked"
	adoptProtected = "left alone: the person is protected"
	adoptUnwanted  = "left alone: no role gives this person access"
)

func (c *cli) adopt(ctx context.Context, a *appAccounts, o adoptOptions) error {
	if o.apply {
		var err error
		if o.operator, err = asking(o.operator); err != nil {
			return err
		}
	}
	findings, err := a.find(ctx)
	if err != nil {
		return err
	}
	views, failed, disputed := []adoptionView{}, 0, 0
	var adopted []string
	for _, f := range findings {
		if f.State == correlation.Disputed {
			disputed++
		}
		if f.State != correlation.Unlinked || len(o.people) > 0 && !slices.Contains(o.people, f.People[0]) {
			continue
		}
		v := adoptionView{Person: f.People[0], AccountID: f.Account.ID, Username: f.Account.Username, By: f.By, Result: adoptWould}
		switch {
		case a.cfg.Policy.ProtectsPerson(v.Person):
			v.Result = adoptProtected
		case !a.wanted[v.Person]:
			v.Result = adoptUnwanted
		case o.apply:
			v.Result = adoptDone
			if err := a.link(ctx, f, o.operator); err != nil {
				failed++
				v.Result = "failed: " + err.Error()
			} else {
				adopted = append(adopted, v.Person)
			}
		}
		views = append(views, v)
	}
	err = c.print(views, func(p *page) {
		p.table("", "person,username,account,matches by,result", rowsOf(views, func(v adoptionView) []string {
			return []string{v.Person, v.Username, v.AccountID, string(v.By), v.Result}
		}))
		if len(views) == 0 {
			p.note("no account to link")
		}
		if disputed > 0 {
			p.note("\n%d accounts are disputed: tenure app accounts %s --only disputed", disputed, quoted(a.name))
		}
		if !o.apply && len(views) > 0 {
			p.note("\nnothing was changed: --apply links them")
		}
	})
	if failed > 0 {
		err = errors.Join(err, fmt.Errorf("%d accounts could not be linked; running this again is harmless", failed))
	}
	if untold := c.resume(ctx, adopted, "adopted"); untold != nil {
		err = errors.Join(err, fmt.Errorf("the accounts are linked, but the runs of %s could not be told: %w; "+
			"the next change of each will bring them up to what policy says", strings.Join(adopted, ", "), untold))
	}
	return err
}

// adoptFor is how long adopting one account may take.
const adoptFor = time.Minute

// link makes a link to an account: the external ID in the app first, so that an
// interrupted adoption is found by the strongest key the next time.
func (a *appAccounts) link(ctx context.Context, f correlation.Finding, operator string) error {
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
	outcome := ledger.Outcome{
		PersonID: personID, App: a.name, Key: key, Kind: "Adopt", Attempt: begun.Attempt, State: ledger.StepSuperseded,
	}
	account, err := a.claim(ctx, f.Account.ID, personID)
	outcome.At = a.cfg.Clock().Now()
	if err == nil {
		outcome.State = ledger.StepDone
		outcome.Link = linkTo(account, outcome.At)
		outcome.Audit = &ledger.AuditRow{
			At: outcome.At, Action: "adopted", Actor: operator, Cause: "matches by " + string(f.By),
		}
	}
	return errors.Join(err, a.ledger.FinishStep(ctx, outcome))
}

// claim makes the account the person's in the app, and reads it back.
func (a *appAccounts) claim(ctx context.Context, accountID, personID string) (connector.Account, error) {
	if adopter, ok := connector.As[connector.Adopter](a.conn); ok {
		if err := adopter.Adopt(ctx, accountID, personID); err != nil {
			return connector.Account{}, err
		}
	}
	return a.conn.Read(ctx, accountID)
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
