// Package snapshot compares everybody whom HR knows, exported to a file, with
// what HR has said in events, and computes the events that never came: hires,
// changes, and the terminations of people who are gone.
//
// [Rows] reads the file by a [Mapping], one row at a time. A [Reconciliation] is
// given every row, and everybody in the ledger, each with their events, and says
// what is missing. It holds no rows but those of people of whom more are to come: what it keeps is the IDs that it has seen
// and what it has found.
//
// The rules:
//
//   - A snapshot speaks of one instant, Options.AsOf, at which its events count as
//     recorded. Of whom HR has said something since, it says nothing.
//   - It speaks of the people whom Options.Covers names: without it, of those whose
//     profile in force came from Options.Source.
//   - Fields that the file has no column for stay as they are known.
//   - Who is employed and absent has left: their last day is the snapshot's. Who is
//     marked as left has left on the day that the row names, else on that day too.
//     An end that a termination has announced is left alone.
//   - Who has left, and is there as if they had not, is never brought back: that is
//     a question for a human.
//   - Rows of one person that differ are positions, if all rows were counted first: each
//     is compared with the position that it speaks of, and a position of which there is
//     no row has been given up.
//   - Who is still to start, and is absent, is left alone: many systems export only
//     people who are at work.
//   - A row that cannot be read looks like somebody who is gone. So as soon as
//     there is one, nobody counts as absent.
//   - Applying what was found and comparing again finds nothing: what would not
//     settle so is a question too.
//
// The package is pure: no clock, no files, no ledger. It may import hr and
// internal/nearest.
package snapshot
