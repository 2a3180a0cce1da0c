package group

import (
	"cmp"
	"slices"
	"time"
)

// window holds the records of one partition that are in flight: taken from the inbox,
// and not yet before the offset that may be committed. It finds that offset: all records
// before it are acknowledged. It is not safe for concurrent use.
type window struct {
	inFlight []inFlight // by offset; the first is not acknowledged
	open     int        // how many of them are not acknowledged
	next     int64      // the offset that may be committed: all records before it are acknowledged
}

type inFlight struct {
	offset int64
	at     time.Time // the record's timestamp
	acked  bool
}

// newWindow starts at the offset from which the partition is read. It may be
// negative (kafka.FirstOffset): then there is nothing to commit until the first
// record is acknowledged.
func newWindow(start int64) *window { return &window{next: start} }

// add adds a fetched record. Offsets ascend, and may leave gaps, as on a compacted topic.
// It reports false for an offset at or below the last one: the broker or the client
// repeats itself, and the record is to be ignored.
func (w *window) add(offset int64, at time.Time) bool {
	if n := len(w.inFlight); n > 0 && offset <= w.inFlight[n-1].offset || offset < w.next {
		return false
	}
	w.inFlight = append(w.inFlight, inFlight{offset: offset, at: at})
	w.open++
	return true
}

// ack acknowledges the record at the offset.
func (w *window) ack(offset int64) {
	i, ok := slices.BinarySearchFunc(w.inFlight, offset, func(r inFlight, offset int64) int { return cmp.Compare(r.offset, offset) })
	if ok && !w.inFlight[i].acked {
		w.inFlight[i].acked = true
		w.open--
	}
	done := 0
	for done < len(w.inFlight) && w.inFlight[done].acked {
		w.next = w.inFlight[done].offset + 1
		done++
	}
	w.inFlight = w.inFlight[done:]
}

// len returns how many records are in the window.
func (w *window) len() int { return len(w.inFlight) }

// first returns the offset of the first record, if there is one: all others wait for it.
func (w *window) first() (int64, bool) {
	if len(w.inFlight) == 0 {
		return 0, false
	}
	return w.inFlight[0].offset, true
}

// oldest returns the timestamp of the first record; zero if there is none.
func (w *window) oldest() time.Time {
	if len(w.inFlight) == 0 {
		return time.Time{}
	}
	return w.inFlight[0].at
}

// end returns the offset after the last record.
func (w *window) end() int64 {
	if n := len(w.inFlight); n > 0 {
		return w.inFlight[n-1].offset + 1
	}
	return w.next
}
