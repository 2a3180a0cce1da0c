// Package ingest takes HR events from Kafka to the ledger and to Temporal.
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
// Every step may be repeated without harm, and a record is acknowledged only when all
// are done. After a crash at any point the record is read again, and has no second
// effect.
//
// # Failures
//
// When the ledger, Temporal or a broker cannot be reached, no record is lost and none
// becomes a dead letter: the record waits and is tried again (dependency.go), and the
// window fills up behind it. One table says whose fault an error is (fault.go). A record
// that is at fault itself holds nobody up and becomes a dead letter: no decoder can read
// it, the ledger or Temporal refuses it, or it fails again and again while others pass
// (docs/adr/0024-what-concerns-one-record.md).
//
// Logs hold person IDs, topics, partitions and offsets: no names, no addresses, no
// record contents.
package ingest
