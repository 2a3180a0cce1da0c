package scale

import (
	"fmt"
	"io"
	"strings"
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
	costs := sheet.Table(out, table.Row{"what", "people", "statements", "commits", "round trips", "rows fetched", "rows scanned", "rows written", "blocks", "of that deeper indexes", "WAL records", "bytes read", "bytes written", "took", "time beside"})
	for _, c := range r.Changes {
		costs.AppendRow(table.Row{
			c.What, c.People, c.Spent.Statements, c.Spent.Commits, c.Spent.RoundTrips, c.Counts.Fetched, c.Counts.Scanned, c.Counts.Written, c.Counts.Blocks, c.Deeper, c.Counts.WAL, c.Counts.Read, c.Counts.Wrote,
			c.Took.Round(time.Microsecond), fmt.Sprintf("%.2f", r.beside(c)),
		})
	}
	costs.Render()
	r.printGrown(out)
	r.printRuns(out)
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

// mostGrown is how many statements are printed for each thing.
const mostGrown = 5

func (r *Report) printGrown(out io.Writer) {
	if len(r.Grown) == 0 {
		return
	}
	fmt.Fprintln(out, "\nStatements that look at more blocks in the largest ledger than in the smallest, the first of each thing.")
	t := sheet.Table(out, table.Row{"what", "blocks more", "calls", "blocks of a call, smallest", "largest", "statement"})
	shown := map[string]int{}
	for _, g := range r.Grown {
		if shown[g.What]++; shown[g.What] > mostGrown {
			continue
		}
		text := strings.Join(strings.Fields(g.Text), " ")
		t.AppendRow(table.Row{g.What, fmt.Sprintf("%.1f", g.More), fmt.Sprintf("%.1f", g.Calls), fmt.Sprintf("%.1f", g.Small), fmt.Sprintf("%.1f", g.Large), text[:min(len(text), 150)]})
	}
	t.Render()
}

func (r *Report) printRuns(out io.Writer) {
	if len(r.Runs) == 0 {
		return
	}
	fmt.Fprintln(out, "\nTemporal's store on PostgreSQL, while runs of retained leavers are asleep there.")
	stores := sheet.Table(out, table.Row{"people", "asleep", "filled in", "runs a second", "MiB", "bytes of a run", "statements a second at rest", "blocks a second at rest", "due in the last sweep"})
	for _, s := range r.Stores {
		stores.AppendRow(table.Row{
			s.People, s.Asleep, s.Filled.Round(time.Second), fmt.Sprintf("%.0f", s.Rate), s.Bytes >> 20, (s.Bytes - s.Before) / int64(max(s.Asleep, 1)),
			fmt.Sprintf("%.1f", s.IdleEach), fmt.Sprintf("%.1f", s.IdleBlock), s.Due,
		})
	}
	stores.Render()
	fmt.Fprintln(out, "\nOne more of each thing: the statements that are not asked at rest. Routine ones are those that are, without as many as are asked then.")
	t := sheet.Table(out, table.Row{"what", "people", "asleep", "state transitions", "statements", "beside", "blocks", "beside", "of that deeper indexes", "WAL records", "routine", "their blocks", "took", "beside"})
	for _, c := range r.Runs {
		first := r.runsOf(c.What)[0]
		beside := func(now, then float64) string { return fmt.Sprintf("%.2f", now/max(then, 0.001)) }
		t.AppendRow(table.Row{
			c.What, c.People, c.Asleep, fmt.Sprintf("%.1f", c.Transitions), fmt.Sprintf("%.1f", c.Statements), beside(c.Statements, first.Statements),
			fmt.Sprintf("%.0f", c.Blocks), beside(c.Blocks, first.Blocks), fmt.Sprintf("%.0f", c.Deeper), fmt.Sprintf("%.0f", c.WAL),
			fmt.Sprintf("%.1f", c.Routine), fmt.Sprintf("%.0f", c.RoutineBlocks),
			c.Took.Round(time.Millisecond), beside(float64(c.Took), float64(first.Took)),
		})
	}
	t.Render()
}

// beside is how long something took, beside the same thing in the smallest ledger.
func (r *Report) beside(c Cost) float64 {
	return float64(c.Took) / float64(max(r.smallest(c).Took, 1))
}
