// Package hr defines HR events, the profiles that they carry, and the timeline that results
// when all events about one person are merged.
//
// # What it does
//
// An [Event] is one thing that HR said: somebody was hired, transferred, terminated,
// suspended. It has an effective date (from when it is true) and a recorded time (when
// HR said it). Decoders below hr/source make events from what HR systems send.
//
// [Merge] turns all events about one person into a [Timeline]: employment periods,
// positions, leaves, suspensions, and conflicts. [Join] makes one timeline for a human
// whom HR knew by several IDs. [Timeline.At] then says where the person stands at an
// instant (upcoming, active, on leave, suspended, ended), with which profile, and when
// that changes next. Policy evaluates its rules against that [Standing].
//
// # What it promises
//
//   - The package is pure: no clock, no I/O, no logging. The instant is an argument.
//   - A timeline is a function of the set of events. The order of delivery and
//     duplicates make no difference; properties and fuzz tests hold that. Nothing is
//     updated in place, so no history of updates can be wrong (docs/adr/0008).
//   - HR may contradict itself. Merge then applies what is safe and reports a
//     [Conflict]; it never guesses in silence. Its caller asks an operator.
//   - A sender whose clock is ahead gains nothing: an event counts as said when it was
//     recorded or received, whichever came first.
//   - A termination is a latch: only a rehire that was said later, or a rescind, undoes
//     it. HR cannot lift a suspension by rescinding it.
//   - Civil dates are read in the person's own time zone. All instants that come out are
//     in UTC.
//
// # How the parts fit
//
// Merge takes the steps in this order: it drops duplicates and puts events in HR's
// order (order.go), leaves out what was rescinded (rescind.go), finds additional jobs
// and positions (additional.go, position.go), splits what remains into employments
// (employment.go) with their ends (termination.go, contract.go), and adds leaves and
// suspensions (absence.go, suspension.go). The comment on Merge states the rules in the
// order in which they apply.
//
// # Where to begin
//
// Read timeline.go for the result, then the comment on Merge, then the example of the
// package. The tests of a rule have its name (rescind.go, rescind_test.go) and read as
// small stories with dates; property_test.go has the properties that hold for all of them.
//
// The package imports the standard library and Unicode normalization, and no other package
// of Tenure. The linter checks that.
package hr
