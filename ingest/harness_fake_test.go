//go:build !real

package ingest

import "testing"

// newRig is a rig on a broker of its own, in this process. With the build tag
// "real", the same tests run on Apache Kafka instead: see harness_real_test.go.
func newRig(t *testing.T, partitions int) *rig {
	t.Helper()
	r := newFakeRig(t, partitions)
	r.observeCommits = r.interceptCommits
	return r.rig
}
