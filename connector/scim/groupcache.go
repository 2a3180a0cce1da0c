package scim

import (
	"sync"
	"time"
)

// groupTTL is how long a group's ID is remembered. It bounds for how long a group
// that was renamed in the app is still taken for the old one.
const groupTTL = time.Minute

// groupCache remembers which ID belongs to which group name.
type groupCache struct {
	mu     sync.Mutex
	byName map[string]cached
	byID   map[string]cached
}

type cached struct {
	text  string
	until time.Time
}

func newGroupCache() *groupCache {
	return &groupCache{byName: map[string]cached{}, byID: map[string]cached{}}
}

func (g *groupCache) id(name string) (string, bool) { return g.get(g.byName, name) }

func (g *groupCache) name(id string) (string, bool) { return g.get(g.byID, id) }

func (g *groupCache) get(from map[string]cached, key string) (string, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	entry, ok := from[key]
	return entry.text, ok && time.Now().Before(entry.until)
}

func (g *groupCache) put(name, id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	until := time.Now().Add(groupTTL)
	g.byName[name] = cached{id, until}
	g.byID[id] = cached{name, until}
}

func (g *groupCache) forget(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.byID, g.byName[name].text)
	delete(g.byName, name)
}
