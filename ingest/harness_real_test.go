//go:build real

package ingest

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/tenurehq/tenure/ingest/brokertest"
)

func closeBroker() { brokertest.CloseShared() }

// newRig returns a rig on Apache Kafka, with topics and a group of its own.
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
