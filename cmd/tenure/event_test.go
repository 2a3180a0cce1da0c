package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source/catalog"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
	"github.com/tenurehq/tenure/schemas"
	"github.com/tenurehq/tenure/service"
)

func hired(t *testing.T, id, person string) string {
	t.Helper()
	value, err := cloudevents.Encode(hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: id}, Type: hr.EventHired, PersonID: person,
		Effective: date("2026-01-05"), Recorded: at("2026-01-02 09:00:00"),
		Profile: profile("Georgi", "Facello", "Engineer", "Development", "2026-01-05"),
	})
	require.NoError(t, err)
	return string(value)
}

// file returns n good events, with a blank line and CRLF line ends.
func file(t *testing.T, n int) string {
	t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s\r\n", hired(t, fmt.Sprintf("e-%d", i+1), fmt.Sprint(10001+i%7)))
		if i == 0 {
			b.WriteString("\n")
		}
	}
	return b.String()
}

// badFile returns a good event, one with an unknown type, one that is no JSON, and one
// with an unknown field.
func badFile(t *testing.T) string {
	t.Helper()
	good := hired(t, "e-1", "10001")
	return good + "\n" + strings.Replace(good, ".hired.", ".promoted.", 1) + "\n\nhello\n" +
		strings.Replace(good, `"givenName"`, `"shoeSize":"44","givenName"`, 1) + "\n"
}

func TestEventValidate(t *testing.T) {
	s := newSite(t)
	s.write("good.jsonl", file(t, 20))
	s.write("bad.jsonl", badFile(t))

	got := s.run("event", "validate", "good.jsonl")
	assert.Equal(t, result{stdout: "good.jsonl: 20 valid, 0 invalid\n"}, got)

	got = s.run("event", "validate", "bad.jsonl")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Equal(t, "bad.jsonl: 2 valid, 2 invalid\n", got.stdout)
	golden(t, "event-validate-errors", got.err)
	assert.NotContains(t, got.err, "Georgi")

	got = s.run("event", "validate", "bad.jsonl", "-o", "json")
	assert.Equal(t, service.ExitFailed, got.code)
	golden(t, "event-validate.json", got.stdout)

	got = s.runWith(terminal{in: strings.NewReader(file(t, 3))}, "event", "validate", "-")
	assert.Equal(t, "stdin: 3 valid, 0 invalid\n", got.stdout)

	assert.Equal(t, service.ExitFailed, s.run("event", "validate", "none.jsonl").code)
	got = s.run("event", "validate", "good.jsonl", "--source", "cloudevent")
	assert.Equal(t, service.ExitUsage, got.code)
	assert.Contains(t, got.err, `there is no source "cloudevent"; there is: `+strings.Join(catalog.Names(), ", "))
}

// One event may be written over several lines, as the examples are.
func TestExamplesAreValid(t *testing.T) {
	s := newSite(t)
	examples, err := filepath.Glob(filepath.Join(sourceDir, "..", "..", "schemas", "examples", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, examples)
	for _, example := range examples {
		got := s.run("event", "validate", example)
		assert.Equal(t, service.ExitDone, got.code, got.err)
		assert.Contains(t, got.stdout, "1 valid, 0 invalid")
	}
	bad, err := os.ReadFile(examples[0])
	require.NoError(t, err)
	s.write("bad.json", "\n\n"+strings.Replace(string(bad), `"id"`, `"ident"`, 1))
	assert.Contains(t, s.run("event", "validate", "bad.json").err, "bad.json:3: schema: /id ")
}

func TestEventsOverSeveralLines(t *testing.T) {
	s := newSite(t)
	example, err := os.ReadFile(filepath.Join(sourceDir, "..", "..", "schemas", "examples", "hired.json"))
	require.NoError(t, err)
	lines := strings.Count(string(example), "\n")
	s.write("two.json", "\n"+string(example)+strings.Replace(string(example), ".hired.", ".hirred.", 1))
	got := s.run("event", "validate", "two.json")
	assert.Equal(t, "two.json: 1 valid, 1 invalid\n", got.stdout)
	assert.Contains(t, got.err, fmt.Sprintf("two.json:%d: unknown_type", lines+2))

	s.write("broken.json", string(example)+"{")
	got = s.run("event", "validate", "broken.json")
	assert.Contains(t, got.err, "broken.json:1: malformed")
}

// broker starts a broker and puts it into the site's configuration.
func (s *site) broker(topics ...string) *kfake.Cluster {
	s.t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, topics...))
	require.NoError(s.t, err)
	s.t.Cleanup(cluster.Close)
	s.write("tenure.yaml", strings.Replace(configuration, "127.0.0.1:1", cluster.ListenAddrs()[0], 1))
	return cluster
}

// consume reads a topic's messages.
func consume(t *testing.T, cluster *kfake.Cluster, topic string) []kafka.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var out []kafka.Message
	for _, p := range cluster.PartitionInfos(topic) {
		reader := kafka.NewReader(kafka.ReaderConfig{
			Brokers: cluster.ListenAddrs(), Topic: topic, Partition: int(p.Partition), MaxWait: 20 * time.Millisecond, ReadLagInterval: -1,
		})
		for range p.HighWatermark {
			m, err := reader.FetchMessage(ctx)
			require.NoError(t, err)
			out = append(out, m)
		}
		require.NoError(t, reader.Close())
	}
	return out
}

func TestEventSend(t *testing.T) {
	s := newSite(t)
	cluster := s.broker("hr.events", "vendor")
	s.write("events.jsonl", file(t, 1200))

	got := s.run("event", "send", "events.jsonl")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Empty(t, got.stdout)
	assert.Regexp(t, `^sent 1200 events to hr\.events in \S+\n$`, got.err, "one line, and no progress bar, since this is no terminal")
	messages := consume(t, cluster, "hr.events")
	require.Len(t, messages, 1200)
	for _, m := range messages {
		var e struct{ Subject string }
		require.NoError(t, json.Unmarshal(m.Value, &e))
		assert.Equal(t, e.Subject, string(m.Key))
		assert.Equal(t, []kafka.Header{{Key: "content-type", Value: []byte("application/cloudevents+json")}}, m.Headers)
	}

	got = s.runWith(terminal{in: strings.NewReader(file(t, 3)), errTTY: true}, "event", "send", "-", "--topic", "vendor")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.err, "sending")
	assert.Contains(t, got.err, "sent 3 events to vendor")
	assert.Len(t, consume(t, cluster, "vendor"), 3)
}

func TestEventSendNeedsNoConfigurationForWhatIsGiven(t *testing.T) {
	s := newSite(t)
	cluster := s.broker("somewhere")
	require.NoError(t, os.Remove("tenure.yaml"))
	s.write("events.jsonl", file(t, 3))
	got := s.run("event", "send", "events.jsonl", "--brokers", cluster.ListenAddrs()[0], "--topic", "somewhere")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Len(t, consume(t, cluster, "somewhere"), 3)

	got = s.run("event", "send", "events.jsonl", "--topic", "somewhere")
	assert.Equal(t, service.ExitUsage, got.code)
	assert.Contains(t, got.err, "there is no configuration")
}

func TestEventSendSendsNothingOfABadFile(t *testing.T) {
	s := newSite(t)
	cluster := s.broker("hr.events")
	s.write("bad.jsonl", badFile(t))
	got := s.run("event", "send", "bad.jsonl")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Contains(t, got.err, "bad.jsonl:2: unknown_type: /type")
	assert.Contains(t, got.err, "bad.jsonl:4: malformed:")
	assert.Contains(t, got.err, "2 of 4 events are not valid, so none was sent")
	assert.Empty(t, consume(t, cluster, "hr.events"))

	got = s.run("event", "send", "bad.jsonl", "--skip-invalid")
	assert.Equal(t, service.ExitAttention, got.code)
	assert.Contains(t, got.err, "sent 2 events to hr.events")
	assert.Contains(t, got.err, "left out 2 that are not valid")
	assert.Len(t, consume(t, cluster, "hr.events"), 2)
}

func TestEventSendWithoutABroker(t *testing.T) {
	s := newSite(t)
	s.write("events.jsonl", file(t, 3))
	got := s.run("event", "send", "events.jsonl", "--wait", "300ms")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Contains(t, got.err, "waiting: no Kafka broker can be reached at 127.0.0.1:1")
	assert.Contains(t, got.err, "gave up after 300ms")
	assert.Contains(t, got.err, "check kafka.brokers")
	assert.Contains(t, got.err, "0 of 3 events were sent; sending all of them again is harmless")

	s.broker("another")
	got = s.run("event", "send", "events.jsonl", "--wait", "300ms")
	assert.Contains(t, got.err, `waiting: topic "hr.events" does not exist`)
}

func TestTopicIsThatOfTheSource(t *testing.T) {
	s := newSite(t)
	s.write("events.jsonl", file(t, 1))
	got := s.run("event", "send", "events.jsonl", "--source", "bamboohr")
	assert.Equal(t, service.ExitUsage, got.code)
	assert.Contains(t, got.err, `no topic of the configuration has the source "bamboohr": name one with --topic`)
	got = s.run("event", "send", "events.jsonl", "--source", "bamboohr", "--topic", "vendor")
	assert.Equal(t, service.ExitUsage, got.code)
	assert.Contains(t, got.err, `no topic of the configuration has the source "bamboohr": add one, with its settings`)
}

// The bodies of an HR system's webhooks are checked with the settings of its topic.
func TestEventValidateOfAnHRSystem(t *testing.T) {
	golden := func(name string) string {
		text, err := os.ReadFile("../../hr/source/bamboohr/testdata/golden/" + name + "/record.json")
		require.NoError(t, err)
		return string(text)
	}
	posted, thin, deleted := golden("fields-updated"), golden("event-updated"), golden("event-deleted")
	s := newSite(t)
	topics := func(settings string) {
		s.write("tenure.yaml", "ledger: {url: \"sqlite:x\"}\nkafka:\n  brokers: [\"a:1\"]\n  topics:\n    - {name: hr.bamboohr, source: bamboohr, settings: "+settings+"}\n")
	}
	topics("{zone: Europe/Berlin}")
	s.write("posted.json", posted)
	s.write("thin.json", thin)
	s.write("deleted.json", deleted)

	assert.Equal(t, result{stdout: "posted.json: 1 valid, 0 invalid\n"}, s.run("event", "validate", "--source", "bamboohr", "posted.json"))
	assert.Equal(t, result{stdout: "deleted.json: 1 valid, 0 invalid\n"}, s.run("event", "validate", "--source", "bamboohr", "deleted.json"))

	got := s.run("event", "validate", "--source", "bamboohr", "thin.json")
	assert.Equal(t, service.ExitFailed, got.code, "nothing is configured to fetch it")
	assert.Contains(t, got.err, "thin.json:1: thin: /data does not bring the fields that are needed")

	topics("{zone: Europe/Berlin, companyDomain: example, apiKey: k}")
	got = s.run("event", "validate", "--source", "bamboohr", "thin.json")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.err, "is thin: the starter fetches")

	topics("{zones: {Paris: Europe/Paris}}")
	got = s.run("event", "validate", "--source", "bamboohr", "posted.json")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Contains(t, got.err, "schema: location names no place whose time zone is known")
	assert.NotContains(t, got.err, "Berlin")

	got = s.run("event", "validate", "--source", "bamboohr", "--topic", "other", "posted.json")
	assert.Equal(t, service.ExitUsage, got.code)
	assert.Contains(t, got.err, "add one, with its settings")
}

// Every type's template is valid as it stands, in one line and over several, by the
// schema and by the decoder.
func TestEveryTypesTemplateIsValid(t *testing.T) {
	s := newSite(t)
	require.Len(t, eventTypes, len(eventWords))
	for i, word := range eventWords {
		assert.Equal(t, word, shortType(eventTypes[i]))
		for _, args := range [][]string{
			{"event", "new", word},
			{"event", "new", word, "--line", "--worker", "MÜ-17", "--effective", "2026-12-01", "--last-day", "2026-12-31", "--reason", "it's \x1b[2J"},
		} {
			got := s.run(args...)
			require.Zero(t, got.code, "%v: %s", args, got.err)
			assert.Empty(t, got.err)
			var doc any
			require.NoError(t, json.Unmarshal([]byte(got.stdout), &doc))
			require.NoError(t, schemas.OfEvent().Validate(doc), "%v: %s", args, got.stdout)
			assert.Empty(t, schemas.OfEvent().Unknown(doc))
			assert.NotContains(t, got.stdout, "\x1b")
			if len(args) > 3 {
				assert.Equal(t, 1, strings.Count(got.stdout, "\n"))
				assert.Contains(t, got.stdout, `"subject":"MÜ-17"`)
			}
			s.write("event.json", got.stdout)
			checked := s.run("event", "validate", "event.json")
			assert.Zero(t, checked.code, "%v: %s%s", args, checked.stdout, checked.err)
		}
	}
	s.write("two.jsonl", s.run("event", "new", "hired", "--line").stdout+s.run("event", "new", "hired", "--line").stdout)
	lines, err := os.ReadFile("two.jsonl")
	require.NoError(t, err)
	ids := map[string]bool{}
	for line := range strings.Lines(string(lines)) {
		var e struct{ ID string }
		require.NoError(t, json.Unmarshal([]byte(line), &e))
		ids[e.ID] = true
	}
	assert.Len(t, ids, 2, "each is an event of its own")
}

func TestWhatNoTemplateIsMadeOf(t *testing.T) {
	s := newSite(t)
	for says, args := range map[string][]string{
		`did you mean "hired"?`:             {"hird"},
		"--effective: ":                     {"hired", "--effective", "tomorrow"},
		`did you mean "contractor"?`:        {"hired", "--worker-type", "contractr"},
		`did you mean "immediate"?`:         {"terminated", "--urgency", "imediate"},
		"timeZone":                          {"hired", "--time-zone", "Europe/Belrin"},
		"wants TYPE, and was given 0 argum": {},
	} {
		got := s.run(append([]string{"event", "new"}, args...)...)
		assert.Equal(t, service.ExitUsage, got.code, "%v", args)
		assert.Contains(t, got.err, says, "%v", args)
		assert.Empty(t, got.stdout)
	}
}
