package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/operator/report"
)

func (c *cli) accountCommand() *cobra.Command {
	return noun("account", "Bring deleted accounts back", c.accountRestoreCommand())
}

// restoreFlags holds the flags of account restore.
type restoreFlags struct {
	decisionFlags
	applying
}

func (c *cli) accountRestoreCommand() *cobra.Command {
	var f restoreFlags
	cmd := &cobra.Command{
		Use:   "restore PERSON APP",
		Short: "Bring somebody's deleted account back from an app's recycle bin, turned off",
		Long: `Bring somebody's deleted account back from an app's recycle bin, with its ID and its
data. Without --apply, the command only shows what would be done, and exits with 3.

The account comes back turned off, and the person's run takes it from there. If policy
gives them the account, the run takes from it what policy does not give, brings it up to
policy and turns it on. If they have left, it stays off, and its retention counts anew:
place a hold (tenure hold place) to keep it for longer. Whoever is rehired in time gets
the old account back without this command.

tenure person show says until when an account can be brought back. Where Tenure cannot
do it, the app's administrators can.`,
		Example: `  tenure account restore 10004 mail
  tenure account restore 10004 mail --reason "matter 42 needs the mailbox" --apply`,
		Args: exactly("PERSON", "APP"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.does() { // showing needs neither a name nor a reason
				if err := f.given(); err != nil {
					return err
				}
			}
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				return c.restoreAccount(cmd.Context(), cfg, o, args[0], args[1], f)
			})
		},
	}
	f.decisionFlags.flags(cmd)
	f.applying.flags(cmd)
	return c.reads(cmd)
}

// restoredView describes an account that was, or would be, brought back.
type restoredView struct {
	Person    string           `json:"person"`
	Name      string           `json:"name,omitempty"`
	App       string           `json:"app"`
	AccountID string           `json:"accountId"`
	State     ledger.LinkState `json:"state,omitempty"`
	DeletedAt time.Time        `json:"deletedAt"`
	Until     time.Time        `json:"untilGone"`
	Wanted    bool             `json:"wanted"` // policy gives them the account
	KeptUntil time.Time        `json:"keptUntil,omitzero"`
	Applied   bool             `json:"applied"`
}

func viewRestored(r operator.RestoredAccount, applied bool) restoredView {
	return restoredView{
		Person: r.Person.PersonID, Name: report.SummaryOf(r.Person).Name(), App: r.Bin.App, AccountID: r.Bin.AccountID, State: r.Link.State,
		DeletedAt: r.Bin.DeletedAt, Until: r.Bin.Until, Wanted: r.Wanted, KeptUntil: r.KeptUntil, Applied: applied,
	}
}

// then says what becomes of the account once it is back.
func (v restoredView) then() string {
	switch {
	case v.Wanted:
		return "policy gives it to them: their run brings it up to policy"
	case v.KeptUntil.IsZero():
		return "policy does not give it to them: it stays off"
	}
	return fmt.Sprintf("policy does not give it to them: it stays off, and is deleted again after its retention, on %s", words.Instant(v.KeptUntil))
}

func (c *cli) restoreAccount(ctx context.Context, cfg *config.Config, o *operator.Operator, person, app string, f restoreFlags) error {
	if !f.does() {
		r, err := o.MayRestore(ctx, person, app)
		if err != nil {
			return err
		}
		v := viewRestored(r, false)
		return errors.Join(c.print(v, func(p *page) {
			p.note("the account of %s in %s was deleted on %s and can be brought back until %s", person, app, words.Instant(v.DeletedAt), words.Instant(v.Until))
			p.note("%s", v.then())
		}), c.onlyShown(f.applying, "it would be brought back, turned off"))
	}
	r, err := o.RestoreAccount(ctx, f.request(), person, app)
	if _, other := operator.Untold(err); other != nil {
		return other
	}
	v := viewRestored(r, true)
	return errors.Join(c.print(v, func(p *page) {
		p.note("the account of %s in %s is back, %s; %s", person, app, v.State, v.then())
	}), c.tellUntold(err, cfg.Sweep.Every))
}

// binView describes a deleted account that can be brought back.
type binView struct {
	App       string    `json:"app"`
	AccountID string    `json:"accountId"`
	DeletedAt time.Time `json:"deletedAt"`
	Until     time.Time `json:"until"` // afterwards it is gone for good
	By        string    `json:"by"`    // "tenure" or "administrators"
}

const binHeader = "app,account,deleted,can be brought back until,gone for good after,by"

func (v binView) row() []string {
	return []string{v.App, v.AccountID, words.Instant(v.DeletedAt), words.Instant(v.Until), words.Instant(v.Until), v.by()}
}

// by says who brings the account back.
func (v binView) by() string {
	if v.By == ledger.ActorTenure {
		return "tenure account restore"
	}
	return "by the app's administrators"
}

// viewBins describes deleted accounts that can be brought back, by app.
func viewBins(bins map[string]operator.Bin) (views []binView) {
	for _, app := range slices.Sorted(maps.Keys(bins)) {
		b := bins[app]
		v := binView{App: b.App, AccountID: b.AccountID, DeletedAt: b.DeletedAt, Until: b.Until, By: "administrators"}
		if b.Restores {
			v.By = ledger.ActorTenure
		}
		views = append(views, v)
	}
	return views
}
