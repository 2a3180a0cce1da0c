package cli

import (
	"errors"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tenurehq/tenure/dev/bench/provisioning"
	"github.com/tenurehq/tenure/dev/topology"
)

func benchWorkersCommand() *cobra.Command {
	opts := provisioning.ManyOptions{Numbers: []int{1, 2, 4, 8}, Apps: 5, Rate: 10}
	size := provisioning.Size{People: 60, Moves: 60, Leavers: 20, Seed: 1}
	var out string
	command := &cobra.Command{
		Use:   "bench-workers",
		Short: "Compare numbers of workers and starters on PostgreSQL",
		Long: `Hire, move and dismiss the same people with each number of workers, and as many
starters, on servers that are started anew for each: Kafka, PostgreSQL with the
ledger and Temporal's store, and the Temporal server. The report has steps a second,
also as a ratio to those of the first number; waits for locks, deadlocks, and
transactions that could not be serialized; and the most calls of each app in any
second and in any ten seconds, while it has a rate. In the end every account is
compared with the file. The command fails if anything differs, if more calls came in
any ten seconds than ten times the rate, or in any second more than the rate and a
tenth of it (at least one).

A sixth of the people are hired first, while each app has a rate; the others without.
Servers and processes share the machine's processors: on two processors, more workers
cannot do more, and the ratio tells only how much they get in each other's way.

It needs what ` + "`make build-real`" + ` and ` + "`scripts/test-real fetch`" + ` make.`,
		Example: `  make build-real && scripts/test-real fetch
  bin/dev bench-workers
  bin/dev bench-workers --numbers 1,2 --people 12 --moves 6 --leavers 4`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) (err error) {
			if len(opts.Numbers) == 0 || slices.Min(opts.Numbers) < 1 || opts.Apps < 1 || opts.Rate < 1 || size.People < 2 {
				return usageError{errors.New("--numbers, --apps and --rate must be at least 1, and --people 2")}
			}
			if opts.File, err = provisioning.Make(size); err != nil {
				return usageError{err}
			}
			if err := absolute(&opts.Topology); err != nil {
				return err
			}
			opts.Progress = command.ErrOrStderr()
			report, err := provisioning.RunMany(command.Context(), opts)
			if err != nil {
				return err
			}
			report.Print(command.OutOrStdout())
			if err := writeReport(out, report); err != nil {
				return err
			}
			if len(report.Wrong()) > 0 {
				return errors.New("something is wrong: see above")
			}
			return nil
		},
	}
	set := command.Flags()
	set.StringVar(&out, "out", "bench-workers.json", "write the report to this `FILE`; empty writes none")
	set.IntSliceVar(&opts.Numbers, "numbers", opts.Numbers, "how many workers, and as many starters")
	set.IntVar(&opts.Apps, "apps", opts.Apps, "in how many apps everybody has an account")
	set.IntVar(&opts.Rate, "rate", opts.Rate, "how many calls a second each app allows while the first people are hired")
	set.IntVar(&size.People, "people", size.People, "how many people are hired")
	set.IntVar(&size.Moves, "moves", size.Moves, "how many of them move to another department")
	set.IntVar(&size.Leavers, "leavers", size.Leavers, "how many of them leave")
	set.Uint64Var(&size.Seed, "seed", size.Seed, "what the people depend on")
	set.DurationVar(&opts.Stall, "stall", 2*time.Minute, "give up when nothing has happened for this time")
	topologyFlags(set, &opts.Topology)
	kafkaFlag(set, &opts.Topology)
	return command
}

// topologyFlags says where what a topology needs is found.
func topologyFlags(set *pflag.FlagSet, o *topology.Options) {
	set.StringVar(&o.Bin, "bin", "bin", "the `DIR` with the programs")
	set.StringVar(&o.Root, "root", ".", "the `DIR` of the checkout")
}

// kafkaFlag says where Kafka is found, for a topology that has it.
func kafkaFlag(set *pflag.FlagSet, o *topology.Options) {
	set.StringVar(&o.KafkaLibs, "kafka-libs", filepath.Join(".real", "kafka", "libs"), "the `DIR` with Kafka's jars")
}

// absolute makes these paths absolute: processes of a topology run elsewhere.
func absolute(o *topology.Options) (err error) {
	for _, path := range []*string{&o.Bin, &o.Root, &o.KafkaLibs, &o.Scimmy} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	return nil
}
