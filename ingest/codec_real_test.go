//go:build real

package ingest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/ingest/brokertest"
)

// A broker that compresses a topic compresses every batch anew, with the code of Kafka's
// own producers. Their framing of snappy, for example, is unlike any other.
func TestWhatKafkaItselfCompressesIsConsumed(t *testing.T) {
	for _, codec := range codecs[1:] {
		t.Run(codec.name, func(t *testing.T) {
			r := newRig(t, 1)
			r.events += "." + codec.name
			brokertest.Shared(t).CreateTopic(r.events, 1, map[string]string{"compression.type": codec.name})
			var people []string
			for i := range 100 {
				people = append(people, fmt.Sprint(i))
			}
			r.publish(notes(1, people...)...)
			r.run()
			r.awaitAllCommitted()
			assert.Len(t, r.intake.ids(""), 100)
			assert.Zero(t, r.letterCount())
		})
	}
}
