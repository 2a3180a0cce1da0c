package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"
)

// Check says whether something that the process needs answers.
type Check func(ctx context.Context) error

// Later is a Check of something that the process does not have yet: it fails
// until Set says how to check it.
type Later struct{ check atomic.Pointer[Check] }

// Set gives the check.
func (l *Later) Set(check Check) { l.check.Store(&check) }

// Check is the check that was set.
func (l *Later) Check(ctx context.Context) error {
	if check := l.check.Load(); check != nil {
		return (*check)(ctx)
	}
	return errNotYet
}

var errNotYet = errors.New("not connected yet")

// checkTimeout bounds the checks of one readiness probe.
const checkTimeout = 5 * time.Second

// HTTP serves a process's endpoints:
//
//	/metrics  Prometheus
//	/healthz  200 while the process runs
//	/readyz   200 if every check passes, else 503; either way, JSON by check
type HTTP struct {
	server *http.Server
	addr   net.Addr
	served chan struct{}
}

// ServeHTTP listens on addr and serves until Close. It fails if addr cannot be
// listened on. An empty addr serves nothing.
func ServeHTTP(addr string, log *zap.Logger, metrics prometheus.Gatherer, checks map[string]Check) (*HTTP, error) {
	if addr == "" {
		return &HTTP{}, nil
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot serve metrics on %s (is another process using the port? see metrics in the configuration): %w", addr, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { readyz(w, r, checks) })

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

// Addr is where it listens ("127.0.0.1:9464"), or empty if it does not.
func (h *HTTP) Addr() string {
	if h.addr == nil {
		return ""
	}
	return h.addr.String()
}

// Close stops listening and waits a moment for requests under way.
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

func readyz(w http.ResponseWriter, r *http.Request, checks map[string]Check) {
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	defer cancel()
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		status = http.StatusOK
		result = make(map[string]string, len(checks))
	)
	for name, check := range checks {
		wg.Go(func() {
			err := check(ctx)
			mu.Lock()
			defer mu.Unlock()
			result[name] = "ok"
			if err != nil {
				result[name], status = err.Error(), http.StatusServiceUnavailable
			}
		})
	}
	wg.Wait()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(result)
}

// newRegistry holds what every process reports of itself.
func newRegistry(name string) *prometheus.Registry {
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
