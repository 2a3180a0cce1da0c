package scimtest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Faults are an app's fault switches. The zero value is a healthy app. They affect
// requests under BasePath only.
type Faults struct {
	// Down answers everything with 503.
	Down bool `json:"down,omitempty"`
	// DownRetryAfter is the Retry-After of Down, in seconds; 0 for none.
	DownRetryAfter int       `json:"downRetryAfter,omitempty"`
	RateLimit      RateLimit `json:"rateLimit,omitzero"`
	// RetryAfterDate sends Retry-After as a date, not as seconds.
	RetryAfterDate bool `json:"retryAfterDate,omitempty"`
	// SlowMillis is how long each request waits first. When the switches are set anew,
	// the service answers requests that still wait with 503.
	SlowMillis int `json:"slowMillis,omitempty"`
	// FailAfterApply is how many more changes the service makes and then answers with 500.
	FailAfterApply int `json:"failAfterApply,omitempty"`
	// DropAfterApply is how many more changes the service makes and does not answer: it
	// closes the connection.
	DropAfterApply int `json:"dropAfterApply,omitempty"`
	// ConflictEvery answers every n-th change of an existing resource with 409 and does
	// not make it, as services do that were changing the same resource; 0 for none.
	ConflictEvery int `json:"conflictEvery,omitempty"`
	// Astray answers requests as a proxy does that knows no such address.
	Astray Astray `json:"astray,omitzero"`
	// Forget names attributes of users that the service accepts and shows in the answer
	// to the change, and does not keep.
	Forget []string `json:"forget,omitempty"`
}

// Astray answers some requests with a 404 that is no SCIM error.
type Astray struct {
	Next int    `json:"next,omitempty"` // how many more requests
	In   string `json:"in,omitempty"`   // a part of their URL: "/Groups", "filter="; empty for any
}

// goesAstray reports whether a request goes astray, and counts it if so.
func (f *faultState) goesAstray(r *http.Request) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	astray := f.set.Astray.Next > 0 && strings.Contains(r.URL.RequestURI(), f.set.Astray.In)
	if astray {
		f.set.Astray.Next--
	}
	return astray
}

// RateLimit answers some requests with 429.
type RateLimit struct {
	Every      int `json:"every,omitempty"`      // every n-th request; 0 for none
	RetryAfter int `json:"retryAfter,omitempty"` // seconds; 0 for no header
}

// faultState holds the fault switches and their counts.
type faultState struct {
	mu       sync.Mutex
	set      Faults
	requests int           // since the switches were set
	changes  int           // likewise
	over     chan struct{} // closed when the switches are set anew
}

// SetFaults sets the fault switches.
func (s *Service) SetFaults(f Faults) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	if s.faults.over != nil {
		close(s.faults.over)
	}
	s.faults.set, s.faults.requests, s.faults.changes, s.faults.over = f, 0, 0, make(chan struct{})
}

// Faults returns the fault switches as they are now: FailAfterApply and
// DropAfterApply count down.
func (s *Service) Faults() Faults {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	return s.faults.set
}

// next counts a request and returns the switches for it. limited reports whether the
// request is rate limited. over is closed when the switches are set anew.
func (f *faultState) next() (set Faults, limited bool, over <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests++
	every := f.set.RateLimit.Every
	return f.set, every > 0 && f.requests%every == 0, f.over
}

// forget removes the attributes in Faults.Forget from a user. Callers render the answer
// to the change first.
func (s *Service) forget(c *collection, r *record) {
	names := s.Faults().Forget
	if len(names) == 0 || c != s.store.users {
		return
	}
	attrs := deepCopy(r.attrs)
	for _, name := range names {
		name = name[strings.LastIndexByte(name, '.')+1:] // a part of "name"
		delete(attrs, name)
		for _, extension := range attrs {
			if values, ok := extension.(map[string]any); ok {
				delete(values, name)
			}
		}
	}
	s.store.replace(c, r, attrs)
}

// conflicts counts a change, and reports whether it loses a race.
func (f *faultState) conflicts() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changes++
	every := f.set.ConflictEvery
	return every > 0 && f.changes%every == 0
}

// failsAfterApply reports whether a change that was made has to fail. If so, it has
// answered with 500, or it panics with http.ErrAbortHandler.
func (f *faultState) failsAfterApply(w http.ResponseWriter) bool {
	f.mu.Lock()
	fail, drop := f.set.FailAfterApply > 0, f.set.DropAfterApply > 0
	switch {
	case drop:
		f.set.DropAfterApply--
	case fail:
		f.set.FailAfterApply--
	}
	f.mu.Unlock()
	if drop {
		panic(http.ErrAbortHandler) // makes net/http close the connection
	}
	if fail {
		writeError(w, &failure{status: http.StatusInternalServerError, detail: "failed after the change was made"})
	}
	return fail
}

// faulty answers the requests that the switches make fail, and passes on the others.
func (s *Service) faulty(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		set, limited, over := s.faults.next()
		if set.SlowMillis > 0 {
			timer := time.NewTimer(time.Duration(set.SlowMillis) * time.Millisecond)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-over:
				set.Down = true
			case <-r.Context().Done():
				return
			}
		}
		switch {
		case s.faults.goesAstray(r):
			http.NotFound(w, r)
		case set.Down:
			set.retryAfter(w, set.DownRetryAfter)
			writeError(w, &failure{status: http.StatusServiceUnavailable, detail: "down for a while"})
		case limited:
			s.stats.limited()
			set.retryAfter(w, set.RateLimit.RetryAfter)
			writeError(w, &failure{status: http.StatusTooManyRequests, detail: "too many requests"})
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func (f Faults) retryAfter(w http.ResponseWriter, seconds int) {
	switch {
	case seconds <= 0:
	case f.RetryAfterDate:
		at := time.Now().Add(time.Duration(seconds) * time.Second)
		w.Header().Set("Retry-After", at.UTC().Format(http.TimeFormat))
	default:
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
}

func writeJSON(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // fails only if the client is gone
}
