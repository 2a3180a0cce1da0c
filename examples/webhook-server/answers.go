package main

import (
	"sync"
	"time"
)

// remember is how long an answer is kept. That is longer than a request may be old, so that
// nobody can repeat one. It is short, so that Tenure can repeat a change that somebody else
// has undone since.
const remember = 2 * window

// answers holds the recent answers to changes, by webhook-id. A change that comes again gets
// the same answer and is not made twice.
type answers struct {
	mu    sync.Mutex
	given map[string]given
}

type given struct {
	at     time.Time
	answer any
}

func newAnswers() *answers { return &answers{given: map[string]given{}} }

// once calls do unless it has succeeded under this ID, and returns its answer. It does not
// keep failures: the next try may succeed.
func (a *answers) once(id string, now time.Time, do func() (any, error)) (any, error) {
	a.mu.Lock() // held during do, so that of two requests at once only one is made
	defer a.mu.Unlock()
	for old, g := range a.given {
		if now.Sub(g.at) > remember {
			delete(a.given, old)
		}
	}
	if g, ok := a.given[id]; ok {
		return g.answer, nil
	}
	answer, err := do()
	if err == nil {
		a.given[id] = given{at: now, answer: answer}
	}
	return answer, err
}
