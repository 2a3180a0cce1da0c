// Package sheet holds what all measurements use: the tables of their reports, time, and
// profiling.
package sheet

import (
	"io"
	"os"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Table returns a table that is written to out.
func Table(out io.Writer, header table.Row) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(out)
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	t.AppendHeader(header)
	return t
}

// Profile writes a CPU profile to a file until stop is called. An empty path
// writes none.
func Profile(path string) (stop func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		_ = file.Close()
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = file.Close()
	}, nil
}

// Spell is a stretch of time, and how long this process used processors in it.
type Spell struct{ Wall, CPU time.Duration }

// Minus returns what is left of a spell without another one.
func (s Spell) Minus(other Spell) Spell { return Spell{s.Wall - other.Wall, s.CPU - other.CPU} }

// Plus returns two spells together.
func (s Spell) Plus(other Spell) Spell { return Spell{s.Wall + other.Wall, s.CPU + other.CPU} }

var loaded = time.Now()

// Elapsed returns the time until now, since any moment that is the same for all its calls.
func Elapsed() Spell {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return Spell{Wall: time.Since(loaded)}
	}
	return Spell{time.Since(loaded), time.Duration(used.Utime.Nano() + used.Stime.Nano())}
}
