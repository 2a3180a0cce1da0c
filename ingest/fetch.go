package ingest

import (
	"context"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"
)

// fetcher reads the records of a partition.
type fetcher struct {
	c     *Consumer
	topic string
	id    int
	log   *zap.Logger

	mu     sync.Mutex
	next   int64     // the offset that the next record is read from, or kafka.FirstOffset
	asking time.Time // since when the reader has been asked for it; zero: it is not
	renew  context.CancelFunc
}

func (c *Consumer) newFetcher(topic string, a kafka.PartitionAssignment, log *zap.Logger) *fetcher {
	return &fetcher{c: c, topic: topic, id: a.ID, log: log, next: a.Offset}
}

// run reads records and passes them on until ctx is done: pass fails only then. A
// reader finds the partition's
// leader, reconnects and backs off by itself; should it hang all the same (see
// restart), another takes its place.
func (f *fetcher) run(ctx context.Context, pass func(context.Context, kafka.Message) error) {
	for ctx.Err() == nil {
		f.read(ctx, pass)
	}
}

// read reads until ctx is done or restart is called.
func (f *fetcher) read(ctx context.Context, pass func(context.Context, kafka.Message) error) {
	reading, renew := context.WithCancel(ctx)
	defer renew()
	reader := f.c.newReader(f.topic, f.id)
	// Nobody waits for a reader that cannot even be closed.
	defer f.c.abandoned.leave("closing a reader of "+partitionName(f.topic, f.id), func() { _ = reader.Close() })
	f.mu.Lock()
	f.renew = renew
	_ = reader.SetOffset(f.next) // fails only on a reader of a group
	f.mu.Unlock()
	said := ""
	for {
		f.ask(true)
		m, err := reader.FetchMessage(reading)
		f.ask(false)
		switch {
		case reading.Err() != nil:
			return
		case err != nil && err.Error() != said:
			said = err.Error()
			f.log.Warn("records cannot be fetched at the moment; trying again", zap.Error(f.c.cluster.explain(err)))
			continue
		case err != nil:
			continue
		}
		said = ""
		if pass(ctx, m) != nil {
			return
		}
		f.passed(m)
	}
}

// fetchAhead is how many records a reader may hold that are not passed on yet:
// few, because it knows no bound in bytes.
const fetchAhead = 16

func (c *Consumer) newReader(topic string, partition int) *kafka.Reader {
	return kafka.NewReader(kafka.ReaderConfig{
		Brokers:         c.cluster.Brokers,
		Dialer:          c.dialer,
		Topic:           topic,
		Partition:       partition,
		MinBytes:        1,
		MaxBytes:        10 << 20,
		QueueCapacity:   fetchAhead,
		MaxWait:         c.tuning.FetchWait,
		ReadLagInterval: -1, // see watch
		ReadBackoffMax:  time.Second,
	})
}

// ask notes that the reader is asked for a record, or not any more.
func (f *fetcher) ask(begin bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asking = time.Time{}
	if begin {
		f.asking = time.Now()
	}
}

func (f *fetcher) passed(m kafka.Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next = m.Offset + 1
}

// restart gives the reader up for another if it hangs: there are records, up to
// end as the partition's leader says, and for too long none has come.
func (f *fetcher) restart(now time.Time, end int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if end <= f.next || f.asking.IsZero() || now.Sub(f.asking) < f.c.tuning.Refetch || f.renew == nil {
		return
	}
	f.c.metrics.refetches.WithLabelValues(f.topic).Inc()
	f.log.Warn("records are there and none comes: fetching anew",
		zap.Int64("offset", f.next), zap.Int64("end", end), zap.Duration("since", now.Sub(f.asking)))
	f.asking = now
	f.renew()
}
