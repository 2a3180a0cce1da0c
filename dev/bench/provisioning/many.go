package provisioning

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tenurehq/tenure/connector/scim/scimtest"
	"github.com/tenurehq/tenure/dev/topology"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ledger/postgres"
)

// ManyOptions says what is measured of several workers and starters.
type ManyOptions struct {
	// Topology says where the servers are. They are started anew for each number of processes.
	Topology topology.Options
	Numbers  []int // of workers, and of starters
	File     File
	Apps     int
	// Rate is how many calls a second each app is configured to allow while the first people are
	// hired. All others come without a rate.
	Rate     int
	Stall    time.Duration // how long nothing may happen before the measurement fails
	Progress io.Writer     // gets lines about what is being done; never nil
}

// Many is what a number of processes did.
type Many struct {
	Processes int     `json:"processes"` // workers, and as many starters
	Phases    []Phase `json:"phases"`
	Steps     int     `json:"steps"`     // of all phases
	PerSecond float64 `json:"perSecond"` // steps
	// Beside is PerSecond beside the first number's.
	Beside float64 `json:"beside"`
	// Locks and Activity are by database, of all phases with and without rates.
	Locks    map[string]*Locks   `json:"locks"`
	Activity map[string]Activity `json:"activity"`
	Rates    []Rate              `json:"rates"`
	Wrong    []string            `json:"wrong"` // how the apps differ from the file in the end
}

// Rate tells how an app was called while it had a rate.
type Rate struct {
	App   string `json:"app"`
	Rate  int    `json:"rate"`  // a second
	Calls int    `json:"calls"` // that came
	Most  int    `json:"most"`  // of them that came in a second, wherever it begins
	// MostOfTen is how many came in ten seconds.
	MostOfTen int `json:"mostOfTen"`
}

// ManyReport is what was measured.
type ManyReport struct {
	Size
	Apps int    `json:"apps"`
	Go   string `json:"go"`
	OS   string `json:"os"`
	CPUs int    `json:"cpus"`
	Runs []Many `json:"runs"`
}

// RunMany measures several numbers of workers and starters, one after the other.
func RunMany(ctx context.Context, o ManyOptions) (*ManyReport, error) {
	r := &ManyReport{Size: o.File.Size(), Apps: o.Apps, Go: runtime.Version(), OS: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.NumCPU()}
	for _, n := range o.Numbers {
		run, err := o.run(ctx, n)
		if err != nil {
			return nil, fmt.Errorf("%d workers and starters: %w", n, err)
		}
		r.Runs = append(r.Runs, run)
		if first := r.Runs[0].PerSecond; first > 0 {
			r.Runs[len(r.Runs)-1].Beside = run.PerSecond / first
		}
	}
	return r, nil
}

// Wrong returns what is wrong in the end, with any number of processes, and which rates were
// exceeded.
func (r *ManyReport) Wrong() (all []string) {
	for _, run := range r.Runs {
		for _, w := range run.Wrong {
			all = append(all, fmt.Sprintf("%d workers: %s", run.Processes, w))
		}
		for _, rate := range run.Rates {
			if rate.Most > rate.Rate+rate.late() {
				all = append(all, fmt.Sprintf("%d workers: %d calls of %s in a second, of %d", run.Processes, rate.Most, rate.App, rate.Rate))
			}
			if rate.MostOfTen > 10*rate.Rate {
				all = append(all, fmt.Sprintf("%d workers: %d calls of %s in ten seconds, of %d", run.Processes, rate.MostOfTen, rate.App, 10*rate.Rate))
			}
		}
	}
	return all
}

// late is how many calls more than the rate may come in a second, as docs/configuration.md says: on
// a busy machine, calls that are sent in time arrive later, together with those after them. In ten
// seconds none may.
func (r Rate) late() int { return max(1, r.Rate/10) }

// manySettings is the topology's template of a configuration. JSON is YAML too.
const manySettings = `
kafka: {brokers: ["{{.Brokers}}"], topics: [{name: hr.events, source: cloudevents, settings: {types: [worker.*]}}]}
ledger: {url: "{{.Ledger}}"}
metrics: {worker: "{{.Metrics}}", starter: "{{.Metrics}}"}
person: {username: person.employeeNumber, email: person.workEmail}
leaver: {delete: false, retain: 0s, handOver: none}
breaker: # it counts, as it does for everybody, and holds nobody
  settle: 0s
%sapps: %s
roles: %s
`

func (o ManyOptions) run(ctx context.Context, n int) (m Many, err error) {
	m = Many{Processes: n, Wrong: []string{}}
	var apps []*standIn
	defer func() {
		for _, a := range apps {
			err = errors.Join(err, a.close())
		}
	}()
	for i := range o.Apps {
		a, err := newStandIn(ctx, fmt.Sprintf("app%02d", i+1))
		if err != nil {
			return m, err
		}
		apps = append(apps, a)
	}
	slow, err := manyConfiguration(apps, o.Rate)
	if err != nil {
		return m, err
	}
	fast, err := manyConfiguration(apps, 0)
	if err != nil {
		return m, err
	}
	fmt.Fprintf(o.Progress, "%d workers and starters: starting Kafka, PostgreSQL, Temporal and them ...\n", n)
	opts := o.Topology
	opts.Workers, opts.Starters, opts.Partitions = n, n, max(slices.Max(o.Numbers), 1)
	opts.WithoutApps, opts.PostgreSQL, opts.Configuration = true, waitsAreLogged, slow
	top, err := topology.Start(ctx, opts)
	if err != nil {
		return m, err
	}
	defer top.Close()
	l, err := postgres.Open(ctx, top.LedgerURL())
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	publisher := broker.NewPublisher(broker.Cluster{Brokers: top.Brokers()})
	defer func() { err = errors.Join(err, publisher.Close()) }()
	_, offset, err := logFrom(top.LogOf("postgresql"), 0)
	if err != nil {
		return m, err
	}
	stop, err := watchSessions(ctx, top.PostgresURL("postgres"))
	if err != nil {
		return m, err
	}
	r := &manyRun{o: o, top: top, publisher: publisher, proofs: &Proofs{Ledger: l, Stall: o.Stall, Alive: func() error { return alive(top) }}}
	err = r.all(ctx, &m, apps, fast)
	seen, watched := stop()
	if err := errors.Join(err, watched); err != nil {
		return m, err
	}
	m.Activity = seen
	text, _, err := logFrom(top.LogOf("postgresql"), offset)
	if err != nil {
		return m, err
	}
	if m.Locks, err = locksIn(strings.NewReader(text)); err != nil {
		return m, err
	}
	for _, a := range apps {
		wrong, err := Check(ctx, Options{File: o.File, Target: TargetOptions{URL: a.direct}})
		if err != nil {
			return m, err
		}
		for _, w := range wrong {
			m.Wrong = append(m.Wrong, a.name+": "+w)
		}
	}
	return m, nil
}

func alive(top *topology.Topology) error {
	for _, name := range top.Processes() {
		if !top.Process(name).Running() {
			return fmt.Errorf("%s has ended: %s", name, top.Tail(name))
		}
	}
	return nil
}

func manyConfiguration(apps []*standIn, rate int) (string, error) {
	open := map[string]any{}
	var names []string
	for _, a := range apps {
		target := (&scim{}).app(a.counted)
		target.settings["token"] = "${env:WIKI_TOKEN}" // a variable of the topology's; the stand-in lets anybody in
		app := map[string]any{"connector": "scim", "settings": target.settings, "attributes": target.attributes}
		if rate > 0 {
			app["rate"] = fmt.Sprintf("%d/s", rate)
		}
		open[a.name], names = app, append(names, a.name)
	}
	text, err := json.Marshal(open)
	if err != nil {
		return "", err
	}
	roles, err := rolesIn(names, true)
	return fmt.Sprintf(manySettings, limits(), text, roles), err
}

// manyRun is a number of processes at work.
type manyRun struct {
	o         ManyOptions
	top       *topology.Topology
	publisher *broker.Publisher
	proofs    *Proofs
	published int
}

// all does everything that is in the file.
func (r *manyRun) all(ctx context.Context, m *Many, apps []*standIn, fast string) error {
	hires := r.o.File.Of(Hire)
	first := max(len(hires)/6, 1)
	if _, err := r.phase(ctx, "hire, with a rate", hires[:first]); err != nil {
		return err
	}
	for _, a := range apps {
		calls := a.calls.since()
		m.Rates = append(m.Rates, Rate{
			App: a.name, Rate: r.o.Rate, Calls: len(calls), Most: mostWithin(calls, time.Second), MostOfTen: mostWithin(calls, 10*time.Second),
		})
	}
	if err := r.top.Reconfigure(ctx, fast); err != nil {
		return err
	}
	var wall time.Duration
	for _, change := range Changes() {
		lines := r.o.File.Of(change)
		if change == Hire {
			lines = hires[first:]
		}
		if len(lines) == 0 {
			continue
		}
		p, err := r.phase(ctx, change, lines)
		if err != nil {
			return err
		}
		m.Phases, m.Steps, wall = append(m.Phases, p), m.Steps+p.Steps, wall+p.Wall
	}
	m.PerSecond = float64(m.Steps) / max(wall.Seconds(), 0.001)
	return nil
}

func (r *manyRun) phase(ctx context.Context, change Change, lines []Line) (p Phase, err error) {
	fmt.Fprintf(r.o.Progress, "  %s: %d people ...\n", change, len(lines))
	messages, err := messagesOf(lines)
	if err != nil {
		return p, err
	}
	p = Phase{Change: change, Changes: len(lines)}
	began := time.Now()
	if err := r.publisher.Publish(ctx, topology.TopicEvents, messages); err != nil {
		return p, err
	}
	r.published += len(lines)
	steps, last, err := r.proofs.Settle(ctx, r.published)
	if err != nil {
		return p, fmt.Errorf("%s: %w", change, err)
	}
	p.Steps, p.Wall = steps, last.Sub(began)
	return p, nil
}

// standIn is a SCIM service in memory, which is reached at two addresses: calls of one are counted.
type standIn struct {
	name            string
	counted, direct string // URLs
	calls           calls
	service         *scimtest.Service
	servers         []*http.Server
}

func newStandIn(ctx context.Context, name string) (_ *standIn, err error) {
	a := &standIn{name: name}
	if a.service, err = scimtest.New(scimtest.Options{Name: name, Groups: Groups()}); err != nil {
		return nil, err
	}
	for url, handler := range map[*string]http.Handler{
		&a.direct: a.service,
		&a.counted: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			a.calls.add(time.Now())
			a.service.ServeHTTP(w, r)
		}),
	} {
		ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, errors.Join(err, a.close())
		}
		server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
		a.servers = append(a.servers, server)
		*url = "http://" + ln.Addr().String() + scimtest.BasePath
		go func() { _ = server.Serve(ln) }() // until close
	}
	return a, nil
}

func (a *standIn) close() (err error) {
	for _, s := range a.servers {
		err = errors.Join(err, s.Close())
	}
	return errors.Join(err, a.service.Close())
}

// calls are the times at which an app was called.
type calls struct {
	mu sync.Mutex
	at []time.Time
}

func (c *calls) add(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = append(c.at, at)
}

// since returns when calls came since it was asked last, in order.
func (c *calls) since() (all []time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	slices.SortFunc(c.at, time.Time.Compare)
	all, c.at = c.at, nil
	return all
}

// mostWithin returns how many calls came at most in a span, wherever that begins.
func mostWithin(calls []time.Time, span time.Duration) (most int) {
	first := 0
	for i, at := range calls {
		for at.Sub(calls[first]) >= span {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}
