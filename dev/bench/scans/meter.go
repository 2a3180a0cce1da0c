package scans

import (
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/tenurehq/tenure/dev/bench/sheet"
)

// meter measures how much memory is held while something is done.
type meter struct {
	begun, spent   sheet.Spell // spent: with measuring
	before         int64
	heap, resident int64 // at most
}

// begin begins to measure.
func (m *meter) begin() {
	*m = meter{before: liveHeap()}
	m.begun = sheet.Elapsed()
}

// look measures what is held now, after what is not held any more is collected.
func (m *meter) look() {
	at := sheet.Elapsed()
	m.heap = max(m.heap, liveHeap()-m.before)
	m.resident = max(m.resident, resident())
	m.spent = m.spent.Plus(sheet.Elapsed().Minus(at))
}

// end returns the most that was held beyond what was held at the beginning, the most memory
// that the process had, and how long it took without measuring.
func (m *meter) end() (heap, resident int64, took sheet.Spell) {
	return m.heap, m.resident, sheet.Elapsed().Minus(m.begun).Minus(m.spent)
}

// liveHeap returns how many bytes of the Go heap are in use.
func liveHeap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(min(stats.HeapAlloc, 1<<62))
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

// Mebibytes returns a number of bytes in MiB.
func Mebibytes(n int64) float64 { return float64(n) / mebibyte }
