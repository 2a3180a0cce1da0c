// Package group reads topics as one member of a Kafka consumer group, and knows
// nothing of what the records hold: a Handler deals with them.
//
// # Order and acknowledgement
//
// A Member is assigned partitions for one generation, until the next rebalance. Each
// partition has a bounded window of records in flight, and all partitions together
// hold a bounded number of bytes. In a window, records with the same key (one person)
// are handled one after the other, in order, and different keys at the same time. The
// member commits the end of the longest unbroken run of acknowledged records: never
// past one that is not acknowledged, and never backwards.
//
// When the generation ends, the member begins nothing new, finishes what is in flight
// (or gives it up after a while), commits, and lets the partition go. Offsets are
// committed through the generation that read them, and by nothing that outlives it.
//
// A record goes through a partition like this: fetched into the inbox (inbox.go), taken
// into the window and sifted, handled in the lane of its key (partition.go), and
// acknowledged (window.go). The watch reports a partition that does not move (watch.go).
package group
