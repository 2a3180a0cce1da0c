package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/ingest"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ingest/deadletter"
	"github.com/tenurehq/tenure/ingest/group"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service"
	"github.com/tenurehq/tenure/workflows"
)

const refusedValue = `{"type":"com.tenurehq.worker.terminated.v1","data":{"workerId":"10001","givenName":"Georgi"}}`

// deadLetters records four dead letters in the ledger: Georgi's termination, a letter of
// his that was sent again, a letter about somebody unknown, and a discarded one.
func (s *site) deadLetters() {
	s.t.Helper()
	l := s.ledger()
	defer func() { require.NoError(s.t, l.Close()) }()
	letter := func(offset int64, received string) ledger.DeadLetter {
		return ledger.DeadLetter{
			At:     ledger.Position{Topic: "hr.events.dlq", Offset: offset},
			Origin: ledger.Position{Topic: "hr.events", Partition: 3, Offset: 40 + offset},
			Digest: deadletter.Digest([]byte(refusedValue)), Format: "cloudevents", ReceivedAt: at(received),
		}
	}
	urgent := letter(0, "2026-03-03 08:00:00")
	urgent.Reason, urgent.Field, urgent.Text, urgent.Urgent = "schema", "/data/effectiveDate", "is missing", true
	urgent.PersonID, urgent.EventType, urgent.EventSource, urgent.EventID = "10001", "com.tenurehq.worker.terminated.v1", "workday", "e-77"
	again := letter(1, "2026-02-01 08:00:00")
	again.Reason, again.Text, again.PersonID = "malformed", "is not JSON", "10001"
	unknown := letter(2, "2026-03-04 08:00:00")
	unknown.Reason, unknown.Field, unknown.Text, unknown.PersonID = "schema", "/subject", "is missing", "10099"
	discarded := letter(3, "2026-03-05 08:00:00")
	discarded.Reason, discarded.Text = "tombstone", "has no value"
	for _, d := range []ledger.DeadLetter{urgent, again, unknown, discarded} {
		_, err := l.RecordDeadLetter(s.t.Context(), d)
		require.NoError(s.t, err)
	}
	for id, verb := range map[int64]ledger.LetterVerb{2: ledger.VerbRedrive, 4: ledger.VerbDiscard} {
		require.NoError(s.t, l.ActOnLetter(s.t.Context(), ledger.LetterAction{
			Verb: verb, ID: id, Operator: "ops", Reason: "ticket 42", At: at("2026-03-06 08:00:00"),
		}))
	}
}

func TestDLQList(t *testing.T) {
	s := newSite(t)
	s.people()
	assert.Equal(t, "no dead letters\n", s.run("dlq", "list").stdout)
	s.deadLetters()
	for name, args := range map[string]string{
		"dlq-list":        "",
		"dlq-list-all":    "--state all",
		"dlq-list-json":   "--urgent -o json",
		"dlq-list-yaml":   "--state discarded -o yaml",
		"dlq-list-filter": "--code schema --since 2026-03-04 --until 2026-03-04T08:00:01Z --topic hr.events --person 10099",
	} {
		got := s.run(append([]string{"dlq", "list"}, strings.Fields(args)...)...)
		want := service.ExitDone
		if name != "dlq-list-yaml" {
			want = service.ExitAttention // some of them are still open
		}
		assert.Equal(t, want, got.code, got.err)
		golden(t, name, got.stdout)
	}
	assert.Contains(t, s.run("dlq", "list", "--since", "1h").stdout, "no dead letters")
	for _, wrong := range [][]string{{"--since", "yesterday"}, {"--state", "lost"}} {
		got := s.run(append([]string{"dlq", "list"}, wrong...)...)
		assert.Equal(t, 2, got.code)
		assert.Contains(t, got.err, wrong[0])
	}
}

func TestPeopleWhoseRecordsCouldNotBeRead(t *testing.T) {
	s := newSite(t)
	s.people()
	s.deadLetters()
	golden(t, "dlq-person-show", s.run("person", "show", "10001").stdout)
	golden(t, "dlq-person-timeline", s.run("person", "timeline", "10001").stdout)
	for _, verb := range []string{"show", "timeline"} {
		assert.Contains(t, s.run("person", verb, "10001", "-o", "json").stdout, `"deadLetter`)
	}
	got := s.run("person", "show", "10099")
	assert.Equal(t, 1, got.code)
	assert.Contains(t, got.err, "tenure dlq list --person 10099")
}

func TestDLQHelp(t *testing.T) {
	s := newSite(t)
	for _, verb := range []string{"list", "show", "redrive", "discard", "index"} {
		golden(t, "dlq-help-"+verb, s.run("dlq", verb, "--help").stdout)
	}
}

// put writes messages to the first partition of a topic.
func (s *site) put(cluster *kfake.Cluster, topic string, messages ...kafka.Message) {
	s.t.Helper()
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	w := &kafka.Writer{
		Addr: kafka.TCP(cluster.ListenAddrs()...), Transport: transport, Topic: topic, BatchSize: len(messages), BatchTimeout: time.Minute,
		Balancer: kafka.BalancerFunc(func(_ kafka.Message, partitions ...int) int { return partitions[0] }),
	}
	defer func() { require.NoError(s.t, w.Close()) }()
	require.NoError(s.t, w.WriteMessages(s.t.Context(), messages...))
}

func TestDLQShow(t *testing.T) {
	s := newSite(t)
	cluster := s.broker("hr.events", "hr.events.dlq")
	s.deadLetters()
	s.put(cluster, "hr.events.dlq",
		kafka.Message{Key: []byte("10001"), Value: []byte(refusedValue), Headers: []kafka.Header{
			{Key: "content-type", Value: []byte("application/cloudevents+json")}, {Key: "odd", Value: []byte("\x1b[2J\xff")}, {Key: "none"},
			{Key: deadletter.HeaderReason, Value: []byte("schema")},
		}})
	golden(t, "dlq-show", s.run("dlq", "show", "1").stdout)
	golden(t, "dlq-show-json", s.run("dlq", "show", "1", "-o", "json").stdout)
	gone := s.run("dlq", "show", "3")
	assert.Zero(t, gone.code, gone.err)
	golden(t, "dlq-show-gone", gone.stdout)
	s.put(cluster, "hr.events.dlq", kafka.Message{Value: []byte("another")})
	assert.Contains(t, s.run("dlq", "show", "2").stdout, "is not on hr.events.dlq/0/1 any more", "another is in its place")

	for id, want := range map[string]string{"99": "no dead letter 99", "x": "is no dead letter's number"} {
		got := s.run("dlq", "show", id)
		assert.NotZero(t, got.code)
		assert.Contains(t, got.err, want)
	}
	cluster.Close()
	got := s.run("dlq", "show", "1", "--wait", "50ms")
	assert.Equal(t, 1, got.code)
	assert.Contains(t, got.err, "check kafka.brokers")
}

func TestValuesAreShownAsWhatTheyAre(t *testing.T) {
	for value, want := range map[string]string{
		`{"a":[1]}`:       "{\n  \"a\": [\n    1\n  ]\n}",
		"{\"a\":\r\n1}":   "{\n  \"a\": 1\n}",
		"hello\nthere":    "hello\nthere",
		"":                "(empty)",
		"\x1b[2J":         "00000000  1b 5b 32 4a                                       |.[2J|\n",
		"\xff":            "00000000  ff                                                |.|\n",
		"\"\u202eabc\"":   "00000000  22 e2 80 ae 61 62 63 22                           |\"...abc\"|\n",
		"wipe\rthis line": "00000000  77 69 70 65 0d 74 68 69  73 20 6c 69 6e 65        |wipe.this line|\n",
	} {
		assert.Equal(t, want, shown([]byte(value)))
	}
	assert.Equal(t, "(none)", shown(nil))
	assert.Equal(t, `"a\nb"`, inline([]byte("a\nb")))
}

func TestWhatIsAskedOfDLQCommandsHasToBeWhole(t *testing.T) {
	s := newSite(t)
	s.people()
	s.deadLetters()
	s.write("mended.json", "{}")
	s.write("empty.json", "")
	for _, c := range []struct{ args, want string }{
		{"redrive --reason x", "say which dead letters"},
		{"discard --reason x", "say which dead letters"},
		{"redrive 1 --person 10001 --reason x", "not both"},
		{"redrive 1 --apply", "--reason"},
		{"discard 1 --apply", "--reason"},
		{"discard 1 --yes", "--reason"},
		{"redrive --all --file mended.json --reason x", "mend one record"},
		{"redrive 1 2 --key 7 --reason x", "mend one record"},
		{"redrive 1 --file empty.json --reason x", "is empty"},
		{"redrive 1 --header x --reason x", "name=value"},
		{"discard one --reason x", "is no dead letter's number"},
	} {
		got := s.run(append([]string{"dlq"}, strings.Fields(c.args)...)...)
		assert.Equal(t, 2, got.code, c.args)
		assert.Contains(t, got.err, c.want, c.args)
	}
	seen := s.run("dlq", "discard", "1")
	assert.Equal(t, 3, seen.code)
	assert.Contains(t, seen.err, "discard 1 dead letter: schema 1; 1 urgent")
	assert.Contains(t, seen.err, "nothing was done: --apply does it\n")
	assert.Contains(t, s.run("dlq", "list", "--urgent").stdout, "open")
}

func TestDLQDiscard(t *testing.T) {
	s := newSite(t)
	f := &frontend{}
	f.serve(t)
	s.people()
	s.deadLetters()
	yes := s.run("dlq", "discard", "1", "1", "4", "--reason", "a test", "--operator", "me", "--apply")
	assert.Zero(t, yes.code, yes.err)
	assert.Contains(t, yes.err, "dead letter 4 is discarded already")
	assert.Contains(t, yes.err, "discarded 1 dead letter\n")
	assert.Equal(t, []string{"person:10001"}, f.nudged, "who asked what is to come of it knows at once")
	assert.NotContains(t, s.run("person", "show", "10001").stdout, "urgent")
	assert.Contains(t, s.run("dlq", "discard", "--all", "--reason", "x", "-y").err, "discarded 2 dead letters")
	assert.Contains(t, s.run("dlq", "discard", "--all", "--reason", "x", "-y").err, "nothing to discard")
	assert.Len(t, f.nudged, 1, "the others were not urgent, and nobody has asked")
	l := s.ledger()
	defer func() { require.NoError(t, l.Close()) }()
	rows, err := l.Audit(t.Context(), "10001", 0, 100)
	require.NoError(t, err)
	acts := ofHumans(rows)
	assert.Equal(t, "discard me a test", acts[1].Action+" "+acts[1].Actor+" "+acts[1].Cause)
}

// The decision is in the ledger, so the sweeper tells the run later.
func TestDLQDiscardWithoutTemporal(t *testing.T) {
	s := newSite(t)
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	s.people()
	s.deadLetters()
	got := s.run("dlq", "discard", "1", "--reason", "a test", "--yes")
	assert.Zero(t, got.code, got.err)
	assert.Contains(t, got.err, "discarded 1 dead letter\nthe runs of 10001 could not be told, and will be by the sweeper, within 1m0s: no answer from Temporal at 127.0.0.1:1")
	assert.NotContains(t, s.run("person", "show", "10001").stdout, "urgent")
}

// Somebody whom the ledger does not know has no run, and none is started.
func TestDLQDiscardOfNobody(t *testing.T) {
	s := newSite(t)
	f := &frontend{}
	f.serve(t)
	s.deadLetters()
	assert.Contains(t, s.run("dlq", "discard", "1", "--reason", "a test", "--yes").err, "discarded 1 dead letter\n")
	assert.Empty(t, f.nudged)
}

// nudges counts by person how often Temporal is told something.
type nudges struct {
	mu     sync.Mutex
	people map[string]int
}

func (n *nudges) Nudge(_ context.Context, nudge workflows.Nudge) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.people[nudge.PersonID]++
	return nil
}

// starter consumes the site's events, as the starter does, until the test ends.
func (s *site) starter(cluster *kfake.Cluster) {
	s.t.Helper()
	store := s.ledger()
	format, err := (&cli{}).formatOf("cloudevents", "hr.events")
	require.NoError(s.t, err)
	consumer, err := ingest.NewConsumer(ingest.Options{
		Cluster: broker.Cluster{Brokers: cluster.ListenAddrs()}, Group: "tenure",
		Topics: []ingest.Topic{{Name: "hr.events", Source: "cloudevents", Decode: format.Decode, DeadLetters: "hr.events.dlq"}},
		Intake: store, Nudger: &nudges{people: map[string]int{}}, Clock: clock.Real(), Log: zap.NewNop(),
		Tuning: ingest.Tuning{Tuning: group.Tuning{FetchWait: 20 * time.Millisecond, CommitEvery: 10 * time.Millisecond, RejoinAfter: 10 * time.Millisecond}},
	})
	require.NoError(s.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- consumer.Run(ctx) }()
	s.t.Cleanup(func() {
		cancel()
		assert.NoError(s.t, <-done)
		assert.NoError(s.t, store.Close())
	})
}

// awaitStates waits until the dead letters are in these states, by number.
func (s *site) awaitStates(want ...ledger.LetterState) {
	s.t.Helper()
	l := s.ledger()
	defer func() { require.NoError(s.t, l.Close()) }()
	var got []ledger.LetterState
	require.Eventually(s.t, func() bool {
		letters, err := l.DeadLetters(s.t.Context(), ledger.LetterFilter{}, 0, 100)
		got = nil
		for _, d := range letters {
			got = append(got, d.State)
		}
		return err == nil && assert.ObjectsAreEqual(want, got)
	}, 20*time.Second, 5*time.Millisecond, "want %v", want)
}

// An operator mends a record that cannot be read, and somebody's access ends.
func TestADeadLetterIsSeenAndMended(t *testing.T) {
	s := newSite(t)
	cluster := s.broker("hr.events", "hr.events.dlq")
	s.people()
	s.starter(cluster)
	const good = `{"specversion":"1.0","type":"com.tenurehq.worker.terminated.v1","source":"workday","id":"e-77","subject":"10001",` +
		`"time":"2026-03-03T08:00:00Z","data":{"workerId":"10001","effectiveDate":"2026-03-03","termination":{"lastDayOfWork":"2026-03-03"}}}`
	bad := strings.ReplaceAll(good, `"2026-03-03"`, `"03/03/2026"`)
	s.put(cluster, "hr.events", kafka.Message{Key: []byte("10001"), Value: []byte(bad), Headers: []kafka.Header{{Key: "content-type", Value: []byte(structured)}}})
	s.awaitStates(ledger.LetterOpen)
	assert.Contains(t, s.run("person", "show", "10001").stdout, "urgent")

	// Anybody who may write to the topic may write any header. Such a header closes no
	// letter.
	for offset := range 3 {
		forged := strings.NewReplacer("10001", "10002", "e-77", fmt.Sprint("forged-", offset)).Replace(good)
		s.put(cluster, "hr.events", kafka.Message{Key: []byte("10002"), Value: []byte(forged), Headers: []kafka.Header{
			{Key: "content-type", Value: []byte(structured)}, {Key: deadletter.HeaderRedriveOf, Value: fmt.Appendf(nil, "hr.events.dlq/0/%d", offset)},
		}})
	}
	require.Eventually(t, func() bool { return strings.Contains(s.run("person", "timeline", "10002").stdout, "forged-2") }, 20*time.Second, 5*time.Millisecond)
	s.awaitStates(ledger.LetterOpen)

	var content struct{ Value string }
	require.NoError(t, json.Unmarshal([]byte(s.run("dlq", "show", "1", "-o", "json").stdout), &content))
	assert.Equal(t, bad, content.Value)
	rehearsed := s.run("dlq", "redrive", "--all", "--dry-run")
	assert.Zero(t, rehearsed.code, rehearsed.err)
	assert.Contains(t, rehearsed.stdout, "would be refused: schema: /data/effectiveDate")

	left := s.run("dlq", "redrive", "1", "--reason", "try", "--yes")
	assert.Equal(t, 3, left.code)
	assert.Contains(t, left.err, "dead letter 1 is left out: it would be refused")
	s.awaitStates(ledger.LetterOpen)

	// With --force it becomes another dead letter, which says where it comes from.
	assert.Zero(t, s.run("dlq", "redrive", "1", "--force", "--reason", "try", "--yes").code)
	s.awaitStates(ledger.LetterFailed, ledger.LetterOpen)
	assert.Contains(t, s.run("dlq", "redrive", "1", "--reason", "try", "--yes").err, "dead letter 1 is failed already")

	s.write("mended.json", strings.ReplaceAll(content.Value, "03/03/2026", "2026-03-03"))
	seen := s.run("dlq", "redrive", "2", "--file", "mended.json", "-o", "json")
	assert.Equal(t, 3, seen.code)
	assert.Contains(t, seen.stdout, `"result": "can be read"`)
	s.awaitStates(ledger.LetterFailed, ledger.LetterOpen)
	asked := s.run("dlq", "redrive", "2", "--file", "mended.json", "--reason", "HR's typo", "--operator", "me", "--apply")
	assert.Zero(t, asked.code, asked.err)
	assert.Contains(t, asked.err, "sent 1 record again")
	s.awaitStates(ledger.LetterFailed, ledger.LetterApplied)
	assert.NotContains(t, s.run("person", "show", "10001").stdout, "could not be read")
	assert.Contains(t, s.run("person", "timeline", "10001").stdout, "access ends (terminated)")

	// It is sent again only with --again.
	sent := len(consume(t, cluster, "hr.events"))
	assert.Contains(t, s.run("dlq", "redrive", "2", "--reason", "x", "--yes").err, "dead letter 2 is applied already (me (login tester), ")
	assert.Contains(t, s.run("dlq", "redrive", "--all", "--reason", "x", "--yes").err, "nothing to send")
	assert.Len(t, consume(t, cluster, "hr.events"), sent)
	assert.Zero(t, s.run("dlq", "redrive", "2", "--again", "--file", "mended.json", "--reason", "x", "--yes").code)
	assert.Len(t, consume(t, cluster, "hr.events"), sent+1)
	s.awaitStates(ledger.LetterFailed, ledger.LetterApplied)

	l := s.ledger()
	defer func() { require.NoError(t, l.Close()) }()
	person, err := l.Person(t.Context(), "10001")
	require.NoError(t, err)
	assert.Len(t, person.Events, 3, "an event is known by its source and id")
	var acts []string
	rows, err := l.Audit(t.Context(), "10001", 0, 100)
	require.NoError(t, err)
	for _, row := range ofHumans(rows) {
		acts = append(acts, row.Action+": "+row.Cause)
	}
	assert.Equal(t, []string{"redrive: try", "redrive: HR's typo", "redrive: x"}, acts)
}

func TestDLQIndexFindsWhatTheLedgerDoesNotKnow(t *testing.T) {
	s := newSite(t)
	cluster := s.broker("hr.events", "vendor", "hr.events.dlq", "vendor.dead")
	s.people()
	s.put(cluster, "vendor.dead",
		kafka.Message{Key: []byte("10001"), Value: []byte("hello")},
		kafka.Message{Key: []byte("10001"), Value: []byte("{"), Headers: []kafka.Header{
			{Key: deadletter.HeaderReason, Value: []byte("malformed")}, {Key: deadletter.HeaderTopic, Value: []byte("vendor")},
			{Key: deadletter.HeaderPartition, Value: []byte("1")}, {Key: deadletter.HeaderOffset, Value: []byte("7")},
			{Key: deadletter.HeaderAt, Value: []byte("2026-03-03T08:00:00Z")},
		}})
	got := s.run("dlq", "index")
	assert.Zero(t, got.code, got.err)
	assert.Equal(t, "hr.events.dlq: 0 dead letters, 0 of them new to the ledger\nvendor.dead: 2 dead letters, 2 of them new to the ledger\n", got.stdout)
	assert.Equal(t, "vendor.dead: 2 dead letters, 0 of them new to the ledger\n", s.run("dlq", "index", "--topic", "vendor.dead").stdout)
	list := s.run("dlq", "list", "-o", "json").stdout
	assert.Contains(t, list, `"record": "vendor/1/7"`)
	assert.Contains(t, list, `"record": "vendor.dead/0/0"`)
	assert.Contains(t, list, `"receivedAt": "2026-03-03T08:00:00Z"`)
	none := s.run("dlq", "index", "--topic", "nowhere")
	assert.Equal(t, 1, none.code)
	assert.Contains(t, none.err, "nowhere")
	_, err := os.Stat("tenure.db")
	require.NoError(t, err)
}
