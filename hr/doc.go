// Package hr holds HR's events, people's profiles, and the timeline that results when
// all events about one person are merged.
//
// The package is pure: no clock, no I/O, no logging. The same events give the
// same timeline in whatever order and however often they were delivered.
//
// Words: a person is a human known to HR (the wire format says "worker"). An
// event has an effective date (when it is true) and a recorded time (when HR
// said so). Civil dates are read in the person's own time zone.
//
// It may import only the standard library and small pure libraries.
package hr
