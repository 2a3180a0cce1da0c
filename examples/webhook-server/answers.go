package main

import (
	"sync"
	"time"
)

// remember is how long an answer is kept: longer than a request may be old, so
// that none can be played again, and short, so that what somebody else has undone
// since can be done again.
const remember = 2 * window

// answers are those that were given to changes lately, by webhook-id. One that comes
// again gets the answer that it had, and nothing is done twice.
type answers struct {
	mu    sync.Mutex
	given map[string]given
}

type given struct {
	at     time.Time
	answer any
}

func newAnswers() *answers { return &answers{given: map[string]given{}} }

// once does what is to be done unless it was done under this ID. Failures are
// not kept: the next try may succeed.
func (a *answers) once(id string, now time.Time, do func() (any, error)) (any, error) {
	a.mu.Lock() // held while it is done: two that come at once are one
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
