// Package stack runs everything that Tenure needs, and Tenure, on one machine: a
// real Temporal server with its UI, a broker that speaks Kafka's protocol, demo
// apps that speak SCIM, and the product's own starter and worker.
//
// The servers run in this process. Starter and worker are the real programs, run as
// children, so that they can be killed and started again while the rest goes on.
// Everything listens on loopback only.
//
// With Options.DataDir all state is kept there, and the next Start with the same
// directory goes on where the last one ended. Without it, nothing is left behind.
//
// This package links the whole Temporal server: import it from as few commands
// and test packages as possible.
package stack
