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
	"sync"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ingest/group"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/open"
	"github.com/tenurehq/tenure/service"
	"github.com/tenurehq/tenure/service/runs"
)

const (
	// unreadLate is how long a record may stay unacknowledged before somebody has to
	// look.
	unreadLate = 2 * time.Minute
	// callsLate is how long an app's calls have to wait before status has a line about
	// it.
	callsLate = 10 * time.Second
)

// partState is the state of a part.
type partState string

// The states of a part, from the best to the worst.
const (
	partOK        partState = "ok"
	partNote      partState = "note"      // well enough, and worth knowing
	partAttention partState = "attention" // somebody has to do something
	partAway      partState = "away"      // it does not answer, so its state is unknown
)

// partView describes one part of Tenure.
type partView struct {
	Part    string         `json:"part"`
	State   partState      `json:"state"`
	Text    string         `json:"text"`
	Do      string         `json:"do,omitempty"`      // what to do: a command, where there is one
	Numbers map[string]int `json:"numbers,omitempty"` // counts, by the name of what was counted
}

// statusView describes the state of all of Tenure.
type statusView struct {
	Well          bool       `json:"well"`
	At            time.Time  `json:"at"`
	Version       string     `json:"version"`
	Configuration string     `json:"configuration"` // the file
	Parts         []partView `json:"parts"`
}

// needy lists the parts that need somebody.
func (v statusView) needy() (names []string) {
	for _, p := range v.Parts {
		if p.State == partAttention || p.State == partAway {
			names = append(names, p.Part)
		}
	}
	return names
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
			v := status(cmd.Context(), cfg, noKafka, timeout)
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

// status looks at all parts at once. noKafka says why the configuration has no secrets
// for Kafka; nil if it has them.
func status(ctx context.Context, cfg *config.Config, noKafka error, timeout time.Duration) statusView {
	path, err := filepath.Abs(cfg.Path)
	if err != nil {
		path = cfg.Path
	}
	v := statusView{At: cfg.Clock().Now(), Version: service.Version(), Configuration: path}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	intake := func(ctx context.Context, cfg *config.Config) []partView {
		if noKafka != nil {
			return away(noKafka, "set what is missing, as for the starter", "starters", "lag")
		}
		return intakeParts(ctx, cfg)
	}
	looks := []func(context.Context, *config.Config) []partView{temporalParts, intake, ledgerParts}
	found := make([][]partView, len(looks))
	var all sync.WaitGroup
	for i, look := range looks {
		all.Go(func() { found[i] = look(ctx, cfg) })
	}
	all.Wait()
	v.Parts = slices.Concat(found...)
	v.Well = len(v.needy()) == 0
	return v
}

func away(err error, do string, parts ...string) []partView {
	text := err.Error()
	if errors.Is(err, context.DeadlineExceeded) {
		text = "no answer in time: " + text
	}
	views := make([]partView, len(parts))
	for i, part := range parts {
		views[i] = partView{Part: part, State: partAway, Text: text, Do: do}
	}
	return views
}

// temporalParts describes the workers and the sweeper, as Temporal knows them.
func temporalParts(ctx context.Context, cfg *config.Config) []partView {
	const do = "check TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, and that the server is up: tenure config check --connect"
	opts, err := service.TemporalOptions(zap.NewNop())
	if err != nil {
		return away(err, do, "workers", "sweeper")
	}
	t, err := client.NewLazyClient(opts)
	if err != nil {
		return away(err, do, "workers", "sweeper")
	}
	defer t.Close()
	if err := service.ProbeTemporal(ctx, t, opts.Namespace); err != nil {
		return away(fmt.Errorf("no answer from Temporal at %s: %w", opts.HostPort, err), do, "workers", "sweeper")
	}
	tenure := runs.New(t, opts.Namespace)
	var parts []partView
	if queues, err := tenure.Queues(ctx, slices.Sorted(maps.Keys(cfg.Apps))); err != nil {
		parts = away(err, do, "workers")
	} else {
		parts = append(parts, workersPart(queues))
	}
	sweeps, err := tenure.Sweeps(ctx)
	if err != nil {
		return append(parts, away(err, do, "sweeper")...)
	}
	return append(parts, sweeperPart(sweeps, cfg.Sweep.Every, time.Now()))
}

// workersPart describes the workers, and names the task queues that no worker polls.
func workersPart(queues []runs.Queue) partView {
	var workers, without []string
	for _, q := range queues {
		workers = append(workers, q.Workers...)
		if len(q.Workers) == 0 {
			without = append(without, q.Name)
		}
	}
	slices.Sort(workers)
	n := len(slices.Compact(workers))
	v := partView{
		Part: "workers", State: partOK, Text: fmt.Sprintf("%s at work, on %s", words.Count(n, "worker"), words.Count(len(queues), "task queue")),
		Numbers: map[string]int{"workers": n, "queues": len(queues), "queuesWithoutWorker": len(without)},
	}
	switch {
	case n == 0:
		v.State, v.Text = partAttention, "no worker is at work: nobody is given access, and nobody loses it"
		v.Do = "start one, and look at its log: worker --config FILE"
	case len(without) > 0:
		v.State = partAttention
		v.Text = fmt.Sprintf("%s at work, but nobody takes what is on %s", words.Count(n, "worker"), strings.Join(without, ", "))
		v.Do = "start the workers again with this configuration: they know an app only if it was there when they started"
	}
	return v
}

// sweeperPart reports whether the sweeper looks for people who are due.
func sweeperPart(s runs.Sweeps, every time.Duration, now time.Time) partView {
	v := partView{Part: "sweeper", State: partOK, Text: "last started " + words.Instant(s.Last)}
	late := s.Last.Add(max(5*every, 5*time.Minute))
	switch {
	case !s.Exists:
		v.State, v.Text, v.Do = partAttention, "its schedule does not exist in Temporal", "a worker makes it when it starts: start one"
	case s.Paused:
		v.State, v.Text, v.Do = partAttention, "its schedule is paused: "+s.Note, "temporal schedule toggle --unpause --schedule-id tenure-sweep"
	case s.Last.IsZero():
		v.State, v.Text = partNote, "it has not been started yet"
	case now.After(late):
		v.State = partAttention
		v.Text = fmt.Sprintf("last started %s, and it is to be started every %s", words.Instant(s.Last), every)
		v.Do = "see the schedule tenure-sweep in Temporal: temporal schedule describe --schedule-id tenure-sweep"
	}
	return v
}

// intakeParts describes the starters and what they have not read, as Kafka knows them.
func intakeParts(ctx context.Context, cfg *config.Config) []partView {
	const do = "check kafka.brokers, and that the brokers are up: tenure config check --connect"
	cluster, err := service.Cluster(cfg.Kafka)
	if err != nil {
		return away(err, do, "starters", "lag")
	}
	var topics []group.Topic
	for _, t := range cfg.Kafka.Topics {
		topics = append(topics, group.Topic{Name: t.Name, FromEnd: t.StartOffset == config.StartLast})
	}
	in, err := group.StatusOf(ctx, cluster, topics, cfg.Kafka.Group)
	if err != nil {
		return away(fmt.Errorf("no answer from Kafka at %s: %w", strings.Join(cfg.Kafka.Brokers, ", "), err), do, "starters", "lag")
	}
	return []partView{startersPart(in, cfg.Kafka.Group), lagPart(in, time.Now())}
}

// startersPart describes the starters that read HR's events.
func startersPart(in group.Status, group string) partView {
	free := 0
	for _, p := range in.Partitions {
		if !p.Taken {
			free++
		}
	}
	v := partView{
		Part: "starters", State: partOK,
		Text:    fmt.Sprintf("%s at work, on %s (group %s)", words.Count(in.Members, "starter"), words.Count(len(in.Partitions), "partition"), group),
		Numbers: map[string]int{"starters": in.Members, "partitions": len(in.Partitions), "partitionsWithoutStarter": free},
	}
	switch {
	case in.Members == 0:
		v.State, v.Text = partAttention, fmt.Sprintf("no starter is at work (group %s): nobody reads what HR says", group)
		v.Do = "start one, and look at its log: starter --config FILE"
	case in.State != "Stable":
		v.State, v.Text = partNote, fmt.Sprintf("%s, which share the partitions out at this moment (group %s: %s)", words.Count(in.Members, "starter"), group, in.State)
	case free > 0:
		v.State = partAttention
		v.Text = fmt.Sprintf("%s at work, but nobody reads %d of %s", words.Count(in.Members, "starter"), free, words.Count(len(in.Partitions), "partition"))
		v.Do = "wait half a minute for the starters to share them out; else start them again with this configuration"
	}
	return v
}

// lagPart says how many of HR's records are not read yet, and since when.
func lagPart(in group.Status, now time.Time) partView {
	unread, byTopic := 0, map[string]int{}
	var oldest time.Time
	for _, p := range in.Partitions {
		unread += int(p.Unread)
		if p.Unread > 0 {
			byTopic[p.Topic] += int(p.Unread)
		}
		if !p.Oldest.IsZero() && (oldest.IsZero() || p.Oldest.Before(oldest)) {
			oldest = p.Oldest
		}
	}
	v := partView{Part: "lag", State: partOK, Text: "everything that HR has said is read", Numbers: map[string]int{"records": unread}}
	if unread == 0 {
		return v
	}
	var where []string
	for _, topic := range slices.Sorted(maps.Keys(byTopic)) {
		where = append(where, fmt.Sprintf("%s %d", topic, byTopic[topic]))
	}
	v.State, v.Text = partNote, fmt.Sprintf("%s not read yet: %s", words.Count(unread, "record"), strings.Join(where, ", "))
	if oldest.IsZero() {
		return v
	}
	waits := max(0, now.Sub(oldest))
	v.Numbers["oldestSeconds"] = int(waits.Seconds())
	v.Text += fmt.Sprintf("; the oldest waits for %s", waits.Round(time.Second))
	if waits > unreadLate {
		v.State, v.Do = partAttention, "look at the starters' logs: they say what holds a partition up, with its offset"
	}
	return v
}

// ledgerParts describes what the ledger knows.
func ledgerParts(ctx context.Context, cfg *config.Config) []partView {
	names := []string{"people", "steps", "mass changes", "approvals", "tasks", "dead letters", "apps"}
	const do = "check ledger.url, and that the database is up: tenure config check --connect"
	there, err := open.Exists(ctx, cfg.Ledger.URL)
	if err == nil && !there {
		err = fmt.Errorf("there is no ledger at %s", open.Address(cfg.Ledger.URL))
	}
	if err != nil {
		return away(err, do, names...)
	}
	l, err := open.Open(ctx, cfg.Ledger.URL)
	if err != nil {
		return away(err, do, names...)
	}
	defer func() { _ = l.Close() }() // it was only read
	now := cfg.Clock().Now()
	counts, countErr := l.Count(ctx)
	var parts []partView
	for i, look := range []func() (partView, error){
		func() (partView, error) { return overduePart(ctx, cfg, l) },
		func() (partView, error) { return attentionPart(counts.Attention), countErr },
		func() (partView, error) { return heldPart(ctx, l) },
		func() (partView, error) { return approvalsPart(counts.Approvals), countErr },
		func() (partView, error) { return tasksPart(ctx, l, now) },
		func() (partView, error) { return lettersPart(ctx, l) },
		func() (partView, error) { return callsPart(ctx, cfg, l) },
	} {
		part, err := look()
		if err != nil {
			parts = append(parts, away(err, do, names[i])...)
			continue
		}
		part.Part = names[i]
		parts = append(parts, part)
	}
	return parts
}

// sum adds numbers, and lists what they count: "wiki 2, chat 1", the greatest first.
func sum(numbers map[string]int, none string) (total int, text string) {
	keys := slices.SortedFunc(maps.Keys(numbers), func(a, b string) int {
		if numbers[a] != numbers[b] {
			return numbers[b] - numbers[a]
		}
		return strings.Compare(a, b)
	})
	var parts []string
	for _, key := range keys {
		name := key
		if name == "" {
			name = none
		}
		if total += numbers[key]; numbers[key] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", name, numbers[key]))
		}
	}
	return total, strings.Join(parts, ", ")
}

func attentionPart(byApp map[string]int) partView {
	n, text := sum(byApp, "questions")
	v := partView{State: partOK, Text: "none needs attention", Numbers: map[string]int{"attention": n}}
	if n > 0 {
		v.State, v.Text, v.Do = partAttention, fmt.Sprintf("%d need attention: %s", n, text), "tenure run list --attention"
	}
	return v
}

func approvalsPart(byApp map[string]int) partView {
	n, text := sum(byApp, "")
	v := partView{State: partOK, Text: "no deletion waits for one", Numbers: map[string]int{"waiting": n}}
	if n > 0 {
		v.State, v.Text, v.Do = partAttention, words.Count(n, "deletion")+" to be approved: "+text, "tenure deletion list"
	}
	return v
}

// overduePart counts the people whose time has passed without progress, as the metric
// tenure_people_overdue does.
func overduePart(ctx context.Context, cfg *config.Config, l ledger.Reader) (partView, error) {
	late, err := l.Overdue(ctx, ledger.LateSince(cfg.Clock(), cfg.OverdueAfter()))
	v := partView{State: partOK, Text: "nobody is overdue", Numbers: map[string]int{"overdue": late}}
	if late > 0 {
		v.State, v.Text = partAttention, fmt.Sprintf("%d overdue: something was to be done more than %s ago, and nothing has come of it", late, cfg.OverdueAfter())
		v.Do = "see that workers and sweeper are at work; the runbook is docs/runbooks/people-overdue.md"
	}
	return v, err
}

func heldPart(ctx context.Context, l ledger.Reader) (partView, error) {
	open, err := l.Cohorts(ctx, ledger.CohortFilter{Open: true})
	people := 0
	var names []string
	for _, cohort := range open {
		people += cohort.Held
		names = append(names, fmt.Sprintf("%s %s %d", cohort.Name(), cohort.Kind, cohort.Held))
	}
	v := partView{State: partOK, Text: "nothing is held", Numbers: map[string]int{"cohorts": len(open), "held": people}}
	if len(open) > 0 {
		v.State, v.Text, v.Do = partAttention, fmt.Sprintf("%d held: %s", people, strings.Join(names, ", ")), "tenure breaker list"
	}
	return v, err
}

func tasksPart(ctx context.Context, l ledger.Reader, now time.Time) (partView, error) {
	open, overdue := 0, 0
	for k, err := range ledger.AllTasks(ctx, l, ledger.TaskFilter{States: []ledger.TaskState{ledger.TaskOpen, ledger.TaskConfirming}}) {
		if err != nil {
			return partView{}, err
		}
		if open++; viewTask(k, "", now).Overdue {
			overdue++
		}
	}
	v := partView{State: partOK, Text: "no human is asked for anything", Numbers: map[string]int{"open": open, "overdue": overdue}}
	switch {
	case overdue > 0:
		v.State, v.Text, v.Do = partAttention, fmt.Sprintf("%d overdue, of %d", overdue, open), "tenure task list --overdue"
	case open > 0:
		v.State, v.Text, v.Do = partNote, fmt.Sprintf("%d to be done by humans, none overdue", open), "tenure task list"
	}
	return v, nil
}

func lettersPart(ctx context.Context, l ledger.Reader) (partView, error) {
	letters, err := ledger.Collect(ledger.AllDeadLetters(ctx, l, ledger.LetterFilter{States: []ledger.LetterState{ledger.LetterOpen, ledger.LetterRedriven}}, 0))
	urgent := 0
	for _, letter := range letters {
		if letter.Urgent {
			urgent++
		}
	}
	v := partView{State: partOK, Text: "none is open", Numbers: map[string]int{"open": len(letters), "urgent": urgent}}
	switch {
	case urgent > 0:
		v.State, v.Do = partAttention, "tenure dlq list --urgent"
		v.Text = fmt.Sprintf("%d open, of which %d were to end somebody's access", len(letters), urgent)
	case len(letters) > 0:
		v.State, v.Text, v.Do = partAttention, fmt.Sprintf("%d open: HR said something that could not be read", len(letters)), "tenure dlq list"
	}
	return v, err
}

// callsPart lists the apps whose calls wait: for their rate, or because the app asked
// for a pause.
func callsPart(ctx context.Context, cfg *config.Config, l ledger.Reader) (partView, error) {
	waits, err := l.CallWaits(ctx)
	var texts []string
	for _, app := range slices.Sorted(maps.Keys(waits)) {
		if wait := waits[app]; wait >= callsLate {
			texts = append(texts, fmt.Sprintf("%s for %s", app, wait.Round(time.Second)))
		}
	}
	v := partView{State: partOK, Text: words.Count(len(cfg.Apps), "app") + ", no calls wait", Numbers: map[string]int{"apps": len(cfg.Apps), "waiting": len(texts)}}
	if len(texts) > 0 {
		v.State, v.Text = partNote, "calls wait, for the app's rate or because it asked for quiet: "+strings.Join(texts, ", ")
	}
	return v, err
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
		pad := strings.Repeat(" ", max(0, len(partAttention)-len(part.State)))
		p.note("%s%s  %-*s  %s", p.paint(string(part.State)), painted(pad), width, part.Part, strings.Join(strings.Fields(part.Text), " "))
		if part.Do != "" && part.State != partOK {
			p.note("%s%s", painted(strings.Repeat(" ", len(partAttention)+2+width+2)), part.Do)
		}
	}
	if names := v.needy(); len(names) > 0 {
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
