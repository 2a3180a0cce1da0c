package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// ErrRunning is returned by Start when the program runs already.
var ErrRunning = errors.New("it is running already")

const (
	defaultGrace = 10 * time.Second
	probeEvery   = 50 * time.Millisecond
	// drainDelay bounds the wait for output that a grandchild still holds open.
	drainDelay = 2 * time.Second
)

// Options say what to run and how.
type Options struct {
	Name string // for people: "worker"
	Path string // of the program
	Args []string
	Env  []string // whole environment, as os.Environ; nil: the parent's
	// Log takes the program's output (nil: none). A file outlives the parent.
	Log io.Writer
	// Ready asks the program whether it is ready; nil: as soon as it runs. Start
	// calls it until it returns nil.
	Ready func(ctx context.Context) error
	// Grace is how long the program may take to end when asked (default 10s).
	Grace time.Duration
	// StopBy asks the program to end (default SIGTERM).
	StopBy syscall.Signal
	// Group runs the program in a process group of its own, for Kill and Pause to
	// reach the processes that it makes.
	Group bool
	// As is the user to run as; nil: the parent's user.
	As *syscall.Credential
}

// Process is a program that can be started, stopped, killed and started again.
// Its methods may be called from several goroutines.
type Process struct {
	opts  Options
	pause time.Duration // before Supervise's first restart

	mu  sync.Mutex
	run *run // the present or last run; nil before the first
}

// run is one life of the program.
type run struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it was reaped
	asked bool          // somebody here asked it to end; under Process.mu
}

// New makes a process that is not running yet.
func New(opts Options) *Process {
	if opts.Grace == 0 {
		opts.Grace = defaultGrace
	}
	if opts.StopBy == 0 {
		opts.StopBy = syscall.SIGTERM
	}
	return &Process{opts: opts, pause: firstPause}
}

// Name returns the name of the program for people.
func (p *Process) Name() string { return p.opts.Name }

// Start runs the program and returns when it is ready. If it ends before that,
// or ctx does, it is killed and reaped, and the error says what was last wrong.
func (p *Process) Start(ctx context.Context) error {
	r, err := p.launch()
	if err != nil {
		return fmt.Errorf("%s: %w", p.opts.Name, err)
	}
	if err := p.awaitReady(ctx, r); err != nil {
		p.end(r, syscall.SIGKILL)
		return fmt.Errorf("%s: %w", p.opts.Name, err)
	}
	return nil
}

// Stop asks the program to end, kills it when its grace is over, and returns when
// it was reaped. Stopping what does not run is no error.
func (p *Process) Stop() { p.endPresent(p.opts.StopBy) }

// Kill kills the program (SIGKILL) and returns when it was reaped.
func (p *Process) Kill() { p.endPresent(syscall.SIGKILL) }

// Pause stalls the program (SIGSTOP): its connections stay open, and nothing comes
// through them, until Resume.
func (p *Process) Pause() error { return p.signalPresent(syscall.SIGSTOP) }

// Resume ends a Pause.
func (p *Process) Resume() error { return p.signalPresent(syscall.SIGCONT) }

func (p *Process) signalPresent(sig syscall.Signal) error {
	pid := p.PID()
	if pid == 0 {
		return fmt.Errorf("%s does not run", p.opts.Name)
	}
	if p.opts.Group {
		pid = -pid
	}
	return syscall.Kill(pid, sig)
}

// Running reports whether the program runs now.
func (p *Process) Running() bool {
	r := p.present()
	return r != nil && !r.over()
}

// PID is the process ID of the present run, or 0 if it does not run.
func (p *Process) PID() int {
	r := p.present()
	if r == nil || r.over() {
		return 0
	}
	return r.cmd.Process.Pid
}

// Ended returns a channel that is closed when the present run (or, if there is
// none, the last) has ended. It is nil before the first Start.
func (p *Process) Ended() <-chan struct{} {
	r := p.present()
	if r == nil {
		return nil
	}
	return r.ended
}

// ExitCode is the last run's exit code: -1 while it runs or if a signal ended it.
func (p *Process) ExitCode() int {
	r := p.present()
	if r == nil || !r.over() {
		return -1
	}
	return r.cmd.ProcessState.ExitCode()
}

func (p *Process) present() *run {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.run
}

func (p *Process) launch() (*run, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run != nil && !p.run.over() {
		return nil, ErrRunning
	}
	cmd := exec.Command(p.opts.Path, p.opts.Args...)
	cmd.Env = p.opts.Env
	cmd.Stdout, cmd.Stderr = p.opts.Log, p.opts.Log
	cmd.WaitDelay = drainDelay
	cmd.SysProcAttr = dieWithParent()
	cmd.SysProcAttr.Setpgid, cmd.SysProcAttr.Credential = p.opts.Group, p.opts.As

	r := &run{cmd: cmd, ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		// On Linux a child dies with the thread that made it, not the process: this
		// goroutine keeps its thread for as long as the child lives.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		_ = cmd.Wait() // what there is to know is in cmd.ProcessState
		close(r.ended)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	p.run = r
	return r, nil
}

func (p *Process) awaitReady(ctx context.Context, r *run) error {
	if p.opts.Ready == nil {
		return nil
	}
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		err := p.opts.Ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-r.ended:
			return fmt.Errorf("it ended before it was ready: %s", describe(r.cmd.ProcessState))
		case <-ctx.Done():
			return fmt.Errorf("it was not ready in time: %w", err)
		case <-tick.C:
		}
	}
}

// endPresent ends the present run on somebody's request.
func (p *Process) endPresent(sig syscall.Signal) {
	p.mu.Lock()
	r := p.run
	if r != nil {
		r.asked = true
	}
	p.mu.Unlock()
	if r != nil {
		p.end(r, sig)
	}
}

func (p *Process) asked(r *run) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return r.asked
}

// end sends a signal, waits for the grace, kills, and returns when r was reaped.
func (p *Process) end(r *run, sig syscall.Signal) {
	if sig == syscall.SIGKILL {
		p.kill(r)
	} else {
		_ = r.cmd.Process.Signal(sig) // fails only if it has ended
	}
	select {
	case <-r.ended:
		return
	case <-time.After(p.opts.Grace):
	}
	p.kill(r)
	<-r.ended
}

func (p *Process) kill(r *run) {
	if p.opts.Group && !r.over() {
		_ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL)
	}
	_ = r.cmd.Process.Kill()
}

func (r *run) over() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

// describe says how a program ended: "exit status 2", "signal: killed".
func describe(state *os.ProcessState) string {
	if state == nil {
		return "it could not be waited for"
	}
	return state.String()
}
