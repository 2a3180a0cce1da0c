//go:build !real

package ingest

import (
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func closeBroker() {} // each rig has a broker of its own

// newRig returns a rig on a broker of its own, in this process. With the build tag
// "real", the same tests run on Apache Kafka instead: see harness_real_test.go.
func newRig(t *testing.T, partitions int) *rig {
	t.Helper()
	r := newFakeRig(t, partitions)
	r.observeCommits = r.interceptCommits
	return r.rig
}

// interceptCommits notes every offset that any client asks the broker to commit, by
// partition.
func (r *fakeRig) interceptCommits() func() map[int][]int64 {
	var mu sync.Mutex
	seen := map[int][]int64{}
	r.cluster.ControlKey(int16(kmsg.OffsetCommit), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.cluster.KeepControl()
		mu.Lock()
		defer mu.Unlock()
		for _, topic := range req.(*kmsg.OffsetCommitRequest).Topics {
			for _, p := range topic.Partitions {
				seen[int(p.Partition)] = append(seen[int(p.Partition)], p.Offset)
			}
		}
		return nil, nil, false
	})
	return func() map[int][]int64 {
		mu.Lock()
		defer mu.Unlock()
		return seen
	}
}
