package group

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/ingest/broker"
)

// partition is one assigned partition during one generation.
type partition struct {
	c      *Member
	topic  string
	id     int
	commit func(offset int64) error
	log    *zap.Logger

	inbox     *inbox
	allowance *allowance // for the records in the inbox and in the window
	window    *window
	sifted    chan []sifted
	sifting   bool
	lanes     lanes
	handled   chan handled
	spare     bool  // one more record may be read although there is no room
	running   int   // records that are being handled
	committed int64 // the offset that this generation last committed
	progress  progress
	fetcher   *broker.Fetcher
}

// sifted is a record after Handler.Sift.
type sifted struct {
	message kafka.Message
	done    bool
}

// handled is a record after Handler.Deliver.
type handled struct {
	message kafka.Message
	acked   bool // false: the generation ended first
}

func (c *Member) newPartition(topic string, gen *kafka.Generation, a kafka.PartitionAssignment) *partition {
	log := c.log.With(zap.String("topic", topic), zap.Int("partition", a.ID))
	return &partition{
		c: c, topic: topic, id: a.ID,
		commit: func(offset int64) error {
			return gen.CommitOffsets(map[string]map[int]int64{topic: {a.ID: offset}})
		},
		log:       log,
		inbox:     newInbox(c.tuning.Window),
		allowance: &allowance{of: c.budget},
		window:    newWindow(a.Offset),
		sifted:    make(chan []sifted),
		lanes:     lanes{},
		handled:   make(chan handled),
		committed: a.Offset,
		progress:  progress{next: max(0, a.Offset)},
		fetcher: c.conn.Fetcher(topic, a.ID, a.Offset, broker.FetchOptions{
			Wait: c.tuning.FetchWait, Attempt: c.tuning.Attempt, Pause: c.tuning.RetryMax, Renew: c.tuning.Refetch,
			Restarted: c.metrics.refetches.WithLabelValues(topic).Inc, Log: log,
		}),
	}
}

// run reads the partition until ctx is done, which is when the generation ends. If it
// returned earlier, that would end the generation for all partitions.
func (p *partition) run(ctx context.Context) {
	if ctx.Err() != nil {
		return // the generation ended before it began
	}
	// The watch ends the generation by letting run return.
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	name := strconv.Itoa(p.id)
	defer p.c.metrics.forget(p.topic, name)
	inFlight := p.c.metrics.inFlight.WithLabelValues(p.topic, name)

	// Handlers outlive the generation for as long as draining may take.
	work, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()

	defer p.allowance.giveAll()
	var helpers sync.WaitGroup
	defer helpers.Wait()
	helpers.Go(func() { p.fetcher.Run(ctx, p.fetched) })
	helpers.Go(func() { p.watch(ctx, giveUp) })

	ticker := time.NewTicker(p.c.tuning.CommitEvery)
	defer ticker.Stop()
	spare := time.NewTicker(p.c.tuning.Spare)
	defer spare.Stop()
	for {
		in := p.inbox.some
		if p.sifting || p.room() <= 0 {
			in = nil
		}
		select {
		case <-in:
			p.take(work)
		case s := <-p.sifted:
			p.begin(work, s)
		case h := <-p.handled:
			p.finish(h)
			p.next(work, h)
		case <-ticker.C:
			p.commitProgress()
		case <-spare.C:
			p.spare = true
		case <-ctx.Done():
			p.drain(abandon)
			return
		}
		inFlight.Set(float64(p.window.len()))
		p.progress.set(p.window)
	}
}

// room returns how many records may be taken into the window. Behind a record that does
// not pass, further records are read, up to a span. The span is bounded because all of it
// is read again after a crash.
//
// If there is no room, one more record is read now and then, up to another window: records that fail
// for a reason of their own are given up only while others pass, and would be in the way for ever.
func (p *partition) room() int {
	room := min(p.c.tuning.Window-p.window.open, p.c.tuning.Span-p.window.len())
	if room <= 0 && p.spare && room > -p.c.tuning.Window {
		return 1
	}
	return room
}

// take puts fetched records into the window, and begins to sift them.
func (p *partition) take(work context.Context) {
	batch := p.inbox.take(p.room())
	p.spare = false
	fresh := batch[:0]
	for _, m := range batch {
		if p.window.add(m.Offset, m.Time) {
			fresh = append(fresh, m)
		} else {
			p.allowance.give(sizeOf(m))
		}
	}
	if len(fresh) == 0 {
		return
	}
	p.sifting = true
	go func() {
		done := p.c.handler.Sift(work, p.topic, fresh)
		records := make([]sifted, len(fresh))
		for i, m := range fresh {
			records[i] = sifted{message: m, done: done[i]}
		}
		p.sifted <- records
	}()
}

// begin acknowledges the records that were delivered before. It handles each of the
// others, unless an earlier record with the same key is not done.
func (p *partition) begin(work context.Context, records []sifted) {
	p.sifting = false
	for _, s := range records {
		if s.done {
			p.done(s.message)
		} else if p.lanes.push(s.message) {
			p.handle(work, s.message)
		}
	}
}

// fetched puts a record into the inbox as soon as there is room for it.
func (p *partition) fetched(ctx context.Context, m kafka.Message) error {
	if err := p.allowance.take(ctx, sizeOf(m)); err != nil {
		return err
	}
	return p.inbox.put(ctx, m)
}

func (p *partition) done(m kafka.Message) {
	p.window.ack(m.Offset)
	p.allowance.give(sizeOf(m))
}

func (p *partition) handle(work context.Context, m kafka.Message) {
	p.running++
	go func() {
		err := p.c.handler.Deliver(work, m)
		p.handled <- handled{message: m, acked: err == nil}
	}()
}

func (p *partition) finish(h handled) {
	p.running--
	if h.acked {
		p.done(h.message)
	}
}

// next handles the record that waited for the one that is done.
func (p *partition) next(work context.Context, h handled) {
	if m, ok := p.lanes.pop(h.message); ok {
		p.handle(work, m)
	}
}

// commitProgress commits what has been acknowledged without a gap. If that fails, it is
// tried at the next tick; if the broker accepts no commits of this generation any more,
// the generation is about to end.
func (p *partition) commitProgress() {
	if p.window.next <= p.committed {
		return
	}
	err := p.commit(p.window.next)
	p.c.metrics.committed(err)
	if err != nil {
		p.log.Warn("the offset could not be committed yet", zap.Int64("offset", p.window.next), zap.Error(err))
		return
	}
	p.committed = p.window.next
}

// drain ends the partition's generation. It leaves the records that wait in lanes to the
// next member, lets what is being handled finish for a while, and commits. It abandons
// handlers that do not return even when their context is done.
func (p *partition) drain(abandon context.CancelFunc) {
	// The next member need not repeat what is done already.
	p.commitProgress()
	patience := time.AfterFunc(p.c.tuning.DrainFor, abandon)
	defer patience.Stop()
	overdue := time.NewTimer(2 * p.c.tuning.DrainFor)
	defer overdue.Stop()
	for waiting := true; waiting && (p.running > 0 || p.sifting); {
		select {
		case records := <-p.sifted:
			p.skip(records)
		case h := <-p.handled:
			p.finish(h)
		case <-overdue.C:
			waiting = false
			p.abandonHandlers()
		}
	}
	p.commitProgress()
	if n := p.window.len(); n > 0 {
		first, _ := p.window.first()
		p.log.Info("left the partition with records in flight, which will be read again",
			zap.Int64("offset", first), zap.Int("records", n))
	}
}

// skip acknowledges the records that were delivered before, and handles no others.
func (p *partition) skip(records []sifted) {
	p.sifting = false
	for _, s := range records {
		if s.done {
			p.done(s.message)
		}
	}
}

// abandonHandlers lets the partition go although records are being handled. It is harmless if
// they still take effect: everything may be done twice.
func (p *partition) abandonHandlers() {
	first, _ := p.window.first()
	p.log.Error("letting the partition go although a call to the ledger or to Temporal does not return",
		zap.Int64("offset", first), zap.Int("records", p.running))
	handled, running, sifting := p.handled, p.running, p.sifting
	p.c.conn.Abandon("a call to the ledger or to Temporal for "+partitionName(p.topic, p.id), func() {
		if sifting {
			<-p.sifted
		}
		for range running {
			<-handled
		}
	})
}

// lanes holds the records of a partition's window by key: the first of each key is being
// handled, the others wait for it.
type lanes map[string][]kafka.Message

// push adds a record to its lane and reports whether it is the first there.
func (l lanes) push(m kafka.Message) bool {
	key := string(m.Key)
	l[key] = append(l[key], m)
	return len(l[key]) == 1
}

// pop removes m, the first record of its lane, and returns the record that is the first
// now.
func (l lanes) pop(m kafka.Message) (kafka.Message, bool) {
	key := string(m.Key)
	l[key][0] = kafka.Message{} // so that the rest does not keep it in memory
	rest := l[key][1:]
	if len(rest) == 0 {
		delete(l, key)
		return kafka.Message{}, false
	}
	l[key] = rest
	return rest[0], true
}
