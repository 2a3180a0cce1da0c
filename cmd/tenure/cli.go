package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/running"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/open"
	"github.com/tenurehq/tenure/notice"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/service"
	"github.com/tenurehq/tenure/service/apps"
)

// terminal holds the streams that a command reads and writes.
type terminal struct {
	in             io.Reader
	out, err       io.Writer
	outTTY, errTTY bool
}

// cli holds the state of one invocation of the program.
type cli struct {
	terminal
	configPath string
	output     format
	limit      int // how many entries of a list are shown; 0: all

	started bool           // flags and arguments were understood
	cfg     *config.Config // see config
	parts   []config.Part  // the parts whose secrets were loaded
}

// execute runs one invocation and returns its exit code.
func execute(ctx context.Context, t terminal, args []string) int {
	c := &cli{terminal: t, output: formatTable}
	root := c.root() //nolint:contextcheck // commands get their context from cobra
	root.SetArgs(args)
	root.SetIn(t.in)
	root.SetOut(console{t.out})
	root.SetErr(console{t.err})
	err := root.ExecuteContext(ledger.WithLogin(ctx, machineLogin()))
	switch {
	case err == nil:
		return service.ExitDone
	case errors.Is(err, errAttention):
		return service.ExitAttention
	}
	if c.cfg != nil && c.configPath == "" && !strings.Contains(err.Error(), c.cfg.Path) {
		t.tell("configuration: %s\n", c.cfg.Path) // it may be the wrong file
	}
	t.tell("tenure: %s\n", err)
	if !c.started || service.IsUsageError(err) {
		return service.ExitUsage
	}
	return service.ExitFailed
}

// errAttention ends a command that did what it was asked to do, and that found or left
// something for a human. It is not printed: the command has said what needs attention.
var errAttention = errors.New("needs attention")

// usagef returns an error that only other arguments or another configuration can mend.
func usagef(format string, args ...any) error {
	return service.UsageError(fmt.Errorf(format, args...))
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "tenure",
		Short: "Access that lasts exactly as long as the job",
		Long: `Tenure gives people the accounts that policy grants them, in every app, for
exactly as long as they are employed.

This is the operator's command line. It exits with 0 if all is done, 1 if
something failed, 2 if the arguments or the configuration are wrong, and 3 if
it is done and something needs attention.`,
		Example: `  tenure config check
  tenure event validate events.jsonl
  tenure event send events.jsonl
  tenure person show 10004
  tenure run list --attention`,
		Version:       service.Version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			// cobra asks this later, when the command would count as started.
			if err := errors.Join(cmd.ValidateRequiredFlags(), cmd.ValidateFlagGroups()); err != nil {
				return err
			}
			c.started = true
			c.tellFormer(cmd)
			return nil
		},
	}
	root.PersistentFlags().StringVar(&c.configPath, "config", "",
		"configuration `file` (default: $TENURE_CONFIG, else that of make dev if it runs here, else tenure.yaml, else .tenure/tenure.yaml)")
	root.AddCommand(c.eventCommand(), c.configCommand(), c.statusCommand(), c.personCommand(), c.accessCommand(), c.appCommand(), c.accountCommand(), c.runCommand(), c.planCommand(), c.replayCommand(), c.breakerCommand(), c.holdCommand(), c.deletionCommand(), c.retentionCommand(), c.exceptionCommand(), c.dutyCommand(), c.requestCommand(), c.reviewCommand(), c.standInCommand(), c.noticeCommand(), c.taskCommand(), c.watchCommand(), c.findingCommand(), c.figuresCommand(), c.dlqCommand(), c.ledgerCommand(), c.auditCommand(), c.probeCommand(), c.uiCommand(), c.versionCommand())
	c.completions(root)
	return root
}

// noun returns a command that only has verbs. Called without a verb, or with an unknown
// one, it lists them.
func noun(name, short string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   name,
		Short: short,
		Args: func(cmd *cobra.Command, args []string) error {
			names := make([]string, 0, len(verbs))
			for _, v := range verbs {
				names = append(names, v.Name())
			}
			given := "no verb"
			if len(args) > 0 {
				given = fmt.Sprintf("unknown verb %q", args[0])
				if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
					given += fmt.Sprintf(" (did you mean %q?)", near[0])
				}
			}
			return fmt.Errorf("%s: %s; there is: %s", cmd.CommandPath(), given, strings.Join(names, ", "))
		},
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(verbs...)
	return cmd
}

// config loads the configuration with the secrets of the parts that the command uses: a
// command that only reads the ledger needs no app's secrets.
func (c *cli) config(parts ...config.Part) (*config.Config, error) {
	if c.cfg != nil && !slices.ContainsFunc(parts, func(p config.Part) bool { return !slices.Contains(c.parts, p) }) {
		return c.cfg, nil
	}
	path := c.findConfig()
	if !exists(path) {
		return nil, usagef("there is no configuration at %s: name one with --config or TENURE_CONFIG", path)
	}
	parts = append(parts, c.parts...)
	cfg, err := config.LoadFor(path, parts...)
	if err != nil {
		return nil, usagef("the configuration is wrong:\n%w", err)
	}
	c.cfg, c.parts = cfg, parts
	return cfg, nil
}

// stackDir is where the embedded stack (make dev) keeps its state.
const stackDir = ".tenure"

// findConfig returns the path of the configuration: --config, else TENURE_CONFIG, else
// that of the embedded stack if it runs here, else the first of the usual files that
// exists, in the working directory or where the embedded stack keeps it.
func (c *cli) findConfig() string {
	if c.configPath != "" {
		return c.configPath
	}
	path := service.DefaultConfigPath()
	if os.Getenv("TENURE_CONFIG") != "" {
		return path
	}
	if runs := running.Configuration(stackDir); runs != "" {
		return relative(runs)
	}
	if embedded := filepath.Join(stackDir, path); !exists(path) && exists(embedded) {
		return embedded
	}
	return path
}

// relative returns a path as seen from the working directory, if it lies below that.
func relative(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if short, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(short) {
		return short
	}
	return path
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// withLedger calls f with the ledger that the configuration names, which f only reads.
func (c *cli) withLedger(ctx context.Context, f func(*config.Config, ledger.Reader) error) error {
	return c.withWritable(ctx, func(cfg *config.Config, l ledger.Ledger) error { return f(cfg, l) })
}

// operate calls f with an operator on the ledger that the configuration names.
func (c *cli) operate(ctx context.Context, f func(*config.Config, *operator.Operator) error) error {
	return c.withWritable(ctx, func(cfg *config.Config, l ledger.Ledger) error {
		o, done := operatorOn(cfg, l)
		defer done()
		return f(cfg, o)
	})
}

// view calls f with a viewer of the ledger that the configuration names.
func (c *cli) view(ctx context.Context, f func(*config.Config, *operator.Viewer) error) error {
	return c.withLedger(ctx, func(cfg *config.Config, l ledger.Reader) error {
		return f(cfg, &operator.Viewer{Ledger: l, Policy: cfg.Policy, Apps: apps.Of(cfg, nil), Clock: cfg.Clock(), Reviews: reviewsOf(cfg)})
	})
}

// openLedger opens a ledger.
var openLedger = open.Peppered

// withWritable opens the ledger that the configuration names for f. Commands call
// withLedger, view or operate.
func (c *cli) withWritable(ctx context.Context, f func(*config.Config, ledger.Ledger) error) error {
	cfg, err := c.config(config.PartLedger) //nolint:contextcheck // loading it connects to nothing
	if err != nil {
		return err
	}
	// Opening a ledger creates a missing one. That is right for the services. Somebody
	// who asks would get an empty answer, instead of an error that says that they look in
	// the wrong place.
	there, err := open.Exists(ctx, cfg.Ledger.URL)
	if err != nil {
		return fmt.Errorf("%w (check ledger.url in %s)", err, cfg.Path)
	}
	if !there {
		return fmt.Errorf("there is no ledger at %s: check ledger.url in %s, and whether the starter has ever run", open.Address(cfg.Ledger.URL), cfg.Path)
	}
	store, err := openLedger(ctx, cfg.Ledger.URL, cfg.Privacy.Key())
	if err != nil {
		return fmt.Errorf("%w (check ledger.url in %s)", err, cfg.Path)
	}
	return errors.Join(f(cfg, store), store.Close())
}

// operatorOn makes an operator. It connects to Temporal when a run first has to be told
// of something; done closes that connection.
func operatorOn(cfg *config.Config, l ledger.Ledger) (o *operator.Operator, done func()) {
	runs := &service.Runs{}
	l = notice.Tell(l, cfg.Book())
	opened := apps.Of(cfg, l)
	o = operator.New(l, runs, operator.Viewer{Policy: cfg.Policy, Apps: opened, Clock: cfg.Clock(), Reviews: reviewsOf(cfg)})
	o.Engine = opened.Engine(l)
	return o, runs.Close
}

// decisionFlags holds the flags of a command by which an operator decides something.
type decisionFlags struct{ operator, reason string }

func (f *decisionFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.reason, "reason", "", "why, for the record")
	operatorFlag(cmd, &f.operator)
}

// given returns an error unless a reason was given, and finds out who is asking.
func (f *decisionFlags) given() error {
	return onRecord(&f.operator, f.reason)
}

// request returns the request that the flags describe.
func (f *decisionFlags) request() operator.Request {
	return operator.Request{Actor: f.operator, Reason: f.reason}
}

// operatorFlag adds the flag by which operators say who they are.
func operatorFlag(cmd *cobra.Command, operator *string) {
	cmd.Flags().StringVar(operator, "operator", "", "`who` is asking, for the record, which has your login beside it (default: $TENURE_OPERATOR, else your login name)")
}

// asking returns who is asking: the given name, else what the environment says. It
// refuses if neither says it (a container has no login names), since the record has to
// say who did what. The login goes on the record beside the name, always: see
// machineLogin.
func asking(name string) (string, error) {
	for _, who := range []string{name, os.Getenv("TENURE_OPERATOR"), loginName()} {
		if who = strings.TrimSpace(who); who == "" {
			continue
		}
		if errors.Is(operator.CheckActor(who), operator.ErrTenure) {
			return "", usagef("%s is what does things by itself: say who you are, with --operator or TENURE_OPERATOR", ledger.ActorTenure)
		}
		return who, nil
	}
	return "", usagef("say who you are with --operator or TENURE_OPERATOR: it goes on the record")
}

// onRecord finds out who is asking, and returns an error unless a reason was given: both
// go on the record.
func onRecord(operator *string, reason string) (err error) {
	if strings.TrimSpace(reason) == "" {
		return usagef("say why with --reason: it goes on the record")
	}
	*operator, err = asking(*operator)
	return err
}

// tellUntold says that the sweeper will tell the runs that could not be told. It returns
// any other error.
func (c *cli) tellUntold(err error, every time.Duration) error {
	untold, other := operator.Untold(err)
	if untold != nil {
		c.tell("the runs of %s could not be told, and will be by the sweeper, within %s: %v\n",
			strings.Join(untold.People, ", "), every, untold.Err)
	}
	return other
}

// loginName returns the name of the account that runs this program; it is empty where
// there is none, as in a container.
var loginName = func() string {
	if u, err := user.LookupId(strconv.Itoa(os.Getuid())); err == nil {
		return u.Username
	}
	if u, err := user.Current(); err == nil && os.Getuid() < 0 { // Windows has no numbers
		return u.Username
	}
	return ""
}

// machineLogin returns the account that runs this program, for the record: its number,
// if it has no name. The environment has no say in it, except that sudo says who used
// it.
func machineLogin() ledger.Login {
	login := ledger.Login{Name: loginName(), Sudo: os.Getenv("SUDO_USER")}
	if login.Name == "" {
		login.Name = "uid " + strconv.Itoa(os.Getuid())
	}
	return login
}

// operatorFrom shows an operator by the name that they gave and by their login.
func operatorFrom(operator, login string) string {
	if login == "" {
		return operator
	}
	return operator + " (login " + login + ")"
}

// applying holds the flags by which a command is told to do what it otherwise only
// shows. A command has them if it concerns more than the one thing that was named, or if
// what it does cannot be taken back.
type applying struct {
	apply bool
	// dryRun is the old flag of commands that used to act at once. It takes precedence
	// over apply. Its command was asked to show and no more.
	dryRun bool
}

func (a *applying) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&a.apply, "apply", false, "do it; without, only show what would be done")
}

// askedBefore adds the old flags of a command that used to ask before it did something.
func (a *applying) askedBefore(cmd *cobra.Command) {
	a.flags(cmd)
	formerly(cmd, "yes", "y", "apply")
}

// didBefore adds the old flag of a command that used to act unless it was told to show.
func (a *applying) didBefore(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&a.dryRun, "dry-run", "n", false, "only show what would be done")
	cmd.Flags().Lookup("dry-run").Hidden = true
}

func (a *applying) does() bool { return a.apply && !a.dryRun }

// onlyShown ends a command that has shown what it would do, and says how to do it.
func (c *cli) onlyShown(a applying, format string, args ...any) error {
	c.tell("\n%s; nothing was done: --apply does it\n", fmt.Sprintf(format, shownArgs(args)...))
	if a.dryRun {
		return nil // showing is all that --dry-run asks for
	}
	return errAttention
}

// nowNamed is the annotation of an old spelling of a flag, which holds its present name.
const nowNamed = "tenure_now"

// formerly keeps an old spelling of a flag working, and hides it from the help.
func formerly(cmd *cobra.Command, old, shorthand, now string) {
	alias := *cmd.Flags().Lookup(now)
	alias.Name, alias.Shorthand, alias.Hidden = old, shorthand, true
	alias.Annotations = map[string][]string{nowNamed: {now}}
	cmd.Flags().AddFlag(&alias)
}

// tellFormer tells the present spelling of each flag that was given in its old one.
func (c *cli) tellFormer(cmd *cobra.Command) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if now := f.Annotations[nowNamed]; len(now) > 0 {
			c.tell("--%s is --%s now\n", f.Name, now[0])
		}
	})
}

func (c *cli) versionCommand() *cobra.Command {
	return c.reads(&cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := struct {
				Version string `json:"version"`
				Go      string `json:"go"`
			}{service.Version(), runtime.Version()}
			return c.print(v, func(p *page) { p.note("tenure %s (%s)", v.Version, v.Go) })
		},
	})
}
