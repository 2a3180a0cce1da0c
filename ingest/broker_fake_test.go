package ingest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
)

// fakeRig is a rig with a fake broker that the test controls.
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
