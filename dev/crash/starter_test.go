//go:build real

package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/process"
)

// deaths draws where lives end, each point equally often.
type deaths struct {
	mu    sync.Mutex
	rand  *rand.Rand
	most  int64 // the largest number of passages
	queue []point
	died  map[point]int
}

func newDeaths(seed uint64, most int64) *deaths {
	return &deaths{rand: rand.New(rand.NewPCG(seed, 0)), most: most, died: map[point]int{}}
}

func (d *deaths) next() death {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.queue) == 0 {
		for _, i := range d.rand.Perm(len(points)) {
			d.queue = append(d.queue, points[i])
		}
	}
	p := d.queue[0]
	d.queue = d.queue[1:]
	return death{Point: p, After: 1 + d.rand.Int64N(d.most)}
}

func (d *deaths) count(p point) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.died[p]++
}

// liveOn starts one process after the other, each with a life, until done is closed. The
// last process is stopped by a SIGTERM.
func liveOn(t *testing.T, l life, d *deaths, done <-chan struct{}) {
	for !closed(done) {
		l.Death = d.next()
		encoded, err := json.Marshal(l)
		if !assert.NoError(t, err) {
			return
		}
		var said output
		p := process.New(process.Options{
			Name: "starter", Path: os.Args[0], Env: append(os.Environ(), lifeVariable+"="+string(encoded)), Log: &said,
		})
		if !assert.NoError(t, p.Start(context.Background())) {
			return
		}
		select {
		case <-p.Ended():
		case <-done:
			assert.NoError(t, process.Await(t.Context(), func(context.Context) error {
				if closed(p.Ended()) || strings.HasPrefix(said.String(), firstWords) {
					return nil
				}
				return errors.New("it does not listen for SIGTERM yet")
			}))
			p.Stop()
		}
		switch words := said.String(); {
		case strings.HasSuffix(words, lastWords+string(l.Death.Point)+"\n"):
			assert.Equal(t, -1, p.ExitCode(), "it was killed")
			d.count(l.Death.Point)
		case !assert.Zero(t, p.ExitCode(), "%s", words):
			return
		default:
			assert.True(t, closed(done), "a starter ended before its work was done: %s", words)
		}
	}
}

// output collects what a process writes.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// parallel runs f n times at once. The function that it returns waits for all of them.
func parallel(t *testing.T, n int, f func()) (wait func()) {
	t.Helper()
	require.Positive(t, n)
	var all sync.WaitGroup
	for range n {
		all.Go(f)
	}
	return all.Wait
}
