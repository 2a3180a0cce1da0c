package provisioning

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Usage is what a process has used since it began.
type Usage struct {
	User   time.Duration `json:"userNanoseconds"`
	System time.Duration `json:"systemNanoseconds"`
	Peak   int64         `json:"peakBytes"` // of memory
}

// CPU returns the time of processors.
func (u Usage) CPU() time.Duration { return u.User + u.System }

// since returns what was used since before. The peak is that of the whole life.
func (u Usage) since(before Usage) Usage {
	return Usage{u.User - before.User, u.System - before.System, u.Peak}
}

// tick is the unit of times in /proc, which Linux fixes for programs.
const tick = 10 * time.Millisecond

// usageOf reads what another process has used. It is known on Linux only.
func usageOf(pid int) (u Usage, err error) {
	if runtime.GOOS != "linux" {
		return u, nil
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	_, after, _ := strings.Cut(string(stat), ") ") // what is before it may hold anything
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return u, errors.New("/proc has another form here")
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		return u, err
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	if err != nil {
		return u, err
	}
	u.User, u.System = time.Duration(user)*tick, time.Duration(system)*tick
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(status)) {
		if value, is := strings.CutPrefix(line, "VmHWM:"); is {
			kilobytes, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			if err != nil {
				return u, err
			}
			u.Peak = kilobytes << 10
		}
	}
	return u, nil
}

// ownUsage returns what this process has used: Temporal and Kafka, the counting and the waiting.
func ownUsage() (u Usage, err error) {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return u, err
	}
	u.User, u.System, u.Peak = time.Duration(r.Utime.Nano()), time.Duration(r.Stime.Nano()), r.Maxrss
	if runtime.GOOS == "linux" {
		u.Peak <<= 10
	}
	return u, nil
}
