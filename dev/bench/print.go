package bench

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/tenurehq/tenure/dev/bench/scans"
	"github.com/tenurehq/tenure/dev/bench/sheet"
)

// Print prints the report as tables for people.
func (r Report) Print(out io.Writer) {
	fmt.Fprintln(out, "What a change costs in Temporal, and what a bare workflow with as many activities does.")
	fmt.Fprintln(out, "Where runs differ: the median (least to most).")
	counts := sheet.Table(out, table.Row{"change", "apps", "steps", "history events", "bytes", "workflow tasks", "state transitions", "bare", "above N"})
	for _, c := range r.Counts {
		floor := ""
		if c.Floor != nil {
			floor = c.Floor.String()
		}
		counts.AppendRow(table.Row{c.Change, c.Apps, c.Steps, c.Events, c.Bytes, c.Tasks, c.Transitions, floor, fmt.Sprintf("+%d", c.Transitions.Median-int64(c.Steps))})
	}
	counts.Render()

	fmt.Fprintln(out, "\nActions that Temporal Cloud bills for each run, without heartbeats of steps that take longer than three seconds.")
	actions := sheet.Table(out, table.Row{"change", "apps", "actions", "which"})
	for _, c := range r.Counts {
		actions.AppendRow(table.Row{c.Change, c.Apps, c.Actions, mostFirst(c.ActionsOf)})
	}
	actions.Render()

	r.printLedger(out)

	fmt.Fprintln(out, "\nCalls to each app for one change of one person.")
	calls := sheet.Table(out, table.Row{"change", "apps", "calls", "which"})
	for _, c := range r.Calls {
		calls.AppendRow(table.Row{c.Change, c.Apps, c.Total, mostFirst(c.PerApp)})
	}
	calls.Render()

	if len(r.Requests) > 0 {
		fmt.Fprintln(out, "\nHTTP requests to an app that speaks SCIM for one change of one person, once the worker knows its groups.")
		requests := sheet.Table(out, table.Row{"change", "requests", "least", "which", "the least is"})
		for _, q := range r.Requests {
			requests.AppendRow(table.Row{q.Change, q.Total, q.Least, mostFirst(q.Person), q.Why})
		}
		requests.Render()
	}

	if len(r.Vendors) > 0 {
		r.printVendors(out)
	}
	if r.Company != nil {
		r.Company.print(out)
	}

	if len(r.Scans) > 0 {
		r.printScans(out)
	}
	if len(r.Lists) > 0 {
		fmt.Fprintln(out, "\nHTTP requests to stand-ins of vendors for a list of all accounts, each in two groups.")
		lists := sheet.Table(out, table.Row{"vendor", "accounts", "requests", "which"})
		for _, v := range r.Lists {
			lists.AppendRow(table.Row{v.Vendor, v.Accounts, v.Total, mostFirst(v.Calls)})
		}
		lists.Render()
	}

	if r.Race != nil {
		r.Race.print(out)
	}
	if r.CutOff != nil {
		r.CutOff.print(out)
	}
}

// printScans prints what scans took, and the bound that they kept.
func (r Report) printScans(out io.Writer) {
	fmt.Fprintln(out, "\nOne scan of an app. The heap is what is held at most beyond what was held before, while a page is in memory.")
	costs := sheet.Table(out, table.Row{"accounts", "listed", "ledger", "requests to the app", "transactions", "heap MiB", "bound", "resident MiB", "CPU", "took"})
	for _, c := range r.Scans {
		how := c.How
		if c.First {
			how += ", the first time"
		}
		costs.AppendRow(table.Row{
			c.Accounts, how, c.Store, mostFirst(c.App), mostFirst(c.Ledger), fmt.Sprintf("%.1f", scans.Mebibytes(c.Heap)), fmt.Sprintf("%.1f", scans.Mebibytes(c.HeapBound())),
			fmt.Sprintf("%.0f", scans.Mebibytes(c.Resident)), c.CPU.Round(100 * time.Millisecond), c.Took.Round(100 * time.Millisecond),
		})
	}
	costs.Render()
}

// printVendors prints the requests to each vendor for each change, and why they are the least.
func (r Report) printVendors(out io.Writer) {
	fmt.Fprintln(out, "\nHTTP requests to stand-ins of vendors for one change of one person, with the proof, once the worker knows the groups.")
	requests := sheet.Table(out, table.Row{"change", "vendor", "requests", "least", "above", "which"})
	for _, c := range r.Vendors {
		requests.AppendRow(table.Row{c.Change, c.Vendor, c.Total, c.Least, above(c.Total, c.Least), mostFirst(c.Calls)})
	}
	requests.Render()
	fmt.Fprintln(out, "The least is what the protocol allows. Where that is more than one would think:")
	for _, reason := range reasons {
		fmt.Fprintf(out, "- %s\n", reason)
	}
}

func (c Company) print(out io.Writer) {
	fmt.Fprintf(out, "\nThe history of %d people, %d events, in four vendors at once.\n", c.People, c.Events)
	if c.PerSecond > 0 {
		fmt.Fprintf(out, "The tightest quota of each vendor allows %g requests a second (less where it sees only some of them).\n", c.PerSecond)
	}
	if c.Faults > 0 {
		fmt.Fprintln(out, "Requests are refused and lost by chance, changes show late, and tokens end.")
	}
	fmt.Fprintln(out, "Late: answered with what was before a change, and so asked again. Above: what was answered truly, above the least. In one window: refused by one quota before it began anew, and how many may be.")
	totals := sheet.Table(out, table.Row{"vendor", "requests", "by quota", "faults", "late", "answered", "least", "above", "in one window", "waited", "which"})
	for _, v := range c.Vendors {
		totals.AppendRow(table.Row{
			v.Vendor, v.Total, v.ByQuota, v.Faults, v.Late, v.Answered(), v.Least, above(v.Answered(), v.Least),
			fmt.Sprintf("%d of %d", v.Pressed, v.Bearable), fmt.Sprintf("%d, %s", v.Waits, v.Waited.Round(time.Second)), mostFirst(v.Calls),
		})
	}
	totals.Render()
	fmt.Fprintf(out, "%d steps came to need an operator meanwhile, and were tried again.\n", c.Attention)
	fmt.Fprintf(out, "It took %s. In the end, %d accounts or memberships are not as policy says.\n", c.Took.Round(time.Second), len(c.Wrong))
	for _, wrong := range c.Wrong {
		fmt.Fprintf(out, "- %s\n", wrong)
	}
	if x := c.CutOffs; x != nil {
		fmt.Fprintf(out, "Cutting somebody off in the four: %s with nothing else to do (longest %s), %s while every quota is used up (longest %s),\n",
			millis(x.Idle.Median), millis(x.Idle.Max), millis(x.Amid.Median), millis(x.Amid.Max))
		fmt.Fprintf(out, "each for windows of up to %s. %d of %d joiners were still waiting after the last; %d requests were refused meanwhile.\n",
			x.Window, x.Left, x.Joiners, x.Refused)
		if len(x.Unused) > 0 {
			fmt.Fprintf(out, "The joiners did not use up the quotas of %s.\n", strings.Join(x.Unused, ", "))
		}
	}
}

// above says by how much a number is above the least.
func above(total, least int) string {
	return fmt.Sprintf("%+d %%", (100*(total-least)+least/2)/max(least, 1))
}

func (c CutOff) print(out io.Writer) {
	fmt.Fprintf(out, "\nCutting somebody off in %d apps that take %s for each call, from the record of it to the last proof:\n", c.Apps, c.AppTakes)
	fmt.Fprintf(out, "with nothing else to do, and with %d joiners queued. Only the ratio means anything.\n", c.Queued)
	kinds := sheet.Table(out, table.Row{"who is cut off", "idle", "longest", "among joiners", "longest", "ratio"})
	for _, k := range c.People {
		kinds.AppendRow(table.Row{k.Who, millis(k.Idle.Median), millis(k.Idle.Max), millis(k.Busy.Median), millis(k.Busy.Max), fmt.Sprintf("%.2f", k.Ratio)})
	}
	kinds.Render()
	fmt.Fprintf(out, "%d joiners were still queued after the last one; they were provisioned at %.0f a second meanwhile.\n", c.Left, c.JoinersAt)
}

func millis(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }

func (r Race) print(out io.Writer) {
	fmt.Fprintf(out, "\nFlows a second: joiners with %d apps in memory, bare workflows of %d activities that do nothing, and dressed ones:\n", r.Apps, r.Apps)
	fmt.Fprintf(out, "started by a signal, with summaries, and with search attributes that are written %d times, as a joiner's are.\n", r.Upserts)
	fmt.Fprintf(out, "%d flows a round, %d at a time, in turn, on the same server. Only the ratios mean anything.\n", r.Flows, r.Concurrency)
	rounds := sheet.Table(out, table.Row{"round", "tenure", "bare", "ratio", "dressed", "ratio"})
	for i, ratio := range r.Ratios {
		rounds.AppendRow(table.Row{i + 1, fmt.Sprintf("%.1f", r.Tenure.FlowsPerSecond[i]), fmt.Sprintf("%.1f", r.Bare.FlowsPerSecond[i]), fmt.Sprintf("%.2f", ratio),
			fmt.Sprintf("%.1f", r.Dressed.FlowsPerSecond[i]), fmt.Sprintf("%.2f", r.ToDressed[i])})
	}
	rounds.AppendSeparator()
	rounds.AppendRow(table.Row{"median", "", "", fmt.Sprintf("%.2f", r.Ratio), "", fmt.Sprintf("%.2f", r.DressedTo)})
	rounds.Render()
	tenure, bare, dressed := median(r.Tenure.CPUPerFlow), median(r.Bare.CPUPerFlow), median(r.Dressed.CPUPerFlow)
	fmt.Fprintf(out, "Processors' time for each flow, in the median, of this process (and so of the embedded server): joiners %.0f ms, bare workflows %.0f ms (%.2f), dressed ones %.0f ms (%.2f).\n",
		tenure, bare, bare/tenure, dressed, dressed/tenure)
	fmt.Fprintf(out, "State transitions under this load: joiners %s, bare workflows %s.\n", r.Transitions, r.BareTransitions)
}

// String is "15", or "17 (15-19)" where the values differ.
func (s Spread) String() string {
	if s.Min == s.Max {
		return fmt.Sprint(s.Median)
	}
	return fmt.Sprintf("%d (%d-%d)", s.Median, s.Min, s.Max)
}

// mostFirst lists counts, the most frequent first.
func mostFirst(counts map[string]int) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if d := counts[b] - counts[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%d %s", counts[name], name)
	}
	return strings.Join(names, ", ")
}
