package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/catalog"
	"github.com/tenurehq/tenure/connector/trial"
	"github.com/tenurehq/tenure/internal/nearest"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/service/apps"
)

func (c *cli) appCommand() *cobra.Command {
	return noun("app", "Show apps and the accounts in them", c.appListCommand(), c.appAccountsCommand(), c.appAdoptCommand(), c.appUnlinkCommand(), c.appLicencesCommand(), c.appScanCommand(), c.appDenyCommand(), c.appTestCommand(), c.appKindsCommand(), c.appKindCommand())
}

type appView struct {
	Name         string   `json:"name"`
	Connector    string   `json:"connector"`
	Capabilities []string `json:"capabilities"`
	Disable      string   `json:"disable,omitempty"` // reversible or destructive
	Delete       string   `json:"delete"`            // final, recycle bin for a time, or never
	ByHand       []string `json:"byHand,omitempty"`  // the steps that a human is asked to do
	Rate         string   `json:"rate,omitempty"`
}

func (c *cli) appListCommand() *cobra.Command {
	return c.lists(&cobra.Command{
		Use:   "list",
		Short: "List the configured apps and what their connectors can do",
		Long: `List the configured apps and what their connectors can do. No app is called.

"disable (destructive)" means that the app forgets what is disabled: enabling it
again does not bring the account back. "keep person ID" means that the app has a place
for the person ID; accounts that exist already can be linked without it, too
(tenure app adopt).`,
		Example: `  tenure app list
  tenure app list -o json | jq -r '.[] | select(.delete != "never") | .name'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := c.config()
			if err != nil {
				return err
			}
			apps := []appView{}
			for _, name := range slices.Sorted(maps.Keys(cfg.Apps)) {
				app, err := viewApp(cmd.Context(), cfg, name)
				if err != nil {
					return err
				}
				apps = append(apps, app)
			}
			apps = limited(c, apps)
			rows := rowsOf(apps, appView.row)
			return c.printList(apps, appHeader, rows, func(p *page) { p.table("", appHeader, rows) })
		},
	})
}

const appHeader = "app,connector,rate,capabilities"

func (v appView) row() []string {
	var can []string
	for _, name := range v.Capabilities {
		can = append(can, connector.InWords(name))
	}
	if len(v.ByHand) > 0 {
		can = append(can, "by hand: "+strings.Join(v.ByHand, ", "))
	}
	return []string{v.Name, v.Connector, v.Rate, strings.Join(can, ", ")}
}

func viewApp(ctx context.Context, cfg *config.Config, name string) (appView, error) {
	app := cfg.Apps[name]
	conn, err := apps.Of(cfg, nil).OpenUncalled(ctx, name)
	if err != nil {
		return appView{}, err
	}
	can := conn.Capabilities()
	v := appView{
		Name: name, Connector: app.Connector, Capabilities: capabilityNames(can),
		Disable: disabling(can), Delete: deleting(can), ByHand: byHand(conn),
	}
	if app.Rate.Calls > 0 {
		v.Rate = fmt.Sprintf("%d/%s", app.Rate.Calls, strings.TrimPrefix(app.Rate.Per.String(), "1"))
	}
	return v, conn.Close()
}

func (c *cli) completeApps(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	cfg, err := c.config()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return slices.Sorted(maps.Keys(cfg.Apps)), cobra.ShellCompDirectiveNoFileComp
}

func capabilityNames(can connector.Capabilities) []string {
	names := can.Names()
	for i, name := range names {
		switch name {
		case "disable":
			names[i] += " (" + disabling(can) + ")"
		case "delete":
			names[i] += " (" + deleting(can) + ")"
		}
	}
	if can.HandOverByDelete {
		names = append(names, "hand over (as it deletes)")
	}
	return names
}

// disabling says in words whether a disabled account can be enabled again.
func disabling(can connector.Capabilities) string {
	switch {
	case !can.Disable:
		return ""
	case can.Reversible:
		return "reversible"
	}
	return "destructive"
}

// deleting describes what becomes of a deleted account.
func deleting(can connector.Capabilities) string {
	switch {
	case !can.Delete:
		return "never"
	case can.RecycleBin > 0:
		return "recycle bin for " + can.RecycleBin.String()
	}
	return "final"
}

// byHand lists the steps that a human is asked to do in an app.
func byHand(c connector.Connector) []string {
	var steps []string
	for _, kind := range plan.Kinds() {
		if _, asked := c.Ask(string(kind)); asked {
			steps = append(steps, string(kind))
		}
	}
	return steps
}

type kindView struct {
	Name       string          `json:"name"`
	Summary    string          `json:"summary"`
	About      string          `json:"about,omitempty"`
	Proven     []string        `json:"proven,omitempty"`
	Unreached  string          `json:"neverRunAgainst,omitempty"` // the vendor's service
	Longest    int             `json:"longestUsername,omitempty"`
	AtOnce     int             `json:"atOnce"`
	LastUse    string          `json:"lastUse"`         // what the time of the last use means, and how late it is
	Whole      string          `json:"whole,omitempty"` // why accounts are not listed in pages
	Attributes []string        `json:"attributes"`
	Others     string          `json:"otherAttributes,omitempty"`
	Settings   []settingView   `json:"settings"`
	Operations []operationView `json:"operations"`
}

type settingView struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	Required bool     `json:"required,omitempty"`
	Default  string   `json:"default,omitempty"`
	Choices  []string `json:"choices,omitempty"`
	Text     string   `json:"text"`
}

type operationView struct {
	Name  string `json:"name"`
	Does  string `json:"does"`
	Calls string `json:"calls,omitempty"`
	// HandsOver, of delete, means that data are handed over in it.
	HandsOver bool `json:"handsOver,omitempty"`
}

func viewKind(kind connector.Kind) kindView {
	v := kindView{Name: kind.Name, Summary: kind.Summary, About: absolute(kind.About), Proven: kind.ProvenOn(), Unreached: kind.Unreached, Longest: kind.LongestUsername, AtOnce: kind.CallsAtOnce(0), LastUse: kind.LastUse.String(), Whole: kind.Whole, Attributes: append([]string{}, kind.Attributes...), Others: kind.OtherAttributes, Settings: []settingView{}}
	for _, s := range kind.Settings {
		setting := settingView{Name: s.Name, Type: string(s.Type), Required: s.Required, Choices: s.Choices, Text: s.Text}
		if s.Default != nil {
			setting.Default = fmt.Sprint(s.Default)
		}
		v.Settings = append(v.Settings, setting)
	}
	for _, o := range kind.Operations {
		v.Operations = append(v.Operations, operationView{Name: o.Op, Does: o.Does(), Calls: o.Calls, HandsOver: o.HandsOver})
	}
	return v
}

func (v kindView) operations() string {
	names := make([]string, len(v.Operations))
	for i, o := range v.Operations {
		names[i] = connector.InWords(o.Name)
		if o.HandsOver {
			names[i] += " (hands over)"
		}
	}
	return strings.Join(names, ", ")
}

func (c *cli) appKindsCommand() *cobra.Command {
	return c.lists(&cobra.Command{
		Use:   "kinds",
		Short: "List the kinds of app that there are connectors for",
		Long: `List the kinds of app that there are connectors for, and what each can do at its
most. "tenure app kind NAME" shows one with its settings. No configuration is
needed.`,
		Example: `  tenure app kinds
  tenure app kinds -o json | jq -r '.[].name'`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			kinds := []kindView{}
			for _, kind := range catalog.Kinds() {
				kinds = append(kinds, viewKind(kind))
			}
			kinds = limited(c, kinds)
			rows := rowsOf(kinds, func(v kindView) []string { return []string{v.Name, v.Summary, v.operations()} })
			const header = "kind,is,operations"
			return c.printList(kinds, header, rows, func(p *page) { p.table("", header, rows) })
		},
	})
}

func (c *cli) appKindCommand() *cobra.Command {
	return c.reads(&cobra.Command{
		Use:   "kind NAME",
		Short: "Show a kind of app: its settings, its attributes, what it can do, and by which calls",
		Long: `Show a kind of app: its settings, the attributes that can be mapped, what it can do,
and by which calls of the app's API. The settings go below apps.NAME.settings in tenure.yaml; secrets are given
as ${env:NAME} or ${file:PATH} and read anew each time they are used.`,
		Example: `  tenure app kind scim`,
		Args:    exactly("NAME"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return kindNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			kind, ok := catalog.Lookup(args[0])
			if !ok {
				return usagef("there is no kind %q%s", args[0], nearest.Hint(args[0], kindNames()))
			}
			v := viewKind(kind)
			return c.print(v, func(p *page) { drawKind(p, v) })
		},
	})
}

// proofRows lists on what the kind is proven, and says once of each level what it means.
func (v kindView) proofRows() (rows [][]string) {
	said := map[string]bool{}
	for _, proof := range v.Proven {
		level, _, _ := strings.Cut(proof, ":")
		means := connector.ProofLevel(level).Means()
		switch {
		case strings.HasSuffix(proof, connector.SmokeTestOnly):
			means = "some operations were tried there, and not the suite"
		case said[level]:
			means = "as above"
		}
		said[level] = true
		rows = append(rows, []string{proof, means})
	}
	return rows
}

func kindNames() []string {
	var names []string
	for _, kind := range catalog.Kinds() {
		names = append(names, kind.Name)
	}
	return names
}

func drawKind(p *page, v kindView) {
	longest := ""
	if v.Longest > 0 {
		longest = fmt.Sprint(v.Longest, " characters")
	}
	p.fields(
		field{"kind", v.Name}, field{"is", v.Summary}, field{"never run against", v.Unreached}, field{"longest username", longest},
		field{"calls at a time", fmt.Sprintf("%d by each worker, unless apps.NAME.atOnce says otherwise", v.AtOnce)},
		field{"last use", v.LastUse}, field{"listed as a whole", v.Whole},
		field{"attributes", strings.Join(v.Attributes, ", ")}, field{"other attributes", v.Others},
	)
	if v.About != "" {
		p.note("")
		p.block(addresses(strings.TrimSpace(v.About)))
	}
	p.table("proofs", "proven on,which means", v.proofRows())
	p.table("settings", "name,is,default,what for", rowsOf(v.Settings, func(s settingView) []string {
		is, preset := s.Type, s.Default
		if len(s.Choices) > 0 {
			is = strings.Join(s.Choices, " | ")
		}
		if s.Required {
			preset = "required"
		}
		return []string{s.Name, is, preset, s.Text}
	}))
	p.table("operations", "name,does,calls", rowsOf(v.Operations, func(o operationView) []string {
		return []string{o.Name, o.Does, o.Calls}
	}))
}

// trialOptions holds the flags of app test.
type trialOptions struct {
	write  bool
	grants []string
	login  string
	wait   time.Duration
	// patience bounds the wait for one thing that the app shows late.
	patience time.Duration
}

func (c *cli) appTestCommand() *cobra.Command {
	var o trialOptions
	cmd := &cobra.Command{
		Use:   "test APP",
		Short: "Test an app: show as whom Tenure signs in, and whether it may do its work",
		Long: `Try an app with the settings of the configuration: as whom Tenure signs in, and
whether the rights are there that it needs. Nothing is changed.

With --write, the command takes a test account through a whole life. Its username
begins with "tenure-test-". The account is made with the attributes that the
configuration maps; these are changed and cleared; then it is given an entitlement,
disabled, enabled, stripped and deleted. After each step it is read back. The command
waits for what the app shows late, and names the attributes that the app accepts and
does not keep. If a step fails, or you press Ctrl-C, the account is disabled and deleted,
even if the app never said that it made it, and the command names what may be left.

Where accounts belong to people, as on GitHub, nobody can be made up. There, --write
needs --login: the login of somebody who exists and has no access yet, such as a second
account of yours. They are invited, which mails them, given the entitlement, and
removed again. If they have access or an invitation already, nothing is changed.

The exit status is 1 if anything fails.`,
		Example: `  tenure app test wiki
  tenure app test wiki --write
  tenure app test wiki --write --grant editors
  tenure app test github --write --login my-second-account`,
		Args:              exactly("APP"),
		ValidArgsFunction: c.completeApps,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.login != "" && !o.write {
				return usagef("--login goes with --write: without it, nobody is invited")
			}
			return c.tryApp(cmd.Context(), args[0], o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.write, "write", false, "make, change and delete a test account")
	flags.StringSliceVar(&o.grants, "grant", nil, "`entitlement` to give the test account (default: the first that a role gives in this app)")
	flags.StringVar(&o.login, "login", "", "with --write, where accounts belong to people: the `login` of somebody without access, who lends it")
	flags.DurationVar(&o.wait, "wait", 5*time.Minute, "how `long` all of it may take, without cleaning up")
	flags.DurationVar(&o.patience, "patience", 30*time.Second, "how `long` to wait for one thing that the app shows late")
	return c.reads(cmd)
}

// trialStep describes the outcome of one step of a trial.
type trialStep struct {
	Step    string  `json:"step"`
	OK      bool    `json:"ok"`
	Note    string  `json:"note,omitempty"`
	Error   string  `json:"error,omitempty"`
	Seconds float64 `json:"seconds"`
}

func viewTrialStep(s trial.Step) trialStep {
	v := trialStep{Step: s.What, OK: s.Err == nil, Note: s.Note, Seconds: s.Took.Round(time.Millisecond).Seconds()}
	if s.Err != nil {
		v.Error = s.Err.Error()
	}
	return v
}

func (c *cli) tryApp(ctx context.Context, name string, o trialOptions) (err error) {
	cfg, err := c.config() //nolint:contextcheck // it connects to nothing
	if err != nil {
		return err
	}
	opened, life := apps.Of(cfg, nil), trial.Life{}
	if o.write {
		if opened, life, err = toWrite(cfg, name, o); err != nil {
			return err
		}
	}
	conn, err := opened.Open(ctx, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, o.wait)
	defer cancel()

	rules, _ := cfg.Policy.App(name)
	steps := []trialStep{}
	defer func() { err = errors.Join(c.report(steps), err) }()
	t := &trial.Trial{
		Connector: conn, Patience: o.patience, Ignore: rules.Ignore,
		Say: func(s trial.Step) {
			steps = append(steps, viewTrialStep(s))
			if c.output == formatTable {
				sayStep(c.out, s)
			}
		},
		Waiting: func(what string) { printTo(c.err, "%s\n", what) },
	}
	if err := t.Look(ctx); err != nil {
		return fmt.Errorf("app %s: %w", name, err)
	}
	if !o.write {
		return nil
	}
	// The account is cleaned up even if the terminal is closed, or nobody reads the
	// output any more.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP)
	defer stop()
	if o.login == "" {
		printTo(c.err, "trying with the test account %s (external ID %s)\n", life.Account.Username, life.Account.PersonID)
	} else {
		printTo(c.err, "trying with the login %s\n", o.login)
	}
	if err := t.Live(ctx, life); err != nil {
		return fmt.Errorf("app %s: %w", name, err)
	}
	return nil
}

// toWrite returns the life of the test account in an app, and the apps in which it has its
// login.
func toWrite(cfg *config.Config, name string, o trialOptions) (apps.Apps, trial.Life, error) {
	opened := apps.Of(cfg, nil)
	if err := opened.Find(name); err != nil {
		return opened, trial.Life{}, err
	}
	life, err := operator.TestLife(cfg.Policy, name)
	if err != nil {
		return opened, life, fmt.Errorf("app %s: %w", name, err)
	}
	if life.Entitlements = o.grants; len(o.grants) == 0 {
		grants := cfg.Policy.Grants(name)
		life.Entitlements = grants[:min(1, len(grants))]
	}
	life.Login = o.login
	opened, err = opened.WithLogin(name, life.Account.PersonID, o.login)
	return opened, life, err
}

func sayStep(w io.Writer, s trial.Step) {
	mark, detail := "ok", s.Note
	if s.Err != nil {
		mark, detail = "failed", s.Err.Error()
	}
	if detail != "" {
		detail = ": " + detail
	}
	printTo(w, "%-7s %s%s (%s)\n", mark, s.What, detail, s.Took.Round(time.Millisecond))
}
