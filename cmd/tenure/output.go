package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/tenurehq/tenure/ledger"
)

// format is the form in which a command that reads shows what it has read.
type format string

const (
	formatTable format = "table"
	formatJSON  format = "json"
	formatYAML  format = "yaml"
)

// String, Set and Type make it a flag.
func (f *format) String() string { return string(*f) }

func (f *format) Set(s string) error {
	switch format(s) {
	case formatTable, formatJSON, formatYAML:
		*f = format(s)
		return nil
	}
	return fmt.Errorf("want table, json or yaml")
}

func (f *format) Type() string { return "format" }

// reads marks cmd as one that reads: it gets the flag -o.
func (c *cli) reads(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().VarP(&c.output, "output", "o", "output `format`: table, json or yaml")
	_ = cmd.RegisterFlagCompletionFunc("output",
		cobra.FixedCompletions([]string{"table", "json", "yaml"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// report prints a result for a program. It prints nothing for people, who were told
// already.
func (c *cli) report(value any) error {
	if c.output == formatTable {
		return nil
	}
	return c.print(value, nil)
}

// print shows a value: as JSON or YAML, with the names of its JSON tags, or as the page
// that draw fills.
func (c *cli) print(value any, draw func(*page)) error {
	if c.output == formatTable {
		p := &page{color: c.colored()}
		draw(p)
		_, err := c.out.Write(p.buf.Bytes())
		return err
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(value); err != nil {
		return err
	}
	if c.output == formatYAML {
		return writeYAML(c.out, out.Bytes())
	}
	_, err := c.out.Write(plainJSON(out.Bytes()))
	return err
}

// writeYAML writes JSON as YAML, with the fields in the same order.
func writeYAML(w io.Writer, jsonText []byte) error {
	var doc yaml.Node
	// JSON is YAML, but for characters that YAML takes escaped only (DEL, U+0080 to U+009F).
	if err := yaml.Unmarshal(plainYAML(jsonText), &doc); err != nil {
		return err
	}
	var plain func(*yaml.Node)
	plain = func(n *yaml.Node) {
		n.Style = 0
		if n.Kind == yaml.ScalarNode && (n.Value != lines(n.Value) || n.Value != string(plainYAML([]byte(n.Value)))) {
			n.Style = yaml.DoubleQuotedStyle // where escapes can be written
		}
		for _, child := range n.Content {
			plain(child)
		}
	}
	plain(&doc)
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(&doc), enc.Close()); err != nil {
		return err
	}
	_, err := w.Write(plainYAML(out.Bytes()))
	return err
}

func (c *cli) colored() bool {
	return c.outTTY && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// page holds output for people.
type page struct {
	buf   bytes.Buffer
	color bool
}

// field is a name and its value.
type field struct{ name, value string }

// fields writes names and values below each other. Those without a value are
// left out.
func (p *page) fields(fields ...field) {
	width := 0
	for _, f := range fields {
		if f.value != "" {
			width = max(width, len(f.name))
		}
	}
	for _, f := range fields {
		if f.value != "" {
			p.note("%-*s  %s", width+1, f.name+":", p.paint(f.value))
		}
	}
}

// note writes a line. Only the format may hold line ends.
func (p *page) note(format string, args ...any) { printTo(&p.buf, format+"\n", args...) }

// block writes a text of several lines.
func (p *page) block(text string) { p.note("%s", painted(lines(text))) }

// columnWidth is the width at which a long text in a table is wrapped.
const columnWidth = 60

// table writes a table, below its title if that is not empty. The header's names
// are separated by commas.
func (p *page) table(title, header string, rows [][]string) { p.columns(title, header, rows, nil) }

// columns writes a table like table, or the next page of one whose first page had columns of these
// widths. It returns the widths.
func (p *page) columns(title, header string, rows [][]string, widths []int) []int {
	if len(rows) == 0 {
		return widths
	}
	if p.buf.Len() > 0 {
		p.buf.WriteByte('\n')
	}
	if title != "" {
		p.note("%s", title)
	}
	t := table.NewWriter()
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft = ""
	style.Box.PaddingRight = "  "
	t.SetStyle(style)
	names := strings.Split(header, ",")
	head := make(table.Row, len(names))
	configs := make([]table.ColumnConfig, len(names))
	for i, name := range names {
		head[i] = name
		configs[i] = table.ColumnConfig{Number: i + 1, WidthMax: columnWidth, WidthMaxEnforcer: text.WrapSoft}
		if widths != nil {
			configs[i].WidthMin = widths[i]
		}
	}
	if widths == nil {
		t.AppendHeader(head)
		for _, name := range names {
			widths = append(widths, text.StringWidthWithoutEscSequences(name))
		}
	}
	t.SetColumnConfigs(configs)
	for _, row := range rows {
		cells := make(table.Row, len(row))
		for i, cell := range row {
			cells[i] = string(p.paint(cell))
			widths[i] = max(widths[i], min(text.LongestLineLen(fmt.Sprint(cells[i])), columnWidth))
		}
		t.AppendRow(cells)
	}
	for line := range strings.Lines(t.Render()) {
		p.note("%s", painted(strings.TrimRight(line, " \n")))
	}
	return widths
}

// rowsOf returns the rows of a table.
func rowsOf[T any](items []T, row func(T) []string) [][]string {
	rows := make([][]string, len(items))
	for i, item := range items {
		rows[i] = row(item)
	}
	return rows
}

// paint escapes a text, and colors the words that describe a state.
func (p *page) paint(s string) painted {
	code, ok := paints[s]
	if !p.color || !ok {
		return painted(plain(s))
	}
	return painted("\x1b[" + code + "m" + s + "\x1b[0m")
}

const (
	green  = "32"
	yellow = "33"
	red    = "31"
	faint  = "2"
)

var paints = map[string]string{
	"active": green, "linked": green,
	"upcoming": yellow, "on_leave": yellow, "planned": yellow, "disabled": yellow, "open": yellow,
	"suspended": red, "attention": red, "drifted": red, "missing": red,
	"ok": green, "reached": green, "note": yellow, "not reached": red, "away": red,
	"urgent": red, "redriven": yellow, "failed": faint, "applied": faint, "discarded": faint,
	"held": red, "released": faint, "cancelled": faint,
	"overdue": red, "confirming": yellow, "done": green, "refused": red, "withdrawn": faint,
	"ended": faint, "deleted": faint, "skipped": faint, "unlinked": faint, "unknown": faint,
}

const formatCSV format = "csv"

// listFormat is the format of a command that lists, which may be CSV too.
type listFormat struct{ *format }

// Set implements pflag.Value.
func (f listFormat) Set(s string) error {
	if format(s) == formatCSV {
		*f.format = formatCSV
		return nil
	}
	if f.format.Set(s) != nil {
		return fmt.Errorf("want table, json, yaml or csv")
	}
	return nil
}

// lists marks cmd as one that lists: it gets the flags -o, with CSV among the formats,
// and --limit.
func (c *cli) lists(cmd *cobra.Command) *cobra.Command {
	if cmd.Flags().Lookup("limit") == nil {
		cmd.Flags().Var((*limit)(&c.limit), "limit", "list at most this `number`; 0 lists all")
	}
	cmd.Flags().VarP(listFormat{&c.output}, "output", "o", "output `format`: table, json, yaml or csv")
	_ = cmd.RegisterFlagCompletionFunc("output",
		cobra.FixedCompletions([]string{"table", "json", "yaml", "csv"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// limit is a number that is not negative.
type limit int

// String, Set and Type make it a flag.
func (l *limit) String() string { return strconv.Itoa(int(*l)) }

func (l *limit) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return fmt.Errorf("want a number from 0")
	}
	*l = limit(n)
	return nil
}

func (l *limit) Type() string { return "number" }

// limited cuts a list to what --limit allows, and tells how many entries are left out.
// Callers decide before it what depends on the whole list, such as the exit status.
func limited[T any](c *cli, all []T) []T {
	if c.limit == 0 || len(all) <= c.limit {
		return all
	}
	c.tell("%d of %d are listed: --limit 0 lists all\n", c.limit, len(all))
	return all[:c.limit]
}

// printList shows value as print does, or its rows as CSV. The header's names are
// separated by commas.
func (c *cli) printList(value any, header string, rows [][]string, draw func(*page)) error {
	if c.output != formatCSV {
		return c.print(value, draw)
	}
	return writeCSV(c.out, strings.Split(header, ","), rows)
}

// listView says how a list is shown.
type listView[V any] struct {
	header string // the names of the columns, separated by commas
	row    func(V) []string
	none   string // what is said of an empty list
	// whole has the list read to its end, since reading it tells something, such as the exit
	// status. Otherwise what is behind the limit is not read.
	whole bool
	// order sorts the list. All entries are then read before the first is shown. All are held
	// or, with --limit, at most twice as many as it allows.
	order func(a, b V) int
	frame frame
}

// frame is what is shown around a list.
type frame struct {
	// value returns the object that has the list in JSON and YAML, with an empty list; list is
	// the list's key in it. What comes before the list has to be known before the list is read.
	// If value is nil, the list stands alone.
	value func() any
	list  string
	// above and below draw, for people, what is before and after the table; title is the table's.
	above, below func(*page)
	title        string
}

// streamed shows the entries of a list as they are read, as many as --limit allows. It holds a page
// of them at a time, however long the list is, unless it has to be sorted. It reports whether there
// are more.
func streamed[V any](c *cli, views iter.Seq2[V, error], v listView[V]) (more bool, err error) {
	l := &listing{c: c, header: v.header, frame: v.frame}
	bar := c.progress(-1, "reading", "entries")
	defer func() { _ = bar.Exit() }()
	read := 0
	counted := func(yield func(V, error) bool) {
		for view, err := range views {
			if err == nil {
				read++
				_ = bar.Add(1)
			}
			if !yield(view, err) {
				return
			}
		}
	}
	shown := iter.Seq2[V, error](counted)
	if v.order != nil {
		shown = inOrder(shown, c.limit, v.order)
	}
	for view, err := range shown {
		if err != nil {
			if len(l.rows) > 0 {
				err = errors.Join(l.flush(), err)
			}
			return false, err
		}
		if c.limit > 0 && l.shown+len(l.rows) == c.limit {
			if v.whole {
				continue
			}
			break
		}
		if err := l.add(view, v.row(view)); err != nil {
			return false, err
		}
		if len(l.rows) < ledger.PageSize {
			continue
		}
		_ = bar.Clear()
		if err := l.flush(); err != nil {
			return false, err
		}
	}
	_ = bar.Clear()
	err = errors.Join(l.flush(), l.end(v.none))
	switch more = c.limit > 0 && read > c.limit; {
	case more && (v.whole || v.order != nil):
		c.tell("%d of %d are listed: --limit 0 lists all\n", c.limit, read)
	case more:
		c.tell("%d are listed, and there are more: --limit 0 lists all\n", c.limit)
	}
	return more, err
}

// inOrder yields the entries of a list when all are read and sorted; with a limit, the first ones.
// It then holds no more than twice the limit.
func inOrder[V any](entries iter.Seq2[V, error], limit int, order func(a, b V) int) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		var first []V
		cut := func() {
			slices.SortStableFunc(first, order)
			if limit > 0 {
				first = first[:min(len(first), limit)]
			}
		}
		for entry, err := range entries {
			if err != nil {
				yield(entry, err)
				return
			}
			if first = append(first, entry); limit > 0 && len(first) >= 2*limit {
				cut()
			}
		}
		cut()
		for _, entry := range first {
			if !yield(entry, nil) {
				return
			}
		}
	}
}

// listing is a list that is shown page by page.
type listing struct {
	c      *cli
	header string
	frame  frame
	begun  bool // something was shown
	shown  int
	rows   [][]string   // of the page
	text   bytes.Buffer // of the page, as JSON or YAML
	widths []int        // of the first page's columns
}

// indented is what the frame of a list indents its entries by.
const indented = "  "

// margin is what each line of an entry begins with.
func (l *listing) margin() string {
	if l.frame.value == nil {
		return ""
	}
	return indented
}

// add adds an entry to the page.
func (l *listing) add(view any, row []string) error {
	first := l.shown+len(l.rows) == 0
	l.rows = append(l.rows, row)
	switch l.c.output {
	case formatJSON:
		margin := l.margin() + indented
		l.text.WriteString(map[bool]string{true: "[\n", false: ",\n"}[first] + margin)
		enc := json.NewEncoder(&l.text)
		enc.SetEscapeHTML(false)
		enc.SetIndent(margin, indented)
		err := enc.Encode(view)
		l.text.Truncate(l.text.Len() - 1) // its line end
		return err
	case formatYAML:
		text, err := json.Marshal([]any{view})
		if err != nil {
			return err
		}
		var entry bytes.Buffer
		if err := writeYAML(&entry, text); err != nil {
			return err
		}
		for line := range strings.Lines(entry.String()) {
			if line != "\n" {
				l.text.WriteString(l.margin())
			}
			l.text.WriteString(line)
		}
	}
	return nil
}

// flush shows the page.
func (l *listing) flush() error {
	first := !l.begun
	rows := l.rows
	l.begun, l.shown, l.rows = true, l.shown+len(rows), nil
	defer l.text.Reset()
	switch l.c.output {
	case formatJSON, formatYAML:
		before, _, err := l.around(len(rows) == 0)
		if err != nil {
			return err
		}
		if first {
			_, err = io.WriteString(l.c.out, before)
		}
		text := l.text.Bytes()
		if l.c.output == formatJSON {
			text = plainJSON(text)
		}
		_, other := l.c.out.Write(text)
		return errors.Join(err, other)
	case formatCSV:
		if first {
			return writeCSV(l.c.out, strings.Split(l.header, ","), rows)
		}
		return writeCSV(l.c.out, nil, rows)
	}
	p, title := &page{color: l.c.colored()}, ""
	if first {
		if l.frame.above != nil {
			l.frame.above(p)
		}
		title = l.frame.title
	}
	l.widths = p.columns(title, l.header, rows, l.widths)
	_, err := l.c.out.Write(p.buf.Bytes())
	return err
}

// around returns the text before a list and that after it, as JSON or YAML.
func (l *listing) around(empty bool) (before, after string, err error) {
	if l.frame.value == nil {
		return "", "", nil
	}
	var text bytes.Buffer
	if err := (&cli{terminal: terminal{out: &text}, output: l.c.output}).print(l.frame.value(), nil); err != nil {
		return "", "", err
	}
	name, none := strconv.Quote(l.frame.list)+": ", "[]"
	if l.c.output == formatYAML {
		name, none = "\n"+l.frame.list+":", " []\n"
	}
	before, after, found := strings.Cut("\n"+text.String(), name+none)
	if !found {
		return "", "", fmt.Errorf("there is no empty list %q", l.frame.list)
	}
	before = strings.TrimPrefix(before+name, "\n")
	switch {
	case l.c.output == formatJSON:
	case empty:
		before += " []\n"
	default:
		before += "\n"
	}
	return before, after, nil
}

// end ends the list.
func (l *listing) end(none string) error {
	switch l.c.output {
	case formatJSON, formatYAML:
		_, after, err := l.around(false)
		if err != nil {
			return err
		}
		switch {
		case l.c.output == formatJSON && l.shown == 0:
			after = "[]" + cmp.Or(after, "\n")
		case l.c.output == formatJSON:
			after = "\n" + l.margin() + "]" + cmp.Or(after, "\n")
		case l.shown == 0 && l.frame.value == nil:
			after = "[]\n"
		}
		_, err = io.WriteString(l.c.out, after)
		return err
	case formatTable:
		if l.shown == 0 && none != "" {
			l.c.say("%s\n", none)
		}
		if l.frame.below != nil {
			p := &page{color: l.c.colored()}
			l.frame.below(p)
			_, err := l.c.out.Write(p.buf.Bytes())
			return err
		}
	}
	return nil
}

// viewsOf yields a view of each entry of a list that is listed.
func viewsOf[T, V any](list iter.Seq2[T, error], listed func(T) bool, view func(T) (V, error)) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		for entry, err := range list {
			if err == nil && !listed(entry) {
				continue
			}
			var v V
			if err == nil {
				v, err = view(entry)
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// every lists every entry.
func every[T any](T) bool { return true }

// withNames yields a view of each entry of a list. It is made with the name of the person whom the
// entry is about.
func withNames[T, V any](ctx context.Context, l ledger.Reader, list iter.Seq2[T, error], person func(T) string, view func(T, string) (V, error)) iter.Seq2[V, error] {
	names := map[string]string{}
	return viewsOf(list, every, func(entry T) (v V, err error) {
		name, err := nameOf(ctx, l, names, person(entry))
		if err != nil {
			return v, err
		}
		return view(entry, name)
	})
}

// writeCSV writes a header and rows. A spreadsheet takes a cell that begins with one of
// = + - @ for a formula, and some strip white space first: an apostrophe before it makes
// it a text.
func writeCSV(out io.Writer, header []string, rows [][]string) error {
	w := csv.NewWriter(out)
	if len(header) > 0 {
		_ = w.Write(header) // Flush keeps the error, as of all writes
	}
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = asText(cell)
		}
		_ = w.Write(cells)
	}
	w.Flush()
	return w.Error()
}

// asText escapes what is not visible, as the printer does, and keeps a cell from being a
// formula.
func asText(cell string) string {
	cell = plain(cell)
	if bare := strings.TrimLeftFunc(cell, unicode.IsSpace); bare != "" && strings.ContainsAny(bare[:1], "=+-@") {
		return "'" + cell
	}
	return cell
}
