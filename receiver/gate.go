package receiver

import "sync"

// gate keeps requests from piling up behind a lost broker. After a request has waited in
// vain, only one request at a time may try, and the others are refused at once. The gate
// opens again when one of them succeeds.
type gate struct {
	mu      sync.Mutex
	lost    error // why the last request failed; nil if the gate is open
	probing bool
}

// enter reports whether a request may pass. A request that has passed must call leave.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.lost == nil {
		return true
	}
	if g.probing {
		return false
	}
	g.probing = true
	return true
}

// leave ends the stay of a request that has passed. lost is the error if it failed, or nil.
func (g *gate) leave(lost error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lost, g.probing = lost, false
}
