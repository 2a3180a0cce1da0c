package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/figures"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/service/apps"
)

// figuresAsked holds the flags of the command.
type figuresAsked struct {
	from, until, month, app, department string
	by                                  []string
	within                              time.Duration
}

func (c *cli) figuresCommand() *cobra.Command {
	var asked figuresAsked
	cmd := &cobra.Command{
		Use:   "figures",
		Short: "Show the five figures of user provisioning",
		Long: `Show the five figures of user provisioning, computed from the record: the time to
provision and to deprovision, the orphaned-account rate, the completion rate of access
reviews, and the provisioning error rate. docs/figures.md defines them.

Without a time, it is of the last 30 days. Days and months begin at midnight in
governance.timeZone. Times to provision and to deprovision count where the clock started
in that time, also if it stopped later or has not stopped: "late" counts what was not done
within --within, done or not. Orphans and reviews are of no department.`,
		Example: `  tenure figures
  tenure figures --month 2027-03 --by app
  tenure figures --from 2027-01-01 --until 2027-04-01 --by month,department -o csv`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Reader) error {
				q, err := asked.question(cfg)
				if err != nil {
					return err
				}
				v := operator.Viewer{Ledger: l, Clock: cfg.Clock()}
				all, err := v.Figures(cmd.Context(), q)
				if err != nil {
					return err
				}
				all = limited(c, all)
				return c.printList(all, figureHeader, rowsOf(all, figureRow), func(p *page) { drawFigures(p, q, all) })
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&asked.from, "from", "", "from this `day` on (default: 30 days ago)")
	f.StringVar(&asked.until, "until", "", "before this `day` (default: now)")
	f.StringVar(&asked.month, "month", "", "of this `month`, such as 2027-03")
	f.StringSliceVar(&asked.by, "by", nil, "tell apart by these: app, department, month")
	f.StringVar(&asked.app, "app", "", "only of this `app`")
	f.StringVar(&asked.department, "department", "", "only of this `department`, as HR calls it")
	f.DurationVar(&asked.within, "within", figures.Within, "the `time` within which accounts are to be turned on and off")
	cmd.MarkFlagsMutuallyExclusive("month", "from")
	cmd.MarkFlagsMutuallyExclusive("month", "until")
	return c.lists(cmd)
}

// question returns what is asked for.
func (a figuresAsked) question(cfg *config.Config) (figures.Question, error) {
	now := cfg.Clock().Now()
	q := figures.Question{App: a.app, Department: a.department, Within: a.within, Zone: cmp.Or(cfg.Governance.TimeZone, time.UTC)}
	if a.app != "" {
		if err := apps.Of(cfg, nil).Find(a.app); err != nil {
			return q, err
		}
	}
	if a.within <= 0 {
		return q, usagef("--within has to be more than nothing")
	}
	known := figures.Dimensions()
	for _, by := range a.by {
		names := make([]string, len(known))
		for i, d := range known {
			names[i] = string(d)
		}
		if err := oneOf("by", by, names); err != nil {
			return q, err
		}
		if !slices.Contains(q.By, figures.By(by)) {
			q.By = append(q.By, figures.By(by))
		}
	}
	q.From, q.Until = now.AddDate(0, 0, -30), now.Add(time.Microsecond)
	if a.month != "" {
		first, err := time.ParseInLocation("2006-01", a.month, q.Zone)
		if err != nil || first.After(now) {
			return q, usagef("--month wants a month that has begun, such as %s, and not %q", now.In(q.Zone).Format("2006-01"), a.month)
		}
		q.From, q.Until = first, first.AddDate(0, 1, 0)
		return q, nil
	}
	for _, day := range []struct {
		flag, text string
		to         *time.Time
	}{{"from", a.from, &q.From}, {"until", a.until, &q.Until}} {
		if day.text == "" {
			continue
		}
		at, err := time.ParseInLocation(time.DateOnly, day.text, q.Zone)
		if err != nil {
			return q, usagef("--%s wants a day, such as 2027-03-31, and not %q", day.flag, day.text)
		}
		*day.to = at
	}
	if !q.From.Before(q.Until) {
		return q, usagef("--until has to be after --from")
	}
	return q, nil
}

// drawFigures shows what takes time, and what is a share, in tables of their own.
func drawFigures(p *page, q figures.Question, all []figures.Figure) {
	p.fields(field{"from", words.Instant(q.From)}, field{"until", words.Instant(q.Until)}, field{"within", q.Within.String()})
	var timed, people, shares [][]string
	for _, f := range all {
		row := figureRow(f)
		switch {
		case f.Times == nil:
			shares = append(shares, slices.Concat(row[:4], row[17:]))
			continue
		case f.People > 0:
			people = append(people, slices.Concat(row[:4], row[14:17]))
		}
		timed = append(timed, row[:14])
	}
	columns := strings.Split(figureHeader, ",")
	header := func(parts ...[]string) string { return strings.Join(slices.Concat(parts...), ",") }
	p.table("How long accounts took", header(columns[:14]), timed)
	p.table("How long people waited until the last of their accounts", header(columns[:4], columns[14:17]), people)
	p.table("Shares", header(columns[:4], columns[17:]), shares)
	if len(all) == 0 {
		p.note("nothing is on the record for that time")
	}
}

const figureHeader = "figure,app,department,month,count,median,p95,longest,within,late,open,oldest,held,by hand,people,people median,people p95,part,whole,share"

func figureRow(f figures.Figure) []string {
	row := []string{strings.ReplaceAll(string(f.Figure), "_", " "), f.App, f.Department, f.Month}
	if f.Times == nil {
		return append(append(row, make([]string, 13)...), strconv.Itoa(f.Part), strconv.Itoa(f.Whole), fmt.Sprintf("%.4f", f.Share.Share))
	}
	took := func(seconds int64) string { return (time.Duration(seconds) * time.Second).String() }
	t := f.Times
	row = append(row, strconv.Itoa(t.Count), took(t.Median), took(t.P95), took(t.Longest), strconv.Itoa(t.Within), strconv.Itoa(t.Late),
		strconv.Itoa(t.Open), took(t.Oldest), strconv.Itoa(t.Held), strconv.Itoa(t.ByHand), strconv.Itoa(t.People), took(t.PeopleMedian), took(t.PeopleP95))
	return append(row, "", "", "")
}
