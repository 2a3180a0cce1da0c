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

// deviations are those of now. One request goes by them from its beginning to its end.
func (s *Service) deviations() Deviations {
	s.switches.RLock()
	defer s.switches.RUnlock()
	return s.deviates
}

func (s *Service) getDeviations(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, s.deviations())
}

func (s *Service) putDeviations(w http.ResponseWriter, r *http.Request) {
	var set Deviations
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&set); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.SetDeviations(set)
	writeJSON(w, set)
}

func (s *Service) deleteDeviations(w http.ResponseWriter, _ *http.Request) {
	s.SetDeviations(Deviations{})
	w.WriteHeader(http.StatusNoContent)
}
