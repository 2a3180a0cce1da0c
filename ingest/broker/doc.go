// Package broker is the one door to Kafka's brokers: every reader, writer and question
// of Tenure goes through a Connection.
//
// kafka-go waits without end in several places, and trusts what it reads. The
// connection guards against both (docs/adr/0014-kafka-connections-are-guarded.md):
//
//   - a broker that accepts connections and does not answer is left for another one
//     (stall.go);
//   - a fetch that hangs begins anew, with another reader (fetch.go);
//   - a call that does not return is abandoned, and reported when it stays away for
//     long (abandoned.go);
//   - a compressed batch takes a bounded amount of memory. One that is larger, or
//     damaged, is skipped, and one message stands for its records (inflate.go, skip.go);
//   - files of certificates and keys are read for each connection (tls.go), and
//     credentials that are refused are not tried over and over (sasl.go).
//
// A Publisher sends messages. Probe reports what a cluster lacks before anything runs.
package broker
