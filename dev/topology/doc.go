// Package topology runs by hand what docker-compose.yml describes, each part a
// process of its own: Apache Kafka, PostgreSQL, the Temporal server on it, workers
// and starters as built, and three apps that are not ours (OpenLDAP, SCIMMY and
// another PostgreSQL). Each can be killed, stopped, stalled and started again
// where it was, with its data.
//
// With Options.Secure nobody gets anywhere without proving who they are: Kafka
// takes SASL over TLS, Temporal a client certificate and an API key.
//
// The Temporal server is the one of the released source, built from this module:
// see `make build-real`. Everything listens on loopback only.
package topology
