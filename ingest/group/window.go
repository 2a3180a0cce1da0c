package group

import (
	"cmp"
	"slices"
	"time"
)

// window is the records of one partition that are in flight: fetched, and not
// yet covered by a commit. It finds the offset up to which everything has been
// acknowledged. It is not safe for concurrent use.
type window struct {
	inFlight []inFlight // in the order fetched, so by offset; the first is not acknowledged
	open     int        // of these, not acknowledged
	next     int64      // the offset that may be committed: everything before it is acknowledged
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

// add notes a fetched record and its timestamp. Offsets ascend, and may leave gaps (a compacted
// topic's, a transaction marker's). One at or below the last is a repetition of
// the broker's or the client's, and false is returned: it is to be ignored.
func (w *window) add(offset int64, at time.Time) bool {
	if n := len(w.inFlight); n > 0 && offset <= w.inFlight[n-1].offset || offset < w.next {
		return false
	}
	w.inFlight = append(w.inFlight, inFlight{offset: offset, at: at})
	w.open++
	return true
}

// ack notes that the record at the offset is done with.
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

// len is how many records are in the window.
func (w *window) len() int { return len(w.inFlight) }

// first is the offset of the record that everything behind it waits for.
func (w *window) first() (int64, bool) {
	if len(w.inFlight) == 0 {
		return 0, false
	}
	return w.inFlight[0].offset, true
}

// oldest is the timestamp of that record; zero if there is none.
func (w *window) oldest() time.Time {
	if len(w.inFlight) == 0 {
		return time.Time{}
	}
	return w.inFlight[0].at
}

// end is the offset after the last record fetched.
func (w *window) end() int64 {
	if n := len(w.inFlight); n > 0 {
		return w.inFlight[n-1].offset + 1
	}
	return w.next
}
