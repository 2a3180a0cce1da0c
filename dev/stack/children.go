package stack

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/tenurehq/tenure/dev/process"
	"github.com/tenurehq/tenure/workflows"
)

// maxSaid bounds how much of a program's output an error repeats.
const maxSaid = 4 << 10

// runChildren starts worker and starter at the same time, if they are wanted.
func (s *Stack) runChildren(ctx context.Context) (err error) {
	if s.worker, err = s.child("worker", s.opts.WorkerBinary, s.declared.Metrics.Worker); err != nil {
		return err
	}
	if s.starter, err = s.child("starter", s.opts.StarterBinary, s.declared.Metrics.Starter); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	children := s.children()
	failed := make(chan error, len(children))
	for _, p := range children {
		s.onClose(p.Stop)
		go func() { failed <- s.startChild(ctx, p) }()
	}
	for range children {
		if e := <-failed; e != nil && err == nil {
			err = e
			cancel() // the other one need not try any longer
		}
	}
	return err
}

// startChild starts a child. If that fails, the error holds the child's output.
func (s *Stack) startChild(ctx context.Context, p *process.Process) error {
	before, _ := os.ReadFile(logPath(s.dir, p.Name()))
	err := p.Start(ctx)
	if err == nil || s.opts.Log != nil {
		return err
	}
	log, _ := os.ReadFile(logPath(s.dir, p.Name()))
	said := bytes.TrimSpace(bytes.TrimPrefix(log, before))
	if len(said) == 0 {
		return err
	}
	return fmt.Errorf("%w; it said:\n%s", err, said[max(0, len(said)-maxSaid):])
}

// child returns the process of a binary, which is not started yet; nil if binary is
// empty. The process is ready when its /readyz says so or, if the configuration does not
// serve that, as soon as it runs.
func (s *Stack) child(name, binary, metrics string) (*process.Process, error) {
	if binary == "" {
		return nil, nil
	}
	out, err := s.childLog(name)
	if err != nil {
		return nil, err
	}
	var ready func(context.Context) error
	if metrics != "" {
		url := "http://" + metrics + "/readyz"
		ready = func(ctx context.Context) error { return get(ctx, s.http, url, http.Header{}) }
	}
	return process.New(process.Options{
		Name:  name,
		Path:  binary,
		Args:  append([]string{"--config", s.configFile}, s.opts.Args...),
		Env:   s.Env(),
		Log:   out,
		Ready: ready,
		Grace: workflows.StopTimeout + 5*time.Second,
	}), nil
}

func (s *Stack) childLog(name string) (io.Writer, error) {
	if s.opts.Log != nil {
		return newPrefixer(s.opts.Log, name), nil
	}
	f, err := openLog(s.dir, name)
	if err == nil {
		s.onClose(func() { _ = f.Close() })
	}
	return f, err
}

// children returns worker and starter, if there are any. The last one is stopped first:
// the starter takes new work, and the worker does it.
func (s *Stack) children() []*process.Process {
	var all []*process.Process
	for _, p := range []*process.Process{s.worker, s.starter} {
		if p != nil {
			all = append(all, p)
		}
	}
	return all
}

// superviseChildren starts children that die again, if that is wanted.
func (s *Stack) superviseChildren() {
	if s.opts.OnRestart == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	for _, p := range s.children() {
		s.supervisors.Go(func() { p.Supervise(ctx, s.opts.OnRestart) })
	}
	s.onClose(func() {
		cancel()
		s.supervisors.Wait()
	})
}

// Env returns an environment in which Tenure's programs find this stack's Temporal, and
// no other.
func (s *Stack) Env() []string {
	env := []string{
		"TEMPORAL_ADDRESS=" + s.TemporalAddress(),
		"TEMPORAL_NAMESPACE=" + Namespace,
		"TEMPORAL_CONFIG_FILE=" + os.DevNull,
	}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "TEMPORAL_") {
			env = append(env, variable)
		}
	}
	return env
}
