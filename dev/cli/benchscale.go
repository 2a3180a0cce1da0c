package cli

import (
	"errors"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/dev/bench/scale"
	"github.com/tenurehq/tenure/dev/topology"
)

func benchScaleCommand() *cobra.Command {
	opts := scale.Standard()
	var out, bin string
	var commands, real bool
	var servers topology.Options
	command := &cobra.Command{
		Use:   "bench-scale",
		Short: "Measure what one more change costs as the company grows",
		Long: `Fill a ledger of each number of people, with retained leavers and the record of what
was done, and measure in one run what one more joiner, mover, leaver and sweep costs
there, how many bytes each person takes, and what the commands take that read.

The apps are in memory, and no Temporal runs: this is the ledger alone. If --server
has pg_stat_statements, it says which statements look at more blocks in a large
ledger, and how many blocks are due to deeper indexes. With --real, PostgreSQL and the Temporal server with its store there are started first
(see dev temporal). The report then says too which statements look at more blocks in
a large ledger. After each ledger, the run of each retained leaver is put to sleep in
Temporal, and the report has what one more joiner, mover, leaver and sweep asks of
Temporal's store.`,
		Example: `  make bench-scale
  make bench-scale BENCH_FLAGS="--people 1000,100000 --commands=false"
  make build-real && bin/dev bench-scale --real --people 1000,100000 --commands=false
  make bench-scale BENCH_FLAGS="--server postgres://postgres@127.0.0.1:5432/postgres"`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) (err error) {
			for _, n := range opts.People {
				if n < 20 || n%10 != 0 {
					return usageError{errors.New("--people must be multiples of ten, from 20 on")}
				}
			}
			if min(opts.Each, opts.Runs) < 1 {
				return usageError{errors.New("--each and --runs must be at least 1")}
			}
			if commands {
				if opts.Tenure, err = filepath.Abs(filepath.Join(bin, "tenure")); err != nil {
					return err
				}
			}
			opts.Progress = command.ErrOrStderr()
			if real {
				servers.Bin = bin
				if err := absolute(&servers); err != nil {
					return err
				}
				stop, err := scale.Servers(command.Context(), &opts, servers)
				if err != nil {
					return err
				}
				defer stop()
			}
			report, err := scale.Run(command.Context(), opts)
			if err != nil {
				return err
			}
			report.Print(command.OutOrStdout())
			return writeReport(out, report)
		},
	}
	set := command.Flags()
	set.StringVar(&out, "out", "bench-scale.json", "write the report to this `FILE`; empty writes none")
	set.StringVar(&bin, "bin", "bin", "the `DIR` with the program tenure")
	set.IntSliceVar(&opts.People, "people", opts.People, "the numbers of people")
	set.StringVar(&opts.Server, "server", "", "superuser's `URL` of a PostgreSQL server, on which databases tenure_scale_N are made anew; default: SQLite files")
	set.BoolVar(&real, "real", false, "start PostgreSQL and a Temporal server, and measure Temporal's store too; needs what make build-real makes")
	set.StringVar(&servers.Root, "root", ".", "the `DIR` of the checkout")
	set.IntVar(&opts.Asleep, "asleep", 0, "how many runs of leavers sleep in Temporal at most; 0: those of all leavers")
	set.DurationVar(&opts.AsleepFor, "asleep-for", opts.AsleepFor, "how long they may take to be started")
	set.IntVar(&opts.Runs, "runs", opts.Runs, "how many of each change are measured in Temporal")
	command.MarkFlagsMutuallyExclusive("real", "server")
	set.IntVar(&opts.Each, "each", opts.Each, "how many of each change are measured")
	set.BoolVar(&commands, "commands", true, "measure the commands that read")
	set.StringVar(&opts.Kept, "kept", "", "keep SQLite's files and the configuration in this `DIR`")
	return command
}
