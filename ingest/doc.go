// Package ingest brings HR events from Kafka into the ledger and to Temporal,
// and is the only package that knows Kafka.
//
// # What a record goes through
//
// Decode (by the topic's source), record in the ledger, nudge the person's
// workflow, mark as delivered in the ledger, acknowledge. Each of these may be
// repeated safely, and a record is acknowledged only when all are done: after a
// crash at any point the record is read again and has no second effect.
//
// A topic that is read again is sifted first: of the very records that were dealt
// with before, the ledger knows the events by their keys and where they came
// from, and one read tells many of them.
//
// # Order and acknowledgement
//
// A member of the consumer group gets partitions for one generation, until the
// next rebalance. Each partition has a bounded window of records in flight, and
// all partitions together hold a bounded number of bytes. In a window, records of
// one key (one person) are handled one after the other, in order, and different
// keys at the same time. What is committed is the end of the longest unbroken run
// of acknowledged records: never past one that is not, and never backwards. When the generation ends, nothing new is begun,
// what is in flight is finished (or given up after a while), the result is
// committed, and the partition let go. Offsets are committed through the
// generation that read them and by nothing that outlives it.
//
// # Failures
//
// That the ledger, Temporal or a broker cannot be reached never loses a record
// and never makes a dead letter: the record waits and is tried again, and the
// window fills up behind it. Whose an error is, one table says (fault.go). A record
// at fault itself (no decoder can read it, the ledger or Temporal refuses it, or it
// fails again and again while others pass: docs/adr/0024-what-concerns-one-record.md)
// holds nobody up, and goes to the dead-letter topic, as it is, with headers that
// say where it came from and why; it is acknowledged once the broker has the
// dead letter and the ledger knows of it. One that was to end somebody's access
// is told to their workflow too, which asks a human.
//
// Nothing is waited for that can hang: brokers that are silent are left for
// others, a fetch or a membership that gets nowhere is begun anew, and calls that
// do not return are left behind (docs/adr/0014-kafka-connections-are-guarded.md).
//
// Logs hold person IDs, topics, partitions and offsets: no names, no addresses,
// no record contents.
package ingest
