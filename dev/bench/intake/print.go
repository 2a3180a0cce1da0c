package intake

import (
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/tenurehq/tenure/dev/bench/sheet"
)

// Print prints the report as tables for people.
func (r Report) Print(out io.Writer) {
	fmt.Fprintf(out, "%d CPUs, for everything; Kafka is %s. Only ratios mean anything elsewhere.\n", r.CPUs, r.Kafka)
	if r.Replay != nil {
		fmt.Fprintln(out, "\nReading a topic again, duplicates a second, and a bare consumer of kafka-go that reads and commits.")
		r.Replay.print(out)
	}
	if r.Accept != nil {
		fmt.Fprintln(out, "\nNew events a second, and as many bare calls of signal-with-start at the same concurrency.")
		r.Accept.print(out)
	}
	if len(r.Scale) > 0 {
		fmt.Fprintln(out, "\nNew events a second by partitions and starters, which are processes of their own and share a ledger.")
		t := sheet.Table(out, table.Row{"partitions", "starters", "median", "least", "most"})
		for _, s := range r.Scale {
			t.AppendRow(table.Row{s.Partitions, s.Starters, whole(s.PerSecond), whole(s.Least), whole(s.Most)})
		}
		t.Render()
	}
	if len(r.Memory) > 0 {
		fmt.Fprintln(out, "\nMemory of one starter, in MiB, with a Temporal that answers at once.")
		t := sheet.Table(out, table.Row{"phase", "records", "resident", "Go heap"})
		for _, m := range r.Memory {
			t.AppendRow(table.Row{m.Phase, m.Records, m.Resident >> 20, m.Heap >> 20})
		}
		t.Render()
	}
	for _, l := range r.Large {
		fmt.Fprintf(out, "\nWith %d records of %d bytes in %d partitions, and a Temporal that does not answer for a while,\n", l.Records, l.Bytes, l.Partitions)
		fmt.Fprintf(out, "a starter of %d MiB came to %d MiB at most.\n", l.Before>>20, l.Most>>20)
	}
}

func (r Race) print(out io.Writer) {
	fmt.Fprintf(out, "%d a round, %d partitions.\n", r.Events, r.Partitions)
	t := sheet.Table(out, table.Row{"round", "tenure", "bare", "ratio"})
	for i, ratio := range r.Ratios {
		t.AppendRow(table.Row{i + 1, whole(r.Tenure[i]), whole(r.Bare[i]), hundredths(ratio)})
	}
	t.AppendSeparator()
	t.AppendRow(table.Row{"median", whole(median(r.Tenure)), whole(median(r.Bare)), hundredths(r.Ratio)})
	t.Render()
}

func whole(f float64) string      { return fmt.Sprintf("%.0f", f) }
func hundredths(f float64) string { return fmt.Sprintf("%.2f", f) }
