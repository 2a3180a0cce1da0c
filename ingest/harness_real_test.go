//go:build real

package ingest

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenurehq/tenure/ingest/brokertest"
)

func closeBroker() { brokertest.CloseShared() }

// newRig is a rig on Apache Kafka, with topics and a group of its own.
func newRig(t *testing.T, partitions int) *rig {
	t.Helper()
	r := newBareRig(t, brokertest.Shared(t).Brokers()...)
	mark := "." + strings.ToLower(rand.Text()[:10])
	r.events, r.dlq, r.group = r.events+mark, r.dlq+mark, r.group+mark
	r.observeCommits = r.sampleCommits
	r.connect()
	r.createTopic(r.events, partitions)
	r.createTopic(r.dlq, 1)
	return r
}

// sampleCommits asks the broker again and again what is committed, and notes it by
// partition.
func (r *rig) sampleCommits() func() map[int][]int64 {
	ctx, cancel := context.WithCancel(context.Background())
	var sampler sync.WaitGroup
	seen := map[int][]int64{}
	partitions := len(r.ends(r.events))
	sampler.Go(func() {
		for ctx.Err() == nil {
			for p := range partitions {
				if offset := r.committed(p); offset != noAnswer {
					seen[p] = append(seen[p], offset)
				}
			}
			select {
			case <-ctx.Done():
			case <-time.After(tick):
			}
		}
	})
	r.t.Cleanup(func() { cancel(); sampler.Wait() })
	return func() map[int][]int64 {
		cancel()
		sampler.Wait()
		return seen
	}
}
