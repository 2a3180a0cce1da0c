package scimtest

import (
	"maps"
	"net/http"
	"strings"
	"sync"
)

// Stats count the requests under BasePath since the service was started.
type Stats struct {
	Requests    int            `json:"requests"`
	RateLimited int            `json:"rateLimited"`
	ByKind      map[string]int `json:"byKind"` // "PATCH Users"
}

type stats struct {
	mu sync.Mutex
	s  Stats
}

func (s *stats) limited() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.s.RateLimited++
}

func (s *stats) request(kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.s.ByKind == nil {
		s.s.ByKind = map[string]int{}
	}
	s.s.Requests++
	s.s.ByKind[kind]++
}

// Stats returns the request counters.
func (s *Service) Stats() Stats {
	s.stats.mu.Lock()
	defer s.stats.mu.Unlock()
	now := s.stats.s
	now.ByKind = maps.Clone(now.ByKind)
	return now
}

// counted counts requests, also those that fail.
func (s *Service) counted(next http.Handler) http.Handler {
	known := map[string]bool{"Users": true, "Groups": true}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resource, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, BasePath+"/"), "/")
		if !known[resource] {
			resource = "other"
		}
		s.stats.request(r.Method + " " + resource)
		next.ServeHTTP(w, r)
	})
}

func (s *Service) getStats(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Stats()) }
