package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"
)

// Check reports whether something that the process needs answers.
type Check func(ctx context.Context) error

// Checks holds the checks behind the probes of a process, by name.
type Checks struct {
	// Alive holds the checks of /healthz. If one fails the process is restarted, so it
	// may fail only if a new process would work.
	Alive map[string]Check
	// Ready holds the checks of /readyz. They fail while the process cannot work.
	Ready map[string]Check
}

// Later is a Check of something that the process does not have yet. Until Set is called
// it fails, or passes if Meanwhile is set.
type Later struct {
	Meanwhile bool
	check     atomic.Pointer[Check]
}

// Set sets the check to use from now on.
func (l *Later) Set(check Check) { l.check.Store(&check) }

// Check calls the check that was set.
func (l *Later) Check(ctx context.Context) error {
	if check := l.check.Load(); check != nil {
		return (*check)(ctx)
	}
	if l.Meanwhile {
		return nil
	}
	return errNotYet
}

var (
	errNotYet   = errors.New("not connected yet")
	errNoAnswer = fmt.Errorf("no answer within %s", checkTimeout)
)

// checkTimeout bounds the checks of one readiness probe.
const checkTimeout = 5 * time.Second

// HTTP serves a process's endpoints:
//
//	/metrics  Prometheus
//	/healthz  200 unless a check of Alive fails: then 503, and a new process is needed
//	/readyz   200 if every check of Ready passes, else 503
//
// Both answer with a JSON object that says for each check "ok" or what is wrong.
type HTTP struct {
	server *http.Server
	addr   net.Addr
	served chan struct{}
}

// ServeHTTP listens on addr and serves until Close. It fails if addr cannot be
// listened on. An empty addr serves nothing.
func ServeHTTP(addr string, log *zap.Logger, metrics prometheus.Gatherer, checks Checks) (*HTTP, error) {
	if addr == "" {
		return &HTTP{}, nil
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot serve metrics on %s (is another process using the port? see metrics in the configuration): %w", addr, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	mux.Handle("GET /healthz", probe(checks.Alive))
	mux.Handle("GET /readyz", probe(checks.Ready))

	h := &HTTP{
		server: &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ErrorLog: zap.NewStdLog(log)},
		addr:   ln.Addr(),
		served: make(chan struct{}),
	}
	go func() {
		defer close(h.served)
		if err := h.server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the HTTP endpoints stopped", zap.Error(err))
		}
	}()
	log.Info("serving metrics and probes", zap.Stringer("address", h.addr))
	return h, nil
}

// Addr returns the address it listens on, such as "127.0.0.1:9464"; empty if it does not
// listen.
func (h *HTTP) Addr() string {
	if h.addr == nil {
		return ""
	}
	return h.addr.String()
}

// Close stops listening, and waits up to a second for requests under way.
func (h *HTTP) Close() error {
	if h.server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := h.server.Shutdown(ctx); err != nil {
		err = h.server.Close()
		<-h.served
		return err
	}
	<-h.served
	return nil
}

// probe answers with the results of the checks.
func probe(checks map[string]Check) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
		defer cancel()
		status := http.StatusOK
		results := ask(ctx, checks)
		answer := make(map[string]string, len(results))
		for name, err := range results {
			answer[name] = "ok"
			if err != nil {
				answer[name], status = err.Error(), http.StatusServiceUnavailable
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(answer)
	})
}

// ask runs the checks at the same time. A check that has not returned when ctx is done
// counts as failed: a probe must answer whatever hangs.
func ask(ctx context.Context, checks map[string]Check) map[string]error {
	type result struct {
		name string
		err  error
	}
	results := make(chan result, len(checks))
	errs := make(map[string]error, len(checks))
	for name, check := range checks {
		errs[name] = errNoAnswer
		go func() { results <- result{name, check(ctx)} }()
	}
	for range checks {
		select {
		case r := <-results:
			errs[r.name] = r.err
		case <-ctx.Done():
			return errs
		}
	}
	return errs
}

// NewRegistry returns a registry with the metrics that every process has: its build, Go's
// runtime and the operating system's process.
func NewRegistry(name string) *prometheus.Registry {
	reg := prometheus.NewRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "tenure_build_info",
		Help:        "Always 1; the labels say which process and version this is.",
		ConstLabels: prometheus.Labels{"process": name, "version": Version()},
	})
	build.Set(1)
	reg.MustRegister(build, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}
