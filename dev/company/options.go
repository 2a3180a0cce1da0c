package company

import (
	"cmp"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// Options say what company to make up. Shares and chances are from 0 to 1.
type Options struct {
	Seed   uint64
	People int
	Start  hr.Date // first day on which something changes (default 2026-01-01)
	Days   int     // how many days the simulation goes on (default 365)
	// Pace multiplies how often things happen; at 1 (the default), about one change
	// per person and year.
	Pace float64
	// Pending is the share of people who are hired to start only after the last
	// day of the simulation.
	Pending float64

	Corrections float64 // chance of an event to have been told wrong first
	Rescinds    float64 // chance of a person to have something told of them that never was
	Overtaken   float64 // chance of a leaver to have a move announced for after they leave
	Duplicates  float64 // chance of an event to be delivered twice
	Disorder    float64 // share of events that are delivered out of order

	Source string // CloudEvents source (default "/hr/made-up-company")
}

// Typical are options with a bit of everything.
func Typical(seed uint64, people int) Options {
	return Options{
		Seed: seed, People: people, Pending: 0.02,
		Corrections: 0.04, Rescinds: 0.05, Overtaken: 0.1, Duplicates: 0.03, Disorder: 0.05,
	}
}

// Turbulent are options for tests of what is hard: every life is eventful, and
// half of what is told is late, wrong, repeated or out of order.
func Turbulent(seed uint64, people int) Options {
	return Options{
		Seed: seed, People: people, Pace: 8, Pending: 0.05,
		Corrections: 0.3, Rescinds: 0.5, Overtaken: 0.5, Duplicates: 0.3, Disorder: 0.5,
	}
}

func (o Options) withDefaults() Options {
	if o.Start.IsZero() {
		o.Start = hr.Date{Year: 2026, Month: time.January, Day: 1}
	}
	o.Days = cmp.Or(o.Days, 365)
	o.Pace = cmp.Or(o.Pace, 1)
	o.Source = cmp.Or(o.Source, "/hr/made-up-company")
	return o
}

// end is the first day after the simulation.
func (o Options) end() hr.Date { return o.Start.AddDays(o.Days) }
