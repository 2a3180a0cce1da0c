package scale

import (
	"fmt"
	"io"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/tenurehq/tenure/dev/bench/sheet"
)

// Print prints the report.
func (r *Report) Print(out io.Writer) {
	fmt.Fprintln(out, "\nBytes in the ledger, with indexes. A person has four accounts.")
	sizes := sheet.Table(out, table.Row{"store", "people", "MiB", "of each person at work", "of each retained leaver", "of each audit row", "of that its leaf", "audit rows"})
	for _, z := range r.Sizes {
		sizes.AppendRow(table.Row{z.Store, z.People, z.Total >> 20, z.Worker, z.Leaver, z.Row, z.RowLeaf, z.Audit})
	}
	sizes.Render()
	fmt.Fprintln(out, "\nOne more of each thing: what it costs beside the smallest ledger of this run.")
	costs := sheet.Table(out, table.Row{"what", "people", "statements", "commits", "round trips", "rows fetched", "rows scanned", "rows written", "blocks", "WAL records", "bytes read", "bytes written", "took", "time beside"})
	for _, c := range r.Changes {
		costs.AppendRow(table.Row{
			c.What, c.People, c.Spent.Statements, c.Spent.Commits, c.Spent.RoundTrips, c.Counts.Fetched, c.Counts.Scanned, c.Counts.Written, c.Counts.Blocks, c.Counts.WAL, c.Counts.Read, c.Counts.Wrote,
			c.Took.Round(time.Microsecond), fmt.Sprintf("%.2f", r.beside(c)),
		})
	}
	costs.Render()
	if len(r.Commands) == 0 {
		return
	}
	fmt.Fprintln(out, "\nCommands that read.")
	commands := sheet.Table(out, table.Row{"tenure", "people", "lines", "first line", "took", "CPU", "heap MiB"})
	for _, c := range r.Commands {
		commands.AppendRow(table.Row{
			c.Args, c.People, c.Lines, c.First.Round(time.Millisecond), c.Took.Round(time.Millisecond), c.CPU.Round(10 * time.Millisecond), c.Heap >> 20,
		})
	}
	commands.Render()
}

// beside is how long something took, beside the same thing in the smallest ledger.
func (r *Report) beside(c Cost) float64 {
	for _, first := range r.Changes {
		if first.What == c.What {
			return float64(c.Took) / float64(max(first.Took, 1))
		}
	}
	return 0
}
