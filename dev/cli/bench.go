package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/dev/bench"
)

func benchCommand() *cobra.Command {
	opts := bench.Standard()
	var out string
	command := &cobra.Command{
		Use:   "bench",
		Short: "Count what changes cost, and compare with bare workflows",
		Long: `Count what a joiner, a mover and a leaver cost in history events, state
transitions and calls to apps, and compare the flows per second of joiners with
those of bare workflows on the same server, which runs in memory. Then people are cut off:
with nothing else to do, and while ten thousand joiners are queued. Before all that, apps of
ten thousand and a hundred thousand accounts are scanned: what that costs the app and the
ledger, and how much memory it takes. The command fails if that is more than the bound.

Counts are what to watch. Times depend on the machine; only their ratio means
anything.`,
		Example: `  make bench
  make bench BENCH_FLAGS="--rounds 5 --flows 500"
  make bench BENCH_FLAGS="--apps 1 --people 1 --race-apps 0 --queued 0 --vendors=false --company 1000"
  make bench BENCH_FLAGS="--scans 1000000"
  make bench BENCH_FLAGS="--apps 1 --people 1 --race-apps 0"      # only the cutting off`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if min(opts.People, opts.Flows, opts.Concurrency, opts.Rounds) < 1 {
				return usageError{fmt.Errorf("--people, --flows, --concurrency and --rounds must be at least 1")}
			}
			opts.Progress = command.ErrOrStderr()
			report, err := bench.Run(command.Context(), opts)
			if err != nil {
				return err
			}
			report.Print(command.OutOrStdout())
			if err := writeReport(out, report); err != nil {
				return err
			}
			if report.Company != nil && len(report.Company.Wrong) > 0 {
				return errors.New("the vendors are not as policy says")
			}
			return nil
		},
	}
	set := command.Flags()
	set.StringVar(&out, "out", "bench.json", "write the report to this `FILE`; empty writes none")
	set.IntSliceVar(&opts.Apps, "apps", opts.Apps, "count with these numbers of apps")
	set.IntVar(&opts.People, "people", opts.People, "how many people to count a change with")
	set.StringVar(&opts.Postgres, "postgres", "", "`URL` of a PostgreSQL server on which what the ledger asks is counted too, with a role that may create databases")
	set.IntVar(&opts.CutOff.Queued, "queued", opts.CutOff.Queued, "how many joiners are queued while people are cut off; 0 leaves it out")
	set.BoolVar(&opts.Vendors, "vendors", opts.Vendors, "count the requests to stand-ins of vendors for each change")
	set.IntVar(&opts.Company.People, "company", opts.Company.People, "how many people's history is driven into stand-ins of vendors; 0 leaves it out")
	set.Float64Var(&opts.Company.PerSecond, "company-quota", opts.Company.PerSecond, "how many requests a `second` the tightest quota of each vendor allows; 0 sets no quotas")
	set.Float64Var(&opts.Company.Faults, "company-faults", opts.Company.Faults, "multiplies how often requests to vendors fail; 0 has none fail, and nothing show late")
	set.IntSliceVar(&opts.Scans.Accounts, "scans", opts.Scans.Accounts, "scan apps with these numbers of accounts; 0 leaves it out")
	set.StringVar(&opts.Scans.Ledger, "scan-ledger", "", "`URL` of an empty ledger for the last of --scans; default: a SQLite file")
	set.IntVar(&opts.Listed, "listed", opts.Listed, "how many accounts of stand-ins of vendors are listed; 0 leaves it out")
	set.DurationVar(&opts.CutOff.Takes, "app-takes", opts.CutOff.Takes, "how `long` each call to an app takes while people are cut off")
	set.StringVar(&opts.Temporal, "temporal", "", "`HOST:PORT` of a Temporal server to use instead of the embedded one, such as one with a database of its own")
	set.IntVar(&opts.RaceApps, "race-apps", opts.RaceApps, "how many apps to compare flows per second with; 0 leaves it out")
	set.IntVar(&opts.Flows, "flows", opts.Flows, "how many flows a round has")
	set.IntVar(&opts.Concurrency, "concurrency", opts.Concurrency, "how many flows run at a time")
	set.IntVar(&opts.Rounds, "rounds", opts.Rounds, "how many rounds there are, after one that warms up")
	set.StringVar(&opts.CPUProfile, "cpu-profile", "", "write a CPU profile of the last round of joiners to this `FILE`")
	return command
}

func writeReport(path string, report any) error {
	if path == "" {
		return nil
	}
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o600)
}
