package scimtest

import (
	"encoding/json"
	"net/http"
)

// SetDeviations makes the service deviate in other ways from now on.
func (s *Service) SetDeviations(d Deviations) {
	s.switches.Lock()
	defer s.switches.Unlock()
	s.deviates = d
}

// deviations returns the present deviations.
func (s *Service) deviations() Deviations {
	s.switches.RLock()
	defer s.switches.RUnlock()
	return s.deviates
}

// switches serves switches of the service as JSON: a client with the token can see, set
// and reset them.
func switches[T any](s *Service, mux *http.ServeMux, path string, get func() T, set func(T)) {
	handle := func(method string, handler http.HandlerFunc) { mux.Handle(method+" "+path, s.authorized(handler)) }
	handle(http.MethodGet, func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, get()) })
	handle(http.MethodPut, func(w http.ResponseWriter, r *http.Request) {
		var next T
		decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&next); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		set(next)
		writeJSON(w, next)
	})
	handle(http.MethodDelete, func(w http.ResponseWriter, _ *http.Request) {
		var none T
		set(none)
		w.WriteHeader(http.StatusNoContent)
	})
}
