// Package ingest takes HR events from Kafka to the ledger and to Temporal. A [Consumer]
// is one member of the consumer group; the starter runs one.
//
// # What a record goes through
//
//  1. group.Member reads records, through the guarded connections of package broker,
//     and gives them to the Consumer.
//  2. Sift (sift.go) finds the records that were delivered when they were read before:
//     the ledger knows their events by key and position, and answers for many records
//     at a time. These are done.
//  3. Deliver (deliver.go) takes each of the others through the rest. read (read.go)
//     decodes it, fetches what it only refers to, and refuses events that its channel
//     has no authority for.
//  4. record (deliver.go) writes the events to the ledger, nudges the person's workflow
//     (nudge.go), and marks the events as delivered.
//  5. refuse (refuse.go) makes a dead letter of a record that cannot be used: the broker
//     gets the letter (package deadletter), the ledger an entry, and, if the record was
//     to end somebody's access, the person's workflow a nudge, so that it asks a human.
//  6. The member acknowledges the record.
//
// # What it promises
//
//   - A record is acknowledged only when all steps are done, and every step may be
//     repeated without harm. After a crash at any point the record is read again, and has
//     no second effect.
//   - Records with the same key (one person) are handled in order. Offsets are committed
//     without a gap (package group).
//   - An outage loses no record and makes no dead letter: while the ledger, Temporal or a
//     broker cannot be reached, the record waits and is tried again (dependency.go), and
//     the window fills up behind it.
//   - A record that is at fault itself holds nobody up and becomes a dead letter: no
//     decoder can read it, the ledger or Temporal refuses it, or it fails again and again
//     while others pass (docs/adr/0024). One table says whose fault an error is (fault.go).
//   - Nothing waits without end for a broker or a call that does not answer
//     (docs/adr/0014).
//   - Logs hold person IDs, topics, partitions and offsets: no names, no addresses, no
//     record contents.
//
// # How the parts fit
//
// This package knows what records mean. Package group reads topics as a member of the
// consumer group and knows nothing of what records hold. Package broker has every
// connection to Kafka, and package deadletter the form of dead letters, which operators
// read and send again. Decoders come from hr/source, by [Options]; the ledger is seen
// through ledger.Intake and Temporal through [Nudger], so that tests replace both.
//
// # Where to begin
//
// Read Deliver, then record and refuse. Then read the table in fault.go, and package
// group for what happens around a rebalance. anyrecord_test.go and storm_test.go show
// what has to hold, whatever the records and whatever fails.
//
// Only this package and those below it import kafka-go.
package ingest
