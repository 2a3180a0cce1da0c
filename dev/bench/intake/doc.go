// Package intake measures ingestion, each thing against what it could be at best,
// in turns in the same run: reading a topic again against a consumer that only
// reads, new events against nothing but the calls of Temporal; how that grows
// with partitions and starters; and how much memory a starter takes.
//
// Temporal is the embedded stack's, as is Kafka unless brokers are given.
package intake
