package provisioning

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/dev/process"
	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
)

// Options says what is measured.
type Options struct {
	File   File
	Target TargetOptions
	// Deleted has the accounts of leavers deleted at once. Otherwise they are turned off and taken
	// out of their groups.
	Deleted bool
	// AnyGroups does not look at the groups of accounts that are off.
	AnyGroups bool
	AtOnce    int // calls to the server under way at once; 0: the connector's own number
	// Worker and Starter are the product's programs.
	Worker, Starter string
	// State is the directory of all state; empty: one that is removed afterwards.
	State string
	// Stall is how long nothing may happen before the measurement fails.
	Stall    time.Duration
	Progress io.Writer // gets lines about what is being done; never nil
}

func (o Options) tell(format string, args ...any) { fmt.Fprintf(o.Progress, format+"\n", args...) }

// Phase is what one kind of change took.
type Phase struct {
	Change  Change `json:"change"`
	Changes int    `json:"changes"` // that HR told
	Steps   int    `json:"steps"`   // that were done and proven
	// Wall is from when the first record was published to when the last account was proven.
	Wall      time.Duration    `json:"wallNanoseconds"`
	Requests  map[string]int   `json:"requests"`  // to the server, by kind
	Processes map[string]Usage `json:"processes"` // in this phase, but for the peaks
}

// Report is what was measured.
type Report struct {
	Size
	Target  string        `json:"target"` // scheme of its address
	Deleted bool          `json:"deleted"`
	AtOnce  int           `json:"atOnce,omitempty"`
	Go      string        `json:"go"`
	OS      string        `json:"os"`
	CPUs    int           `json:"cpus"`
	Phases  []Phase       `json:"phases"`
	Wall    time.Duration `json:"wallNanoseconds"` // of all phases
	// Processes is what each process used, from its start to the last proof. StackName is not
	// the product: Temporal, Kafka and the measurement itself share a process.
	Processes map[string]Usage `json:"processes"`
	Wrong     []string         `json:"wrong"` // how the server differs from the file in the end
}

// StackName is the name of the process that holds Temporal, Kafka and the measurement.
const StackName = "the stack"

// Run measures. What is wrong in the end is in the report, and no error.
func Run(ctx context.Context, o Options) (report Report, err error) {
	t, err := open(ctx, o.Target)
	if err != nil {
		return report, err
	}
	defer t.close()
	there, err := t.accounts(ctx)
	if err != nil {
		return report, fmt.Errorf("read the target: %w", err)
	}
	for _, l := range o.File.Of(Hire) {
		if _, is := there[l.Username]; is {
			return report, fmt.Errorf("the target has an account %s already: delete what the file makes with --reset", l.Username)
		}
	}
	if err := t.found(ctx, Groups()); err != nil {
		return report, fmt.Errorf("make the groups: %w", err)
	}
	m := &measurement{Options: o}
	defer func() {
		m.failed = err != nil && ctx.Err() == nil
		err = errors.Join(err, m.close())
	}()
	if err := m.start(ctx, t); err != nil {
		return report, err
	}
	report = Report{
		Size: o.File.Size(), Target: strings.SplitN(o.Target.URL, ":", 2)[0], Deleted: o.Deleted, AtOnce: o.AtOnce,
		Go: runtime.Version(), OS: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.NumCPU(), Wrong: []string{},
	}
	for _, change := range Changes() {
		lines := o.File.Of(change)
		if len(lines) == 0 {
			continue
		}
		phase, err := m.phase(ctx, change, lines)
		if err != nil {
			return report, fmt.Errorf("%s: %w", change, err)
		}
		report.Phases = append(report.Phases, phase)
		report.Wall += phase.Wall
	}
	if report.Processes, err = m.usage(); err != nil {
		return report, err
	}
	got, err := t.accounts(ctx)
	if err != nil {
		return report, fmt.Errorf("read the target: %w", err)
	}
	report.Wrong = append(report.Wrong, differs(o.File, o.Deleted, o.AnyGroups, o.Target.LeaveOut, got)...)
	return report, nil
}

// measurement is what runs while it is measured.
type measurement struct {
	Options
	count     Counter
	stack     *stack.Stack
	ledger    *sqlite.Store
	publisher *broker.Publisher
	published int
	proofs    *Proofs
	failed    bool
	cleanup   []func() error
}

func (m *measurement) close() (err error) {
	for _, f := range slices.Backward(m.cleanup) {
		err = errors.Join(err, f())
	}
	return err
}

func (m *measurement) onClose(f func() error) { m.cleanup = append(m.cleanup, f) }

// start starts the stack, and the product with the target as its only app.
func (m *measurement) start(ctx context.Context, t target) error {
	if m.State == "" {
		dir, err := os.MkdirTemp("", "tenure-bench-provision-")
		if err != nil {
			return err
		}
		m.State = dir
		m.onClose(func() error {
			if m.failed { // for the logs
				return nil
			}
			return os.RemoveAll(dir)
		})
	} else if entries, err := os.ReadDir(m.State); err == nil && len(entries) > 0 {
		return fmt.Errorf("%q is not empty: every measurement begins with a new ledger", m.State)
	}
	at, stop, err := t.proxy(ctx, "127.0.0.1:0", &m.count)
	if err != nil {
		return err
	}
	m.onClose(func() error { stop(); return nil })
	configuration, err := m.configuration(t.app(at))
	if err != nil {
		return err
	}
	m.tell("starting Kafka, Temporal, worker and starter ...")
	m.stack, err = stack.Start(ctx, stack.Options{
		DataDir: filepath.Join(m.State, "stack"), Template: configuration, WorkerBinary: m.Worker, StarterBinary: m.Starter,
	})
	if err != nil {
		return err
	}
	m.onClose(func() error { m.stack.Close(); return nil })
	if m.ledger, err = sqlite.Open(ctx, filepath.Join(m.stack.Dir(), "tenure.db")); err != nil {
		return err
	}
	m.onClose(m.ledger.Close)
	m.proofs = &Proofs{Ledger: m.ledger, Stall: m.Stall, Alive: func() error {
		for _, one := range m.processes() {
			if one.PID() == 0 {
				return fmt.Errorf("the %s has ended", one.Name())
			}
		}
		return nil
	}}
	m.publisher = broker.NewPublisher(broker.Cluster{Brokers: []string{m.stack.KafkaAddress()}})
	m.onClose(m.publisher.Close)
	return nil
}

// settings is what the template of the configuration takes besides the stack's addresses. It is
// JSON, which is YAML too.
const settings = `
kafka: {brokers: ["{{.Kafka}}"], topics: [{name: {{.Topic}}, source: cloudevents, settings: {types: [worker.*]}}]}
ledger: {url: "sqlite:tenure.db"}
metrics: {worker: "{{.WorkerMetrics}}", starter: "{{.StarterMetrics}}"}
person: {username: person.employeeNumber, email: person.workEmail}
leaver: {delete: %t, retain: 0s, handOver: none}
breaker: # it counts, as it does for everybody, and holds nobody
  settle: 0s
%sapps: %s
roles: %s
`

// configuration returns the template of the configuration.
func (m *measurement) configuration(a app) (string, error) {
	for name, value := range m.Target.Settings {
		a.settings[name] = value
	}
	if a.secret != "" {
		path := filepath.Join(m.State, "secret")
		if err := os.MkdirAll(m.State, 0o700); err != nil {
			return "", err
		}
		if err := os.WriteFile(path, []byte(a.secret), 0o600); err != nil {
			return "", err
		}
		path, err := filepath.Abs(path)
		if err != nil {
			return "", err
		}
		a.settings[a.secretIs] = "${file:" + path + "}"
	}
	target := map[string]any{"connector": a.kind, "settings": a.settings, "attributes": a.attributes}
	if m.AtOnce > 0 {
		target["atOnce"] = m.AtOnce
	}
	apps, err := json.Marshal(map[string]any{"target": target})
	if err != nil {
		return "", err
	}
	roles, err := rolesIn([]string{"target"}, a.kind == "scim" || a.settings["groups"] != nil)
	return fmt.Sprintf(settings, m.Deleted, limits(), apps, roles), err
}

// rolesIn returns the roles, as JSON: everybody has an account in each of these apps and, if they
// have groups, is in those of the file.
func rolesIn(apps []string, groups bool) ([]byte, error) {
	role := func(name, when, group string) map[string]any {
		var grants []any
		for _, app := range apps {
			grant := map[string]any{"app": app}
			if groups {
				grant["entitlements"] = []string{group}
			}
			grants = append(grants, grant)
		}
		return map[string]any{"name": name, "when": when, "grants": grants}
	}
	all := []any{role("everyone", "true", "bench-staff")}
	for _, d := range departments {
		all = append(all, role(strings.ToLower(d), "person.department == '"+d+"'", "bench-"+strings.ToLower(d)))
	}
	return json.Marshal(all)
}

// limits returns the breaker's limits, within which everybody is.
func limits() string {
	var all strings.Builder
	for _, kind := range ledger.WithdrawalKinds() {
		fmt.Fprintf(&all, "  %s: {share: 100%%, count: 1000000, most: 0}\n", kind)
	}
	return all.String()
}

// processes returns the product's processes.
func (m *measurement) processes() []*process.Process {
	return []*process.Process{m.stack.Worker(), m.stack.Starter()}
}

// usage returns what every process has used, by its name.
func (m *measurement) usage() (map[string]Usage, error) {
	own, err := ownUsage()
	all := map[string]Usage{StackName: own}
	for _, p := range m.processes() {
		u, e := usageOf(p.PID())
		all[p.Name()], err = u, errors.Join(err, e)
	}
	return all, err
}

// messagesOf returns what HR publishes of these changes.
func messagesOf(lines []Line) ([]broker.Message, error) {
	messages := make([]broker.Message, len(lines))
	for i, l := range lines {
		text, err := cloudevents.Encode(l.Event())
		if err != nil {
			return nil, err
		}
		messages[i] = broker.Message{Key: l.PersonID, Value: text, Headers: map[string]string{"content-type": "application/cloudevents+json"}}
	}
	return messages, nil
}

// phase tells changes, and waits until all of them are proven.
func (m *measurement) phase(ctx context.Context, change Change, lines []Line) (Phase, error) {
	messages, err := messagesOf(lines)
	if err != nil {
		return Phase{}, err
	}
	m.tell("%s: %d people ...", change, len(lines))
	m.count.Counts() // what was asked before does not count
	before, err := m.usage()
	if err != nil {
		return Phase{}, err
	}
	p := Phase{Change: change, Changes: len(lines), Processes: map[string]Usage{}}
	began := time.Now()
	if err := m.publisher.Publish(ctx, stack.TopicEvents, messages); err != nil {
		return p, err
	}
	m.published += len(lines)
	steps, last, err := m.proofs.Settle(ctx, m.published)
	if err != nil {
		return p, fmt.Errorf("%w; see the logs in %s", err, m.stack.Dir())
	}
	p.Steps = steps
	if !last.IsZero() {
		p.Wall = last.Sub(began)
	}
	p.Requests = m.count.Counts()
	after, err := m.usage()
	for name, u := range after {
		p.Processes[name] = u.since(before[name])
	}
	return p, err
}

// Check compares a server with a file, and returns what differs.
func Check(ctx context.Context, o Options) (wrong []string, err error) {
	t, err := open(ctx, o.Target)
	if err != nil {
		return nil, err
	}
	defer t.close()
	got, err := t.accounts(ctx)
	if err != nil {
		return nil, err
	}
	return differs(o.File, o.Deleted, o.AnyGroups, o.Target.LeaveOut, got), nil
}

// Reset deletes exactly the accounts that a file makes, and returns how many there were.
func Reset(ctx context.Context, o Options) (int, error) {
	t, err := open(ctx, o.Target)
	if err != nil {
		return 0, err
	}
	defer t.close()
	return reset(ctx, t, o.File)
}

// Count passes requests of any product through to the server until ctx ends, and returns how many
// there were, by kind.
func Count(ctx context.Context, o Options, address string) (map[string]int, error) {
	t, err := open(ctx, o.Target)
	if err != nil {
		return nil, err
	}
	defer t.close()
	if err := t.found(ctx, Groups()); err != nil {
		return nil, fmt.Errorf("make the groups: %w", err)
	}
	var count Counter
	at, stop, err := t.proxy(ctx, address, &count)
	if err != nil {
		return nil, err
	}
	defer stop()
	o.tell("use %s instead of the target, and end this with Ctrl-C", at)
	<-ctx.Done()
	return maps.Clone(count.Counts()), nil
}
