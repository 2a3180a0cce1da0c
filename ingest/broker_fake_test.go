package ingest

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fakeRig is a rig whose broker does as it is told.
type fakeRig struct {
	*rig
	cluster *kfake.Cluster
}

func newFakeRig(t *testing.T, partitions int, opts ...kfake.Opt) *fakeRig {
	t.Helper()
	opts = append([]kfake.Opt{
		kfake.NumBrokers(1),
		kfake.GroupMinSessionTimeout(100 * time.Millisecond),
		kfake.SeedTopics(int32(partitions), topicEvents),
		kfake.SeedTopics(1, topicLetters),
	}, opts...)
	cluster, err := kfake.NewCluster(opts...)
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	r := newBareRig(t, cluster.ListenAddrs()...)
	r.connect()
	return &fakeRig{r, cluster}
}

// interceptCommits notes every offset that anybody asks the broker to commit, by
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
