//go:build real

package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
	"github.com/tenurehq/tenure/ingest"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ingest/group"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/workflows"
)

// lifeVariable names the environment variable that gives a process its life, as JSON.
const lifeVariable = "TENURE_CRASH_LIFE"

// life says what one process consumes, and where it dies.
type life struct {
	Brokers        []string
	Topic, Letters string
	Group          string
	Ledger         string // file
	Recorder       string // URL that takes nudges
	Death          death
}

// quick makes members of a group notice each other's deaths soon. The window is small, so
// that a life ends soon after the passage at which it should end.
var quick = ingest.Tuning{
	Tuning: group.Tuning{
		Window:      16,
		CommitEvery: 10 * time.Millisecond,
		FetchWait:   20 * time.Millisecond,
		DrainFor:    2 * time.Second,
		RetryMax:    50 * time.Millisecond,
		TopicsEvery: time.Second,
		Session:     400 * time.Millisecond,
		Rebalance:   5 * time.Second,
		RejoinAfter: 20 * time.Millisecond,
	},
	RetryMin: 5 * time.Millisecond,
}

// lead consumes as the life says, until the process dies or gets a SIGTERM.
func lead(encoded string) error {
	var l life
	if err := json.Unmarshal([]byte(encoded), &l); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	fmt.Fprintln(os.Stderr, firstWords)
	store, err := sqlite.Open(ctx, l.Ledger)
	switch {
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return nil // it was told to stop before it had begun
	case err != nil:
		return err
	}
	defer store.Close()
	log, err := zap.NewProduction()
	if err != nil {
		return err
	}
	reaper := &reaper{death: l.Death}
	consumer, err := ingest.NewConsumer(ingest.Options{
		Cluster: broker.Cluster{Brokers: l.Brokers, Dial: reaper.dial},
		Group:   l.Group,
		Topics: []ingest.Topic{{Name: l.Topic, Source: "cloudevents", Decode: reaper.decode, DeadLetters: l.Letters,
			Channel: source.Channel{Types: []string{source.WorkerTypes, source.SecurityTypes}}}},
		Intake: intake{store, reaper},
		Nudger: nudger{l.Recorder, reaper},
		Clock:  clock.Real(),
		Log:    log.WithOptions(zap.IncreaseLevel(zap.WarnLevel)),
		Tuning: quick,
	})
	if err != nil {
		return err
	}
	return consumer.Run(ctx)
}

// decode decodes a record, which passes the point after fetch.
func (r *reaper) decode(record source.Record) ([]hr.Event, []source.Warning, error) {
	r.pass(afterFetch)
	return cloudevents.Decode(record)
}

// intake is the ledger's intake, with a point after each write.
type intake struct {
	ledger.Intake
	reaper *reaper
}

func (i intake) Record(ctx context.Context, events []ledger.Received) ([]ledger.Receipt, error) {
	receipts, err := i.Intake.Record(ctx, events)
	if err == nil {
		for range events {
			i.reaper.pass(afterLedgerWrite)
		}
	}
	return receipts, err
}

// nudger sends nudges to the recorder.
type nudger struct {
	url    string
	reaper *reaper
}

func (n nudger) Nudge(ctx context.Context, nudge workflows.Nudge) error {
	body, err := json.Marshal(nudge)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if err := answer.Body.Close(); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusNoContent {
		return fmt.Errorf("the recorder answers %s", answer.Status)
	}
	n.reaper.pass(afterSignal)
	return nil
}

// mainOf leads a life if the process was started for that, and else runs the
// tests.
func mainOf(run func() int) int {
	encoded, ok := os.LookupEnv(lifeVariable)
	if !ok {
		return run()
	}
	if err := lead(encoded); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
