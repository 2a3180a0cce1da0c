package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/tenurehq/tenure/dev/process"
)

// starter is a starter in a process of its own.
type starter struct {
	*process.Process
	metrics string // the address of its metrics
}

// site holds what starters have in common.
type site struct {
	topic, group string
	ledger       string // the name of the ledger
	temporal     string // host:port
}

// startStarter starts the starter of a site with the given number, and returns when it is
// ready.
func (r *rig) startStarter(ctx context.Context, at site, number int) (*starter, error) {
	metrics, err := freeAddress()
	if err != nil {
		return nil, err
	}
	config := r.file(fmt.Sprintf("%s-%d.yaml", at.group, number))
	text := fmt.Sprintf(`kafka:
  brokers: [%q]
  group: %s
  topics: [{name: %s, source: cloudevents, deadLetters: %s}]
  readAhead: 0 # no worker runs: everybody would wait for their turn
ledger: {url: "sqlite:%s"}
metrics: {starter: %q}
`, r.Brokers[0], at.group, at.topic, letters, r.file(at.ledger+".db"), metrics)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	s := &starter{metrics: metrics}
	var said bytes.Buffer
	s.Process = process.New(process.Options{
		Name: "starter", Path: r.Starter, Args: []string{"--config", config, "--log-level", "error"},
		Env: append(r.stack.Env(), "TEMPORAL_ADDRESS="+at.temporal), Log: &said,
		Ready: func(ctx context.Context) error { return s.get(ctx, "/readyz", io.Discard) },
	})
	if err := s.Start(ctx); err != nil {
		return nil, fmt.Errorf("%w; it said:\n%s", err, said.Bytes())
	}
	return s, nil
}

// freeAddress returns an address on which nobody listens now.
func freeAddress() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}

func (s *starter) get(ctx context.Context, path string, to io.Writer) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.metrics+path, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	_, err = io.Copy(to, response.Body)
	return err
}

// gauge returns the value of a metric without labels.
func (s *starter) gauge(ctx context.Context, name string) (int64, error) {
	var text bytes.Buffer
	if err := s.get(ctx, "/metrics", &text); err != nil {
		return 0, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(&text)
	if err != nil {
		return 0, err
	}
	if f := families[name]; f != nil && len(f.GetMetric()) == 1 {
		return int64(f.GetMetric()[0].GetGauge().GetValue()), nil
	}
	return 0, fmt.Errorf("the starter has no metric %s", name)
}

// footprint returns how much memory the process has and how much of it is Go's heap, in
// bytes.
func (s *starter) footprint(ctx context.Context) (resident, heap int64, err error) {
	if resident, err = s.gauge(ctx, "process_resident_memory_bytes"); err != nil {
		return 0, 0, err
	}
	heap, err = s.gauge(ctx, "go_memstats_heap_inuse_bytes")
	return resident, heap, err
}
