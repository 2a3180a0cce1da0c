//go:build real

package crash

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/workflows"
)

// recorder takes nudges in place of Temporal. One request ID is one signal, however often
// it comes.
type recorder struct {
	url string

	mu       sync.Mutex
	signals  []workflows.Nudge // the first nudge of each request ID, in the order of arrival
	seqs     map[string]int64  // by request ID
	repeated int
}

func newRecorder(t *testing.T) *recorder {
	r := &recorder{seqs: map[string]int64{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		var n workflows.Nudge
		if !assert.NoError(t, json.NewDecoder(request.Body).Decode(&n)) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.take(t, n)
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func (r *recorder) take(t *testing.T, n workflows.Nudge) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if first, ok := r.seqs[n.RequestID]; ok {
		assert.Equal(t, first, n.Seq, "one event is one row of the ledger, whoever says so")
		r.repeated++
		return
	}
	r.seqs[n.RequestID] = n.Seq
	r.signals = append(r.signals, n)
}
