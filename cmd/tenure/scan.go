package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
)

// scanLook is how often a command that waits for a scan looks whether it has ended.
const scanLook = 500 * time.Millisecond

// scanView describes a scan.
type scanView struct {
	App      string    `json:"app"`
	Scan     int64     `json:"scan"`
	State    string    `json:"state"`
	Accounts int       `json:"accounts"`
	Enabled  int       `json:"enabled"`
	Reported *int      `json:"reported,omitempty"` // the number that the app itself gave
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended,omitzero"`
	Why      string    `json:"why,omitempty"`
}

func viewScan(s ledger.Scan) scanView {
	v := scanView{
		App: s.App, Scan: s.ID, State: string(s.State), Accounts: s.Accounts, Enabled: s.Enabled, Started: s.StartedAt, Ended: s.EndedAt, Why: s.Why,
	}
	if s.Reported >= 0 {
		v.Reported = &s.Reported
	}
	return v
}

func (c *cli) appScanCommand() *cobra.Command {
	var f decisionFlags
	var wait, believe bool
	cmd := &cobra.Command{
		Use:   "scan NAME",
		Short: "Compare all accounts of an app with what Tenure knows, now",
		Long: `Have the workers list all accounts of an app now, and compare them with what Tenure knows.
Otherwise that is done once in every apps.NAME.reconcile.every. What differs is in tenure
finding list. No app is changed by a scan itself.

Nothing is concluded from a list that did not end, that shrank, or that is shorter than the
app itself says. With --believe you say that the last list was right: the next one may
differ in the same way. With --wait the command ends when the scan does; its exit status is 3
if the scan concluded nothing.`,
		Example: `  tenure app scan wiki --wait
  tenure app scan wiki --believe --reason "we deleted the accounts of the old site, case 12"`,
		Args:              exactly("NAME"),
		ValidArgsFunction: c.completeApps,
		RunE: func(cmd *cobra.Command, args []string) error {
			if believe {
				if err := f.given(); err != nil {
					return err
				}
			}
			return c.operate(cmd.Context(), func(_ *config.Config, o *operator.Operator) error {
				if believe {
					if err := o.BelieveScan(cmd.Context(), f.request(), args[0]); err != nil {
						return err
					}
				}
				before, err := o.Scan(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if !wait {
					c.tell("a scan of %s has begun: tenure finding list --app %[1]s\n", args[0])
					return nil
				}
				scan, err := awaitScan(cmd.Context(), o, args[0], before)
				if err != nil {
					return err
				}
				return c.scanned(scan)
			})
		},
	}
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until it has ended")
	cmd.Flags().BoolVar(&believe, "believe", false, "the last list was right, although it was doubted")
	f.flags(cmd)
	return c.reads(cmd)
}

// awaitScan returns the scan of an app that began after another, when it has ended.
func awaitScan(ctx context.Context, o *operator.Operator, app string, before int64) (ledger.Scan, error) {
	tick := time.NewTicker(scanLook)
	defer tick.Stop()
	for {
		scan, ended, err := o.Scanned(ctx, app, before)
		if err != nil || ended {
			return scan, err
		}
		select {
		case <-ctx.Done():
			return scan, errors.Join(ctx.Err(), errors.New("the scan has not ended; it goes on by itself"))
		case <-tick.C:
		}
	}
}

func (c *cli) scanned(scan ledger.Scan) error {
	v := viewScan(scan)
	err := c.print(v, func(p *page) {
		p.fields(field{"app", v.App}, field{"scan", v.State}, field{"why", v.Why}, field{"accounts", words.Count(v.Accounts, "account")},
			field{"enabled", words.Count(v.Enabled, "account")}, field{"ended", words.Instant(v.Ended)})
	})
	if err == nil && scan.State != ledger.ScanDone {
		return errAttention
	}
	return err
}
