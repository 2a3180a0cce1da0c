package scans

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// meter measures how much memory is held while something is done.
type meter struct {
	begun          time.Time
	spent          time.Duration // with measuring
	before         int64
	heap, resident int64 // at most
}

// begin begins to measure.
func (m *meter) begin() {
	*m = meter{before: liveHeap()}
	m.begun = time.Now()
}

// look measures what is held now, after what is not held any more is collected.
func (m *meter) look() {
	at := time.Now()
	m.heap = max(m.heap, liveHeap()-m.before)
	m.resident = max(m.resident, resident())
	m.spent += time.Since(at)
}

// end returns the most that was held beyond what was held at the beginning, the most memory
// that the process had, and how long it took without measuring.
func (m *meter) end() (heap, resident int64, took time.Duration) {
	return m.heap, m.resident, time.Since(m.begun) - m.spent
}

// liveHeap returns how many bytes of the Go heap are in use.
func liveHeap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(min(stats.HeapAlloc, 1<<62)) //nolint:gosec // it fits
}

// resident returns the memory that the process has, in bytes; 0 where /proc does not say.
func resident() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

func mebibytes(n int64) float64 { return float64(n) / mebibyte }
