package provisioning

import (
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/tenurehq/tenure/dev/bench/sheet"
)

// The databases of the topology that are of interest.
var databases = []string{"tenure", "temporal"}

// mostStatements is how many statements that waited are printed of a database.
const mostStatements = 5

// Print prints a report for people.
func (r *ManyReport) Print(out io.Writer) {
	fmt.Fprintf(out, "\n%d hires, %d moves, %d leavers in %d apps, on PostgreSQL (ledger and Temporal), with %s on %s with %d processors.\n"+
		"Servers and processes share them: with few, what is beside the first tells how much they get in each other's way, and not how it scales.\n\n",
		r.People, r.Moves, r.Leavers, r.Apps, r.Go, r.OS, r.CPUs)
	head := table.Row{"workers, starters", "steps", "steps a second", "beside the first"}
	for _, change := range Changes() {
		head = append(head, string(change)+", steps a second")
	}
	t := sheet.Table(out, append(head, "wrong in the end"))
	for _, run := range r.Runs {
		row := table.Row{run.Processes, run.Steps, fmt.Sprintf("%.1f", run.PerSecond), fmt.Sprintf("%.2f", run.Beside)}
		for _, change := range Changes() {
			cell := ""
			for _, p := range run.Phases {
				if p.Change == change {
					cell = fmt.Sprintf("%d in %s: %.1f", p.Steps, rounded(p.Wall), float64(p.Steps)/max(p.Wall.Seconds(), 0.001))
				}
			}
			row = append(row, cell)
		}
		t.AppendRow(append(row, len(run.Wrong)))
	}
	t.Render()

	fmt.Fprintln(out, "\nLocks in PostgreSQL. A wait is one of more than a millisecond. The last columns say for how much of the time in which sessions were at work they waited.")
	fmt.Fprintln(out)
	t = sheet.Table(out, table.Row{"workers, starters", "database", "waits", "waited", "deadlocks", "not serialized", "other errors", "time waiting for locks", "for light locks", "for disk"})
	for _, run := range r.Runs {
		for _, database := range databases {
			l, a := run.Locks[database], run.Activity[database]
			if l == nil {
				l = &Locks{}
			}
			t.AppendRow(table.Row{
				run.Processes, database, l.Waits, rounded(l.Waited), l.Deadlocks, l.Conflicts, l.Refused,
				percent(a.share("Lock")), percent(a.share("LWLock")), percent(a.share("IO")),
			})
		}
	}
	t.Render()

	fmt.Fprintln(out, "\nThe statements that waited most often.")
	fmt.Fprintln(out)
	t = sheet.Table(out, table.Row{"workers, starters", "database", "waits", "statement"})
	for _, run := range r.Runs {
		for _, database := range databases {
			if l := run.Locks[database]; l != nil {
				for _, statement := range l.most(mostStatements) {
					t.AppendRow(table.Row{run.Processes, database, l.By[statement], statement})
				}
			}
		}
	}
	t.Render()

	fmt.Fprintln(out, "\nCalls of each app while it had a rate, as the app counts them: at most in a second and in ten, wherever they begin.")
	fmt.Fprintln(out)
	t = sheet.Table(out, table.Row{"workers, starters", "app", "rate a second", "calls", "most in a second", "most in ten seconds"})
	for _, run := range r.Runs {
		for _, rate := range run.Rates {
			t.AppendRow(table.Row{run.Processes, rate.App, rate.Rate, rate.Calls, rate.Most, rate.MostOfTen})
		}
	}
	t.Render()
	if wrong := r.Wrong(); len(wrong) > 0 {
		PrintWrong(out, wrong)
		return
	}
	fmt.Fprintln(out, "\nThe apps are as the file says, and no rate was exceeded in any ten seconds.")
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }
