package broker

import (
	"fmt"
	"sync"
	"time"
)

// abandoned are calls that were given up and have not returned. Nothing waits
// for them; that they pile up is the one fault that only a new process cures.
type abandoned struct {
	mu    sync.Mutex
	calls map[*string]time.Time // by what is done, since when
	wait  sync.WaitGroup
}

// leave calls f and does not wait for it. What says what is done, for people.
func (a *abandoned) leave(what string, f func()) {
	a.mu.Lock()
	if a.calls == nil {
		a.calls = map[*string]time.Time{}
	}
	a.calls[&what] = time.Now()
	a.mu.Unlock()
	a.wait.Go(func() {
		defer func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			delete(a.calls, &what)
		}()
		f()
	})
}

// check fails if a call has not returned for longer than that.
func (a *abandoned) check(patience time.Duration) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for what, since := range a.calls {
		if age := time.Since(since); age > patience {
			return fmt.Errorf("%s has not returned for %s, long after it was given up: restart the process",
				*what, age.Round(time.Second))
		}
	}
	return nil
}

// settle waits until all have returned, but no longer than that.
func (a *abandoned) settle(patience time.Duration) {
	done := make(chan struct{})
	go func() { defer close(done); a.wait.Wait() }()
	select {
	case <-done:
	case <-time.After(patience):
	}
}
