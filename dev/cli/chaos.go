package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/dev/chaos"
)

func chaosCommand() *cobra.Command {
	opts := chaos.Options{Seed: 20260105}
	opts.Topology.Workers, opts.Topology.Starters, opts.Topology.Allowed = 2, 2, 1
	var names []string
	var out string
	var resume bool
	command := &cobra.Command{
		Use:   "chaos",
		Short: "Kill and stop every part in turn, and see that no account is wrong",
		Long: `Kill and stop every part of a whole installation in turn, while a company's
history goes in, and see that no account is wrong at the end, nothing is lost and
nothing done twice.

Records that nobody can read are among the history, and the breaker holds whoever
leaves beyond a few, until an operator, who is part of it, releases them. The operator
also asks for access and has it approved, has apps scanned, and holds reviews that close
and revoke what was granted.

Kafka, PostgreSQL, Temporal, two workers, two starters and three apps run as
processes of their own. Faults are "kill" (and start again at once), "stop" and
"pause" (connections stay open) for the length of an outage. All kills share one
history; each other fault has its own. The table is also written to a file, after
each history; --resume leaves out what passed in it.`,
		Example: `  make chaos
  make chaos CHAOS_FLAGS="--resume"
  make chaos CHAOS_FLAGS="--faults 'stop kafka,pause temporal' --people 200 --outage 30s"
  make chaos CHAOS_FLAGS="--faults kill,stop --together --events company.jsonl"`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) (err error) {
			if opts.Faults, err = chaos.Choose(names); err != nil {
				return usageError{err}
			}
			if err := absolute(&opts.Topology); err != nil {
				return err
			}
			began := time.Now()
			opts.Progress = func(line string) {
				fmt.Fprintf(command.ErrOrStderr(), "%8s  %s\n", time.Since(began).Round(time.Second), line)
			}
			opts.Topology.Progress = opts.Progress
			var rows []chaos.Row
			if resume {
				if rows, err = chaos.Load(out); err != nil {
					return err
				}
				rows = slices.DeleteFunc(rows, func(r chaos.Row) bool { return !r.Good() })
				opts.Faults = slices.DeleteFunc(opts.Faults, func(f chaos.Fault) bool {
					return slices.ContainsFunc(rows, func(r chaos.Row) bool { return r.Fault == f.String() })
				})
			}
			bad := false
			var saveErr error
			err = chaos.Run(command.Context(), opts, func(r chaos.Row) {
				rows, bad = append(rows, r), bad || !r.Good()
				saveErr = errors.Join(saveErr, chaos.Save(out, rows))
			})
			chaos.Print(command.OutOrStdout(), rows)
			if err := errors.Join(err, saveErr); err != nil {
				return err
			}
			if bad {
				return errors.New("something is wrong: see above")
			}
			return nil
		},
	}
	set := command.Flags()
	set.StringSliceVar(&names, "faults", []string{"kill", "stop", "pause"}, "which `FAULTS`: kill, stop, pause, each alone or with a process")
	set.IntVar(&opts.People, "people", 1000, "how many people the company has")
	set.Uint64Var(&opts.Seed, "seed", opts.Seed, "what the company's history depends on")
	set.StringVar(&opts.Events, "events", "", "`FILE` with another history, one structured CloudEvent a line")
	set.BoolVar(&opts.Together, "together", false, "all faults in one history")
	set.DurationVar(&opts.Outage, "outage", 2*time.Minute, "how long what is stopped is away")
	set.DurationVar(&opts.Calm, "calm", 15*time.Second, "how long events come before and after each fault")
	set.DurationVar(&opts.Patience, "patience", 10*time.Minute, "how long it may take to settle after the last event")
	set.StringVar(&out, "out", "chaos.json", "write the table to this `FILE`")
	set.BoolVar(&resume, "resume", false, "leave out the faults that have passed in the file")
	topologyFlags(set, &opts.Topology)
	kafkaFlag(set, &opts.Topology)
	set.StringVar(&opts.Topology.Scimmy, "scimmy", filepath.Join(".real", "scimmy"), "the `DIR` with SCIMMY")
	set.BoolVar(&opts.Topology.SQLite, "sqlite", false, "the ledger in a file, and not on PostgreSQL")
	set.BoolVar(&opts.Topology.Secure, "secure", false, "Kafka with SASL over TLS, Temporal with client certificates and an API key")
	return command
}
