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
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/plan"
)

func (c *cli) findingCommand() *cobra.Command {
	return noun("finding", "What apps show that Tenure did not do",
		c.findingListCommand(), c.findingShowCommand(), c.findingRepairCommand(), c.findingAdoptCommand(), c.findingAcceptCommand(), c.findingEndCommand())
}

// findingView describes a finding.
type findingView struct {
	Finding    string    `json:"finding"`
	App        string    `json:"app"`
	Account    string    `json:"account"`
	Username   string    `json:"username,omitempty"`
	Kind       string    `json:"kind"`
	What       string    `json:"what,omitempty"`
	Enabled    bool      `json:"enabled"`
	Person     string    `json:"person,omitempty"`
	Candidates []string  `json:"candidates,omitempty"`
	MatchesBy  string    `json:"matchesBy,omitempty"`
	State      string    `json:"state"`
	Why        string    `json:"why,omitempty"`
	Scans      int       `json:"scans"`
	FoundAt    time.Time `json:"foundAt"`
	DecidedAt  time.Time `json:"decidedAt,omitzero"`
	DecidedBy  string    `json:"decidedBy,omitempty"`
	Login      string    `json:"login,omitempty"`
	Reason     string    `json:"reason,omitempty"`
	EndedAt    time.Time `json:"endedAt,omitzero"`
	Remedies   []string  `json:"remedies,omitempty"`
	// Provenance says who has caused it; nil in lists.
	Provenance *operator.Provenance `json:"provenance,omitempty"`
	// What would be done, or is done, about an account that is to end.
	EndsAs   string    `json:"endsAs,omitempty"` // the person as whose account it ends
	Steps    []string  `json:"steps,omitempty"`
	Deletion time.Time `json:"deletion,omitzero"`
}

func viewFinding(ctx context.Context, l ledger.Reader, f ledger.Finding) (findingView, error) {
	v := findingView{
		Finding: ledger.FindingName(f.ID), App: f.App, Account: f.AccountID, Kind: string(f.Kind), What: f.What, Enabled: f.Enabled,
		Person: f.PersonID, Candidates: f.Candidates, MatchesBy: f.By, State: string(f.State), Why: f.Why, Scans: f.Scans, FoundAt: f.FoundAt,
		DecidedAt: f.DecidedAt, DecidedBy: f.DecidedBy, Login: f.Login, Reason: f.Reason, EndedAt: f.EndedAt,
	}
	for _, r := range operator.Remedies(f) {
		v.Remedies = append(v.Remedies, string(r))
	}
	seen, _, err := l.Seen(ctx, f.App, f.AccountID)
	v.Username = seen.Username
	return v, err
}

const findingHeader = "finding,app,account,username,on,kind,what,person,state,found"

func (v findingView) row() []string {
	on := "no"
	if v.Enabled {
		on = "yes"
	}
	person := v.Person
	if person == "" {
		person = strings.Join(v.Candidates, " ")
	}
	state := v.State
	if v.Why != "" {
		state += " (" + v.Why + ")"
	}
	return []string{v.Finding, v.App, v.Account, v.Username, on, v.Kind, v.What, person, state, words.Instant(v.FoundAt)}
}

// about says what a finding is about: "orphan of account 9 stranger in chat, of 10004".
func (v findingView) about() string {
	words := []string{v.Kind, v.What, "of account", v.Account, v.Username, "in " + v.App}
	about := strings.Join(slices.DeleteFunc(words, func(word string) bool { return word == "" }), " ")
	if whose := v.row()[7]; whose != "" {
		about += ", of " + whose
	}
	return about
}

func (c *cli) findingListCommand() *cobra.Command {
	var f ledger.FindingFilter
	var kind string
	var all, open bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List how apps differ from what Tenure knows",
		Long: `List how apps differ from what Tenure knows, as their last scans have seen.

The kinds are: state (an account is on that Tenure turned off or deleted), off (one is off
that Tenure left on), missing, attributes, lacking and stray (an entitlement too few or too
many), unlinked (nobody's account, which matches one person), disputed (it matches several),
orphan (it matches nobody, or only people who have left), duty (somebody really has what a
rule of separation of duties keeps apart, and Tenure gave them one side only).

A finding is open if you are asked, repairing if planning does the rest, pending if too few
scans have shown it or something newer is known, and reported if it is only counted. The
exit status is 3 if any is open.`,
		Example: `  tenure finding list --open
  tenure finding list --app wiki --kind orphan
  tenure finding list -o json | jq -r '.[] | select(.enabled) | .finding'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.view(cmd.Context(), func(cfg *config.Config, v *operator.Viewer) error {
				var kinds []string
				for _, k := range ledger.FindingKinds() {
					kinds = append(kinds, string(k))
				}
				if err := errors.Join(personFilter(cmd.Context(), v.Ledger, f.PersonID), oneOf("kind", kind, kinds)); err != nil {
					return err
				}
				if f.App != "" {
					if err := v.Apps.Find(f.App); err != nil {
						return err
					}
				}
				if f.Kind, f.Ended = ledger.FindingKind(kind), all; open {
					f.States = []ledger.FindingStatus{ledger.FindingOpen}
				}
				return c.listFindings(cmd.Context(), v, f)
			})
		},
	}
	cmd.Flags().StringVar(&f.App, "app", "", "only of this `app`")
	cmd.Flags().StringVar(&kind, "kind", "", "only of this `kind`")
	cmd.Flags().StringVar(&f.PersonID, "person", "", "only about accounts of this `person`")
	cmd.Flags().BoolVar(&open, "open", false, "only those about which you are asked")
	cmd.Flags().BoolVar(&all, "all", false, "those that have ended too")
	_ = cmd.RegisterFlagCompletionFunc("app", c.completeApps)
	return c.lists(cmd)
}

func (c *cli) listFindings(ctx context.Context, v *operator.Viewer, f ledger.FindingFilter) error {
	asked, none := false, "nothing was found (tenure app scan NAME scans an app now)"
	if len(f.States) > 0 {
		none = "nobody is asked about anything that was found"
	}
	views := viewsOf(ledger.AllFindings(ctx, v.Ledger, f), every, func(one ledger.Finding) (findingView, error) {
		asked = asked || one.State == ledger.FindingOpen
		return viewFinding(ctx, v.Ledger, one)
	})
	if _, err := streamed(c, views, listView[findingView]{header: findingHeader, row: findingView.row, none: none, whole: true}); err != nil {
		return err
	}
	rates, err := v.Ledger.OrphanRates(ctx)
	if err != nil {
		return err
	}
	for _, r := range rates {
		if (f.App == "" || f.App == r.App) && r.Orphans+r.Off > 0 {
			c.tell("nobody's in %s: %d of %s that are on (%.1f %%), and %d that are off\n", r.App, r.Orphans, words.Count(r.Accounts, "account"), 100*r.Share(), r.Off)
		}
	}
	if asked {
		return errAttention
	}
	return nil
}

func (c *cli) findingShowCommand() *cobra.Command {
	return c.reads(&cobra.Command{
		Use:     "show FINDING",
		Short:   "Show one finding, and what may be done about it",
		Example: `  tenure finding show f-9`,
		Args:    exactly("FINDING"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.view(cmd.Context(), func(_ *config.Config, viewer *operator.Viewer) error {
				f, err := viewer.Finding(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				v, err := viewFinding(cmd.Context(), viewer.Ledger, f)
				if err != nil {
					return err
				}
				whose, err := viewer.ProvenanceOf(cmd.Context(), f)
				if err != nil {
					return err
				}
				v.Provenance = &whose
				return c.print(v, func(p *page) { p.finding(v) })
			})
		},
	})
}

// finding adds the facts of one finding.
func (p *page) finding(v findingView) {
	row := v.row()
	facts := []field{
		{"finding", v.Finding}, {"app", v.App}, {"account", strings.TrimSpace(v.Account + " " + v.Username)}, {"on", row[4]},
		{"kind", strings.TrimSpace(v.Kind + " " + v.What)}, {"person", row[7]}, {"matches by", v.MatchesBy}, {"state", row[8]},
		{"found", words.Instant(v.FoundAt) + ", by " + words.Count(v.Scans, "scan")},
	}
	if v.Provenance != nil {
		facts = append(facts, field{"whose doing", doing(*v.Provenance)}, field{"happened", happened(*v.Provenance)})
	}
	if v.DecidedBy != "" {
		facts = append(facts, field{"decided", words.Instant(v.DecidedAt) + " by " + operatorFrom(v.DecidedBy, v.Login)}, field{"reason", v.Reason})
	}
	if !v.EndedAt.IsZero() {
		facts = append(facts, field{"ended", words.Instant(v.EndedAt)})
	}
	p.fields(facts...)
	if len(v.Remedies) > 0 {
		p.note("")
		p.note("what may be done: %s", strings.Join(v.Remedies, ", "))
		p.note("tenure finding %s %s shows what would come of it", v.Remedies[0], v.Finding)
	}
}

// doing says whose doing it was: "not Tenure's: ...".
func doing(p operator.Provenance) string {
	if p.Ours {
		return "perhaps Tenure's: " + p.Why
	}
	return "not Tenure's: " + p.Why
}

// happened says when it happened, and between which places of the audit record.
func happened(p operator.Provenance) string {
	when := "before " + words.Instant(p.SeenAt)
	if !p.NotBefore.IsZero() {
		when = "between " + words.Instant(p.NotBefore) + " and " + words.Instant(p.SeenAt)
	}
	after, before := placed(p.After), placed(p.Before)
	switch {
	case after != "" && before != "":
		return when + ", after " + after + " and before " + before
	case after != "":
		return when + ", after " + after
	case before != "":
		return when + ", before " + before
	}
	return when
}

func placed(at operator.RecordPlace) string {
	switch {
	case at.Leaf != nil:
		return fmt.Sprintf("leaf %d of the audit record", *at.Leaf)
	case at.Row != 0:
		return fmt.Sprintf("row %d of the audit record, which is not in its log yet", at.Row)
	}
	return ""
}

// remedyFlags holds the flags of a command that does something about a finding.
type remedyFlags struct {
	decisionFlags
	applying
	person string
	// shows adds to a finding what would be done about it, and returns that in lines; nil if
	// that cannot be said.
	shows func(ctx context.Context, o *operator.Operator, v *findingView) ([]string, error)
}

// remedy completes a command that does something about findings. do does it about one, and
// returns one line that says what was done.
func (c *cli) remedy(cmd *cobra.Command, f *remedyFlags, remedy operator.Remedy, do func(ctx context.Context, o *operator.Operator, name string) (string, error)) *cobra.Command {
	cmd.Args = cobra.MinimumNArgs(1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if f.does() {
			if err := f.given(); err != nil {
				return err
			}
		}
		return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
			var views []findingView
			var failed error
			for _, name := range args {
				found, err := o.Finding(cmd.Context(), name)
				if err != nil {
					return err
				}
				v, err := viewFinding(cmd.Context(), o.Ledger, found)
				if err != nil {
					return err
				}
				if !f.does() {
					c.say("%s: %s\n", remedy, v.about())
					if f.shows != nil {
						lines, err := f.shows(cmd.Context(), o, &v)
						if err != nil {
							return fmt.Errorf("%s: %w", name, err)
						}
						for _, line := range lines {
							c.say("  %s\n", line)
						}
					}
					views = append(views, v)
					continue
				}
				views = append(views, v)
				done, err := do(cmd.Context(), o, name)
				if err = c.tellUntold(err, cfg.Sweep.Every); err != nil {
					failed = errors.Join(failed, fmt.Errorf("%s: %w", name, err))
					continue
				}
				c.say("%s: %s\n", name, done)
			}
			if !f.does() {
				return errors.Join(c.report(views), c.onlyShown(f.applying, "that is what it is about"))
			}
			return errors.Join(c.report(views), failed)
		})
	}
	f.decisionFlags.flags(cmd)
	f.applying.flags(cmd)
	return c.reads(cmd)
}

func (c *cli) findingRepairCommand() *cobra.Command {
	var f remedyFlags
	return c.remedy(&cobra.Command{
		Use:   "repair FINDING...",
		Short: "Have planning put right what differs",
		Long: `Have planning put right what differs: the ledger learns what the app shows, and the
person's run does what has to be done, with holds, approvals, the breaker and protection
as always. An entitlement that no role gives is taken, and one that a role gives is given
again; an account that has to be off is turned off.

Without --apply the command only shows what it is about (exit status 3). It is on the
record with your name and reason.`,
		Example: `  tenure finding repair f-9 --reason "nobody knows why, case 12" --apply`,
	}, &f, operator.RemedyRepair, func(ctx context.Context, o *operator.Operator, name string) (string, error) {
		done, err := o.RepairFinding(ctx, f.request(), name)
		return "the run of person " + done.PersonID + " puts it right", err
	})
}

func (c *cli) findingEndCommand() *cobra.Command {
	var f remedyFlags
	f.shows = func(ctx context.Context, o *operator.Operator, v *findingView) ([]string, error) {
		e, err := o.Ending(ctx, v.Finding, f.person)
		if err != nil {
			return nil, err
		}
		v.EndsAs, v.Deletion = e.PersonID, e.Deletion
		for _, s := range e.Steps {
			v.Steps = append(v.Steps, operator.DescribeStep(s))
		}
		return append([]string{"as the account of " + whoseEnds(e.PersonID)}, append(v.Steps, deletionOf(e))...), nil
	}
	cmd := c.remedy(&cobra.Command{
		Use:   "end FINDING...",
		Short: "End an orphaned account like that of a leaver",
		Long: `End an account that is nobody's like that of a leaver: turn it off, strip it, keep it for
the retention period and delete it, with holds, approvals, the breaker (breaker.orphans)
and protection as always. It ends as the account of the person who has left and whom it
matches, or of --person. If there is nobody, or they have another account in the app, it
ends as nobody's, as that of the person orphan:f-9. Until it is deleted, tenure finding
adopt makes it somebody's after all.

Without --apply the command only shows what would be done (exit status 3). It is on the
record with your name and reason.`,
		Example: `  tenure finding end f-9 --reason "nobody knows it, case 12"
  tenure finding end f-9 --reason "nobody knows it, case 12" --apply
  tenure finding end f-9 --person 10004 --reason "it was his second account" --apply`,
	}, &f, operator.RemedyEnd, func(ctx context.Context, o *operator.Operator, name string) (string, error) {
		e, err := o.EndFinding(ctx, f.request(), name, f.person)
		return "it ends as the account of " + whoseEnds(e.PersonID) + ": tenure person show " + quoted(e.PersonID), err
	})
	cmd.Flags().StringVar(&f.person, "person", "", "whose it was: a `person` who has left (default: whom it matches, or nobody)")
	return cmd
}

// whoseEnds names the person as whose account one ends.
func whoseEnds(personID string) string {
	if ledger.IsOrphan(personID) {
		return "nobody (" + personID + ")"
	}
	return "person " + personID
}

// deletionOf says when an account that is ended is deleted.
func deletionOf(e operator.Ending) string {
	app := e.Finding.App
	switch {
	case slices.ContainsFunc(e.Steps, func(s plan.Step) bool { return s.Kind == plan.Delete }):
		return app + ": that is all"
	case e.Waits == plan.WaitApproval:
		return app + ": delete when somebody has approved it"
	case !e.Deletion.IsZero():
		return app + ": delete " + words.Instant(e.Deletion)
	}
	return app + ": never deleted"
}

func (c *cli) findingAdoptCommand() *cobra.Command {
	var f remedyFlags
	var opts operator.AdoptOptions
	cmd := c.remedy(&cobra.Command{
		Use:   "adopt FINDING...",
		Short: "Link an account to the person whose it is",
		Long: `Link an account that is nobody's to the person whom it matches (or --person), as
tenure app adopt does: their person ID is written into the account and, unless it was there
already, sessions are ended and credentials reset.

Without --apply the command only shows what it is about (exit status 3). It is on the
record with your name.`,
		Example: `  tenure finding adopt f-9 --reason "he says so, case 12" --apply`,
	}, &f, operator.RemedyAdopt, func(ctx context.Context, o *operator.Operator, name string) (string, error) {
		_, err := o.AdoptFinding(ctx, f.request(), name, f.person, opts)
		return "the account is linked; the next scan ends the finding", err
	})
	cmd.Flags().StringVar(&f.person, "person", "", "whose it is: a `person` (default: whom it matches)")
	cmd.Flags().BoolVar(&opts.Take, "take", false, "revoke what the account has and no role gives")
	cmd.Flags().BoolVar(&opts.KeepCredentials, "keep-credentials", false, "neither end sessions nor reset credentials")
	return cmd
}

func (c *cli) findingAcceptCommand() *cobra.Command {
	var f remedyFlags
	var until string
	cmd := c.remedy(&cobra.Command{
		Use:   "accept FINDING...",
		Short: "Leave somebody an entitlement that no role gives, for a time",
		Long: `Leave somebody an entitlement that no role gives (a finding of the kind stray) until
--until, or until the employment ends. It is an exception: see tenure exception list. After
that time the next scan finds it again.

Without --apply the command only shows what it is about (exit status 3). It is on the
record with your name and reason.`,
		Example: `  tenure finding accept f-9 --until 90d --reason "until the move is over" --apply`,
	}, &f, operator.RemedyAccept, func(ctx context.Context, o *operator.Operator, name string) (string, error) {
		at, err := end(until, o.Clock.Now())
		if err != nil {
			return "", err
		}
		x, err := o.AcceptFinding(ctx, f.request(), name, at)
		return "accepted as " + x.Name() + "; the next scan ends the finding", err
	})
	cmd.Flags().StringVar(&until, "until", "", "when it ends: a `day`, an instant, or a time from now (90d)")
	_ = cmd.MarkFlagRequired("until")
	return cmd
}
