// Package snapshot compares a file of everybody whom HR knows with the events that HR has
// sent, and computes the events that never came: hires, changes, and the terminations of
// people who are gone.
//
// [Rows] reads the file by a [Mapping], one row at a time. A [Reconciliation] is given every
// row, and everybody in the ledger, each with their events, and finds the missing events. It
// keeps the IDs that it has seen and its findings. It holds rows only of people with several
// rows, until it has all of them.
//
// The rules:
//
//   - A snapshot is about one instant, Options.AsOf. Its events count as recorded then. If
//     HR has sent an event about somebody since then, the file is ignored for that person.
//   - It covers the people whom Options.Covers accepts. Without Covers, these are the people
//     whose profile in force came from Options.Source.
//   - Fields without a column in the file keep their known values.
//   - Somebody who is employed and not in the file has left, on the snapshot's day. Somebody
//     who is marked as left has left on the day that the row names, else on the snapshot's
//     day. An end that a termination has announced does not change.
//   - Somebody who has left, and is at work by the file, is never brought back without an
//     operator: that is a question.
//   - Different rows of one person are positions, if all rows were counted first. Each row
//     is compared with its position, and a position without a row has ended.
//   - Somebody who has not started and is not in the file is ignored, because many systems
//     export only people who are at work.
//   - A row that cannot be read may be about anybody. So if there is one, nobody counts as
//     absent.
//   - After the events have been applied, comparing again finds nothing. If an event would
//     not settle a difference, there is a question instead.
//
// The package is pure: no clock, no files, no ledger. It may import hr and
// internal/nearest.
package snapshot
