package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
)

const formatCSV format = "csv"

// listFormat is the format of a command that lists: CSV too.
type listFormat struct{ *format }

// Set makes it a flag.
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

// lists marks cmd as one that lists: it gets -o, with CSV among the formats, and --limit.
func (c *cli) lists(cmd *cobra.Command) *cobra.Command {
	if cmd.Flags().Lookup("limit") == nil {
		cmd.Flags().Var((*limit)(&c.limit), "limit", "list at most this `number`; 0 lists all")
	}
	cmd.Flags().VarP(listFormat{&c.output}, "output", "o", "output `format`: table, json, yaml or csv")
	_ = cmd.RegisterFlagCompletionFunc("output",
		cobra.FixedCompletions([]string{"table", "json", "yaml", "csv"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// limit is a number from 0.
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

// limited cuts a list to what --limit allows, and tells how many are left out. What the
// whole list means, such as the exit status, is decided before.
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

// writeCSV writes a header and rows. A spreadsheet takes what begins with one of
// = + - @ for a formula, and some strip white space first: an apostrophe before it
// makes it a text.
func writeCSV(out io.Writer, header []string, rows [][]string) error {
	w := csv.NewWriter(out)
	_ = w.Write(header) // Flush keeps the error, as of all writes
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

// asText escapes what is not visible, as the printer does, and keeps a cell from being
// a formula.
func asText(cell string) string {
	cell = plain(cell)
	if bare := strings.TrimLeftFunc(cell, unicode.IsSpace); bare != "" && strings.ContainsAny(bare[:1], "=+-@") {
		return "'" + cell
	}
	return cell
}
