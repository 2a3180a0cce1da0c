package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
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
