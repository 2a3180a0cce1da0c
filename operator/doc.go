// Package operator does what an operator asks for: suspend and reinstate somebody, retry
// and skip what needs attention, release and cancel what the breaker holds, place legal
// holds, approve deletions, and so on. Each of these is a method of Operator. The command
// line calls them, and so will every other front end.
//
// Every method that decides something works in the same way:
//
//   - It is given a Request: who asks, and why. Verb.Check refuses one that is incomplete.
//   - It checks what is asked for, and returns a *RefusedError that says what stands against it.
//   - It writes the decision and its audit row to the ledger in one transaction.
//   - It tells the run of each person concerned to look at the ledger again. If that
//     fails, the decision stands: the method returns its result and an *UntoldError, and
//     the sweeper tells the runs later.
//
// Calling a method again with the same request does no harm.
//
// Where it matters, an operator can ask first what a method would do: see Viewer, whose
// methods read the ledger and change nothing.
//
// The package knows the ledger, the rules and the contract of connectors. It knows no
// command line, no Kafka and no Temporal: Runs, Records, Apps and Engine stand for these.
package operator
