package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service"
)

// block is a block of code in a document.
var block = regexp.MustCompile("(?s)```(sh|yaml|json)\n(.*?)```")

// document is docs/hr-events.md, tried out: everything in it that is to be typed
// is done, in order, against these brokers.
type document struct {
	*site
	text    string
	brokers string
	kcat    bool                   // or its file is sent otherwise
	consume func() []kafka.Message // everything that is on hr.events
	said    map[string]result      // by command
}

// try does it all, in the root of the repository.
func (d *document) try() {
	root := filepath.Join(sourceDir, "..", "..")
	text, err := os.ReadFile(filepath.Join(root, "docs", "hr-events.md"))
	require.NoError(d.t, err)
	d.text, d.said = string(text), map[string]result{}
	settings := strings.Replace(configuration, "127.0.0.1:1", d.brokers, 1)
	for _, m := range block.FindAllStringSubmatch(d.text, -1) {
		if m[1] == "yaml" {
			settings += m[2]
		}
	}
	d.write("tenure.yaml", settings)
	d.t.Setenv("TENURE_CONFIG", filepath.Join(d.dir, "tenure.yaml"))
	d.t.Setenv("KAFKA_BROKERS", d.brokers)
	d.t.Chdir(root)
	for _, m := range block.FindAllStringSubmatch(d.text, -1) {
		if m[1] != "sh" {
			continue
		}
		for line := range strings.Lines(m[2]) {
			line = strings.TrimSpace(line)
			d.said[line] = d.do(line)
		}
	}
}

func (d *document) do(line string) result {
	words := strings.Fields(line)
	switch {
	case words[0] == "make":
		makefile, err := os.ReadFile("Makefile")
		require.NoError(d.t, err)
		require.Contains(d.t, string(makefile), "\n"+words[1]+":")
		return result{}
	case words[0] == "bin/tenure":
		d.receive()
		return d.run(words[1:]...)
	case words[0] == "examples/producer-kcat/send.sh" && !d.kcat:
		return d.run("event", "send", "examples/producer-kcat/event.json")
	default:
		out, err := exec.CommandContext(d.t.Context(), words[0], words[1:]...).CombinedOutput()
		require.NoError(d.t, err, "%s: %s", line, out)
		return result{stdout: string(out)}
	}
}

// receive does the starter's part: what is on the topic goes to the ledger.
func (d *document) receive() {
	l := d.ledger()
	defer func() { require.NoError(d.t, l.Close()) }()
	for _, m := range d.consume() {
		record := source.Record{Key: m.Key, Value: m.Value, Headers: map[string]string{}}
		for _, h := range m.Headers {
			record.Headers[h.Key] = string(h.Value)
		}
		events, warnings, err := cloudevents.Decode(record)
		require.NoError(d.t, err)
		require.Empty(d.t, warnings)
		_, err = l.Record(d.t.Context(), []ledger.Received{{Event: events[0], At: time.Now()}})
		require.NoError(d.t, err)
	}
}

// check looks at what came of it.
func (d *document) check() {
	for line, got := range d.said {
		if !strings.Contains(line, "--snapshot") {
			assert.Equal(d.t, service.ExitDone, got.code, "%s: %s", line, got.err)
		}
	}
	timeline := d.said["bin/tenure person timeline 10004"].stdout
	assert.Contains(d.t, timeline, "hire-10004-1")
	assert.Contains(d.t, timeline, "end-10004-1")
	compared := d.said["bin/tenure event send --snapshot examples/snapshot/people.csv --as-of 2026-06-01T06:00:00Z"]
	assert.Equal(d.t, service.ExitAttention, compared.code, compared.err)
	assert.Regexp(d.t, `10001 +2 +hired +2026-02-01`, compared.stdout)
	assert.Contains(d.t, compared.stdout, "--rehire 10004")

	murmur := map[int]bool{}
	for _, m := range d.consume() {
		if string(m.Key) == "10004" {
			murmur[m.Partition] = true
		}
	}
	assert.Len(d.t, murmur, 1, "one person, one partition, whoever sends")
}

func TestHREventsDocument(t *testing.T) {
	s := newSite(t)
	cluster := s.broker("hr.events")
	d := &document{site: s, brokers: cluster.ListenAddrs()[0], consume: func() []kafka.Message { return consume(t, cluster, "hr.events") }}
	d.try()
	d.check()
	for _, m := range block.FindAllStringSubmatch(d.text, -1) {
		if m[1] == "json" {
			assert.True(t, json.Valid([]byte(m[2])))
			s.write("example.json", m[2])
			assert.Equal(t, service.ExitDone, s.run("event", "validate", filepath.Join(s.dir, "example.json")).code)
		}
	}
}
