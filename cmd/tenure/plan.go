package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/assess/preview"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/sender"
	"github.com/tenurehq/tenure/service/apps"
)

// planOptions holds the flags of plan.
type planOptions struct {
	events, source, topic string
	with                  string
	persons, apps         []string
	at                    string
	values, summary       bool
	maxDisables           int // -1: no limit
	maxDeletes            int
}

// defaultMost is how many accounts a change may disable, and how many it may delete,
// unless flags set other limits.
const defaultMost = 20

func (c *cli) planCommand() *cobra.Command {
	var o planOptions
	cmd := &cobra.Command{
		Use:   "plan [--events FILE] [--with FILE]",
		Short: "Show what would be done, and do nothing",
		Long: `Show what would be done, and do nothing: no app is called, nothing is written, and
Temporal is not asked.

Without --events and --with, it shows all that is to be done as things are, now and on
the dates that are known. With --events, it shows what HR events that have not been sent
would change; with --with, what another configuration would change; with both, what both
would change together. It then shows only the differences: "called off" marks what would
be done as things are and would no longer be done, and "instead of" the date on which it
would be done as things are.

What is due later is shown with its date. --at leaves out what comes after an
instant, and shows the accounts as they would be then.

Who would hold what a rule of separation of duties keeps apart is marked "! duty"; with
--events and --with, only conflicts that are not there as things are.

The exit status is 3 if a change would disable or delete more accounts than
--max-disables and --max-deletes allow, would bring about a conflict of duties, or would
leave something for a human. The plan
of things as they are has no limit unless one is given.

Only the app knows whether an account is already there to be adopted: an account that is
shown as made may be adopted. Attributes that depend on an account that the manager
does not have yet are shown without it.`,
		Example: `  tenure plan
  tenure plan --person 10004
  tenure plan --events terminations.jsonl --values
  tenure plan --events year.jsonl --at 2027-01-01
  tenure plan --with tenure.new.yaml --max-disables 0 --max-deletes 0
  tenure plan --with tenure.new.yaml --summary -o json | jq .totals`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !o.compares() && !cmd.Flags().Changed("max-disables") {
				o.maxDisables = -1
			}
			if !o.compares() && !cmd.Flags().Changed("max-deletes") {
				o.maxDeletes = -1
			}
			return c.rehearse(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.events, "events", "", "HR events that have not been sent: a `file` as for tenure event send")
	flags.StringVar(&o.source, "source", sender.DefaultSource, "format of the events: a `source` as in kafka.topics")
	flags.StringVar(&o.topic, "topic", "", "the `topic` whose settings hold, if several have that source")
	flags.StringVar(&o.with, "with", "", "another configuration `file`: its policy and apps, in place of those in force")
	flags.StringSliceVar(&o.persons, "person", nil, "only these `persons`, by ID")
	flags.StringSliceVar(&o.apps, "app", nil, "only these `apps`")
	flags.StringVar(&o.at, "at", "", "leave out what is due after this `instant` (2027-01-01, or 2027-01-01T12:00:00Z)")
	flags.BoolVar(&o.values, "values", false, "show what is in the attributes, which is personal data")
	flags.BoolVar(&o.summary, "summary", false, "show the totals only")
	flags.IntVar(&o.maxDisables, "max-disables", defaultMost, "exit with 3 if more `accounts` than this would be disabled")
	flags.IntVar(&o.maxDeletes, "max-deletes", defaultMost, "exit with 3 if more `accounts` than this would be deleted")
	_ = cmd.RegisterFlagCompletionFunc("app", c.completeApps)
	return c.reads(cmd)
}

func (o planOptions) compares() bool { return o.events != "" || o.with != "" }

// planView holds the result of a rehearsal.
type planView struct {
	Now      time.Time         `json:"now"`
	At       time.Time         `json:"at,omitzero"`
	Events   string            `json:"events,omitempty"`
	With     string            `json:"with,omitempty"`
	People   []preview.Outcome `json:"people"`
	Totals   preview.Totals    `json:"totals"`
	Exceeded []string          `json:"exceeded,omitempty"`
}

// rehearse rehearses one person after the other, and shows each result as soon as it is
// known.
func (c *cli) rehearse(ctx context.Context, o planOptions) error {
	return c.withLedger(ctx, func(cfg *config.Config, l ledger.Reader) error {
		s, err := c.scenario(ctx, cfg, o)
		if err != nil {
			return err
		}
		for _, app := range o.apps {
			if err := oneOf("app", app, appsOf(s)); err != nil {
				return err
			}
		}
		r := preview.New(l, s)
		v := planView{Now: s.Now, At: s.Until, Events: o.events, With: o.with, People: []preview.Outcome{}}
		show := &planLines{now: s.Now, at: s.Until, apps: appsOf(s), out: c.out, color: c.colored()}
		// Programs are shown the people page by page. The totals come after them.
		bar := c.progress(-1, "rehearsing", "people")
		objects := &listing{c: c, frame: frame{value: func() any { return v }, list: "people"}, bar: bar}
		defer func() { _ = bar.Exit() }()
		cut := func(err error) error {
			if c.output != formatTable {
				return errors.Join(objects.cut(), err)
			}
			if show.shown {
				c.say("(%s)\n", cutShort)
			}
			return err
		}
		for id, err := range r.Whom(ctx, o.persons...) {
			if err != nil {
				return cut(err)
			}
			out, err := r.Person(ctx, id)
			if errors.Is(err, ledger.ErrNotFound) {
				err = usagef("the ledger knows no person %q", id)
			}
			if err != nil {
				return cut(err)
			}
			o.narrow(&out)
			v.Totals.Add(out)
			_ = bar.Add(1)
			switch {
			case out.Nothing() || o.summary:
			case c.output == formatTable:
				_ = bar.Clear()
				if err := show.person(out); err != nil {
					return err
				}
			default:
				if err := objects.put(out, nil); err != nil {
					return err
				}
			}
		}
		_ = bar.Finish()
		if show.shown {
			c.say("\n")
		}
		v.Exceeded = o.exceeded(v.Totals)
		if c.output == formatTable {
			err = c.print(v, v.draw)
		} else {
			err = errors.Join(objects.flush(), objects.end(""))
		}
		if err != nil {
			return err
		}
		if len(v.Exceeded) > 0 || o.compares() && v.Totals.Conflicts > 0 || v.Totals.Problems+v.Totals.Accounts.Attention > 0 {
			return errAttention
		}
		return nil
	})
}

// scenario reads what is to be rehearsed.
func (c *cli) scenario(ctx context.Context, cfg *config.Config, o planOptions) (s preview.Scenario, err error) {
	s.Now = cfg.Clock().Now().UTC()
	if o.at != "" {
		if s.Until, err = instantOf(o.at); err != nil {
			return s, err
		}
		if s.Until.Before(s.Now) {
			return s, usagef("--at %s is over (it is %s): what was done is shown by tenure watch --from and tenure person show", o.at, words.Instant(s.Now))
		}
	}
	if s.Rules, err = apps.Of(cfg, nil).Rules(ctx); err != nil {
		return s, err
	}
	if o.with != "" {
		with, err := config.LoadFor(o.with) //nolint:contextcheck // it connects to nothing
		if err != nil {
			return s, usagef("the configuration %s is wrong:\n%w", o.with, err)
		}
		rules, err := apps.Of(with, nil).Rules(ctx)
		if err != nil {
			return s, err
		}
		s.With = &rules
	}
	if o.events != "" {
		if s.Events, err = c.eventsToRehearse(o); err != nil { //nolint:contextcheck // as above
			return s, err
		}
	}
	return s, nil
}

// instantOf reads a day (its beginning, in UTC) or an instant.
func instantOf(text string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, usagef("--at wants a day such as 2027-01-01, or an instant such as 2027-01-01T12:00:00Z")
}

// eventsToRehearse reads the events of the file, all of which have to be valid.
func (c *cli) eventsToRehearse(o planOptions) ([]hr.Event, error) {
	format, err := c.formatOf(o.source, o.topic)
	if err != nil {
		return nil, err
	}
	file, inputs, err := c.readEvents(o.events, format)
	if err != nil {
		return nil, err
	}
	if _, invalid := reportProblems(c.err, file, inputs); invalid > 0 {
		return nil, fmt.Errorf("%d of %d events are not valid", invalid, len(inputs))
	}
	events := []hr.Event{}
	for _, in := range inputs {
		if len(in.Decoded) == 0 {
			return nil, fmt.Errorf("%s:%d: what would come of this record is not known before it is fetched from HR", file, in.Line)
		}
		events = append(events, in.Decoded...)
	}
	return events, nil
}

// narrow removes from an outcome what the flags do not ask for.
func (o planOptions) narrow(out *preview.Outcome) {
	if len(o.apps) > 0 {
		other := func(app string) bool { return !slices.Contains(o.apps, app) }
		out.Changes = slices.DeleteFunc(out.Changes, func(c preview.Change) bool { return other(c.App) })
		out.CalledOff = slices.DeleteFunc(out.CalledOff, func(c preview.Change) bool { return other(c.App) })
		out.Accounts = slices.DeleteFunc(out.Accounts, func(a preview.Account) bool { return other(a.App) })
	}
	if o.values {
		return
	}
	for _, changes := range [][]preview.Change{out.Changes, out.CalledOff} {
		for i := range changes {
			for k := range changes[i].Attributes {
				changes[i].Attributes[k].Was, changes[i].Attributes[k].Is = nil, nil
			}
		}
	}
}

// exceeded lists the limits that would be exceeded.
func (o planOptions) exceeded(t preview.Totals) []string {
	var list []string
	for _, limit := range []struct {
		what, flag string
		n, most    int
	}{
		{"disabled", "--max-disables", t.Accounts.Disable, o.maxDisables},
		{"deleted", "--max-deletes", t.Accounts.Delete, o.maxDeletes},
	} {
		if limit.most >= 0 && limit.n > limit.most {
			list = append(list, fmt.Sprintf("%s would be %s, and the most is %d (%s)", words.Count(limit.n, "account"), limit.what, limit.most, limit.flag))
		}
	}
	return list
}

// appsOf lists the apps that may be shown.
func appsOf(s preview.Scenario) []string {
	var names []string
	for name := range s.Rules.Apps {
		names = append(names, name)
	}
	if s.With != nil {
		for name := range s.With.Apps {
			names = append(names, name)
		}
	}
	return names
}

// planLines writes the outcome of each person, in a few lines, as soon as it is found:
// there may be tens of thousands.
type planLines struct {
	now, at time.Time
	apps    []string
	out     io.Writer
	color   bool
	shown   bool
}

// person writes the lines of one person.
func (l *planLines) person(o preview.Outcome) error {
	l.shown = true
	var b strings.Builder
	printTo(&b, "%s (%s", o.PersonID, o.Status)
	if o.Becomes != "" {
		printTo(&b, ", becomes %s", o.Becomes)
	}
	b.WriteByte(')')
	if o.Claims != "" {
		printTo(&b, ", would be called %s", o.Claims)
	}
	b.WriteByte('\n')
	for _, group := range together(o.Changes) {
		l.line(&b, "", group)
	}
	for _, group := range together(o.CalledOff) {
		l.line(&b, "called off: ", group)
	}
	for _, p := range o.Problems {
		l.paint(&b, red, strings.TrimRight("  ! "+p.Code+" "+p.Event, " ")+": "+p.Text)
	}
	for _, c := range o.Conflicts {
		text := fmt.Sprintf("  ! duty %s  %s  %s together with %s", c.Duty, l.when(c.At), c.One, c.Other)
		if c.Refused != "" {
			text += ": grant " + c.Refused + " is not given"
		}
		l.paint(&b, red, text)
	}
	if !l.at.IsZero() {
		for _, a := range o.Accounts {
			state := strings.TrimRight(string(a.State)+" "+strings.Join(a.Entitlements, ", "), " ")
			printTo(&b, "  = %-*s  %-17s  %s\n", l.width(), a.App, l.when(l.at), state)
		}
	}
	_, err := io.WriteString(l.out, b.String())
	return err
}

// together groups the changes of one account at one time.
func together(changes []preview.Change) [][]preview.Change {
	var groups [][]preview.Change
	for _, c := range changes {
		i := slices.IndexFunc(groups, func(g []preview.Change) bool { return g[0].App == c.App && g[0].At.Equal(c.At) })
		if i < 0 {
			groups = append(groups, []preview.Change{c})
			continue
		}
		groups[i] = append(groups[i], c)
	}
	return groups
}

func (l *planLines) line(b *strings.Builder, before string, group []preview.Change) {
	first := group[0]
	var does []string
	for _, c := range group {
		does = append(does, l.does(c))
	}
	sign, color := signOf(group)
	if before != "" {
		sign, color = " ", faint
	}
	text := fmt.Sprintf("  %s %-*s  %-17s  %s%s", sign, l.width(), first.App, l.when(first.At), before, strings.Join(does, ", "))
	if revokes := first.Do == preview.Update && len(first.Grant) == 0; first.Why != "" && !revokes { // Why is the reason for a grant
		text += " (" + first.Why + ")"
	}
	l.paint(b, color, text)
}

func (l *planLines) paint(b *strings.Builder, color, text string) {
	text = plain(text)
	if l.color {
		text = "\x1b[" + color + "m" + text + "\x1b[0m"
	}
	b.WriteString(text + "\n")
}

func (l *planLines) width() int {
	width := len("app")
	for _, app := range l.apps {
		width = max(width, len(app))
	}
	return width
}

// when shows an instant, to the minute.
func (l *planLines) when(at time.Time) string {
	if at.Equal(l.now) {
		return "now"
	}
	return at.UTC().Format("2006-01-02 15:04Z")
}

// signOf returns the sign and color that begin a line.
func signOf(group []preview.Change) (sign, color string) {
	sign, color = "~", yellow
	for _, c := range group {
		switch {
		case c.Problem != "":
			return "!", red
		case c.Do == preview.Create, c.Do == preview.Restore, c.Do == preview.Enable:
			sign, color = "+", green
		case c.Do == preview.Disable, c.Do == preview.Delete, c.Do == preview.Strip:
			sign, color = "-", red
		}
	}
	return sign, color
}

// does describes a change in words.
func (l *planLines) does(c preview.Change) string {
	parts := []string{verbs[c.Do]}
	if c.Do == preview.Create || c.Do == preview.Restore {
		parts[0] += " account " + c.Username
		if c.Off {
			parts[0] += ", disabled until the first day"
		}
	}
	if c.Do == preview.Relabel && c.Username != "" {
		parts[0] = "rename to " + c.Username
	}
	if c.Do == preview.Strip && len(c.Revoke) == 0 {
		parts[0] = "revoke all"
	}
	if to := toWhom(c.To, c.By, c.Could); c.Do == preview.HandOver && to != "" {
		parts[0] += " " + to
	}
	for _, e := range c.Grant {
		parts = append(parts, "+"+e)
	}
	for _, e := range c.Revoke {
		parts = append(parts, "-"+e)
	}
	if c.Sessions {
		parts = append(parts, "and end sessions")
	}
	if attributes := l.attributes(c); attributes != "" {
		parts = append(parts, attributes)
	}
	text := strings.TrimLeft(strings.Join(parts, " "), " ")
	if !c.Was.IsZero() {
		text += " instead of " + l.when(c.Was)
	}
	if c.Problem != "" {
		text += ": needs a human, " + c.Problem
	}
	return text
}

// attributes lists the attributes that change. All attributes of an account that is
// created are new, so they are listed with their values only.
func (l *planLines) attributes(c preview.Change) string {
	var names []string
	for _, a := range c.Attributes {
		switch {
		case a.Was != nil || a.Is != nil:
			was := valueOf(a.Was)
			if c.Unsure {
				was = "unknown"
			}
			names = append(names, fmt.Sprintf("%s: %s -> %s", a.Name, was, valueOf(a.Is)))
		case c.Do != preview.Create && c.Do != preview.Restore:
			names = append(names, a.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	text := "[" + strings.Join(names, "; ") + "]"
	if c.Unsure {
		return "some of " + text
	}
	return text
}

func valueOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "none"
	case string:
		return strconv.Quote(v)
	}
	return fmt.Sprint(v)
}

var verbs = map[preview.Action]string{
	preview.Create: "make", preview.Restore: "restore", preview.Enable: "enable", preview.Update: "", preview.Disable: "disable",
	preview.Strip: "revoke", preview.HandOver: "hand data over", preview.Relabel: "give it the new person ID", preview.Delete: "delete", preview.Verify: "prove once more that it is off",
}

// draw writes the totals; the people were written before.
func (v planView) draw(p *page) {
	t := v.Totals
	if len(t.Apps) > 0 {
		row := func(app string, n preview.Counts) []string {
			row := []string{app}
			for _, k := range []int{n.Create, n.Enable, n.Update, n.Disable, n.Delete, n.Grant, n.Revoke, n.Attention} {
				row = append(row, strconv.Itoa(k))
			}
			return row
		}
		rows := rowsOf(slices.Sorted(maps.Keys(t.Apps)), func(app string) []string { return row(app, *t.Apps[app]) })
		p.table("Accounts", "app,make,enable,update,disable,delete,grants,revokes,for a human", append(rows, row("all", t.Accounts)))
		p.note("")
	}
	text := fmt.Sprintf("%d of %d people would change", t.Changed, t.People)
	if v.Events == "" && v.With == "" {
		text = fmt.Sprintf("something is to be done for %d of %d people", t.Changed, t.People)
	}
	for _, also := range []struct {
		n    int
		text string
	}{
		{t.Usernames, "%d would be given a username"},
		{t.CalledOff.Disable + t.CalledOff.Delete, "%d disables and deletes called off"},
		{t.Accounts.Postpone, "%d postponed"},
		{t.Problems, "%d questions for a human"},
		{t.Conflicts, "%d with what a rule of separation of duties keeps apart"},
		{t.Repeated, "%d events are in the ledger already"},
	} {
		if also.n > 0 {
			text += ", " + fmt.Sprintf(also.text, also.n)
		}
	}
	p.note("%s. Nothing was done.", text)
	for _, e := range v.Exceeded {
		p.note("too much: %s", e)
	}
}
