// Package crash holds the proof that no death of the starter loses an event or lets it
// act twice. Processes that consume a company's history from Apache Kafka into a ledger
// are killed (SIGKILL) again and again, each at an exact point of its work that a seed
// chose, until the whole history is consumed. Then the ledger, the broker and the
// recorder of nudges have to agree on every event.
//
// The tests have the build tag "real": `make test-real` runs them. The file that
// the environment variable TENURE_CRASH_EVENTS names (one structured CloudEvent a
// line) takes the place of the made-up history.
package crash
