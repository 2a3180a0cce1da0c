package scimtest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Faults are an app's fault switches. The zero value is a healthy app. They are
// for what is under BasePath only.
type Faults struct {
	// Down answers everything with 503.
	Down bool `json:"down,omitempty"`
	// DownRetryAfter is the Retry-After of Down, in seconds; 0 for none.
	DownRetryAfter int       `json:"downRetryAfter,omitempty"`
	RateLimit      RateLimit `json:"rateLimit,omitzero"`
	// RetryAfterDate sends Retry-After as a date, not as seconds.
	RetryAfterDate bool `json:"retryAfterDate,omitempty"`
	// SlowMillis is how long each request waits first. When the switches are set
	// anew, those that still wait are answered with 503.
	SlowMillis int `json:"slowMillis,omitempty"`
	// FailAfterApply is how many more changes are made and then answered with 500.
	FailAfterApply int `json:"failAfterApply,omitempty"`
	// DropAfterApply is how many more changes are made and then answered with
	// nothing: the connection is closed.
	DropAfterApply int `json:"dropAfterApply,omitempty"`
	// ConflictEvery answers every n-th change of what is there with 409, as services do that
	// were changing the same at that moment; 0 for none. It is not made.
	ConflictEvery int `json:"conflictEvery,omitempty"`
	// Astray answers requests by a page of a proxy's that knows no such address.
	Astray Astray `json:"astray,omitzero"`
	// Forget names attributes of users that are taken, shown in the answer to the
	// change, and not kept.
	Forget []string `json:"forget,omitempty"`
}

// Astray answers some requests with 404, as nothing of SCIM does.
type Astray struct {
	Next int    `json:"next,omitempty"` // how many more
	In   string `json:"in,omitempty"`   // a part of their URL: "/Groups", "filter="; empty for any
}

// goesAstray counts a request that goes astray, and reports whether it does.
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

// faultState is the switches and what they have counted.
type faultState struct {
	mu       sync.Mutex
	set      Faults
	requests int           // since the switches were set
	changes  int           // likewise
	over     chan struct{} // closed when they are set anew
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

// next counts a request and says how it is to fail, if at all. over is closed when
// that is no longer so.
func (f *faultState) next() (set Faults, limited bool, over <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests++
	every := f.set.RateLimit.Every
	return f.set, every > 0 && f.requests%every == 0, f.over
}

// forget takes from a user what is not kept. It is called when the answer to the change
// has been made.
func (s *Service) forget(c *collection, r *record) {
	names := s.Faults().Forget
	if len(names) == 0 || c != s.store.users {
		return
	}
	attrs := deepCopy(r.attrs)
	for _, name := range names {
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

// failsAfterApply is asked after a change was made. It answers in the place of
// the one who asks, or panics with http.ErrAbortHandler, if it is to fail.
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

// faulty lets through what the switches let through.
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
