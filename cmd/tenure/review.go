package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/review"
)

func (c *cli) reviewCommand() *cobra.Command {
	return noun("review", "Ask people whether others should have what they have",
		c.reviewListCommand(), c.reviewStartCommand(), c.reviewShowCommand(), c.reviewDecideCommand(), c.reviewMoveCommand(), c.reviewExtendCommand(), c.reviewCloseCommand(),
		c.reviewPreviewCommand(), c.reviewQualityCommand())
}

func (c *cli) reviewListCommand() *cobra.Command {
	var f ledger.ReviewFilter
	var all bool
	var behind string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List reviews: how far they are, and how they went",
		Long: `List the reviews that are not over or, with --all, every review that there ever was. Exits
with 3 if one has something that nobody has decided.`,
		Example: `  tenure review list
  tenure review list --all --name privileged`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			after, ok := ledger.ReviewID(behind)
			if behind != "" && !ok {
				return usagef("--after %s: want a review, such as v-3", behind)
			}
			return c.view(cmd.Context(), func(cfg *config.Config, v *operator.Viewer) error {
				if err := reviewFilter(cmd.Context(), cfg, v, f); err != nil {
					return err
				}
				return c.listReviews(cmd.Context(), v, f, after, all)
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "those that are over too")
	cmd.Flags().StringVar(&f.Name, "name", "", "only those of this `name`")
	cmd.Flags().StringVar(&f.PersonID, "person", "", "only those of this `person` alone")
	cmd.Flags().StringVar(&behind, "after", "", "only those behind this `review` in the list")
	return c.lists(cmd)
}

// reviewFilter checks the filters of reviews. A review may have been taken out of the
// configuration since.
func reviewFilter(ctx context.Context, cfg *config.Config, v *operator.Viewer, f ledger.ReviewFilter) error {
	if err := personFilter(ctx, v.Ledger, f.PersonID); err != nil || f.Name == "" {
		return err
	}
	found, err := v.Ledger.Reviews(ctx, ledger.ReviewFilter{Name: f.Name}, 0, 1)
	if err != nil || len(found) > 0 {
		return err
	}
	var names []string
	for _, terms := range cfg.Reviews {
		names = append(names, terms.Name)
	}
	return oneOf("name", f.Name, names)
}

func (c *cli) listReviews(ctx context.Context, v *operator.Viewer, f ledger.ReviewFilter, after int64, all bool) error {
	open := false
	listed := func(r ledger.Review) bool { return r.DoneAt.IsZero() || all }
	views := viewsOf(ledger.AllReviews(ctx, v.Ledger, f, after), listed, func(r ledger.Review) (reviewView, error) {
		counts, err := v.Ledger.CountItems(ctx, r.ID)
		one := viewReview(r, review.Outcome(counts))
		open = open || one.Summary.Open > 0 && r.State == ledger.ReviewOpen
		return one, err
	})
	_, err := streamed(c, views, listView[reviewView]{header: reviewHeader, row: reviewView.row, none: "there are no reviews", whole: true})
	if err != nil || !open {
		return err
	}
	return errAttention
}

func (c *cli) reviewStartCommand() *cobra.Command {
	var f exceptionFlags
	var person string
	cmd := &cobra.Command{
		Use:   "start NAME",
		Short: "Start a review that the configuration names",
		Long: `Start a review that the configuration names (reviews), besides its days of the year. The
population is frozen: everything that people have now, by what Tenure has given and proven
and by what the last complete scans have seen. Then those are asked who can tell.

Without --apply the command only shows what it would be about, and who would be asked
(exit status 3).`,
		Example: `  tenure review start privileged --reason "asked for by the auditor"
  tenure review start privileged --person 10004 --reason "moved to Finance" --apply`,
		Args: exactly("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.given(); err != nil {
				return err
			}
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				started, err := o.StartReview(cmd.Context(), f.request(), args[0], person, f.does())
				if started.Review.Name == "" {
					return err
				}
				v := startedReviewView{reviewView: viewReview(started.Review, review.Summary{}), Applied: started.Applied}
				if started.Applied {
					c.say("%s is started: review %s, until %s\n", v.Review, v.Name, words.Instant(v.EndsAt))
					return errors.Join(c.report(v), c.tellUntold(err, cfg.Sweep.Every))
				}
				if err != nil {
					return err
				}
				v.Forecast = &started.Forecast
				c.say("review %s, until %s: %s about %d accounts and entitlements\n", v.Name, words.Instant(v.EndsAt), words.Count(v.Forecast.Items, "item"), v.Forecast.Accesses)
				for _, kind := range review.Kinds() {
					if n := v.Forecast.Kinds[kind]; n > 0 {
						c.say("  %-9s %d\n", kind, n)
					}
				}
				for _, id := range slices.Sorted(maps.Keys(v.Forecast.Reviewers)) {
					c.say("  asked  %s  %s\n", cmp.Or(id, "nobody can be asked:"), words.Count(v.Forecast.Reviewers[id], "item"))
				}
				return errors.Join(c.report(v), c.onlyShown(f.applying, "that is what it would be about"))
			})
		},
	}
	cmd.Flags().StringVar(&person, "person", "", "a review of this `person` alone")
	_ = cmd.RegisterFlagCompletionFunc("person", c.completePeople)
	f.flags(cmd)
	return c.reads(cmd)
}

func (c *cli) reviewShowCommand() *cobra.Command {
	var f ledger.ItemFilter
	var verdict string
	cmd := &cobra.Command{
		Use:   "show REVIEW",
		Short: "Show one review: what it is about, who is asked, and what was decided",
		Long: `Show one review (v-3) with its items. Exits with 3 if there is something that nobody has
decided. With --as it shows what one person is asked about.`,
		Example: `  tenure review show v-3
  tenure review show v-3 --as 10007 --open
  tenure review show v-3 --kind stray`,
		Args: exactly("REVIEW"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.view(cmd.Context(), func(_ *config.Config, o *operator.Viewer) error {
				kinds := []string{}
				for _, k := range review.Kinds() {
					kinds = append(kinds, string(k))
				}
				err := errors.Join(personFilter(cmd.Context(), o.Ledger, f.Reviewer), personFilter(cmd.Context(), o.Ledger, f.PersonID))
				if f.Kind != "" {
					err = errors.Join(err, oneOf("kind", f.Kind, kinds))
				}
				if verdict != "" {
					err = errors.Join(err, oneOf("decision", verdict, []string{"keep", "revoke", "moot"}))
				}
				if err != nil {
					return err
				}
				f.Verdict = ledger.ItemVerdict(verdict)
				return c.showReview(cmd.Context(), o, args[0], f)
			})
		},
	}
	cmd.Flags().StringVar(&f.Reviewer, "as", "", "only what this `person` is asked about")
	cmd.Flags().StringVar(&f.PersonID, "person", "", "only what this `person` has")
	cmd.Flags().StringVar(&f.Kind, "kind", "", "only items of this `kind`")
	cmd.Flags().StringVar(&verdict, "decision", "", "only items with this `decision`: keep, revoke or moot")
	cmd.Flags().BoolVar(&f.Open, "open", false, "only what nobody has decided")
	_ = cmd.RegisterFlagCompletionFunc("as", c.completePeople)
	return c.lists(cmd)
}

func (c *cli) showReview(ctx context.Context, o *operator.Viewer, name string, f ledger.ItemFilter) error {
	shown, err := o.ShowReview(ctx, name)
	if err != nil {
		return err
	}
	f.Review = shown.Review.ID
	v := shownReviewView{reviewView: viewReview(shown.Review, shown.Summary), Reviewers: []reviewerView{}, Silence: shown.Silence, List: []itemView{}}
	names := map[string]string{}
	for _, count := range shown.Counts {
		i := slices.IndexFunc(v.Reviewers, func(r reviewerView) bool { return r.Person == count.Reviewer })
		if i < 0 {
			one := reviewerView{Person: count.Reviewer}
			if count.Reviewer != "" {
				if one.Name, err = nameOf(ctx, o.Ledger, names, count.Reviewer); err != nil {
					return err
				}
			}
			v.Reviewers, i = append(v.Reviewers, one), len(v.Reviewers)
		}
		v.Reviewers[i].Items += count.Items
		if count.Verdict == "" {
			v.Reviewers[i].Open += count.Items
		}
	}
	if v.Quality, err = viewQuality(ctx, o.Ledger, names, shown.Review, shown.Quality); err != nil {
		return err
	}
	items := viewsOf(ledger.AllReviewItems(ctx, o.Ledger, f), every, func(i ledger.ReviewItem) (itemView, error) {
		if i.PersonID == "" {
			return viewItem(i, ""), nil
		}
		person, err := nameOf(ctx, o.Ledger, names, i.PersonID)
		return viewItem(i, person), err
	})
	var members []string // what is told of some items, below all of them
	_, err = streamed(c, items, listView[itemView]{header: itemHeader, row: func(i itemView) []string {
		if c.output == formatTable {
			members = append(members, membersTold(i)...)
		}
		return i.row()
	}, frame: frame{
		value: func() any { return v }, list: "list", title: "Items",
		above: func(p *page) { p.review(v) },
		below: func(p *page) {
			for _, text := range members {
				p.note("%s", text)
			}
			if v.Silence != nil {
				p.note("%s", silenceText(*v.Silence))
			}
		},
	}})
	if v.Summary.Open > 0 && v.State == string(ledger.ReviewOpen) && err == nil {
		return errAttention
	}
	return err
}

func (c *cli) reviewPreviewCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "preview REVIEW",
		Short:   "Show what silence would do to a review",
		Long:    `Show what would be revoked, and what kept, if nobody decided anything more about a review (v-3), and whether the breaker would hold it.`,
		Example: `  tenure review preview v-3`,
		Args:    exactly("REVIEW"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.view(cmd.Context(), func(_ *config.Config, o *operator.Viewer) error {
				shown, err := o.ShowReview(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if shown.Silence == nil {
					return fmt.Errorf("%s is %s: silence decides nothing about it any more", shown.Review.Ref(), shown.Review.State)
				}
				return c.print(shown.Silence, func(p *page) { p.note("%s", silenceText(*shown.Silence)) })
			})
		},
	}
	return c.reads(cmd)
}

// itemNumbers reads the numbers of items.
func itemNumbers(args []string) ([]int64, error) {
	var numbers []int64
	for _, arg := range args {
		n, err := strconv.ParseInt(arg, 10, 64)
		if err != nil || n <= 0 {
			return nil, usagef("want the number of an item, such as 12, not %q", arg)
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}

func (c *cli) reviewDecideCommand() *cobra.Command {
	var f exceptionFlags
	var d operator.ReviewDecision
	cmd := &cobra.Command{
		Use:   "decide REVIEW keep|revoke ITEM...",
		Short: "Decide about items of a review, as somebody who is asked",
		Long: `Decide about items of a review (v-3), as somebody who is asked (tenure review show v-3 --as
ID). Whether they may decide is looked up now, and written down. A decision to revoke takes
effect when it has settled (reviews[].settle), and can be changed until then. It is counted
by the breaker, and is finished when the app, read again, shows that the access is gone.

About a role, revoke means everybody of whom the item is; --people narrows it to some of
them, and leaves the item open for the others. Who has the role themself decides about the
others only: their own becomes an item of its own, and somebody else is asked.

Without --apply the command only shows what would be done (exit status 3). The command line
has no sign-in: see tenure request approve --help.`,
		Example: `  tenure review decide v-3 keep 12 13 --as 10007 --apply
  tenure review decide v-3 revoke 14 --as 10007 --reason "left the project" --apply
  tenure review decide v-3 revoke 1 --people 10004,10009 --as 10007 --reason "work elsewhere" --apply`,
		Args: cobra.MinimumNArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if f.operator, err = asking(f.operator); err != nil { // whether a reason is needed, the review says
				return err
			}
			if err := oneOf("decision", args[1], []string{string(ledger.VerdictKeep), string(ledger.VerdictRevoke)}); err != nil {
				return err
			}
			d.Review, d.Verdict = args[0], ledger.ItemVerdict(args[1])
			if d.Items, err = itemNumbers(args[2:]); err != nil {
				return err
			}
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				for _, id := range d.People {
					if err := personFilter(cmd.Context(), o.Ledger, id); err != nil {
						return err
					}
				}
				decided, err := o.DecideItems(cmd.Context(), f.request(), d, f.does())
				if decided.Review.ID == 0 {
					return err
				}
				return c.decidedItems(cfg, decided, d.Verdict, err, f.applying)
			})
		},
	}
	c.asFlag(cmd, &d.As)
	cmd.Flags().StringSliceVar(&d.People, "people", nil, "only these `people` among those whom the items are about")
	f.flags(cmd)
	return c.reads(cmd)
}

func (c *cli) decidedItems(cfg *config.Config, decided operator.DecidedItems, verdict ledger.ItemVerdict, err error, a applying) error {
	if _, other := operator.Untold(err); other != nil {
		return other
	}
	v := decidedView{Review: decided.Review.Ref(), Decision: string(verdict), Items: []itemView{}, Steps: []string{}, Applied: decided.Applied}
	for _, one := range decided.Items {
		v.Items = append(v.Items, viewItem(one.Item, ""))
		c.say("%s  %s: %s\n", one.Item.Name(), review.Title(one.Item), verdict)
		if one.Own {
			c.say("  what they have of it themself becomes an item of its own, for somebody else\n")
		}
		for _, step := range one.Steps {
			text := operator.DescribeStep(step)
			v.Steps = append(v.Steps, text)
			c.say("  %s\n", text)
		}
		if v.More += one.More; one.More > 0 {
			c.say("  and likewise for %d more people\n", one.More)
		}
	}
	if !v.Applied {
		return errors.Join(c.report(v), c.onlyShown(a, "that is what would come of it"))
	}
	return errors.Join(c.report(v), c.tellUntold(err, cfg.Sweep.Every))
}

func (c *cli) reviewMoveCommand() *cobra.Command {
	var f exceptionFlags
	var to string
	cmd := &cobra.Command{
		Use:   "move REVIEW ITEM...",
		Short: "Have somebody else decide about items of a review",
		Long: `Have somebody else decide about items of a review (v-3) that nobody has decided. It stays so
as long as that person is at work. Nobody gets items about what they have themself.

Without --apply the command only shows which items these are (exit status 3).`,
		Example: `  tenure review move v-3 12 13 --to 10031 --reason "10007 does not know them" --apply`,
		Args:    cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.given(); err != nil {
				return err
			}
			numbers, err := itemNumbers(args[1:])
			if err != nil {
				return err
			}
			return c.operate(cmd.Context(), func(_ *config.Config, o *operator.Operator) error {
				moved, err := o.MoveItems(cmd.Context(), f.request(), args[0], numbers, to, f.does())
				if err != nil {
					return err
				}
				v := movedView{Review: moved.Review.Ref(), To: moved.To, Items: []itemView{}, Applied: moved.Applied}
				for _, i := range moved.Items {
					v.Items = append(v.Items, viewItem(i, ""))
					c.say("%s  %s: from %s to %s\n", i.Name(), review.Title(i), cmp.Or(i.Reviewer, "nobody"), v.To)
				}
				if !v.Applied {
					return errors.Join(c.report(v), c.onlyShown(f.applying, "that is what would be moved"))
				}
				return c.report(v)
			})
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "the `person` who is asked from now on")
	_ = cmd.MarkFlagRequired("to")
	_ = cmd.RegisterFlagCompletionFunc("to", c.completePeople)
	f.flags(cmd)
	return c.reads(cmd)
}

func (c *cli) reviewExtendCommand() *cobra.Command {
	var f exceptionFlags
	var until string
	cmd := &cobra.Command{
		Use:   "extend REVIEW --until TIME",
		Short: "Let a review end later",
		Long: `Let a review (v-3) end later than it was to. Reminders, and the preview of what silence would
do, come before the new end.

Without --apply the command only shows the review as it would be (exit status 3).`,
		Example: `  tenure review extend v-3 --until 2027-05-31 --reason "half of the owners were at the fair" --apply`,
		Args:    exactly("REVIEW"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.given(); err != nil {
				return err
			}
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				at, err := end(until, o.Clock.Now())
				if err != nil {
					return err
				}
				shown, err := o.ExtendReview(cmd.Context(), f.request(), args[0], at, f.does())
				if shown.Review.ID == 0 {
					return err
				}
				v := viewReview(shown.Review, shown.Summary)
				if !f.does() {
					c.say("%s would end at %s\n", v.Review, words.Instant(shown.Review.EndsAt))
					return errors.Join(err, c.report(v), c.onlyShown(f.applying, "that is what would come of it"))
				}
				c.say("%s ends at %s\n", v.Review, words.Instant(shown.Review.EndsAt))
				return errors.Join(c.report(v), c.tellUntold(err, cfg.Sweep.Every))
			})
		},
	}
	cmd.Flags().StringVar(&until, "until", "", "the new end: a `day` (to its end, in UTC), an instant, or a time from now")
	_ = cmd.MarkFlagRequired("until")
	f.flags(cmd)
	return c.reads(cmd)
}

func (c *cli) reviewCloseCommand() *cobra.Command {
	var f exceptionFlags
	cmd := &cobra.Command{
		Use:   "close REVIEW",
		Short: "Close a review before its end",
		Long: `Close a review (v-3) before its end. What nobody has decided is decided by silence, as the
review's terms have it (reviews[].undecided). It closes by itself at its end.

Without --apply the command only shows what silence would do (exit status 3).`,
		Example: `  tenure review close v-3 --reason "everybody has answered" --apply`,
		Args:    exactly("REVIEW"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.given(); err != nil {
				return err
			}
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				shown, err := o.CloseReview(cmd.Context(), f.request(), args[0], f.does())
				if shown.Review.ID == 0 {
					return err
				}
				v := viewReview(shown.Review, shown.Summary)
				if shown.Silence != nil {
					c.say("%s: %s\n", v.Review, silenceText(*shown.Silence))
				}
				if v.State == string(ledger.ReviewOpen) {
					return errors.Join(err, c.report(v), c.onlyShown(f.applying, "that is what would come of it"))
				}
				c.say("%s is %s\n", v.Review, v.State)
				return errors.Join(c.report(v), c.tellUntold(err, cfg.Sweep.Every))
			})
		},
	}
	f.flags(cmd)
	return c.reads(cmd)
}

// reviewsOf returns how reviews are held.
func reviewsOf(cfg *config.Config) operator.Reviews {
	return operator.Reviews{Terms: cfg.Reviews, Fresh: cfg.Governance.Freshness, Zone: cfg.Governance.TimeZone, Limits: cfg.Breaker}
}
