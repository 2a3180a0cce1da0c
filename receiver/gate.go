package receiver

import "sync"

// gate keeps requests from piling up behind a lost broker. After one request has waited
// in vain, one at a time may try, and the others are turned away at once, until one gets
// through.
type gate struct {
	mu      sync.Mutex
	lost    error // why the last one that waited got nowhere; nil: open
	probing bool
}

// enter reports whether a request may pass. One that has must leave.
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

// leave ends the stay of a request that has passed. err is nil, or why it got nowhere.
func (g *gate) leave(lost error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lost, g.probing = lost, false
}
