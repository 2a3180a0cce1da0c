// Package brokertest runs Apache Kafka for tests: one broker or three (KRaft, each
// broker and controller at once) on loopback, each a child process that can be
// killed, started again and stalled, and that dies with the test process.
//
// Kafka's jars are in the directory that the environment variable
// TENURE_REAL_KAFKA_LIBS names; `make test-real` fetches them and sets it. A test
// that cannot have its broker fails. Tests that use this package have the build tag
// "real", so that `make test` needs no Java.
//
// It is for tests only, and may import kafka-go, to ask what it has started.
package brokertest
