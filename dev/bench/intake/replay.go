package intake

import (
	"context"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
)

// replay compares reading a topic again, after all of it was applied, with a consumer
// group of kafka-go that only reads and commits, as often as Tenure does. Both are
// measured from the first record to the commit of the last one.
func (r *rig) replay(ctx context.Context) (*Race, error) {
	topic, err := r.newTopic(ctx, r.Partitions)
	if err != nil {
		return nil, err
	}
	if err := r.publish(ctx, topic, r.Replay, func(i int) hr.Event { return hired(person(topic, i)) }); err != nil {
		return nil, err
	}
	store, err := sqlite.Open(ctx, r.file("replay.db"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = store.Close() }()
	r.tell("  applying %d events first ...", r.Replay)
	first, err := r.consume(ctx, topic, topic+"-first", store, free{})
	if err != nil {
		return nil, err
	}
	if err := first.finish(ctx, r.Replay); err != nil {
		return nil, err
	}
	return r.race(r.Replay,
		func(round int) (float64, error) {
			return r.readOnly(ctx, topic, fmt.Sprintf("%s-bare-%d", topic, round))
		},
		func(round int) (float64, error) {
			return r.readAgain(ctx, topic, fmt.Sprintf("%s-again-%d", topic, round), store)
		})
}

// readOnly reads the topic with a bare group of kafka-go.
func (r *rig) readOnly(ctx context.Context, topic, group string) (float64, error) {
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: r.Brokers, GroupID: group, GroupTopics: []string{topic}, StartOffset: kafka.FirstOffset,
		MaxBytes: 10 << 20, MaxWait: 500 * time.Millisecond, CommitInterval: 500 * time.Millisecond,
	})
	var began time.Time
	for i := range r.Replay {
		m, err := reader.FetchMessage(ctx)
		if i == 0 {
			began = time.Now()
		}
		if err == nil {
			err = reader.CommitMessages(ctx, m)
		}
		if err != nil {
			_ = reader.Close()
			return 0, err
		}
	}
	err := reader.Close() // Close commits
	return float64(r.Replay) / time.Since(began).Seconds(), err
}

// readAgain reads the topic with a new group of Tenure's.
func (r *rig) readAgain(ctx context.Context, topic, group string, store ledger.Intake) (float64, error) {
	noting := &noting{Intake: store}
	c, err := r.consume(ctx, topic, group, noting, free{})
	if err != nil {
		return 0, err
	}
	err = c.finish(ctx, r.Replay)
	return noting.rate(r.Replay), err
}
