package scans

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// meter measures how much memory is held while something is done.
type meter struct {
	begun, spent   spell // spent: with measuring
	before         int64
	heap, resident int64 // at most
}

// spell is a stretch of time, and of the processors' time.
type spell struct{ wall, cpu time.Duration }

func (s spell) minus(other spell) spell { return spell{s.wall - other.wall, s.cpu - other.cpu} }
func (s spell) plus(other spell) spell  { return spell{s.wall + other.wall, s.cpu + other.cpu} }

var loaded = time.Now()

// elapsed returns the time until now.
func elapsed() spell {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return spell{wall: time.Since(loaded)}
	}
	return spell{time.Since(loaded), time.Duration(used.Utime.Nano() + used.Stime.Nano())}
}

// begin begins to measure.
func (m *meter) begin() {
	*m = meter{before: liveHeap()}
	m.begun = elapsed()
}

// look measures what is held now, after what is not held any more is collected.
func (m *meter) look() {
	at := elapsed()
	m.heap = max(m.heap, liveHeap()-m.before)
	m.resident = max(m.resident, resident())
	m.spent = m.spent.plus(elapsed().minus(at))
}

// end returns the most that was held beyond what was held at the beginning, the most memory
// that the process had, and how long it took without measuring.
func (m *meter) end() (heap, resident int64, took spell) {
	return m.heap, m.resident, elapsed().minus(m.begun).minus(m.spent)
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
