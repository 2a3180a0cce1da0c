// Package intake measures ingestion, and compares it with the best that is possible, in
// turns in the same run: reading a topic again with a consumer that only reads, and new
// events with the calls of Temporal alone. It also measures how this grows with
// partitions and starters, and how much memory a starter takes.
//
// Temporal is the embedded stack's, as is Kafka unless brokers are given.
package intake
