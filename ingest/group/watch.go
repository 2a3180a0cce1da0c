package group

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"
)

// progress holds how far a partition has come, for its watch.
type progress struct {
	mu     sync.Mutex
	next   int64     // all records before it are acknowledged
	end    int64     // the offset after the last record in the window
	oldest time.Time // timestamp of the first record in the window; zero: there is none
}

func (p *progress) set(w *window) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = max(p.next, w.next)
	p.end = max(p.end, w.end())
	p.oldest = w.oldest()
}

func (p *progress) get() (next, end int64, oldest time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.next, p.end, p.oldest
}

// watch measures the partition's lag until ctx is done. It logs an error when the
// partition is stuck: there are records, and for too long none was acknowledged. The
// alarm matters, because a handler that hangs keeps its partition for ever: heartbeats do
// not depend on handlers. The watch restarts a fetch that hangs, and calls giveUp if that
// does not help.
func (p *partition) watch(ctx context.Context, giveUp func()) {
	name := partitionName(p.topic, p.id)
	defer p.c.alarms.clear(name)
	id := strconv.Itoa(p.id)
	m := p.c.metrics
	lag, oldest := m.lag.WithLabelValues(p.topic, id), m.oldest.WithLabelValues(p.topic, id)
	alarm := m.stuck.WithLabelValues(p.topic, id)
	w := watchdog{after: p.c.tuning.StuckAfter}

	ticker := time.NewTicker(p.c.tuning.WatchEvery)
	defer ticker.Stop()
	for {
		s := p.survey(ctx)
		if ctx.Err() != nil {
			return
		}
		now := time.Now()
		lag.Set(float64(max(0, s.end-s.next)))
		oldest.Set(s.age(now).Seconds())
		if s.asked && !p.fetcher.Restart(now, s.next, s.end) {
			m.rejoins.Inc()
			giveUp()
			return
		}
		state := w.look(now, s.next, s.end)
		if state == moving {
			alarm.Set(0)
			p.c.alarms.clear(name)
		} else {
			alarm.Set(1)
			p.c.alarms.raise(name, fmt.Sprintf("nothing acknowledged for %s: the record at offset %d, or after it, is not done",
				now.Sub(w.moved).Round(time.Second), s.next))
		}
		if state == stuckAlarm {
			p.log.Error("the partition is stuck: the record at this offset, or after it, is not done",
				zap.Int64("offset", s.next), zap.Int64("lag", s.end-s.next), zap.Duration("since", now.Sub(w.moved)))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// survey holds what a watch found out about a partition.
type survey struct {
	next, end int64     // all records before next are acknowledged; end is after the last record
	oldest    time.Time // timestamp of the first record from next on; zero if there is none, or if that is not known
	asked     bool      // whether the partition's leader answered
}

// age returns the age of the first record that is not acknowledged.
func (s survey) age(now time.Time) time.Duration {
	if s.oldest.IsZero() || s.end <= s.next {
		return 0
	}
	return max(0, now.Sub(s.oldest))
}

func (p *partition) survey(ctx context.Context) (s survey) {
	s.next, s.end, s.oldest = p.progress.get()
	first, last, err := p.c.offsets(ctx, p.topic, p.id)
	if err != nil {
		return s
	}
	s.next, s.end, s.asked = max(s.next, first), max(s.end, last), true
	if s.end <= s.next || !s.oldest.IsZero() {
		return s
	}
	// None of the records is in the window: they have only just come, or fetching has
	// trouble, or only markers of transactions are left.
	at, found, err := p.c.peek(ctx, p.topic, p.id, s.next)
	switch {
	case err != nil:
	case found:
		s.oldest = at
	default:
		s.next = s.end
	}
	return s
}

// watchdog decides when a partition is stuck. Its user sets only after.
type watchdog struct {
	after time.Duration
	next  int64
	moved time.Time // when next last moved, or nothing waited
	alarm time.Time // when it last returned stuckAlarm
}

// verdict is a watchdog's judgement of a partition.
type verdict int

const (
	moving     verdict = iota
	stuck              // the alarm was raised a short time ago
	stuckAlarm         // it is time to raise the alarm (again)
)

// look judges a measurement: all records before next are acknowledged, and end is after
// the last record.
func (w *watchdog) look(now time.Time, next, end int64) verdict {
	if w.moved.IsZero() || next != w.next || end <= next {
		w.next, w.moved, w.alarm = next, now, time.Time{}
		return moving
	}
	if now.Sub(w.moved) < w.after {
		return moving
	}
	if now.Sub(w.alarm) < w.after {
		return stuck
	}
	w.alarm = now
	return stuckAlarm
}
