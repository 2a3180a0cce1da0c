package main

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/operator/health"
	"github.com/tenurehq/tenure/service"
	"github.com/tenurehq/tenure/service/runs"
)

// statusView describes the state of all of Tenure.
type statusView struct {
	Well          bool          `json:"well"`
	At            time.Time     `json:"at"`
	Version       string        `json:"version"`
	Configuration string        `json:"configuration"` // the file
	Parts         []health.Part `json:"parts"`
}

func (c *cli) statusCommand() *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show whether all of Tenure is there and at work, and what needs somebody",
		Long: `Show in one screen whether all of Tenure is there and at work, and what needs
somebody: the workers of every task queue, the sweeper, the starters and what they
have not read yet, people whose due time has passed, steps that need attention, mass
changes that are held, deletions that wait for an approval, tasks that are overdue,
dead letters, and apps whose calls wait.

A part that does not answer says so, and hides no other. Nothing is changed. Exits
with 0 if all is well, and with 3 if something needs somebody or does not answer.`,
		Example: `  tenure status
  tenure status --timeout 5s
  tenure status -o json | jq -r '.parts[] | select(.state != "ok") | .part + ": " + .text'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := c.config(config.PartLedger)
			if err != nil {
				return err
			}
			// Without the secrets for Kafka, the rest is shown.
			withKafka, noKafka := c.config(config.PartKafka)
			if noKafka == nil {
				cfg = withKafka
			}
			v := viewStatus(cfg)
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			v.Parts = service.Health(cfg, noKafka).Parts(ctx)
			v.Well = len(health.Needy(v.Parts)) == 0
			if err := c.print(v, v.draw); err != nil {
				return err
			}
			if !v.Well {
				return errAttention
			}
			return nil
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 10*time.Second, "how `long` to wait for each part")
	return c.reads(cmd)
}

// viewStatus describes Tenure without its parts.
func viewStatus(cfg *config.Config) statusView {
	path, err := filepath.Abs(cfg.Path)
	if err != nil {
		path = cfg.Path
	}
	return statusView{At: cfg.Clock().Now(), Version: service.Version(), Configuration: path}
}

// draw shows one part in a line. It is no table: commands are there to be copied, and
// must not be broken into lines.
func (v statusView) draw(p *page) {
	p.fields(field{"configuration", v.Configuration}, field{"version", v.Version}, field{"now", words.Instant(v.At)})
	p.note("")
	width := 0
	for _, part := range v.Parts {
		width = max(width, len(part.Part))
	}
	for _, part := range v.Parts {
		pad := strings.Repeat(" ", max(0, len(health.Attention)-len(part.State)))
		p.note("%s%s  %-*s  %s", p.paint(string(part.State)), painted(pad), width, part.Part, strings.Join(strings.Fields(part.Text), " "))
		if part.Do != "" && part.State != health.OK {
			p.note("%s%s", painted(strings.Repeat(" ", len(health.Attention)+2+width+2)), part.Do)
		}
	}
	if names := health.Needy(v.Parts); len(names) > 0 {
		p.note("\nneeds somebody: %s", strings.Join(names, ", "))
		return
	}
	p.note("\nall is well")
}

func (c *cli) probeCommand() *cobra.Command {
	var alive bool
	cmd := &cobra.Command{
		Use:   "probe worker|starter",
		Short: "Ask the worker or the starter on this machine whether it is ready",
		Long: `Ask the worker or the starter on this machine whether it is ready, at the
address that the configuration gives under metrics. The exit status is 1 if it is
not, or does not answer.

It is what a container's health check runs: the image has no shell, and nothing
else that could ask.`,
		Example: `  tenure probe worker
  tenure probe starter --alive
  tenure probe starter -o json`,
		Args:      cobra.MatchAll(exactly("worker|starter"), cobra.OnlyValidArgs),
		ValidArgs: []string{"worker", "starter"},
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := c.config()
			if err != nil {
				return err
			}
			address := cfg.Metrics.Worker
			if args[0] == "starter" {
				address = cfg.Metrics.Starter
			}
			if address == "" {
				return usagef("%s: metrics.%s is not set, so that the %s answers no probes", cfg.Path, args[0], args[0])
			}
			v, err := service.AskProbe(cmd.Context(), address, alive)
			if err != nil {
				return fmt.Errorf("the %s does not answer: %w", args[0], err)
			}
			v.Process = args[0]
			if err := c.print(v, func(p *page) { drawProbe(p, v) }); err != nil {
				return err
			}
			if !v.Good {
				return fmt.Errorf("the %s is not ready", args[0])
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&alive, "alive", false, "ask instead whether a new process would help")
	return c.reads(cmd)
}

func drawProbe(p *page, v service.Probe) {
	p.table("", "check,answer", rowsOf(slices.Sorted(maps.Keys(v.Checks)), func(name string) []string {
		return []string{name, v.Checks[name]}
	}))
}

func (c *cli) uiCommand() *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use:   "ui",
		Short: "List the views of people's runs for the Temporal UI",
		Long: `List views of people's runs as links to the Temporal UI: who needs attention, who is
leaving, what is held, and everybody without the sweeper's own runs.

Opening a link once keeps the view, under its name, in the browser: that is where the UI
has its views and columns. It has no interface to set columns from outside; those worth
adding are TenureStage, TenureAttention, TenureNextAction and TenureNextDue.`,
		Example: `  tenure ui
  tenure ui --address https://temporal.example.com
  tenure ui -o json | jq -r '.[].link'`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			opts, err := service.TemporalOptions(zap.NewNop())
			if err != nil {
				return usagef("%w", err)
			}
			views, err := runs.Views(address, opts.Namespace)
			if err != nil {
				return usagef("--address wants the Temporal UI's URL, such as https://temporal.example.com")
			}
			return c.print(views, func(p *page) {
				for _, v := range views { // no table: a link that is broken cannot be opened
					p.note("%-18s %s", v.Name, v.Link)
				}
			})
		},
	}
	cmd.Flags().StringVar(&address, "address", "http://127.0.0.1:8233", "the Temporal UI's `URL`")
	return c.reads(cmd)
}
