package ingest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ingest/group"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/workflows"
)

// suite runs all tests, and then ends the broker that they share.
type suite struct{ *testing.M }

func (s suite) Run() int {
	defer closeBroker()
	return s.M.Run()
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(suite{m}) }

const (
	topicEvents  = "hr.events"
	topicLetters = "hr.events.dlq"
	groupName    = "tenure"

	patience = 20 * time.Second // the bound for waiting for what must happen
	tick     = 2 * time.Millisecond
)

// rig holds what a consumer needs: a broker, a ledger and a Temporal.
type rig struct {
	t       *testing.T
	brokers []string
	client  *kafka.Client
	// events and dlq are topics, group is a consumer group. All are the rig's own.
	events, dlq, group string

	intake *fakeIntake
	nudger *fakeNudger
	logs   *observer.ObservedLogs
	// metrics holds the metrics of each consumer that runs.
	metrics map[*Consumer]prometheus.Gatherer
	log     *zap.Logger

	// observeCommits begins to note the offsets that are committed of each partition of
	// the events, as completely as the broker allows. It returns a function that ends
	// this and returns the offsets.
	observeCommits func() func() map[int][]int64
}

// newBareRig returns a rig without a client, and with the usual names.
func newBareRig(t *testing.T, brokers ...string) *rig {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	return &rig{
		t: t, brokers: brokers, events: topicEvents, dlq: topicLetters, group: groupName,
		intake: newFakeIntake(), nudger: &fakeNudger{}, logs: logs, metrics: map[*Consumer]prometheus.Gatherer{}, log: zap.New(core),
	}
}

var quick = Tuning{
	Tuning: group.Tuning{
		CommitEvery: 10 * time.Millisecond,
		Spare:       time.Hour,
		FetchWait:   20 * time.Millisecond,
		DrainFor:    10 * time.Second,
		WatchEvery:  20 * time.Millisecond,
		RetryMax:    20 * time.Millisecond,
		TopicsEvery: 20 * time.Millisecond,
		Session:     time.Second,
		Rebalance:   15 * time.Second,
		RejoinAfter: 20 * time.Millisecond,
	},
	RetryMin: 2 * time.Millisecond,
}

// options returns the options of a consumer that decodes the note format of this file.
func (r *rig) options() Options {
	return Options{
		Cluster: broker.Cluster{Brokers: r.brokers},
		Group:   r.group,
		Topics:  []Topic{{Name: r.events, Source: "note", Decode: decodeNote, Identify: identifyNote, DeadLetters: r.dlq}},
		Intake:  r.intake,
		Nudger:  r.nudger,
		Clock:   clock.Real(),
		Log:     r.log,
		Metrics: prometheus.NewRegistry(),
		Tuning:  quick,
	}
}

// run starts a consumer, and returns a function that stops it and waits until it is gone.
func (r *rig) run(adjust ...func(*Options)) (c *Consumer, stop func()) {
	r.t.Helper()
	o := r.options()
	for _, f := range adjust {
		f(&o)
	}
	c, err := NewConsumer(o)
	require.NoError(r.t, err)
	r.metrics[c] = o.Metrics.(prometheus.Gatherer)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-done:
				assert.NoError(r.t, err)
			case <-time.After(patience):
				assert.Fail(r.t, "the consumer does not stop")
			}
		})
	}
	r.t.Cleanup(stop)
	return c, stop
}

// note is an event in this file's own format.
type note struct {
	ID, Person string
	Type       hr.EventType
}

func (n note) message() broker.Message {
	value, err := json.Marshal(n)
	if err != nil {
		panic(err)
	}
	return broker.Message{Key: n.Person, Value: value}
}

// record returns the note as a message that kafka-go writes.
func (n note) record(topic string) kafka.Message {
	m := n.message()
	return kafka.Message{Topic: topic, Key: []byte(m.Key), Value: m.Value}
}

func decodeNote(r source.Record) ([]hr.Event, []source.Warning, error) {
	var n note
	if err := json.Unmarshal(r.Value, &n); err != nil {
		return nil, nil, &source.Error{Reason: "not_json", Text: err.Error()}
	}
	if n.ID == "panic" {
		panic("a decoder with a bug")
	}
	e := hr.Event{EventKey: hr.EventKey{Source: "test", ID: n.ID}, PersonID: n.Person, Type: cmp.Or(n.Type, hr.EventUpdated)}
	return []hr.Event{e}, nil, nil
}

func identifyNote(r source.Record) (hr.EventKey, bool) {
	var n note
	err := json.Unmarshal(r.Value, &n)
	return hr.EventKey{Source: "test", ID: n.ID}, err == nil
}

// notes returns n events for each of the people, interleaved: p1-1, p2-1, p1-2, ...
func notes(n int, people ...string) []broker.Message { return notesFrom(0, n, people...) }

// notesFrom returns the n events of each person that come after the first ones.
func notesFrom(first, n int, people ...string) []broker.Message {
	var out []broker.Message
	for i := range n {
		for _, p := range people {
			out = append(out, note{ID: fmt.Sprintf("%s-%d", p, first+i+1), Person: p, Type: hr.EventUpdated}.message())
		}
	}
	return out
}

// conn connects to the rig's brokers.
func (r *rig) conn() *broker.Connection {
	c := broker.Cluster{Brokers: r.brokers}.Connect(patience)
	r.t.Cleanup(c.Close)
	return c
}

func (r *rig) publish(messages ...broker.Message) {
	r.t.Helper()
	p := broker.NewPublisher(broker.Cluster{Brokers: r.brokers})
	defer p.Close()
	require.NoError(r.t, p.Publish(bounded(r.t), r.events, messages))
}

func (r *rig) awaitCommitted(partition int, offset int64) {
	r.t.Helper()
	r.eventually(func() bool { return r.committed(partition) == offset }, "offset %d committed", offset)
}

// awaitAllCommitted waits until the group has committed the end of every
// partition.
func (r *rig) awaitAllCommitted() {
	r.t.Helper()
	r.eventually(func() bool {
		ends := r.ends(r.events)
		for partition, end := range ends {
			if end > 0 && r.committed(partition) != end {
				return false
			}
		}
		return ends != nil
	}, "everything committed")
}

func (r *rig) eventually(cond func() bool, msg string, args ...any) {
	r.t.Helper()
	require.Eventually(r.t, cond, patience, tick, append([]any{msg}, args...)...)
}

// bounded returns the test's context with a deadline that comes before the test's own.
func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func (r *rig) logged(snippet string) int { return r.logs.FilterMessageSnippet(snippet).Len() }

// letters reads n dead letters.
func (r *rig) letters(n int) []kafka.Message {
	r.t.Helper()
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: r.brokers, Topic: r.dlq, MaxWait: 20 * time.Millisecond, ReadLagInterval: -1,
	})
	defer reader.Close()
	ctx := bounded(r.t)
	var out []kafka.Message
	for range n {
		m, err := reader.FetchMessage(ctx)
		require.NoError(r.t, err)
		out = append(out, m)
	}
	return out
}

func (r *rig) letterCount() int64 { return r.ends(r.dlq)[0] }

// fakeIntake is a ledger's intake in memory, with a switch.
type fakeIntake struct {
	mu        sync.Mutex
	seqs      map[hr.EventKey]int64
	events    []ledger.Received // by sequence number, from 1
	delivered map[int64]bool
	down      bool
	poison    string // the event ID that makes Record fail
	refuses   bool   // Record fails because the event cannot be kept
	batches   []int
	letters   []ledger.DeadLetter // by ID, from 1
	known     map[string]bool     // people, besides those with events
}

func newFakeIntake() *fakeIntake {
	return &fakeIntake{seqs: map[hr.EventKey]int64{}, delivered: map[int64]bool{}, known: map[string]bool{}}
}

func (f *fakeIntake) setDown(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

func (f *fakeIntake) Record(_ context.Context, events []ledger.Received) ([]ledger.Receipt, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.batches = append(f.batches, len(events))
	if f.refuses && slices.ContainsFunc(events, func(r ledger.Received) bool { return r.Event.ID == f.poison }) {
		return nil, fmt.Errorf("%w: an index has no room", ledger.ErrRefused)
	}
	if f.down || slices.ContainsFunc(events, func(r ledger.Received) bool { return r.Event.ID == f.poison }) {
		return nil, errors.New("ledger: no space left")
	}
	receipts := make([]ledger.Receipt, len(events))
	for i, e := range events {
		seq, duplicate := f.seqs[e.Event.EventKey]
		if duplicate && !hr.SameContent(f.events[seq-1].Event, e.Event) {
			receipts[i] = ledger.Receipt{Seq: seq, Conflict: true}
			continue
		}
		if !duplicate {
			f.events = append(f.events, e)
			seq = int64(len(f.events))
			f.seqs[e.Event.EventKey] = seq
		}
		receipts[i] = ledger.Receipt{Seq: seq, Duplicate: duplicate, Delivered: f.delivered[seq]}
	}
	return receipts, nil
}

func (f *fakeIntake) Known(_ context.Context, keys []hr.EventKey) ([]ledger.Known, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return nil, errors.New("ledger: no space left")
	}
	known := make([]ledger.Known, len(keys))
	for i, key := range keys {
		if seq := f.seqs[key]; seq > 0 {
			e := f.events[seq-1]
			known[i] = ledger.Known{Seq: seq, Delivered: f.delivered[seq], Topic: e.Topic, Partition: e.Partition, Offset: e.Offset}
		}
	}
	return known, nil
}

func (f *fakeIntake) MarkDelivered(_ context.Context, seqs []int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return errors.New("ledger: no space left")
	}
	for _, seq := range seqs {
		f.delivered[seq] = true
	}
	return nil
}

// RecordDeadLetter tells letters apart by origin and digest, as a ledger does.
func (f *fakeIntake) RecordDeadLetter(_ context.Context, l ledger.DeadLetter) (ledger.LetterReceipt, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return ledger.LetterReceipt{}, errors.New("ledger: no space left")
	}
	i := slices.IndexFunc(f.letters, func(o ledger.DeadLetter) bool { return o.Origin == l.Origin && o.Digest == l.Digest })
	receipt := ledger.LetterReceipt{Duplicate: i >= 0, Pending: true, Urgent: l.Urgent}
	if i < 0 {
		i = len(f.letters)
		f.letters = append(f.letters, l)
	}
	receipt.ID = int64(i + 1)
	if f.known[l.PersonID] || slices.ContainsFunc(f.events, func(r ledger.Received) bool { return r.Event.PersonID == l.PersonID }) {
		receipt.PersonID = l.PersonID
	}
	return receipt, nil
}

// indexed returns the dead letters that the ledger knows of.
func (f *fakeIntake) indexed() []ledger.DeadLetter {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.letters)
}

// ids returns the IDs of one person's recorded events, or (empty) of everybody's.
func (f *fakeIntake) ids(person string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var ids []string
	for _, e := range f.events {
		if person == "" || e.Event.PersonID == person {
			ids = append(ids, e.Event.ID)
		}
	}
	return ids
}

// fakeNudger is a Temporal that remembers nudges. gate, if set, is called before a nudge
// is taken, and may block or refuse it.
type fakeNudger struct {
	gate func(ctx context.Context, n workflows.Nudge) error

	mu    sync.Mutex
	taken []workflows.Nudge
}

func (f *fakeNudger) Nudge(ctx context.Context, n workflows.Nudge) error {
	if f.gate != nil {
		if err := f.gate(ctx, n); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.taken = append(f.taken, n)
	return nil
}

func (f *fakeNudger) nudges(person string) []workflows.Nudge {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []workflows.Nudge
	for _, n := range f.taken {
		if person == "" || n.PersonID == person {
			out = append(out, n)
		}
	}
	return out
}
