package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/internal/checkup"
	"github.com/tenurehq/tenure/internal/visible"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger/open"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/service"
)

func (c *cli) configCommand() *cobra.Command {
	return noun("config", "Check the configuration", c.configCheckCommand())
}

func (c *cli) configCheckCommand() *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check the configuration, and show what it says or all that is wrong with it",
		Long: `Check the configuration, and show what it says or all that is wrong with it.

Everything that can be known without calling anybody is checked: unknown keys,
missing secrets, every expression, every app that a role names, attributes and
entitlements that a kind of app does not have. Nothing secret is printed. The exit
status is 2 if anything is wrong, and 3 if something is probably a mistake: secrets
that are written into the file, an app that no role grants, required attributes
that are not mapped.

With --without-secrets, secrets and the files of certificates may be missing, as they
are where a configuration is reviewed, such as in CI. Everything else is checked.

With --connect, Kafka, Temporal and the ledger are checked too: whether each can be
reached, as whom, and what is missing there, with the command that helps; and whether
workers take the tasks of every queue that these apps need.
Nothing is changed: no group is joined, no record written, no schema migrated.
Run it where starter and worker run, with their environment. The exit status is
1 if one of the three is not reached, and 3 if something is missing, or cannot
be found out.`,
		Example: `  tenure config check
  tenure config check --config staging.yaml
  tenure config check --config production.yaml --without-secrets
  tenure config check --connect --timeout 5s -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := c.config(o.parts()...)
			if err != nil {
				return err
			}
			check := open.CheckURL
			if o.withoutSecrets {
				check = open.CheckForm
			}
			if err := check(cfg.Ledger.URL); err != nil {
				return usagef("%w (ledger.url in %s)", err, cfg.Path)
			}
			v := viewConfig(cfg)
			if o.connect {
				if v.Systems, err = o.look(cmd.Context(), cfg); err != nil {
					return err
				}
			}
			err = verdict(v.Systems)
			if err == nil && len(v.Warnings) > 0 {
				err = errAttention
			}
			return errors.Join(c.print(v, v.draw), err)
		},
	}
	cmd.Flags().BoolVar(&o.withoutSecrets, "without-secrets", false, "do without secrets and the files of certificates")
	cmd.Flags().BoolVar(&o.connect, "connect", false, "look at Kafka, Temporal and the ledger too")
	cmd.Flags().DurationVar(&o.timeout, "timeout", 15*time.Second, "how `long` to wait for each of them")
	cmd.MarkFlagsMutuallyExclusive("connect", "without-secrets")
	return c.reads(cmd)
}

// configView describes a configuration, without its secrets.
type configView struct {
	Path    string            `json:"path"`
	Brokers []string          `json:"brokers"`
	Group   string            `json:"group"`
	Topics  []topicView       `json:"topics"`
	Hooks   []endpointView    `json:"webhooks,omitempty"`
	Ledger  string            `json:"ledger"` // its kind: the whole URL may hold a password
	Apps    map[string]string `json:"apps"`   // connectors by name
	Audit   auditView         `json:"audit"`

	Warnings []string         `json:"warnings,omitempty"` // what is probably a mistake, and where
	Systems  []checkup.Report `json:"systems,omitempty"`  // with --connect
}

type topicView struct {
	Name        string `json:"name"`
	Source      string `json:"source"`
	DeadLetters string `json:"deadLetters"`
	channelView
}

// channelView describes what a topic or an endpoint may say, and for whom.
type channelView struct {
	Sources []string `json:"sources"`
	Types   []string `json:"types"`
}

func viewChannel(c source.Channel) channelView { return channelView{c.SpeaksFor(), c.Says()} }

type endpointView struct {
	Path  string `json:"path"`
	Topic string `json:"topic"`
	channelView
}

// auditView describes the log of the audit record.
type auditView struct {
	Log    string `json:"log"`
	Signed bool   `json:"signed"`
	Places int    `json:"places"` // where checkpoints are published
}

func (v auditView) String() string {
	signed, published := "signed", "published to "+words.Count(v.Places, "place")
	if !v.Signed {
		signed = "not signed (tenure audit key makes a key)"
	}
	if v.Places == 0 {
		published = "published nowhere (audit.publish)"
	}
	return v.Log + ": checkpoints are " + signed + ", and " + published
}

func viewConfig(cfg *config.Config) configView {
	kind, _, _ := strings.Cut(cfg.Ledger.URL, ":")
	if kind == "" {
		kind = "as its secret says"
	}
	v := configView{
		Path: cfg.Path, Brokers: cfg.Kafka.Brokers, Group: cfg.Kafka.Group,
		Topics: []topicView{}, Ledger: kind, Apps: map[string]string{},
	}
	for _, t := range cfg.Kafka.Topics {
		v.Topics = append(v.Topics, topicView{t.Name, t.Source, t.DeadLetters, viewChannel(t.Channel)})
	}
	if cfg.Webhooks != nil {
		for _, e := range cfg.Webhooks.Endpoints {
			v.Hooks = append(v.Hooks, endpointView{e.Path, e.Topic, viewChannel(e.Channel)})
		}
	}
	v.Audit = auditView{Log: cfg.Audit.Origin, Signed: !cfg.Audit.Key.IsZero(), Places: len(cfg.Audit.Publish)}
	for _, w := range cfg.Warnings {
		v.Warnings = append(v.Warnings, w.Error())
	}
	for name, app := range cfg.Apps {
		v.Apps[name] = app.Connector
	}
	return v
}

func (v configView) draw(p *page) {
	if len(v.Warnings) == 0 {
		p.note("%s is good.\n", v.Path)
	} else {
		p.note("%s can be used, and is probably not what is meant:", v.Path)
		for _, w := range v.Warnings {
			p.note("  %s", w)
		}
		p.note("")
	}
	p.fields(field{"brokers", strings.Join(v.Brokers, ", ")}, field{"group", v.Group}, field{"ledger", v.Ledger}, field{"audit record", v.Audit.String()})
	p.table("Topics", "topic,source,dead letters,speaks for,may say", rowsOf(v.Topics, func(t topicView) []string {
		return []string{t.Name, t.Source, t.DeadLetters, strings.Join(t.Sources, " "), strings.Join(t.Types, " ")}
	}))
	if len(v.Hooks) > 0 {
		p.table("Webhooks", "path,topic,speaks for,may say", rowsOf(v.Hooks, func(e endpointView) []string {
			return []string{e.Path, e.Topic, strings.Join(e.Sources, " "), strings.Join(e.Types, " ")}
		}))
	}
	p.table("Apps", "app,connector", rowsOf(slices.Sorted(maps.Keys(v.Apps)), func(name string) []string {
		return []string{name, v.Apps[name]}
	}))
	for _, r := range v.Systems {
		drawReport(p, r)
	}
}

// checkOptions holds the flags of config check.
type checkOptions struct {
	connect        bool
	timeout        time.Duration
	withoutSecrets bool
}

// parts returns the parts of the configuration whose secrets are needed.
func (o checkOptions) parts() []config.Part {
	if o.withoutSecrets {
		return nil
	}
	return config.Parts()
}

// look asks all systems that Tenure depends on, at once.
func (o checkOptions) look(ctx context.Context, cfg *config.Config) ([]checkup.Report, error) {
	cluster, err := service.Cluster(cfg.Kafka)
	if err != nil {
		return nil, usagef("%w", err)
	}
	topics := make([]broker.Topic, len(cfg.Kafka.Topics))
	for i, t := range cfg.Kafka.Topics {
		topics[i] = broker.Topic{Name: t.Name, DeadLetters: t.DeadLetters}
	}
	looks := []func(context.Context) checkup.Report{
		func(ctx context.Context) checkup.Report { return cluster.Probe(ctx, topics, cfg.Kafka.Group) },
		func(ctx context.Context) checkup.Report {
			return service.CheckTemporal(ctx, zap.NewNop(), slices.Sorted(maps.Keys(cfg.Apps)))
		},
		func(ctx context.Context) checkup.Report {
			r := open.Check(ctx, cfg.Ledger.URL)
			checkLogName(ctx, cfg, &r)
			return r
		},
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	reports := make([]checkup.Report, len(looks))
	var all sync.WaitGroup
	for i, look := range looks {
		all.Go(func() { reports[i] = look(ctx) })
	}
	all.Wait()
	return reports, nil
}

// checkLogName compares the name of the audit record's log with the name that its newest checkpoint
// has. It looks only if opening the ledger changes nothing.
func checkLogName(ctx context.Context, cfg *config.Config, r *checkup.Report) {
	if !slices.ContainsFunc(r.Findings, func(f checkup.Finding) bool { return f.About == "schema" && f.Verdict == checkup.OK }) {
		return
	}
	const about = "audit record"
	unknown := func(err error) {
		r.Add(about, checkup.Unknown, "its log cannot be read: "+err.Error(), "tenure audit verify")
	}
	l, err := open.Open(ctx, cfg.Ledger.URL)
	if err != nil {
		unknown(err)
		return
	}
	defer func() { _ = l.Close() }() // it was read
	head, err := (&operator.Viewer{Ledger: l}).RecordHead(ctx)
	switch {
	case head.Note == "": // it has no name yet
		return
	case err != nil:
		unknown(err)
		return
	}
	name := head.Origin
	if _, same := audit.EpochOf(cfg.Audit.Origin, name); !same {
		r.Add(about, checkup.Missing, fmt.Sprintf("its log is called %s, and audit.origin is %s: with another name, its checkpoints are taken for those of another log", visible.Line(name), visible.Line(cfg.Audit.Origin)),
			"write the name that the log has: audit.origin: "+visible.Quoted(regexp.MustCompile(`/[0-9]+$`).ReplaceAllString(name, "")))
		return
	}
	r.Add(about, checkup.OK, "its log is called "+visible.Line(name), "")
}

// verdict returns the error that ends the command: a failure if a system is not reached,
// attention if something there needs somebody.
func verdict(reports []checkup.Report) error {
	var unreached []string
	needsSomebody := false
	for _, r := range reports {
		if !r.Reached {
			unreached = append(unreached, r.System)
		}
		needsSomebody = needsSomebody || r.Count(checkup.Missing)+r.Count(checkup.Unknown) > 0
	}
	switch {
	case len(unreached) > 0:
		return fmt.Errorf("not reached: %s", strings.Join(unreached, ", "))
	case needsSomebody:
		return errAttention
	default:
		return nil
	}
}

// drawReport shows what was found at a system. It is no table: commands are there to be
// copied, and must not be broken into lines.
func drawReport(p *page, r checkup.Report) {
	as := ""
	if r.Identity != "" {
		as = " as " + r.Identity
	}
	if !r.Reached {
		p.note("\n%s at %s%s: %s", r.System, r.Address, as, p.paint("not reached"))
		for line := range strings.Lines(r.Problem) {
			p.note("  %s", strings.TrimSpace(line))
		}
	} else {
		p.note("\n%s at %s%s: %s", r.System, r.Address, as, p.paint("reached"))
	}
	for _, f := range r.Findings {
		pad := strings.Repeat(" ", max(0, len(checkup.Unknown)-len(f.Verdict)))
		p.note("  %s%s  %s: %s", p.paint(string(f.Verdict)), pad, f.About, f.Text)
		if f.Do != "" && f.Verdict != checkup.OK {
			p.note("           %s", f.Do)
		}
	}
}
