package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tenurehq/tenure/assess/preview"
)

// planLines writes what would become of people, a few lines for each, as it is found:
// there may be tens of thousands.
type planLines struct {
	now, at time.Time
	apps    []string
	out     io.Writer
	color   bool
	shown   bool
}

// person writes one person's lines.
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
	if !l.at.IsZero() {
		for _, a := range o.Accounts {
			state := strings.TrimRight(string(a.State)+" "+strings.Join(a.Entitlements, ", "), " ")
			printTo(&b, "  = %-*s  %-17s  %s\n", l.width(), a.App, l.when(l.at), state)
		}
	}
	_, err := io.WriteString(l.out, b.String())
	return err
}

// together groups changes of one account at one time.
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
	if revokes := first.Do == preview.Update && len(first.Grant) == 0; first.Why != "" && !revokes { // it says why what is granted is
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

// when is the instant, to the minute.
func (l *planLines) when(at time.Time) string {
	if at.Equal(l.now) {
		return "now"
	}
	return at.UTC().Format("2006-01-02 15:04Z")
}

// signOf says at a glance what a line is about.
func signOf(group []preview.Change) (sign, color string) {
	sign, color = "~", yellow
	for _, c := range group {
		switch {
		case c.Problem != "":
			return "!", red
		case c.Do == preview.Create, c.Do == preview.Enable:
			sign, color = "+", green
		case c.Do == preview.Disable, c.Do == preview.Delete, c.Do == preview.Strip:
			sign, color = "-", red
		}
	}
	return sign, color
}

// does says in words what a change does.
func (l *planLines) does(c preview.Change) string {
	parts := []string{words[c.Do]}
	if c.Do == preview.Create {
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
	for _, e := range c.Grant {
		parts = append(parts, "+"+e)
	}
	for _, e := range c.Revoke {
		parts = append(parts, "-"+e)
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

// attributes lists what changes. Of an account that is made all of it is new: that
// says nothing without the values.
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
		case c.Do != preview.Create:
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

var words = map[preview.Action]string{
	preview.Create: "make", preview.Enable: "enable", preview.Update: "", preview.Disable: "disable",
	preview.Strip: "revoke", preview.HandOver: "hand data over", preview.Relabel: "give it the new person ID", preview.Delete: "delete", preview.Verify: "prove once more that it is off",
}

// draw writes the totals: the people are there already.
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
