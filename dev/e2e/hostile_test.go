package e2e

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ledger"
)

// hostile is a file of testdata/hostile: records that somebody sends by mistake or on
// purpose, and what they should cause.
type hostile struct {
	What    string          `yaml:"what"`
	Records []hostileRecord `yaml:"records"`
	Letters []struct {
		Reason string `yaml:"reason"`
		Urgent bool   `yaml:"urgent"`
	} `yaml:"letters"` // the dead letters that they become, in order
	Accounts map[string]int `yaml:"accounts"` // by person ID: how many accounts are enabled
}

// hostileRecord is one hostile record. In its value, ${WORKER} stands for the rest of a
// worker's data, ${NOW} for the present time, and ${REPEAT:N:TEXT} for a long text.
type hostileRecord struct {
	Key     string            `yaml:"key"`
	Headers map[string]string `yaml:"headers"` // default: those of a structured CloudEvent
	Value   string            `yaml:"value"`
	Hex     string            `yaml:"hex"` // instead of value
}

const hostileWorker = `"effectiveDate":"2025-01-01","worker":{"workerType":"employee","givenName":"Hal","familyName":"Ostile",` +
	`"department":"Sales","jobTitle":"Clerk","location":{"timeZone":"UTC"},"startDate":"2025-01-01"}`

func (h hostileRecord) message(t *testing.T) broker.Message {
	value := []byte(strings.NewReplacer("${WORKER}", hostileWorker, "${NOW}", time.Now().UTC().Format(time.RFC3339Nano)).Replace(h.Value))
	for {
		before, rest, ok := bytes.Cut(value, []byte("${REPEAT:"))
		if !ok {
			break
		}
		spec, after, _ := bytes.Cut(rest, []byte("}"))
		var n int
		var text string
		_, err := fmt.Sscanf(string(spec), "%d:%s", &n, &text)
		require.NoError(t, err)
		value = bytes.Join([][]byte{before, bytes.Repeat([]byte(text), n), after}, nil)
	}
	if h.Hex != "" {
		var err error
		value, err = hex.DecodeString(h.Hex)
		require.NoError(t, err)
	}
	headers := h.Headers
	if headers == nil {
		headers = map[string]string{"content-type": "application/cloudevents+json"}
	}
	return broker.Message{Key: h.Key, Value: value, Headers: headers}
}

// bound is how long a hostile record may hold up the records behind it.
const bound = 30 * time.Second

// TestHostileRecords sends every file of testdata/hostile. Behind each of its records, on
// the same partition, it sends the termination of another person. The termination is
// applied, and the records cause what the file says.
func TestHostileRecords(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "hostile", "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	r := startRig(t, stack.Options{})

	cases := make([]hostile, len(files))
	cutOffs := map[int]map[int]hr.Event{}
	for i, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		decoder := yaml.NewDecoder(bytes.NewReader(raw))
		decoder.KnownFields(true)
		require.NoError(t, decoder.Decode(&cases[i]), file)
		require.NotEmpty(t, cases[i].What, file)
		cutOffs[i] = map[int]hr.Event{}
		for j, record := range cases[i].Records {
			var hired hr.Event
			hired, cutOffs[i][j] = r.witness(t, record.Key, i*100+j)
			r.publish(t, hired)
		}
	}
	r.awaitRest(t)

	var seen int64 // the number of the last dead letter
	for i, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			h := cases[i]
			for j, record := range h.Records {
				cutOff := cutOffs[i][j]
				require.Positive(t, r.enabled(t, cutOff.PersonID))
				require.NoError(t, r.Publisher.Publish(t.Context(), stack.TopicEvents, []broker.Message{record.message(t)}))
				cutOff.Recorded = time.Now().UTC()
				r.publish(t, cutOff)
				require.Eventually(t, func() bool { return r.enabled(t, cutOff.PersonID) == 0 },
					bound, 20*time.Millisecond, "the termination behind record %d is applied", j)
			}
			r.awaitRest(t)
			letters, err := r.ledger.DeadLetters(t.Context(), ledger.LetterFilter{}, seen, 1000)
			require.NoError(t, err)
			if len(letters) > 0 {
				seen = letters[len(letters)-1].ID
			}
			require.Len(t, letters, len(h.Letters))
			for j, want := range h.Letters {
				assert.Equal(t, want.Reason, letters[j].Reason, letters[j].Text)
				assert.Equal(t, want.Urgent, letters[j].Urgent, letters[j].Text)
				assert.NotContains(t, letters[j].Text, "Ostile")
			}
			for person, want := range h.Accounts {
				assert.Equal(t, want, r.enabled(t, person), "accounts of %q", person)
			}
		})
	}
}

// witness returns the events of a person who is hired before a hostile record and cut off
// behind it. Their records go to the same partition as those of the key.
func (r *rig) witness(t *testing.T, key string, number int) (hired, cutOff hr.Event) {
	t.Helper()
	partitions := r.partitions(t)
	place := func(key string) int {
		return kafka.Murmur2Balancer{}.Balance(kafka.Message{Key: []byte(key)}, partitions...)
	}
	for i := 0; ; i++ {
		id := fmt.Sprintf("witness-%d-%d", number, i)
		if key != "" && place(id) != place(key) {
			continue
		}
		hired, cutOff = hiredAndCutOff(number, false)
		hired.PersonID, cutOff.PersonID = id, id
		hired.ID, cutOff.ID = "hired-"+id, "cut-off-"+id
		hired.Profile.FamilyName = "Witness" + strings.ReplaceAll(id, "-", "")
		hired.Recorded = time.Now().UTC()
		return hired, cutOff
	}
}

// partitions returns the partitions of the topic of events.
func (r *rig) partitions(t *testing.T) (ids []int) {
	t.Helper()
	topics, err := r.kafka.Metadata(t.Context(), &kafka.MetadataRequest{Topics: []string{stack.TopicEvents}})
	require.NoError(t, err)
	for _, p := range topics.Topics[0].Partitions {
		ids = append(ids, p.ID)
	}
	return ids
}
