package broker

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/internal/backoff"
)

// FetchOptions configures a Fetcher.
type FetchOptions struct {
	Wait      time.Duration // how long a broker may hold a fetch until records come
	Attempt   time.Duration // how long one attempt to find the end of an unreadable batch may take
	Pause     time.Duration // between these attempts
	Renew     time.Duration // how long a partition with records may deliver none before fetching begins anew
	Restarted func()        // is called when fetching begins anew
	Log       *zap.Logger
}

// Fetcher reads the records of a partition.
type Fetcher struct {
	c       *Connection
	topic   string
	id      int
	options FetchOptions
	log     *zap.Logger

	mu     sync.Mutex
	next   int64              // the offset of the next record, or kafka.FirstOffset
	asking time.Time          // when the fetcher began to wait for that record; zero: it does not wait
	renew  context.CancelFunc // ends the present reader
	inVain int                // restarts since the last record
}

// Fetcher returns a Fetcher of a partition's records, from an offset on.
func (c *Connection) Fetcher(topic string, partition int, from int64, o FetchOptions) *Fetcher {
	return &Fetcher{c: c, topic: topic, id: partition, options: o, log: o.Log, next: from}
}

// Run reads records and passes them on until ctx is done; pass may fail only then. A
// kafka.Reader finds the partition's leader, reconnects and backs off by itself. If it
// hangs all the same, Restart replaces it.
func (f *Fetcher) Run(ctx context.Context, pass func(context.Context, kafka.Message) error) {
	for ctx.Err() == nil {
		f.read(ctx, pass)
	}
}

// read reads with one reader, until ctx is done or Restart is called.
func (f *Fetcher) read(ctx context.Context, pass func(context.Context, kafka.Message) error) {
	reading, renew := context.WithCancel(ctx)
	defer renew()
	reader := f.c.newReader(reading, f.topic, f.id, f.options.Wait)
	// A reader may hang even when it is closed.
	defer f.c.abandoned.leave(fmt.Sprintf("closing a reader of %s/%d", f.topic, f.id), func() { _ = reader.Close() })
	f.mu.Lock()
	f.renew = renew
	_ = reader.SetOffset(f.next) // it fails only if the reader belongs to a group
	f.mu.Unlock()
	logged := ""
	for {
		f.ask()
		m, err := reader.FetchMessage(reading)
		switch {
		case reading.Err() != nil:
			return
		case err != nil && err.Error() != logged:
			logged = err.Error()
			f.log.Warn("records cannot be fetched at the moment; trying again", zap.Error(f.c.cluster.explain(err)))
			continue
		case err != nil:
			continue
		}
		logged = ""
		f.came()
		if first, why, is := standsIn(m); is {
			if err := f.skip(reading, first, pass); err != nil && ctx.Err() == nil {
				f.log.Warn("a batch cannot be read, and cannot be skipped yet: trying again",
					zap.String("why", why), zap.Error(f.c.cluster.explain(err)))
				_ = backoff.Sleep(ctx, f.options.Pause)
			}
			return // the next reader begins behind the batch
		}
		if pass(ctx, m) != nil {
			return
		}
		f.passed(m)
	}
}

// fetchAhead is how many records a reader may hold that it has not passed on. They are
// few, because a reader has no bound in bytes.
const fetchAhead = 4

// fetchBytes bounds what one request brings of a partition. A larger batch comes all
// the same, alone.
const fetchBytes = 10 << 20

// newReader returns a reader whose connections are closed when ctx is done, so that it
// cannot hang on them.
func (c *Connection) newReader(ctx context.Context, topic string, partition int, wait time.Duration) *kafka.Reader {
	dialer := *c.dialer
	dialer.DialFunc = func(dialing context.Context, network, address string) (net.Conn, error) {
		conn, err := c.dialer.DialFunc(dialing, network, address)
		if err == nil {
			context.AfterFunc(ctx, func() { _ = conn.Close() })
		}
		return conn, err
	}
	return kafka.NewReader(kafka.ReaderConfig{
		Brokers:         c.cluster.Brokers,
		Dialer:          &dialer,
		Topic:           topic,
		Partition:       partition,
		MinBytes:        1,
		MaxBytes:        fetchBytes,
		QueueCapacity:   fetchAhead,
		MaxWait:         wait,
		ReadLagInterval: -1, // ingest/group measures the lag
		ReadBackoffMax:  time.Second,
	})
}

// ask notes that the fetcher waits for a record.
func (f *Fetcher) ask() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.asking.IsZero() {
		f.asking = time.Now()
	}
}

// came notes that a record has come.
func (f *Fetcher) came() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asking, f.inVain = time.Time{}, 0
}

// passed notes that a record has been passed on.
func (f *Fetcher) passed(m kafka.Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next = m.Offset + 1
}

// restarts is how often fetching begins anew without success before Restart reports
// false.
const restarts = 3

// Restart replaces the reader if it hangs: the partition's leader has records, from first
// up to end, and for too long none has come. It reports false if replacing the reader has
// failed to help too often.
func (f *Fetcher) Restart(now time.Time, first, end int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if end <= max(f.next, first) || f.asking.IsZero() || now.Sub(f.asking) < f.options.Renew || f.renew == nil {
		return true
	}
	if f.inVain == restarts {
		f.log.Error("there are records and none comes, however often fetching begins anew: joining the group again",
			zap.Int64("offset", f.next), zap.Int64("end", end))
		return false
	}
	f.inVain++
	f.options.Restarted()
	f.log.Warn("there are records and none comes: fetching anew",
		zap.Int64("offset", f.next), zap.Int64("end", end), zap.Duration("since", now.Sub(f.asking)))
	f.asking = now // the next reader gets as long
	f.renew()
	return true
}
