package rest

import (
	"maps"
	"sync"
	"time"
)

// memory is how long a Memo remembers. What was renamed in the app counts under its old name
// for that long.
const memory = time.Minute

// Memo remembers for a minute what was looked up, such as the ID of a group by its name. The
// zero value is ready for use, by several goroutines at once.
type Memo[K comparable, V any] struct {
	mu    sync.Mutex
	known map[K]remembered[V]
}

type remembered[V any] struct {
	value V
	until time.Time
}

// Get returns what is remembered under a key, or what look returns. An error is not
// remembered.
func (m *Memo[K, V]) Get(key K, look func() (V, error)) (V, error) {
	if value, known := m.Recall(key); known {
		return value, nil
	}
	value, err := look()
	if err == nil {
		m.Note(key, value)
	}
	return value, err
}

// Recall returns what is remembered under a key.
func (m *Memo[K, V]) Recall(key K) (value V, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found, known := m.known[key]
	if !known || !time.Now().Before(found.until) {
		return value, false
	}
	return found.value, true
}

// Note remembers a value under a key.
func (m *Memo[K, V]) Note(key K, value V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.known, func(_ K, r remembered[V]) bool { return time.Now().After(r.until) })
	if m.known == nil {
		m.known = map[K]remembered[V]{}
	}
	m.known[key] = remembered[V]{value, time.Now().Add(memory)}
}

// Forget has the next Get look again.
func (m *Memo[K, V]) Forget(key K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.known, key)
}
