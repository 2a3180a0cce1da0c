package cli

import (
	"errors"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/dev/bench/intake"
)

func benchIngestCommand() *cobra.Command {
	opts := intake.Standard()
	var out, bin string
	command := &cobra.Command{
		Use:   "bench-ingest",
		Short: "Measure ingestion against what it could be at best",
		Long: `Measure ingestion, each thing in turns with the best that it could be, in the
same run on the same servers:

  replay  reading a topic again, of which everything was applied, against a bare
          consumer of kafka-go that only reads and commits
  accept  new events (ledger, signal-with-start, commit) against nothing but the
          calls of signal-with-start, at the same concurrency
  scale   new events by partitions and by starters, which are processes
  memory  of a starter over a million records, and with large records while
          Temporal does not answer

A number of events of 0 leaves its part out. Only ratios mean anything: the
servers and what is measured share the machine.`,
		Example: `  make bench-ingest
  make bench-ingest BENCH_FLAGS="--accept 0 --scale 0 --memory 0 --rounds 7"
  make bench-ingest BENCH_FLAGS="--brokers 127.0.0.1:9092"`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) (err error) {
			if min(opts.Partitions, opts.Rounds, opts.Concurrency) < 1 {
				return usageError{errors.New("--partitions, --rounds and --concurrency must be at least 1")}
			}
			if opts.Starter, err = filepath.Abs(filepath.Join(bin, "starter")); err != nil {
				return err
			}
			opts.Progress = command.ErrOrStderr()
			report, err := intake.Run(command.Context(), opts)
			if err != nil {
				return err
			}
			report.Print(command.OutOrStdout())
			return writeReport(out, report)
		},
	}
	set := command.Flags()
	set.StringVar(&out, "out", "bench-ingest.json", "write the report to this `FILE`; empty writes none")
	set.StringVar(&bin, "bin", "bin", "the `DIR` with the starter")
	set.StringSliceVar(&opts.Brokers, "brokers", nil, "`HOST:PORT` of brokers of a cluster to use instead of the embedded one")
	set.StringVar(&opts.Temporal, "temporal", "", "`HOST:PORT` of a Temporal server to use instead of the embedded one, such as one with a database of its own")
	set.IntVar(&opts.Replay, "replay", opts.Replay, "how many events the topic that is read again has; 0 leaves it out")
	set.IntVar(&opts.Accept, "accept", opts.Accept, "how many new events a round has; 0 leaves it out")
	set.IntVar(&opts.Scale, "scale", opts.Scale, "how many new events each number of partitions and starters gets; 0 leaves it out")
	set.IntVar(&opts.Memory, "memory", opts.Memory, "how many records a starter reads that is watched; 0 leaves it out")
	set.IntVar(&opts.Partitions, "partitions", opts.Partitions, "of the topics, where they do not vary")
	set.IntVar(&opts.Rounds, "rounds", opts.Rounds, "how many rounds there are, after one that warms up")
	set.IntVar(&opts.Concurrency, "concurrency", opts.Concurrency, "how many calls of Temporal are under way at once")
	set.StringVar(&opts.CPUProfile, "cpu-profile", "", "write a CPU profile of the last round of each comparison to this `FILE`")
	return command
}
