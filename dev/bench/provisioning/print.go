package provisioning

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/tenurehq/tenure/dev/bench/sheet"
)

// Print prints a report for people.
func (r Report) Print(out io.Writer) {
	after := "turned off"
	if r.Deleted {
		after = "deleted"
	}
	fmt.Fprintf(out, "\n%d hires, %d moves, %d leavers (%s) in one server by %s, with %s on %s with %d processors.\n\n", r.People, r.Moves, r.Leavers, after, r.Target, r.Go, r.OS, r.CPUs)
	t := sheet.Table(out, table.Row{"", "people", "steps", "wall", "people a second", "requests", "a person", "CPU of worker", "of starter", "of " + StackName})
	for _, p := range r.Phases {
		n := total(p.Requests)
		t.AppendRow(table.Row{
			p.Change, p.Changes, p.Steps, rounded(p.Wall), fmt.Sprintf("%.1f", float64(p.Changes)/max(p.Wall.Seconds(), 0.001)), n, fmt.Sprintf("%.1f", float64(n)/float64(p.Changes)),
			rounded(p.Processes["worker"].CPU()), rounded(p.Processes["starter"].CPU()), rounded(p.Processes[StackName].CPU()),
		})
	}
	t.Render()

	fmt.Fprintf(out, "\nFrom the first record published to the last account proven: %s.\n\nRequests to the server, by kind:\n\n", rounded(r.Wall))
	PrintRequests(out, r.Phases)

	fmt.Fprintln(out, "\nProcesses, from their start to the last proof. \"the stack\" is not the product: it is Temporal, Kafka, and what measures.")
	fmt.Fprintln(out)
	t = sheet.Table(out, table.Row{"process", "user", "system", "peak memory"})
	for _, name := range slices.Sorted(maps.Keys(r.Processes)) {
		u := r.Processes[name]
		t.AppendRow(table.Row{name, rounded(u.User), rounded(u.System), fmt.Sprintf("%d MiB", u.Peak>>20)})
	}
	t.Render()
	PrintWrong(out, r.Wrong)
}

// PrintRequests prints how many requests there were, by kind and phase.
func PrintRequests(out io.Writer, phases []Phase) {
	head, kinds := table.Row{"request"}, map[string]bool{}
	for _, p := range phases {
		head = append(head, string(p.Change))
		for kind := range p.Requests {
			kinds[kind] = true
		}
	}
	t := sheet.Table(out, head)
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		row := table.Row{kind}
		for _, p := range phases {
			row = append(row, p.Requests[kind])
		}
		t.AppendRow(row)
	}
	t.Render()
}

// mostWrong is how much of what is wrong is printed.
const mostWrong = 20

// PrintWrong prints what differs from the file; one line if nothing does.
func PrintWrong(out io.Writer, wrong []string) {
	if len(wrong) == 0 {
		fmt.Fprintln(out, "\nThe server is as the file says.")
		return
	}
	fmt.Fprintf(out, "\nThe server is not as the file says, in %d places:\n", len(wrong))
	for _, w := range wrong[:min(len(wrong), mostWrong)] {
		fmt.Fprintln(out, "  "+w)
	}
}

func total(requests map[string]int) (n int) {
	for _, some := range requests {
		n += some
	}
	return n
}

func rounded(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }
