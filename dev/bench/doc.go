// Package bench counts what changes cost, and compares Tenure with a bare
// workflow on the same Temporal server.
//
// The server runs in this process, in memory; the worker too, with the product's own
// options, workflows and activities, a real ledger in a file, and apps in memory. Times
// depend on the machine, so only their ratio means anything. Counts do not: watch these.
package bench
