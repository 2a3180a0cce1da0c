// Package real tests everything together, with servers that are not ours: the real
// programs, a real Temporal server, Apache Kafka, and SCIMMY for an app. `make test-real`
// starts the servers and runs it.
package real
