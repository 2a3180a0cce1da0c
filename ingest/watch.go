package ingest

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"
)

// progress is what a partition's watch may know of it.
type progress struct {
	mu   sync.Mutex
	next int64 // everything before it is acknowledged
	end  int64 // after the last record fetched
}

func (p *progress) set(w *window) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = max(p.next, w.next)
	p.end = max(p.end, w.end())
}

func (p *progress) get() (next, end int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.next, p.end
}

// watch measures the partition's lag until ctx is done, and says loudly when the
// partition is stuck: there are records, and for too long none was acknowledged.
// A handler that hangs keeps a partition for ever, since heartbeats do not
// depend on handlers; so does a fetch that hangs.
func (p *partition) watch(ctx context.Context) {
	id := strconv.Itoa(p.id)
	lag := p.c.metrics.lag.WithLabelValues(p.topic.Name, id)
	alarm := p.c.metrics.stuck.WithLabelValues(p.topic.Name, id)
	w := watchdog{after: p.c.tuning.StuckAfter}

	ticker := time.NewTicker(p.c.tuning.WatchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			next, end := p.progress.get()
			first, last, err := p.c.offsets(ctx, p.topic.Name, p.id)
			if err == nil {
				next, end = max(next, first), max(end, last)
			}
			lag.Set(float64(max(0, end-next)))
			if ctx.Err() != nil {
				return
			}
			state := w.look(now, next, end)
			alarm.Set(0)
			if state != moving {
				alarm.Set(1)
			}
			if state == stuckAloud {
				p.log.Error("the partition is stuck: the record at this offset, or after it, is not done with",
					zap.Int64("offset", next), zap.Int64("lag", end-next), zap.Duration("since", now.Sub(w.moved)))
			}
		}
	}
}

// watchdog decides when a partition is stuck. The zero value but for after is
// ready for use.
type watchdog struct {
	after time.Duration
	next  int64
	moved time.Time // when next last moved, or nothing waited
	said  time.Time
}

// verdict is what a watchdog thinks of a partition.
type verdict int

const (
	moving     verdict = iota
	stuck              // and it has been said
	stuckAloud         // and it is time to say so (again)
)

// look takes a measurement: everything before next is acknowledged, and end is
// after the last record.
func (w *watchdog) look(now time.Time, next, end int64) verdict {
	if w.moved.IsZero() || next != w.next || end <= next {
		w.next, w.moved, w.said = next, now, time.Time{}
		return moving
	}
	if now.Sub(w.moved) < w.after {
		return moving
	}
	if now.Sub(w.said) < w.after {
		return stuck
	}
	w.said = now
	return stuckAloud
}

// offsets are the first offset of a partition and the one after its last record.
func (c *Consumer) offsets(ctx context.Context, topic string, id int) (first, end int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	resp, err := c.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{
		Topics: map[string][]kafka.OffsetRequest{topic: {kafka.FirstOffsetOf(id), kafka.LastOffsetOf(id)}},
	})
	if err != nil {
		return 0, 0, err
	}
	for _, p := range resp.Topics[topic] {
		if p.Partition == id {
			return p.FirstOffset, p.LastOffset, p.Error
		}
	}
	return 0, 0, kafka.UnknownTopicOrPartition
}
