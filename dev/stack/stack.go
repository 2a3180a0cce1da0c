package stack

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tenurehq/tenure/dev/process"
	"github.com/tenurehq/tenure/internal/running"
)

const defaultReadyTimeout = 30 * time.Second

// Stack is a running stack.
type Stack struct {
	opts       Options
	dir        string // the directory of state and logs
	configFile string
	declared   declared
	http       *http.Client

	temporal        *temporalServer
	kafka           *broker
	ui              *ui
	uiAddress       string
	apps            []*DemoApp
	worker, starter *process.Process
	supervisors     sync.WaitGroup

	cleanup []func() // what Close does, last first
}

// Start starts everything that opts asks for, and returns when every part answers. If a
// part does not, Start stops all others again, and the error says which part and why. It
// is a *PortInUseError if a port is taken.
func Start(ctx context.Context, opts Options) (*Stack, error) {
	if opts.ReadyTimeout == 0 {
		opts.ReadyTimeout = defaultReadyTimeout
	}
	s := &Stack{opts: opts, http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	if err := s.start(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Stack) start(ctx context.Context) error {
	if err := s.openDir(); err != nil {
		return err
	}
	ports, err := s.openPorts()
	if err != nil {
		return err
	}
	if err := s.configure(ports); err != nil {
		return err
	}
	parts := []func(context.Context) error{
		func(ctx context.Context) error { return s.serveApps(ctx, ports) },
		func(ctx context.Context) error { return s.serveKafka(ctx, ports) },
		func(ctx context.Context) error { return s.serveTemporal(ctx, ports) },
		func(ctx context.Context) error { return s.serveUI(ctx, ports) },
		s.runChildren,
	}
	for _, part := range parts {
		if err := s.within(ctx, part); err != nil {
			return err
		}
	}
	s.superviseChildren() //nolint:contextcheck // supervision lasts until Close, and not only during the start
	return nil
}

// within bounds how long one part may take to become ready.
func (s *Stack) within(ctx context.Context, part func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.ReadyTimeout)
	defer cancel()
	return part(ctx)
}

// Close stops everything: first the starter, which takes new work, then the worker, then
// the servers that they need. Afterwards the data directory, if there is one, has the
// whole state.
func (s *Stack) Close() {
	for len(s.cleanup) > 0 {
		last := len(s.cleanup) - 1
		s.cleanup[last]()
		s.cleanup = s.cleanup[:last]
	}
}

func (s *Stack) onClose(f func()) { s.cleanup = append(s.cleanup, f) }

func (s *Stack) inMemory() bool { return s.opts.DataDir == "" }

// openDir makes the data directory and keeps other stacks out of it.
func (s *Stack) openDir() (err error) {
	if s.inMemory() {
		s.dir, err = os.MkdirTemp("", "tenure-stack-")
		if err == nil {
			s.onClose(func() { _ = os.RemoveAll(s.dir) })
		}
	} else if s.dir, err = filepath.Abs(s.opts.DataDir); err == nil {
		err = os.MkdirAll(s.dir, 0o700)
	}
	if err != nil {
		return fmt.Errorf("the data directory: %w", err)
	}
	lock, err := lockDir(s.dir)
	if err != nil {
		return err
	}
	s.onClose(func() { _ = lock.Close() })
	return nil
}

// configure writes the stack's own tenure.yaml, or uses the one that is given. The
// command line finds it there while the stack runs.
func (s *Stack) configure(ports *openPorts) (err error) {
	if s.opts.ConfigFile != "" {
		s.configFile, err = filepath.Abs(s.opts.ConfigFile)
	} else {
		s.configFile, err = render(s.opts.Template, s.dir, s.rendering(ports))
	}
	if err != nil {
		return err
	}
	mark, err := running.Announce(s.dir, s.configFile)
	if err != nil {
		return err
	}
	s.onClose(func() { _ = mark.Close() })
	s.declared, err = readDeclared(s.configFile)
	return err
}

func (s *Stack) rendering(ports *openPorts) Rendering {
	r := Rendering{
		Kafka:          address(ports.kafka),
		Topic:          TopicEvents,
		WorkerMetrics:  address(ports.workerMetrics),
		StarterMetrics: address(ports.starterMetrics),
		Clock:          s.opts.Clock,
	}
	for _, app := range ports.apps {
		r.Apps = append(r.Apps, RenderedApp{Name: app.name, URL: scimURL(app.port)})
	}
	return r
}

func (s *Stack) serveApps(ctx context.Context, ports *openPorts) error {
	if s.opts.NoApps {
		return nil
	}
	for _, port := range ports.apps {
		app, err := startApp(ctx, s.http, port, s.dir, s.inMemory(), s.declared.groupsAt(address(port.port)))
		if err != nil {
			return err
		}
		s.apps = append(s.apps, app)
		s.onClose(app.close)
	}
	return nil
}

func (s *Stack) serveKafka(ctx context.Context, ports *openPorts) (err error) {
	s.kafka, err = startKafka(ctx, ports.kafkaListener, s.dir, s.inMemory())
	if err == nil {
		s.onClose(s.kafka.Close)
	}
	return err
}

func (s *Stack) serveTemporal(ctx context.Context, ports *openPorts) (err error) {
	s.temporal, err = startTemporal(ctx, ports.temporal, s.dir, s.inMemory(), s.opts.DynamicConfig)
	if err == nil {
		s.onClose(s.temporal.Close)
	}
	return err
}

func (s *Stack) serveUI(ctx context.Context, ports *openPorts) (err error) {
	s.uiAddress = address(ports.ui)
	s.ui, err = startUI(ctx, s.http, ports.ui, s.temporal.address)
	if err == nil {
		s.onClose(s.ui.Close)
	}
	return err
}

// Dir returns the directory of the stack's state and logs: Options.DataDir made absolute,
// or a directory that Close removes.
func (s *Stack) Dir() string { return s.dir }

// ConfigFile returns the path of the tenure.yaml that starter and worker use.
func (s *Stack) ConfigFile() string { return s.configFile }

// TemporalAddress returns the host:port of Temporal's frontend.
func (s *Stack) TemporalAddress() string { return s.temporal.address }

// KafkaAddress returns the host:port of the broker.
func (s *Stack) KafkaAddress() string { return s.kafka.address }

// UIURL returns the URL of Temporal's UI.
func (s *Stack) UIURL() string { return "http://" + s.uiAddress }

// Apps returns the demo apps that the stack serves, in the order of Options.Apps.
func (s *Stack) Apps() []*DemoApp { return s.apps }

// App returns the demo app with the name, or nil.
func (s *Stack) App(name string) *DemoApp {
	for _, app := range s.apps {
		if app.Name == name {
			return app
		}
	}
	return nil
}

// Worker returns the product's worker, or nil if none was wanted.
func (s *Stack) Worker() *process.Process { return s.worker }

// Starter returns the product's starter, or nil if none was wanted.
func (s *Stack) Starter() *process.Process { return s.starter }
