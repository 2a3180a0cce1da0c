package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tenurehq/tenure/dev/company"
	"github.com/tenurehq/tenure/hr"
)

func companyCommand() *cobra.Command {
	opts := company.Typical(1, 100)
	var expect string
	command := &cobra.Command{
		Use:   "company",
		Short: "Make up a company's history and print its HR events",
		Long: `Make up a company's history and print its HR events, one structured CloudEvent a
line, in the order in which they arrive. The same flags make the same history.`,
		Example: `  dev company --people 1000 --seed 7 | tenure event send -
  dev company --people 1000 --seed 7 --expect 2026-06-30T00:00:00Z`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if expect == "" {
				return company.Generate(opts).WriteEvents(command.OutOrStdout())
			}
			at, err := time.Parse(time.RFC3339, expect)
			if err != nil {
				return usageError{fmt.Errorf("--expect: %q is not an instant such as 2026-06-30T00:00:00Z", expect)}
			}
			return company.WriteExpected(command.OutOrStdout(), company.Generate(opts).Expected(at))
		},
	}
	set := command.Flags()
	set.Uint64Var(&opts.Seed, "seed", opts.Seed, "what the history depends on")
	set.IntVar(&opts.People, "people", opts.People, "how many people")
	set.Var((*dateFlag)(&opts.Start), "start", "first `DATE` on which something changes (default 2026-01-01)")
	set.IntVar(&opts.Days, "days", 365, "how many days things go on changing")
	set.Float64Var(&opts.Pace, "pace", 1, "how many times as often as usual things happen")
	for _, share := range []struct {
		value *float64
		flag  string
		what  string
	}{
		{&opts.Pending, "pending", "share of people who start only after the last day"},
		{&opts.Corrections, "corrections", "chance of an event to be told wrong first"},
		{&opts.Rescinds, "rescinds", "chance of a person to have something told of them that never was"},
		{&opts.Overtaken, "overtaken", "chance of a leaver to have a later move announced"},
		{&opts.Duplicates, "duplicates", "chance of an event to arrive twice"},
		{&opts.Disorder, "disorder", "share of events that arrive out of order"},
	} {
		set.Float64Var(share.value, share.flag, *share.value, share.what)
	}
	set.StringVar(&opts.Source, "source", "", "CloudEvents source of the events (default /hr/made-up-company)")
	set.StringVar(&expect, "expect", "", "print where everybody must stand at this `INSTANT`, not the events")
	return command
}

// dateFlag lets a flag take a date.
type dateFlag hr.Date

var _ pflag.Value = (*dateFlag)(nil)

func (d *dateFlag) String() string { return hr.Date(*d).String() }

func (d *dateFlag) Type() string { return "date" }

func (d *dateFlag) Set(text string) error {
	date, err := hr.ParseDate(text)
	*d = dateFlag(date)
	return err
}
