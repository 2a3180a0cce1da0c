package topology

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tenurehq/tenure/dev/process"
)

// startTimeout bounds how long a part may take to answer: a Java process on a
// small machine is the slowest.
const startTimeout = 2 * time.Minute

// Options say what to run.
type Options struct {
	Root      string // of the checkout
	Bin       string // where `make build-real` has put the programs
	KafkaLibs string // Kafka's jars
	Scimmy    string // where SCIMMY is installed

	Workers, Starters int
	// Partitions is how many the topic of events has (default 6).
	Partitions int
	// WithoutKafka and WithoutApps leave these out, for callers who have their own or need none.
	WithoutKafka, WithoutApps bool
	// PostgreSQL lists further settings of the server of Temporal and the ledger: "name=value".
	PostgreSQL []string
	// Configuration is the template of Tenure's configuration instead of the topology's own:
	// Brokers, Ledger and Metrics are filled in. It is needed WithoutApps if there are workers.
	Configuration string
	// Namespace is Temporal's (default "default").
	Namespace string
	// Secure makes Kafka and Temporal require authentication.
	Secure bool
	// Confined has Tenure's processes run as in their image: as its user, in a root that
	// has nothing else in it and is not to be written. It takes Linux, root, and a
	// topology that is not Secure.
	Confined bool
	// SQLite has the ledger in a file, and not on the topology's PostgreSQL.
	SQLite bool
	// Allowed is how many may leave, lose an account or be deleted before the breaker
	// holds the next ones, where it is more than one in a hundred people. Default: 5000,
	// so that nobody is held.
	Allowed int
	// Decider is the person who decides about access requests where nobody else can.
	// Without one, nothing can be requested, and apps are scanned once a day.
	Decider string
	// Progress is told, in one line each, what happens; nil: nobody is.
	Progress func(line string)
}

// Topology is a set of running servers. Its methods are for one goroutine.
type Topology struct {
	opts  Options
	dir   string
	ports ports
	certs *certificates // nil unless Secure

	kafkaPassword, ldapPassword, scimToken, postgresPassword string
	apiKey, administratorKey                                 string // at Temporal: Tenure's, and that of the creator of its namespace

	processes map[string]*process.Process
	order     []string // of their names: what others need first
	cleanup   []func() // what Close does, last first
}

// Start starts everything, and returns when all of it answers.
func Start(ctx context.Context, opts Options) (*Topology, error) {
	if opts.Namespace == "" {
		opts.Namespace = "default"
	}
	if opts.Partitions == 0 {
		opts.Partitions = 6
	}
	if opts.Configuration == "" {
		opts.Configuration = configuration
	}
	if opts.Progress == nil {
		opts.Progress = func(string) {}
	}
	t := &Topology{
		opts: opts, processes: map[string]*process.Process{},
		kafkaPassword: rand.Text(), ldapPassword: rand.Text(), scimToken: rand.Text(), postgresPassword: rand.Text(),
	}
	if err := t.start(ctx); err != nil {
		err = errors.Join(err, t.said())
		t.Close()
		return nil, err
	}
	return t, nil
}

func (t *Topology) start(ctx context.Context) (err error) {
	if t.dir, err = os.MkdirTemp("", "tenure-topology-"); err != nil {
		return err
	}
	t.cleanup = append(t.cleanup, func() { _ = os.RemoveAll(t.dir) })
	if err := os.Chmod(t.dir, 0o711); err != nil { //nolint:gosec // PostgreSQL runs as another user, and has a folder of its own in there
		return err
	}
	if t.ports, err = choosePorts(t.opts); err != nil {
		return err
	}
	if t.opts.Secure {
		if err := t.makeCredentials(); err != nil {
			return err
		}
	}
	began := time.Now()
	stages := [][]func(context.Context) error{
		{t.startPostgres},
		{t.startTemporal},
		{t.makeNamespace},
		{t.startTenure},
	}
	if !t.opts.WithoutKafka {
		stages[0], stages[1] = append(stages[0], t.startKafka), append(stages[1], t.makeTopics)
	}
	if !t.opts.WithoutApps {
		stages[0] = append(stages[0], t.startDirectory, t.startWiki, t.startDatabase)
	}
	for _, stage := range stages {
		if err := t.together(ctx, stage); err != nil {
			return err
		}
	}
	t.opts.Progress(fmt.Sprintf("everything answers after %s", time.Since(began).Round(time.Second)))
	return nil
}

// together runs the parts of a stage in parallel.
func (t *Topology) together(ctx context.Context, stage []func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	errs := make([]error, len(stage))
	var all sync.WaitGroup
	for i, part := range stage {
		all.Go(func() { errs[i] = part(ctx) })
	}
	all.Wait()
	return errors.Join(errs...)
}

var registering sync.Mutex

// run makes a process that Close stops, and starts it.
func (t *Topology) run(ctx context.Context, opts process.Options) error {
	log, err := os.OpenFile(t.LogOf(opts.Name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	opts.Log = log
	p := process.New(opts)
	registering.Lock()
	t.processes[opts.Name] = p
	t.order = append(t.order, opts.Name)
	t.cleanup = append(t.cleanup, func() {
		p.Kill() // what was acknowledged has to be on disk; and nobody reads it again
		_ = log.Close()
	})
	registering.Unlock()
	return p.Start(ctx)
}

// Process returns the process with this name; nil if there is none.
func (t *Topology) Process(name string) *process.Process { return t.processes[name] }

// Processes returns the names of all processes; those that others need come first.
func (t *Topology) Processes() []string { return t.order }

// Dir returns the folder of data, logs and configurations; Close removes it.
func (t *Topology) Dir() string { return t.dir }

// Close ends everything, and leaves nothing behind.
func (t *Topology) Close() {
	for len(t.cleanup) > 0 {
		last := len(t.cleanup) - 1
		t.cleanup[last]()
		t.cleanup = t.cleanup[:last]
	}
}

// LogOf returns the path of the file with the output of a process.
func (t *Topology) LogOf(name string) string { return filepath.Join(t.dir, name+".log") }

// Tail returns the end of a process's output.
func (t *Topology) Tail(name string) string {
	const most = 4 << 10
	text, _ := os.ReadFile(t.LogOf(name))
	return string(text[max(0, len(text)-most):])
}

// said returns the output of the processes that do not run.
func (t *Topology) said() error {
	var errs []error
	for name, p := range t.processes {
		if text := t.Tail(name); text != "" && !p.Running() {
			errs = append(errs, fmt.Errorf("the end of what %s said:\n%s", name, text))
		}
	}
	return errors.Join(errs...)
}
