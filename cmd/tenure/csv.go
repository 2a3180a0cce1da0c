package main

import (
	"encoding/csv"
	"fmt"
	"io"
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

// lists marks cmd as one that lists: it gets -o, with CSV among the formats.
func (c *cli) lists(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().VarP(listFormat{&c.output}, "output", "o", "output `format`: table, json, yaml or csv")
	_ = cmd.RegisterFlagCompletionFunc("output",
		cobra.FixedCompletions([]string{"table", "json", "yaml", "csv"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
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
