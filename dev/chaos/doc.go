// Package chaos proves that no failure of one part makes an account wrong, loses
// anything or does anything twice. While a company's history goes in at Kafka, each
// process of a topology (see package topology) is killed in turn, and each
// dependency is stopped, or stalled with its connections open, for two minutes.
// Meanwhile people ask for access, apps are scanned, and reviews are held and closed.
// Then every account in every app is held against where everybody must stand,
// and the ledger, Kafka and Temporal against what was sent, asked and decided.
//
// `make chaos` runs all of it and prints the table that docs/reliability.md keeps;
// the tests, with fewer people and shorter outages, are part of `make test-real`.
package chaos
