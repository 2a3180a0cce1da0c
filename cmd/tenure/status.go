package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
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

// probePatience bounds how long one probe may take: the processes answer within
// five seconds, whatever hangs.
const probePatience = 6 * time.Second

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
			path := "/readyz"
			if alive {
				path = "/healthz"
			}
			v, err := ask(cmd.Context(), address, path)
			if err != nil {
				return fmt.Errorf("the %s does not answer: %w", args[0], err)
			}
			v.Process = args[0]
			if err := c.print(v, v.draw); err != nil {
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

// probeView describes a process, as it answers a probe.
type probeView struct {
	Process string            `json:"process"`
	Address string            `json:"address"`
	Good    bool              `json:"good"`
	Checks  map[string]string `json:"checks"` // "ok", or what is wrong
}

// ask probes a process by the address on which it listens: on loopback, if it listens on
// every one.
func ask(ctx context.Context, listens, path string) (v probeView, err error) {
	host, port, err := net.SplitHostPort(listens)
	if err != nil {
		return v, err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	v.Address = net.JoinHostPort(host, port)
	ctx, cancel := context.WithTimeout(ctx, probePatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+v.Address+path, nil)
	if err != nil {
		return v, err
	}
	direct := &http.Transport{DisableKeepAlives: true} // and by no proxy
	answer, err := direct.RoundTrip(request)
	if err != nil {
		return v, err
	}
	err = json.NewDecoder(answer.Body).Decode(&v.Checks)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return v, fmt.Errorf("%s%s is no probe of ours: %w", v.Address, path, err)
	}
	v.Good = answer.StatusCode == http.StatusOK
	return v, nil
}

func (v probeView) draw(p *page) {
	p.table("", "check,answer", rowsOf(slices.Sorted(maps.Keys(v.Checks)), func(name string) []string {
		return []string{name, v.Checks[name]}
	}))
}

// uiView is a list of runs that is worth keeping in the Temporal UI.
type uiView struct {
	Name  string `json:"name"`
	Query string `json:"query"`
	Link  string `json:"link"`
}

// uiViews lists the views that "tenure ui" offers, the best to begin with first.
var uiViews = []uiView{
	{Name: "People", Query: "WorkflowId STARTS_WITH 'person:'"},
	{Name: "Needs attention", Query: "TenureStage = 'attention' AND ExecutionStatus = 'Running'"},
	{Name: "Waits for a human", Query: "TenureStage = 'waiting' AND ExecutionStatus = 'Running'"},
	{Name: "Held", Query: "TenureStage = 'held' AND ExecutionStatus = 'Running'"},
	{Name: "Urgent, not done", Query: "TenureUrgency = 'urgent' AND TenureStage != 'done' AND ExecutionStatus = 'Running'"},
	{Name: "Leaving now", Query: "WorkflowType = 'Leaver' AND ExecutionStatus = 'Running'"},
	{Name: "Will start", Query: "TenureNextAction = 'start' AND ExecutionStatus = 'Running'"},
	{Name: "Will be deleted", Query: "TenureNextAction STARTS_WITH 'delete' AND ExecutionStatus = 'Running'"},
	{Name: "Ended by hand", Query: "WorkflowId STARTS_WITH 'person:' AND ExecutionStatus IN ('Terminated', 'Canceled')"},
	{Name: "Sweeps", Query: "WorkflowType = 'Sweep'"},
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
			views, err := linkedViews(address, opts.Namespace)
			if err != nil {
				return err
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

// linkedViews returns the views with links to the UI at an address.
func linkedViews(address string, namespace string) ([]uiView, error) {
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, usagef("--address wants the Temporal UI's URL, such as https://temporal.example.com")
	}
	views := make([]uiView, len(uiViews))
	for i, v := range uiViews {
		link := base.JoinPath("namespaces", namespace, "workflows")
		// A space is written as %20: the links are pasted into chats and pages too.
		link.RawQuery = strings.ReplaceAll(url.Values{"query": {v.Query}, "savedQuery": {v.Name}}.Encode(), "+", "%20")
		v.Link = link.String()
		views[i] = v
	}
	return views, nil
}
