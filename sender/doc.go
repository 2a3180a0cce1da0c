// Package sender sends HR events from a file to Kafka. It checks events as the starter will,
// or compares a snapshot of everybody whom HR knows with the ledger and makes the events that
// never came.
package sender
